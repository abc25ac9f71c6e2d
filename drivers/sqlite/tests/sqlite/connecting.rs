//! URLs, files and connections.

use std::time::Duration;

use ommi_core::ErrorKind;

use crate::harness::*;

async fn refused(url: &str) -> ommi_core::Error {
    connect(url).await.err().expect(url)
}

#[tokio::test]
async fn unknown_options_list_the_known_ones() {
    let error = refused("sqlite://a.db?sync=full").await;
    assert!(error.is_config());
    assert!(error.message().contains("`synchronous`"), "{error}");
}

#[tokio::test]
async fn paths_that_cannot_be_opened_say_why() {
    let folder = Folder::new();
    let shown = folder.path().display();
    for (url, said) in [
        (format!("sqlite://{shown}/absent/a.db"), "does not exist, create it"),
        (format!("sqlite://{shown}"), "is a directory"),
        (format!("sqlite://{shown}/a.db?mode=rw"), "mode=rwc"),
        (format!("sqlite://{shown}/a.db?mode=ro"), "does not exist"),
    ] {
        let error = refused(&url).await;
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.message().contains(said), "{error}");
        assert!(error.message().contains(&shown.to_string()), "{error}");
        assert_eq!(error.code(), Some("SQLITE_CANTOPEN"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_named_so() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "not a database at all, but long enough to have a header ".repeat(40)).unwrap();
    let error = refused(&folder.url()).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connection, Some("SQLITE_NOTADB")), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_named_so() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let user = user();
    let rows = (0..2000).map(|n| ada(&n.to_string())).collect();
    inserting(&*driver, &user, Default::default()).insert(&*driver, rows).await.unwrap();
    driver.close().await.unwrap();
    let mut bytes = std::fs::read(folder.file()).unwrap();
    let half = bytes.len() / 2;
    bytes[4096..half].fill(0xa5);
    std::fs::write(folder.file(), bytes).unwrap();
    let error = match connect(&folder.url()).await {
        Ok(driver) => all(&*driver, &user).fetch(&*driver, &[]).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connection, Some("SQLITE_CORRUPT")), "{error}");
    assert!(error.message().contains("backup"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_only_read_refuses_writes() {
    let folder = Folder::new();
    open(&folder.url()).await.close().await.unwrap();
    let driver = connect(&format!("sqlite://{}?mode=ro", folder.file().display())).await.unwrap();
    let user = user();
    assert!(all(&*driver, &user).fetch(&*driver, &[]).await.unwrap().is_empty());
    let insert = inserting(&*driver, &user, Default::default());
    let error = insert.insert(&*driver, vec![ada("a")]).await.err().unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Connection, Some("SQLITE_READONLY")), "{error}");
    let error = insert.insert(&*driver, vec![ada("a"), ada("b")]).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn options_reach_every_connection() {
    let folder = Folder::new();
    let url =
        format!("sqlite://{}?synchronous=normal&foreign_keys=off&cache_size=77&readers=2", folder.file().display());
    let driver = connect(&url).await.unwrap();
    for (pragma, wanted) in [("synchronous", 1), ("foreign_keys", 0), ("cache_size", 77)] {
        let text = format!("SELECT * FROM pragma_{pragma}");
        assert_eq!(value(&*driver, &text).await, ommi_core::value::Datum::Int(wanted), "{pragma}");
    }
    assert_eq!(value(&*driver, "PRAGMA journal_mode").await, ommi_core::value::Datum::Text("wal".into()));
}

#[tokio::test]
async fn memory_belongs_to_one_handle_and_all_its_connections() {
    let (one, other) = (open("sqlite::memory:").await, open("sqlite::memory:").await);
    let user = user();
    inserting(&*one, &user, Default::default()).insert(&*one, vec![ada("a")]).await.unwrap();
    let select = all(&*one, &user);
    let reads = (0..8).map(|_| select.fetch(&*one, &[]));
    for rows in futures_util::future::join_all(reads).await {
        assert_eq!(rows.unwrap().len(), 1);
    }
    assert!(all(&*other, &user).fetch(&*other, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn exclusive_locking_shuts_others_out_and_still_reads_and_writes() {
    let folder = Folder::new();
    let driver = open(&format!("{}&locking=exclusive", folder.url())).await;
    let user = user();
    inserting(&*driver, &user, Default::default()).insert(&*driver, vec![ada("a")]).await.unwrap();
    assert_eq!(all(&*driver, &user).fetch(&*driver, &[]).await.unwrap().len(), 1);
    let stranger = folder.stranger();
    stranger.busy_timeout(Duration::ZERO).unwrap();
    assert!(stranger.query_row("SELECT count(*) FROM User", [], |row| row.get::<_, i64>(0)).is_err());
}

#[tokio::test]
async fn a_closed_database_refuses_calls() {
    let folder = Folder::new();
    let driver = open(&folder.url()).await;
    let user = user();
    driver.close().await.unwrap();
    driver.close().await.ok();
    let error = all(&*driver, &user).fetch(&*driver, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.message().contains("closed"), "{error}");
    // the last connection took the WAL with it
    assert!(!folder.path().join("test.db-wal").exists());
}

#[test]
fn without_a_runtime_work_is_done_where_it_is_called() {
    let rows = futures_util::future::FutureExt::now_or_never(async {
        let driver = open("sqlite::memory:").await;
        let user = user();
        let rows = (0..300).map(|n| ada(&n.to_string())).collect();
        inserting(&*driver, &user, Default::default()).insert(&*driver, rows).await.unwrap();
        all(&*driver, &user).fetch(&*driver, &[]).await.unwrap()
    });
    assert_eq!(rows.unwrap().len(), 300);
}
