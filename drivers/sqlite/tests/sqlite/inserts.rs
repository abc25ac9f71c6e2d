//! New rows and their keys.

use ommi_core::query::Expr;
use ommi_core::query::statement::OnConflict;
use ommi_core::value::Datum;

use crate::harness::*;

fn with_key(key: i64, email: &str) -> Vec<Datum> {
    let mut row = ada(email);
    row[0] = Datum::Int(key);
    row
}

#[tokio::test]
async fn single_rows_get_keys_that_are_never_given_again() {
    let (folder, other) = (Folder::new(), Folder::new());
    for url in [folder.url(), "sqlite::memory:".to_owned(), other.url().replace("off", "full")] {
        let driver = open(&url).await;
        let insert = inserting(&*driver, &user(), OnConflict::Fail);
        assert_eq!(keys(&insert.insert(&*driver, vec![ada("a")]).await.unwrap()), [1]);
        assert_eq!(keys(&insert.insert(&*driver, vec![ada("b")]).await.unwrap()), [2]);
        assert_eq!(deleting(&*driver, &user(), 0).execute(&*driver, &[Datum::Int(2)]).await.unwrap(), 1);
        assert_eq!(keys(&insert.insert(&*driver, vec![ada("c")]).await.unwrap()), [3]);
        deleting(&*driver, &user(), 0).execute(&*driver, &[Datum::Int(3)]).await.unwrap();
        assert_eq!(keys(&insert.insert(&*driver, vec![ada("d"), ada("e")]).await.unwrap()), [4, 5]);
    }
}

#[tokio::test]
async fn keys_of_a_batch_belong_to_their_rows() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), OnConflict::Fail);
    insert.insert(&*driver, vec![ada("first")]).await.unwrap();
    let rows = vec![ada("a"), with_key(50, "b"), ada("c"), with_key(40, "d"), ada("e")];
    let inserted = insert.insert(&*driver, rows).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted)), (5, vec![51, 52, 53]));
    let by_email = by(&*driver, &user(), 2);
    for (email, key) in [("a", 51), ("b", 50), ("c", 52), ("d", 40), ("e", 53)] {
        let rows = by_email.fetch(&*driver, &[Datum::Text(email.into())]).await.unwrap();
        assert_eq!(rows[0][0], Datum::Int(key), "{email}");
    }
    // an explicit key pushes the counter beyond it
    insert.insert(&*driver, vec![with_key(100, "f")]).await.unwrap();
    assert_eq!(keys(&insert.insert(&*driver, vec![ada("g")]).await.unwrap()), [101]);
    assert_eq!(keys(&insert.insert(&*driver, vec![ada("h"), ada("i")]).await.unwrap()), [102, 103]);
}

#[tokio::test]
async fn forty_thousand_rows_go_in_one_insert() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), OnConflict::Fail);
    let rows = (0..40_000).map(|n| ada(&n.to_string())).collect();
    let inserted = insert.insert(&*driver, rows).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted)), (40_000, (1..=40_000).collect()));
    assert_eq!(value(&*driver, "SELECT count(*) FROM User WHERE id - 1 = \"e-mail\"").await, Datum::Int(40_000));
}

/// 200 rows, of which one has a large value and one a key of its own.
fn with_a_large_one(prefix: &str, key: i64) -> Vec<Vec<Datum>> {
    let mut rows: Vec<Vec<Datum>> = (0..200).map(|n| ada(&format!("{prefix}{n}"))).collect();
    rows[101][1] = Datum::Text("x".repeat(100_000).into());
    rows[150][0] = Datum::Int(key);
    rows
}

#[tokio::test]
async fn rows_go_on_behind_a_large_one_wherever_it_is_written() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), OnConflict::Fail);
    let inserted = insert.insert(&*driver, with_a_large_one("a", 1_000)).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted)), (200, (1_001..=1_199).collect()));
    let tx = driver.begin(&Default::default()).await.unwrap();
    let inserted = insert.insert(&*tx, with_a_large_one("b", 3_000)).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted)), (200, (3_001..=3_199).collect()));
    tx.commit().await.unwrap();
    let misplaced = "SELECT count(*) FROM User WHERE substr(\"e-mail\", 2) + 0 <> \
                     CASE WHEN id IN (1000, 3000) THEN 150 ELSE id % 1000 - 1 + (id % 1000 > 150) END";
    assert_eq!(value(&*driver, misplaced).await, Datum::Int(0));
    assert_eq!(value(&*driver, "SELECT count(*) FROM User WHERE length(name) = 100000").await, Datum::Int(2));

    let mut rows = with_a_large_one("c", 5_000);
    rows[199] = ada("a0");
    assert!(insert.insert(&*driver, rows).await.err().unwrap().is_unique_violation());
    assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(400));
    assert_eq!(insert.insert(&*driver, vec![ada("free")]).await.unwrap().rows, 1);
}

#[tokio::test]
async fn an_insert_that_is_dropped_half_way_leaves_nothing() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), OnConflict::Fail);
    let mut before = 0;
    let mut is_half_way = false;
    for attempt in 1..=20 {
        let mut work = Box::pin(insert.insert(&*driver, with_a_large_one(&format!("{attempt} "), attempt * 1_000)));
        // the rest, behind the large row, is a worker's, which now and then is done before we look
        is_half_way =
            std::future::poll_fn(|context| std::task::Poll::Ready(work.as_mut().poll(context).is_pending())).await;
        drop(work);
        let there = value(&*driver, "SELECT count(*) FROM User").await;
        assert!([Datum::Int(before), Datum::Int(before + 200)].contains(&there), "{there:?}");
        if is_half_way {
            break;
        }
        before += 200;
    }
    assert!(is_half_way, "twenty workers were done before we looked");
    assert_eq!(insert.insert(&*driver, vec![ada("free")]).await.unwrap().rows, 1);
}

#[tokio::test]
async fn an_insert_that_fails_half_way_leaves_nothing() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), OnConflict::Fail);
    let rows = || (0..500).map(|n| ada(&(n % 499).to_string())).collect();
    let error = insert.insert(&*driver, rows()).await.err().unwrap();
    assert!(error.is_unique_violation(), "{error}");
    assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(0));

    let tx = driver.begin(&Default::default()).await.unwrap();
    insert.insert(&*tx, vec![ada("kept")]).await.unwrap();
    assert!(insert.insert(&*tx, rows()).await.is_err());
    tx.commit().await.unwrap();
    assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(1));
}

#[tokio::test]
async fn rows_that_collide_are_left_out_or_updated() {
    let driver = open("sqlite::memory:").await;
    inserting(&*driver, &user(), OnConflict::Fail).insert(&*driver, vec![ada("a")]).await.unwrap();
    let ignoring = inserting(&*driver, &user(), OnConflict::Ignore(vec![2]));
    let inserted = ignoring.insert(&*driver, vec![ada("a"), ada("b"), ada("c")]).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted)), (2, vec![]));
    assert_eq!(ignoring.insert(&*driver, vec![ada("a")]).await.unwrap().rows, 0);
    let inserted = ignoring.insert(&*driver, vec![ada("d")]).await.unwrap();
    assert_eq!((inserted.rows, keys(&inserted).len()), (1, 1));

    let updating = inserting(&*driver, &user(), OnConflict::Update(vec![2], vec![(1, Expr::Inserted(1))]));
    let mut row = ada("a");
    row[1] = Datum::Text("Grace".into());
    assert_eq!(updating.insert(&*driver, vec![row, ada("z")]).await.unwrap().rows, 2);
    let rows = by(&*driver, &user(), 2).fetch(&*driver, &[Datum::Text("a".into())]).await.unwrap();
    assert_eq!(rows[0][..2], [Datum::Int(1), Datum::Text("Grace".into())]);
}

#[tokio::test]
async fn an_insert_without_rows_does_nothing() {
    let driver = open("sqlite::memory:").await;
    let inserted = inserting(&*driver, &user(), OnConflict::Fail).insert(&*driver, vec![]).await.unwrap();
    assert_eq!((inserted.rows, inserted.source.len()), (0, 0));
}
