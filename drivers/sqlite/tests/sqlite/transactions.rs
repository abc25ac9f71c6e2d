//! Beginning, ending, savepoints.

use ommi_core::driver::{Transaction, TransactionOptions};
use ommi_core::value::Datum;

use crate::harness::*;

async fn count(session: &dyn ommi_core::driver::Session) -> Datum {
    value(session, "SELECT count(*) FROM User").await
}

#[tokio::test]
async fn savepoints_keep_or_undo_what_came_since() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), Default::default());
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    insert.insert(&*tx, vec![ada("a")]).await.unwrap();
    tx.savepoint(1).await.unwrap();
    insert.insert(&*tx, vec![ada("b"), ada("c")]).await.unwrap();
    tx.savepoint(2).await.unwrap();
    insert.insert(&*tx, vec![ada("d")]).await.unwrap();
    tx.release(2).await.unwrap();
    assert_eq!(count(&*tx).await, Datum::Int(4));
    tx.rollback_to(1).await.unwrap();
    assert_eq!(count(&*tx).await, Datum::Int(1));
    tx.savepoint(1).await.unwrap();
    insert.insert(&*tx, vec![ada("e")]).await.unwrap();
    tx.release(1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&*driver).await, Datum::Int(2));
}

#[tokio::test]
async fn a_transaction_that_is_over_says_so() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    tx.commit().await.unwrap();
    let error = insert.insert(&*tx, vec![ada("a")]).await.err().unwrap();
    assert!(error.is_transaction() && error.message().contains("committed"), "{error}");
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    insert.insert(&*tx, vec![ada("a")]).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(tx.commit().await.unwrap_err().is_transaction());
    assert_eq!(count(&*driver).await, Datum::Int(0));
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let folder = Folder::new();
    for url in [folder.url(), "sqlite::memory:".to_owned()] {
        let driver = open(&url).await;
        let insert = inserting(&*driver, &user(), Default::default());
        for _ in 0..3 {
            let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
            insert.insert(&*tx, vec![ada("a"), ada("b")]).await.unwrap();
            drop(tx);
            assert_eq!(count(&*driver).await, Datum::Int(0));
        }
        insert.insert(&*driver, vec![ada("a"), ada("b")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_only_reads_refuses_writes_and_sees_one_moment() {
    let (folder, other) = (Folder::new(), Folder::new());
    for url in [folder.url(), format!("{}&locking=exclusive", other.url()), "sqlite::memory:".to_owned()] {
        let driver = open(&url).await;
        let insert = inserting(&*driver, &user(), Default::default());
        let options = TransactionOptions { read_only: true, ..Default::default() };
        let tx = driver.begin(&options).await.unwrap();
        assert_eq!(count(&*tx).await, Datum::Int(0));
        assert!(insert.insert(&*tx, vec![ada("a")]).await.is_err());
        if url.contains("test.db") && !url.contains("exclusive") {
            insert.insert(&*driver, vec![ada("b")]).await.unwrap();
            assert_eq!(count(&*tx).await, Datum::Int(0));
        }
        let error = raw(&*tx, "INSERT INTO User VALUES (7, 'x', 'x', 1)").await.err().unwrap();
        assert!(error.is_transaction() && error.message().contains("read-only"), "{error}");
        tx.commit().await.unwrap();
        insert.insert(&*driver, vec![ada("c")]).await.unwrap();
        drop(driver.begin(&options).await.unwrap());
        insert.insert(&*driver, vec![ada("d")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_sqlite_ends_by_itself_is_noticed() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), Default::default());
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    insert.insert(&*tx, vec![ada("a")]).await.unwrap();
    assert!(raw(&*tx, "INSERT OR ROLLBACK INTO User VALUES (1, 'x', 'x', 1)").await.err().unwrap().is_constraint());
    let error = insert.insert(&*tx, vec![ada("b")]).await.err().unwrap();
    assert!(error.is_transaction() && error.message().contains("rolled"), "{error}");
    assert!(tx.commit().await.unwrap_err().is_transaction());
    assert!(raw(&*driver, "INSERT INTO User VALUES (1, 'x', 'x', 1)").await.is_ok());
}

#[tokio::test]
async fn streams_and_writes_share_a_transaction() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    let insert = inserting(&*driver, &user(), Default::default());
    insert.insert(&*tx, (0..1_000).map(|n| ada(&n.to_string())).collect()).await.unwrap();
    let (select, update) = (all(&*driver, &user()), updating(&*driver, &user(), 0, 3));
    let mut stream = tx.stream(select.call(&[])).await.unwrap();
    let (mut seen, mut is_more) = (0, true);
    while is_more {
        let (sink, more) = stream.next(Box::new(Rows::wide(4)), 300).await.unwrap();
        seen += sink.into_any().downcast::<Rows>().unwrap().rows.len();
        update.execute(&*tx, &[Datum::Int(1), Datum::Int(7)]).await.unwrap();
        is_more = more;
    }
    assert_eq!(seen, 1_000);
    let mut stream = tx.stream(select.call(&[])).await.unwrap();
    assert!(stream.next(Box::new(Rows::wide(4)), 10).await.unwrap().1);
    tx.commit().await.unwrap();
    assert!(stream.next(Box::new(Rows::wide(4)), 10).await.err().unwrap().is_transaction());
    assert_eq!(count(&*driver).await, Datum::Int(1_000));
}

#[tokio::test]
async fn calls_of_one_transaction_wait_for_each_other() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    let insert = inserting(&*driver, &user(), Default::default());
    let emails: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let calls = emails.iter().map(|email| insert.insert(&*tx, vec![ada(email), ada(&format!("{email}b"))]));
    for inserted in futures_util::future::join_all(calls).await {
        inserted.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(count(&*driver).await, Datum::Int(40));
}

#[tokio::test]
async fn raw_texts_do_not_end_a_transaction_in_silence() {
    let driver = open("sqlite::memory:").await;
    let tx: std::sync::Arc<dyn Transaction> = driver.begin(&TransactionOptions::default()).await.unwrap();
    let error = raw(&*tx, "ROLLBACK").await.err().unwrap();
    assert!(error.is_transaction() && error.message().contains("db.transaction"), "{error}");
    assert!(tx.commit().await.unwrap_err().is_transaction());
}
