//! The read that stays open while a file is read again and again.

use std::time::Duration;

use ommi_core::driver::Driver;
use ommi_core::value::Datum;

use crate::harness::*;

/// Enough reads, one after the other, for one to stay open.
async fn read_often(driver: &dyn Driver) {
    for _ in 0..300 {
        value(driver, "SELECT count(*) FROM User").await;
    }
}

/// Begins the WAL anew, if nobody reads from it.
fn restart_wal(stranger: &rusqlite::Connection, mode: &str) -> bool {
    stranger
        .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(0))
        .map(|busy: i64| busy == 0)
        .unwrap()
}

fn stranger(folder: &Folder) -> rusqlite::Connection {
    let stranger = folder.stranger();
    stranger.busy_timeout(Duration::ZERO).unwrap();
    stranger
}

#[tokio::test]
async fn a_read_stays_open_while_there_are_many_and_not_longer() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let stranger = stranger(&folder);
    let mut stayed = false;
    for round in 0..200 {
        insert.insert(&*driver, vec![ada(&round.to_string())]).await.unwrap();
        read_often(&*driver).await;
        stayed = !restart_wal(&stranger, "RESTART");
        if stayed {
            break;
        }
    }
    assert!(stayed, "no read stayed open");
    let mut is_free = false;
    for _ in 0..2_000 {
        is_free = restart_wal(&stranger, "TRUNCATE");
        if is_free {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(is_free, "a read stayed open though nobody reads");
}

#[tokio::test]
async fn what_is_committed_is_seen_at_once() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let stranger = stranger(&folder);
    let mut users = 0;
    for round in 0..30 {
        read_often(&*driver).await;
        insert.insert(&*driver, vec![ada(&round.to_string())]).await.unwrap();
        users += 1;
        assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(users));
        read_often(&*driver).await;
        let removed = stranger.execute("DELETE FROM User WHERE rowid = (SELECT max(rowid) FROM User)", []).unwrap();
        assert_eq!(removed, 1);
        users -= 1;
        assert_eq!(value(&*driver, "SELECT count(*) FROM User").await, Datum::Int(users));
    }
}

#[tokio::test]
async fn the_wal_of_a_file_that_others_write_begins_anew() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let stranger = stranger(&folder);
    stranger
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 10; CREATE TABLE other (a TEXT)")
        .unwrap();
    let text = "x".repeat(10_000);
    for _ in 0..100 {
        stranger.execute("INSERT INTO other VALUES (?)", [&text]).unwrap();
        read_often(&*driver).await;
    }
    let length = std::fs::metadata(folder.path().join("test.db-wal")).unwrap().len();
    assert!(length < 500_000, "the WAL has {length} bytes of more than 1,000,000 that were written");
}

#[tokio::test]
async fn a_handle_that_reads_often_closes_its_file() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let insert = inserting(&*driver, &user(), Default::default());
    insert.insert(&*driver, vec![ada("a")]).await.unwrap();
    read_often(&*driver).await;
    driver.close().await.unwrap();
    assert!(!folder.path().join("test.db-wal").exists(), "a connection is left");
}

#[tokio::test]
async fn without_a_wal_no_read_stays_open() {
    let folder = Folder::new();
    let driver = open(&format!("{}&journal=delete", folder.url())).await;
    let stranger = stranger(&folder);
    for _ in 0..10 {
        read_often(&*driver).await;
        stranger.execute_batch("CREATE TABLE other (a TEXT); DROP TABLE other").unwrap();
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let folder = Folder::new();
    let driver = open(&format!("{}&standing_read=off", folder.url())).await;
    let insert = inserting(&*driver, &user(), Default::default());
    let stranger = stranger(&folder);
    for round in 0..10 {
        insert.insert(&*driver, vec![ada(&round.to_string())]).await.unwrap();
        read_often(&*driver).await;
        assert!(restart_wal(&stranger, "RESTART"));
    }
}
