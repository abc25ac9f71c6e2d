//! What goes wrong: one clear error each, in time.

use std::time::{Duration, Instant};

use ommi::prelude::*;

use crate::harness::{REPLICA_SET, close, open, parts};

async fn refused(url: &str) -> Error {
    let begun = Instant::now();
    let error = ommi::connect(url).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "{error} came late");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_a_connection_error() {
    let error = refused("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=500").await;
    assert!(error.is_connection(), "{error}");
    assert_eq!(error.driver(), Some("mongodb"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_says_so() {
    let Some((hosts, options)) = parts(REPLICA_SET) else { return };
    let error = refused(&format!("mongodb://ada:s3cret@{hosts}/x?{options}&serverSelectionTimeoutMS=3000")).await;
    assert!(error.is_config() && error.message().contains("password"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_without_a_primary_is_a_connection_error() {
    let Some((hosts, _)) = parts(REPLICA_SET) else { return };
    let error = refused(&format!("mongodb://{hosts}/x?replicaSet=other&serverSelectionTimeoutMS=700")).await;
    assert!(error.is_connection() && error.message().contains("primary"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_the_server_does_not_speak_is_a_connection_error() {
    let Some((hosts, _)) = parts(REPLICA_SET) else { return };
    let error = refused(&format!("mongodb://{hosts}/x?tls=true&serverSelectionTimeoutMS=1000")).await;
    assert!(error.is_connection(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_urls_say_what_is_possible() {
    let error = refused("mongodb://127.0.0.1/x?poolSize=3").await;
    assert!(error.is_config() && error.message().contains("`maxPoolSize`"), "{error}");
    let error = refused("mongodb://ada:s3cret@127.0.0.1:port/x").await;
    assert!(error.is_config(), "{error}");
    if cfg!(not(feature = "srv")) {
        let error = refused("mongodb+srv://ada:s3cret@cluster.example/x").await;
        assert!(error.is_config() && error.message().contains("mongodb-srv"), "{error}");
    }
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Wide {
    #[ommi(key)]
    id: i64,
    first: String,
    second: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_over_16_megabytes_is_refused() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Wide>().await.unwrap();
    let half = "x".repeat(9 << 20);
    let error = db.add(Wide { id: 1, first: half.clone(), second: half.clone() }).await.unwrap_err();
    assert!(error.is_query() && error.message().contains("16777216"), "{error}");
    db.add(Wide { id: 1, first: half.clone(), second: String::new() }).await.unwrap();
    let error = db.find(Wide::ID.eq(1)).update(Wide::SECOND.set(half.as_str())).await.unwrap_err();
    assert!(error.is_query(), "{error}");
    assert_eq!(db.get::<Wide>(1).await.unwrap().first.len(), half.len());
    close(db).await;
}
