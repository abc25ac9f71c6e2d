//! The read that stays open while a file is read again and again.

use std::sync::Arc;
use std::time::Duration;

use ommi_core::driver::Driver;
use ommi_core::value::Datum;

use crate::harness::*;

/// A file, the driver that reads it, and another program's connection, which waits for no lock.
struct Scene {
    driver: Arc<dyn Driver>,
    stranger: rusqlite::Connection,
    folder: Folder,
}

impl Scene {
    async fn open(options: &str) -> Self {
        let folder = Folder::new();
        let driver = open(&format!("{}{options}", folder.url())).await;
        let stranger = folder.stranger();
        stranger.busy_timeout(Duration::ZERO).unwrap();
        Scene { driver, stranger, folder }
    }

    /// Enough reads, one after the other, for one to stay open.
    async fn read_often(&self) {
        for _ in 0..300 {
            self.count().await;
        }
    }

    async fn count(&self) -> Datum {
        value(&*self.driver, "SELECT count(*) FROM User").await
    }

    async fn add(&self, name: usize) {
        let insert = inserting(&*self.driver, &user(), Default::default());
        insert.insert(&*self.driver, vec![ada(&name.to_string())]).await.unwrap();
    }

    /// Begins the WAL anew, if nobody reads from it.
    fn restart_wal(&self, mode: &str) -> bool {
        let busy = self.stranger.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(0));
        busy.map(|busy: i64| busy == 0).unwrap()
    }
}

#[tokio::test]
async fn a_read_stays_open_while_there_are_many_and_not_longer() {
    let scene = Scene::open("").await;
    let mut stayed = false;
    for round in 0..200 {
        scene.add(round).await;
        scene.read_often().await;
        stayed = !scene.restart_wal("RESTART");
        if stayed {
            break;
        }
    }
    assert!(stayed, "no read stayed open");
    let mut is_free = false;
    for _ in 0..2_000 {
        is_free = scene.restart_wal("TRUNCATE");
        if is_free {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(is_free, "a read stayed open though nobody reads");
}

#[tokio::test]
async fn what_is_committed_is_seen_at_once() {
    let scene = Scene::open("").await;
    let remove = "DELETE FROM User WHERE rowid = (SELECT max(rowid) FROM User)";
    let mut users = 0;
    for round in 0..30 {
        scene.read_often().await;
        scene.add(round).await;
        users += 1;
        assert_eq!(scene.count().await, Datum::Int(users));
        scene.read_often().await;
        assert_eq!(scene.stranger.execute(remove, []).unwrap(), 1);
        users -= 1;
        assert_eq!(scene.count().await, Datum::Int(users));
    }
}

#[tokio::test]
async fn the_wal_of_a_file_that_others_write_begins_anew() {
    let scene = Scene::open("").await;
    let begun = "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 10; CREATE TABLE other (a TEXT)";
    scene.stranger.execute_batch(begun).unwrap();
    let text = "x".repeat(10_000);
    for _ in 0..100 {
        scene.stranger.execute("INSERT INTO other VALUES (?)", [&text]).unwrap();
        scene.read_often().await;
    }
    let length = std::fs::metadata(scene.folder.path().join("test.db-wal")).unwrap().len();
    assert!(length < 500_000, "the WAL has {length} bytes of more than 1,000,000 that were written");
}

#[tokio::test]
async fn a_handle_that_reads_often_closes_its_file() {
    let Scene { driver, stranger, folder } = {
        let scene = Scene::open("").await;
        scene.add(1).await;
        scene.read_often().await;
        scene
    };
    drop(stranger);
    driver.close().await.unwrap();
    assert!(!folder.path().join("test.db-wal").exists(), "a connection is left");
}

#[tokio::test]
async fn without_a_wal_no_read_stays_open() {
    let scene = Scene::open("&journal=delete").await;
    for _ in 0..10 {
        scene.read_often().await;
        scene.stranger.execute_batch("CREATE TABLE other (a TEXT); DROP TABLE other").unwrap();
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let scene = Scene::open("&standing_read=off").await;
    for round in 0..10 {
        scene.add(round).await;
        scene.read_often().await;
        assert!(scene.restart_wal("RESTART"));
    }
}
