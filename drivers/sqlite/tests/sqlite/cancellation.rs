//! Futures that are dropped half way.

use std::time::Duration;

use ommi_core::driver::TransactionOptions;
use ommi_core::value::Datum;

use crate::harness::*;

async fn dropped_after(millis: u64, future: impl Future<Output = ommi_core::Result<(Rows, u64)>>) {
    assert!(tokio::time::timeout(Duration::from_millis(millis), future).await.is_err());
}

#[tokio::test]
async fn a_dropped_long_query_frees_its_connection() {
    let folder = Folder::new();
    for url in [format!("{}&readers=1", folder.url()), "sqlite::memory:?readers=1".to_owned()] {
        let driver = connect(&url).await.unwrap();
        let endless = LONG.replace("20000000", "2000000000");
        dropped_after(30, raw(&*driver, &endless)).await;
        // the query would run for minutes; the only reader is free again long before
        let next = tokio::time::timeout(Duration::from_secs(10), value(&*driver, "SELECT 1")).await;
        assert_eq!(next.unwrap(), Datum::Int(1));
    }
}

#[tokio::test]
async fn a_dropped_write_leaves_the_writer_clean() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let endless = LONG.replace("20000000", "2000000000").replace("SELECT count(*)", "SELECT count(*), 'a', 'a', 1");
    dropped_after(30, raw(&*driver, &format!("INSERT INTO User {endless}"))).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let inserted = tokio::time::timeout(Duration::from_secs(10), insert.insert(&*driver, vec![ada("a")])).await;
    assert_eq!(keys(&inserted.unwrap().unwrap()), [1]);
}

#[tokio::test]
async fn a_transaction_dropped_while_it_works_is_rolled_back() {
    for url in [Folder::new().url(), "sqlite::memory:".to_owned()] {
        let driver = open(&url).await;
        let insert = inserting(&*driver, &user(), Default::default());
        let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
        insert.insert(&*tx, vec![ada("a")]).await.unwrap();
        let endless = LONG.replace("20000000", "2000000000");
        dropped_after(30, raw(&*tx, &endless)).await;
        drop(tx);
        let inserted = tokio::time::timeout(Duration::from_secs(10), insert.insert(&*driver, vec![ada("b")])).await;
        inserted.unwrap().unwrap();
        assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(1));
    }
}

#[tokio::test]
async fn a_write_dropped_in_a_transaction_ends_it() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    let endless = LONG.replace("20000000", "2000000000").replace("SELECT count(*)", "SELECT count(*), 'a', 'a', 1");
    dropped_after(30, raw(&*tx, &format!("INSERT INTO User {endless}"))).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let error = insert.insert(&*tx, vec![ada("a")]).await.err().unwrap();
    assert!(error.is_transaction(), "{error}");
}

#[tokio::test]
async fn a_dropped_wait_gives_its_place_up() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    let options = TransactionOptions::default();
    for _ in 0..5 {
        let waiting = driver.begin(&options);
        assert!(tokio::time::timeout(Duration::from_millis(5), waiting).await.is_err());
    }
    tx.rollback().await.unwrap();
    driver.begin(&TransactionOptions::default()).await.unwrap().commit().await.unwrap();
}

#[test]
fn a_read_dropped_before_a_worker_goes_on_leaves_no_statement_open() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    let folder = Folder::new();
    runtime.block_on(async {
        for url in [format!("{}&readers=1", folder.url()), "sqlite::memory:?readers=1".to_owned()] {
            let driver = open(&url).await;
            let insert = inserting(&*driver, &user(), Default::default());
            insert.insert(&*driver, (0..20_000).map(|row| ada(&row.to_string())).collect()).await.unwrap();
            let read = all(&*driver, &user());
            // the only worker is busy, so that the rest of the rows waits for it
            let (free, freed) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || freed.recv());
            assert!(tokio::time::timeout(Duration::from_millis(20), read.fetch(&*driver, &[])).await.is_err());
            let text = "SELECT * FROM User";
            drop(free);
            busy.await.unwrap().unwrap_err();
            assert_eq!(read.fetch(&*driver, &[]).await.unwrap().len(), 20_000);
            let (free, freed) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || freed.recv());
            dropped_after(20, raw(&*driver, text)).await;
            drop(free);
            busy.await.unwrap().unwrap_err();
            // in memory an open statement would keep the writer out for ever
            let inserted =
                tokio::time::timeout(Duration::from_secs(4), insert.insert(&*driver, vec![ada("last")])).await;
            inserted.unwrap().unwrap();
            assert_eq!(read.fetch(&*driver, &[]).await.unwrap().len(), 20_001);
        }
    });
}
