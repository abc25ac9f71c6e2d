//! Errors name kind, model and fields.

use ommi_core::driver::RowSource;
use ommi_core::value::{Datum, Decimal};
use ommi_core::{ConstraintKind, ErrorKind};

use crate::harness::*;

fn row(values: [Datum; 4]) -> Vec<Datum> {
    values.into()
}

fn price() -> Datum {
    Datum::Decimal(Decimal::new(150, 2))
}

#[tokio::test]
async fn broken_rules_name_kind_model_and_fields() {
    let driver = open("sqlite::memory:").await;
    let users = inserting(&*driver, &user(), Default::default());
    let posts = inserting(&*driver, &post(), Default::default());
    users.insert(&*driver, vec![ada("a")]).await.unwrap();
    let text = |text: &str| Datum::Text(text.into());
    for (insert, values, kind, fields) in [
        (&users, ada("a"), ConstraintKind::Unique, vec!["email"]),
        (&users, row([Datum::Int(1), text("x"), text("x"), Datum::Null]), ConstraintKind::Unique, vec!["id"]),
        (&users, row([Datum::Null, Datum::Null, text("x"), Datum::Null]), ConstraintKind::NotNull, vec!["name"]),
        (&users, row([Datum::Null, text("x"), text("x"), Datum::Int(-1)]), ConstraintKind::Check, vec!["age"]),
        (&posts, row([Datum::Null, Datum::Int(9), Datum::Int(1), price()]), ConstraintKind::Reference, vec!["author"]),
        (&posts, row([Datum::Null, Datum::Int(1), Datum::Int(9), price()]), ConstraintKind::Reference, vec!["editor"]),
    ] {
        let model = insert.model.name();
        let single = insert.insert(&*driver, vec![values.clone()]).await.err().unwrap();
        let good = if **model == *"User" { ada("z") } else { row([Datum::Null, Datum::Int(1), Datum::Null, price()]) };
        let batch = insert.insert(&*driver, vec![good, values]).await.err().unwrap();
        for error in [single, batch] {
            assert_eq!(error.constraint_kind(), Some(kind), "{error}");
            assert_eq!(error.fields(), fields, "{error}");
            assert_eq!((error.model(), error.operation()), (Some(&**model), Some("add")), "{error}");
            assert_eq!(error.driver(), Some("sqlite"));
            assert!(error.code().is_some_and(|code| code.starts_with("SQLITE_CONSTRAINT_")), "{error:?}");
        }
    }
    assert_eq!(all(&*driver, &user()).fetch(&*driver, &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn rows_that_are_referenced_stay() {
    let driver = open("sqlite::memory:").await;
    inserting(&*driver, &user(), Default::default()).insert(&*driver, vec![ada("a")]).await.unwrap();
    let posts = inserting(&*driver, &post(), Default::default());
    posts.insert(&*driver, vec![row([Datum::Null, Datum::Int(1), Datum::Null, price()])]).await.unwrap();
    let error = deleting(&*driver, &user(), 0).execute(&*driver, &[Datum::Int(1)]).await.unwrap_err();
    assert!(error.is_reference_violation() && error.message().contains("other rows"), "{error}");
    let update = updating(&*driver, &post(), 0, 1);
    let error = update.execute(&*driver, &[Datum::Int(1), Datum::Int(5)]).await.unwrap_err();
    assert!(error.is_reference_violation(), "{error}");
    assert_eq!(error.fields(), ["author"]);
}

#[tokio::test]
async fn a_missing_table_says_how_to_make_it() {
    let driver = connect("sqlite::memory:").await.unwrap();
    let user = user();
    let error = all(&*driver, &user).fetch(&*driver, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("db.create"), "{error}");
    for rows in [vec![ada("a")], vec![ada("a"), ada("b")]] {
        let error = inserting(&*driver, &user, Default::default()).insert(&*driver, rows).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
    }
}

#[tokio::test]
async fn errors_of_functions_keep_their_words() {
    let driver = connect("sqlite::memory:").await.unwrap();
    let error = raw(&*driver, "SELECT ommi_arith('i8', '+', 100, 100)").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.message().contains("outside i8"), "{error}");
    let error = raw(&*driver, "SELECT ommi_regex('a', '(')").await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Query, "{error}");
}

#[tokio::test]
async fn raw_texts_that_are_wrong_say_so() {
    let driver = open("sqlite::memory:").await;
    for (text, said) in [
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("", "no statement"),
        ("SELEC 1", "syntax error"),
        ("SELECT \"no such column\" FROM User", "no such column"),
        ("SELECT ?1", "1 parameters and 0 values"),
        ("BEGIN", "began a transaction"),
    ] {
        let error = raw(&*driver, text).await.err().expect(text);
        assert!(error.message().contains(said), "{text}: {error}");
    }
    // the connection is as good as new
    assert_eq!(raw(&*driver, "DELETE FROM User").await.unwrap().1, 0);
}

#[tokio::test]
async fn raw_writes_count_their_rows_and_give_what_they_return() {
    let driver = open("sqlite::memory:").await;
    let text = "INSERT INTO User VALUES (1, 'a', 'a', 1), (2, 'b', 'b', 2) RETURNING id, name AS n";
    let (rows, matched) = raw(&*driver, text).await.unwrap();
    assert_eq!((rows.columns, rows.rows.len(), matched), (vec!["id".to_owned(), "n".to_owned()], 2, 2));
    assert_eq!(raw(&*driver, "UPDATE User SET age = 3").await.unwrap().1, 2);
    assert_eq!(raw(&*driver, "CREATE TABLE t (a)").await.unwrap().1, 0);
}

#[tokio::test]
async fn native_work_gets_the_connection_and_leaves_no_transaction() {
    let driver = open("sqlite::memory:").await;
    let answer = driver.native(Box::new(|connection| {
        let connection = connection.downcast_mut::<rusqlite::Connection>().unwrap();
        connection.execute_batch("BEGIN; INSERT INTO User VALUES (1, 'a', 'a', 1)").unwrap();
        Box::new(connection.changes())
    }));
    assert_eq!(*answer.await.unwrap().downcast::<u64>().unwrap(), 1);
    assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(0));
    inserting(&*driver, &user(), Default::default()).insert(&*driver, vec![ada("a")]).await.unwrap();
}

struct Panics;

impl RowSource for Panics {
    fn len(&self) -> usize {
        2
    }

    fn encode(&self, row: usize, encoder: &mut dyn ommi_core::driver::Encoder) -> ommi_core::Result<()> {
        assert!(row == 0, "as the test wants");
        ada("p").iter().try_for_each(|value| encoder.cell(value.cell()))
    }

    fn is_unassigned(&self, _: usize) -> bool {
        true
    }

    fn key(&self, _: usize) -> Option<i64> {
        None
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

#[tokio::test]
async fn a_panic_of_the_program_reaches_it_and_leaves_the_connection_clean() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), Default::default());
    let task = tokio::spawn({
        let driver = std::sync::Arc::clone(&driver);
        async move {
            let insert = inserting(&*driver, &user(), Default::default());
            let _ = driver.insert(insert.call(&[]), Box::new(Panics)).await;
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    let work = driver.native(Box::new(|_| panic!("as the test wants")));
    assert!(futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(work)).await.is_err());
    insert.insert(&*driver, vec![ada("a"), ada("b")]).await.unwrap();
    assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(2));
}
