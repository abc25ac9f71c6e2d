//! Transactions and the connections beside them.

use std::sync::Arc;
use std::time::Duration;

use ommi_core::ErrorKind;
use ommi_core::driver::TransactionOptions;
use ommi_core::value::Datum;

use crate::harness::*;

async fn count(session: &dyn ommi_core::driver::Session) -> Datum {
    value(session, "SELECT count(*) FROM User").await
}

#[tokio::test]
async fn readers_see_what_is_committed_while_a_transaction_writes() {
    let folder = Folder::new();
    for url in [folder.url(), "sqlite::memory:".to_owned()] {
        let driver = open(&url).await;
        let insert = inserting(&*driver, &user(), Default::default());
        insert.insert(&*driver, vec![ada("a")]).await.unwrap();
        for round in 1..4i64 {
            let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
            insert.insert(&*tx, vec![ada(&format!("b{round}"))]).await.unwrap();
            assert_eq!(count(&*tx).await, Datum::Int(round + 1));
            for _ in 0..9 {
                assert_eq!(count(&*driver).await, Datum::Int(round));
            }
            tx.commit().await.unwrap();
            assert_eq!(count(&*driver).await, Datum::Int(round + 1));
        }
        let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
        deleting(&*driver, &user(), 1).execute(&*tx, &[Datum::Text("Ada".into())]).await.unwrap();
        assert_eq!(count(&*driver).await, Datum::Int(4));
        drop(tx);
        insert.insert(&*driver, vec![ada("z")]).await.unwrap();
        assert_eq!(count(&*driver).await, Datum::Int(5));
    }
}

#[tokio::test]
async fn a_large_transaction_in_memory_keeps_readers_reading() {
    let driver = open("sqlite::memory:").await;
    let insert = inserting(&*driver, &user(), Default::default());
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    // more than a cache holds
    insert.insert(&*tx, (0..60_000).map(|n| ada(&n.to_string())).collect()).await.unwrap();
    assert_eq!(count(&*driver).await, Datum::Int(0));
    tx.commit().await.unwrap();
    assert_eq!(count(&*driver).await, Datum::Int(60_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_take_turns_at_writing() {
    let (folder, other) = (Folder::new(), Folder::new());
    for url in [folder.url(), "sqlite::memory:".to_owned(), format!("{}&locking=exclusive", other.url())] {
        let driver = open(&url).await;
        inserting(&*driver, &user(), Default::default()).insert(&*driver, vec![ada("a")]).await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let driver = Arc::clone(&driver);
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
                        let Datum::Int(age) = value(&*tx, "SELECT age FROM User").await else { panic!("no age") };
                        tokio::task::yield_now().await;
                        let update = updating(&*driver, &user(), 0, 3);
                        update.execute(&*tx, &[Datum::Int(1), Datum::Int(age + 1)]).await.unwrap();
                        tx.commit().await.unwrap();
                        value(&*driver, "SELECT age FROM User").await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(value(&*driver, "SELECT age FROM User").await, Datum::Int(36 + 160));
    }
}

#[tokio::test]
async fn locks_of_other_programs_are_waited_for() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(100));
        stranger.execute_batch("COMMIT").unwrap();
        stranger
    });
    insert.insert(&*driver, vec![ada("a")]).await.unwrap();
    let stranger = release.await.unwrap();

    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(100));
        stranger.execute_batch("COMMIT").unwrap();
    });
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    release.await.unwrap();
    insert.insert(&*tx, vec![ada("b")]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn locks_that_stay_are_timeouts() {
    let folder = Folder::new();
    let driver = open(&format!("{}&busy_timeout=50ms", folder.url())).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    for rows in [vec![ada("a")], vec![ada("a"), ada("b")]] {
        let error = insert.insert(&*driver, rows).await.err().unwrap();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Timeout, Some("SQLITE_BUSY")), "{error}");
        assert!(error.message().contains("busy_timeout"), "{error}");
    }
    let error = driver.begin(&TransactionOptions::default()).await.err().unwrap();
    assert!(error.is_timeout(), "{error}");
    // readers do not mind
    assert_eq!(count(&*driver).await, Datum::Int(0));
    stranger.execute_batch("COMMIT").unwrap();
    insert.insert(&*driver, vec![ada("a")]).await.unwrap();
}

#[tokio::test]
async fn a_begin_waits_no_longer_than_it_was_told() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let options = TransactionOptions { begin_timeout: Some(Duration::from_millis(50)), ..Default::default() };
    let first = driver.begin(&options).await.unwrap();
    let error = driver.begin(&options).await.err().unwrap();
    assert!(error.is_timeout(), "{error}");
    drop(first);
    let stranger = folder.stranger();
    driver.begin(&options).await.unwrap().rollback().await.unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(driver.begin(&options).await.err().unwrap().is_timeout());
}

#[tokio::test]
async fn a_deferred_transaction_that_comes_too_late_is_a_conflict() {
    let folder = Folder::new();
    let driver = open(&format!("{}&begin=deferred", folder.url())).await;
    let tx = driver.begin(&TransactionOptions::default()).await.unwrap();
    assert_eq!(count(&*tx).await, Datum::Int(0));
    folder.stranger().execute_batch("INSERT INTO User VALUES (1, 'a', 'a', 1)").unwrap();
    let error = inserting(&*driver, &user(), Default::default()).insert(&*tx, vec![ada("b")]).await.err().unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, Some("SQLITE_BUSY_SNAPSHOT")), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn who_waits_in_vain_is_told_who_holds_the_connections() {
    let folder = Folder::new();
    let driver = open(&format!("{}&readers=2&acquire_timeout=50ms", folder.url())).await;
    inserting(&*driver, &user(), Default::default()).insert(&*driver, vec![ada("a")]).await.unwrap();
    let named = |name: &str, read_only| TransactionOptions {
        name: Some(name.into()),
        read_only,
        place: Some(std::panic::Location::caller()),
        ..Default::default()
    };
    let writing = driver.begin(&named("import", false)).await.unwrap();
    let error = driver.begin(&TransactionOptions::default()).await.err().unwrap();
    assert!(error.is_timeout() && error.message().contains("the transaction `import` begun at "), "{error}");
    assert!(error.message().contains("isolation.rs:"), "{error}");
    let insert = inserting(&*driver, &user(), Default::default());
    let error = insert.insert(&*driver, vec![ada("b")]).await.err().unwrap();
    assert!(error.is_timeout() && error.message().contains("`import`"), "{error}");
    let readers = (driver.begin(&named("report", true)).await.unwrap(), driver.begin(&named("", true)).await.unwrap());
    let error = driver.begin(&named("late", true)).await.err().unwrap();
    assert!(error.is_timeout() && error.message().contains("`report`"), "{error}");
    drop(readers);
    writing.rollback().await.unwrap();
    // those who are gone are not named any more
    let writing = driver.begin(&named("second", false)).await.unwrap();
    let error = driver.begin(&TransactionOptions::default()).await.err().unwrap();
    assert!(error.message().contains("`second`") && !error.message().contains("`import`"), "{error}");
    drop(writing);
}
