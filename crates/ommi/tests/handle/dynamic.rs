//! Models without a Rust type.

use std::sync::Arc;

use ommi::Result;
use ommi::model::{FieldDef, ModelBuilder, ModelDef};
use ommi::query::{Condition, Expr};
use ommi::value::{Datum, ValueType};

use super::databases;

fn thing() -> Result<Arc<ModelDef>> {
    ModelBuilder::new("Thing")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("size", ValueType::I8))
        .field(FieldDef::new("name", ValueType::Text))
        .key(["id"])
        .build()
}

fn row(size: i64, name: &str) -> Vec<Datum> {
    vec![Datum::Null, Datum::Int(size), Datum::Text(name.into())]
}

#[tokio::test]
async fn a_limit_is_counted_and_never_forgotten_by_a_write() {
    for db in databases().await.unwrap() {
        let model = thing().unwrap();
        db.create_models(std::slice::from_ref(&model)).await.unwrap();
        let things = db.model(&model);
        things.add_all(vec![row(1, "a"), row(2, "b"), row(3, "c")]).await.unwrap();
        let all = || things.find(Condition::Const(true));
        assert_eq!(all().limit(2).count().await.unwrap(), 2);
        assert_eq!(all().offset(2).count().await.unwrap(), 1);
        assert!(all().limit(1).delete().await.unwrap_err().is_query());
        assert!(all().distinct().delete().await.unwrap_err().is_query());
        let sizes = vec![(1, Expr::Literal(Datum::Int(9)))];
        assert!(all().offset(1).update(sizes).await.unwrap_err().is_query());
        assert!(all().having(Condition::Const(false)).rows().await.unwrap_err().is_query());
        assert_eq!(all().count().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn values_take_the_type_of_their_field_or_are_refused() {
    for db in databases().await.unwrap() {
        let model = thing().unwrap();
        db.create_models(std::slice::from_ref(&model)).await.unwrap();
        let things = db.model(&model);
        let wrong = vec![Datum::Null, Datum::Bool(true), Datum::Text("a".into())];
        for row in [row(300, "a"), wrong] {
            let error = things.add_all(vec![row]).await.unwrap_err();
            assert!(error.is_query() && error.fields() == ["size"], "{error}");
        }
        let update = things.find(Condition::Const(true)).update(vec![(1, Expr::Literal(Datum::Int(300)))]);
        assert!(update.await.unwrap_err().is_query());
    }
}

fn berth() -> Result<Arc<ModelDef>> {
    ModelBuilder::new("Berth")
        .field(FieldDef::new("flight", ValueType::I8))
        .field(FieldDef::new("place", ValueType::Text))
        .field(FieldDef::new("price", ValueType::F64).nullable(true))
        .key(["flight", "place"])
        .build()
}

#[tokio::test]
async fn a_row_is_found_by_its_key() {
    let (int, text) = (Datum::Int, |text: &str| Datum::Text(text.into()));
    for db in databases().await.unwrap() {
        let model = berth().unwrap();
        db.create_models(std::slice::from_ref(&model)).await.unwrap();
        let berths = db.model(&model);
        let rows = [
            vec![int(1), text("1A"), Datum::Float(9.5)],
            vec![int(1), text("1B"), Datum::Null],
            vec![int(-128), text("é"), Datum::Null],
        ];
        berths.add_all(rows.to_vec()).await.unwrap();
        // twice: the plan is made, and then known
        for row in rows.iter().chain(&rows) {
            assert_eq!(&berths.get(&row[..2]).await.unwrap(), row);
        }
        let absent = [
            [int(2), text("1A")],
            [int(1), text("1a")],
            // no row of the field's type has it
            [int(1_000), text("1A")],
            [Datum::Null, text("1A")],
        ];
        for key in absent {
            let error = berths.get(&key).await.unwrap_err();
            assert!(error.is_not_found(), "{key:?}: {error}");
        }
        // a value of another type does not take the plan that is known
        assert!(berths.get(&[Datum::Float(1.0), text("1A")]).await.unwrap_err().is_query());
        assert!(berths.get(&[int(1), int(1)]).await.unwrap_err().is_query());
        for key in [&rows[0][..1], &rows[0][..], &[]] {
            assert!(berths.get(key).await.unwrap_err().is_query());
        }
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn statements_are_counted_when_they_are_sent() {
    let (db, statements) = ommi::testing::counted("sqlite::memory:").await.unwrap();
    let model = thing().unwrap();
    db.create_models(std::slice::from_ref(&model)).await.unwrap();
    assert_eq!(statements.reset(), 1);
    db.model(&model).add_all(vec![row(1, "a")]).await.unwrap();
    db.model(&model).get(&[Datum::Int(1)]).await.unwrap();
    assert_eq!(statements.reset(), 2);
    // one that fails was sent too, and what bounds a transaction is no statement
    db.raw("SELECT nonsense").execute().await.unwrap_err();
    db.transaction(async |tx| tx.model(&model).get(&[Datum::Int(1)]).await).await.unwrap();
    assert_eq!(statements.get(), 2);
}
