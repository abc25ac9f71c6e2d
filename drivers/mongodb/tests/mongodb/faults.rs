//! What goes wrong: one clear error each, in time.

use std::time::{Duration, Instant};

use ommi::mongodb::mongodb::bson::doc;
use ommi::prelude::*;

use crate::fake;
use crate::harness::{REPLICA_SET, close, open, parts};

/// The error of connecting, which comes in time and keeps the password for itself.
pub(crate) async fn refused(url: &str) -> Error {
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
async fn a_replica_set_of_another_name_is_a_connection_error() {
    let Some((hosts, _)) = parts(REPLICA_SET) else { return };
    let error = refused(&format!("mongodb://{hosts}/x?replicaSet=other&serverSelectionTimeoutMS=700")).await;
    assert!(error.is_connection() && error.message().contains("primary"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_says_which_one_is_not() {
    // of 4.4 the client knows all that it needs, of 3.4 it does not
    for version in [9, 5] {
        let address =
            fake::server(|_| fake::hello(version, doc! { "isWritablePrimary": true, "ismaster": true })).await;
        let error = refused(&format!("mongodb://{address}/x?serverSelectionTimeoutMS=1000")).await;
        assert!(error.is_unsupported() && error.message().contains("MongoDB 5.0"), "{version}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_which_none_is_the_primary_are_a_connection_error() {
    let address = fake::server(|address| {
        let secondary = doc! { "isWritablePrimary": false, "ismaster": false, "secondary": true };
        let mut hello = fake::hello(17, secondary);
        hello.extend(doc! { "setName": "ommi", "setVersion": 1, "hosts": [address], "me": address });
        hello
    })
    .await;
    let error = refused(&format!("mongodb://{address}/x?replicaSet=ommi&serverSelectionTimeoutMS=1000")).await;
    assert!(error.is_connection() && error.message().contains("primary"), "{error}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_command_over_16_megabytes_is_refused() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Wide>().await.unwrap();
    let names: Vec<String> = (0..20).map(|number| format!("{number}{}", "x".repeat(1 << 20))).collect();
    let error = db.find(Wide::FIRST.in_(names.clone())).all().await.unwrap_err();
    assert!(error.is_query() && error.message().contains("16"), "{error}");
    let error = db.find(Wide::FIRST.in_(names)).delete().await.unwrap_err();
    assert!(error.is_query() && error.message().contains("16"), "{error}");
    assert_eq!(db.find(Wide::all()).count().await.unwrap(), 0);
    close(db).await;
}
