//! Connections that many want.

use std::time::Duration;

use ommi::prelude::*;
use ommi_conformance::soak::{Churn, Fairness};
use ommi_conformance::{Bank, Target, cancellation};

use crate::database::{Database, emptied};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Item {
    #[ommi(key)]
    id: i64,
    name: String,
}

/// How many sessions of a database do something, or are in the midst of a transaction.
async fn busy(db: &Db, name: &str) -> i64 {
    let text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'";
    let rows: Vec<(i64,)> = db.raw(text).bind(name).tuples().await.unwrap();
    rows[0].0
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_in_vain_is_told_who_holds_the_connections() {
    let Some(database) = Database::make("holders", "&acquire_timeout=2s").await else { return };
    let url = database.url.replace("pool=8", "pool=2");
    let db = ommi::connect(&url).await.unwrap();
    db.create::<Item>().await.unwrap();
    let first = db.options().name("import").begin().await.unwrap();
    let second = db.begin().await.unwrap();
    let error = db.add(Item::default()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(error.message().contains("the transaction `import` begun at"), "{error}");
    assert!(error.message().contains(file!().rsplit('/').next().unwrap()), "{error}");
    assert!(error.message().contains("`acquire_timeout`"), "{error}");
    first.rollback().await.unwrap();
    db.add(Item::default()).await.unwrap();
    second.rollback().await.unwrap();
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pool_waits_for_work_and_refuses_more() {
    let Some(database) = Database::make("closing", "").await else { return };
    let db = ommi::connect(&database.url).await.unwrap();
    db.create::<Item>().await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.add(Item { id: 1, name: "kept".into() }).await.unwrap();
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!closing.is_finished());
    tx.commit().await.unwrap();
    closing.await.unwrap().unwrap();
    assert!(db.get::<Item>(1).await.unwrap_err().is_connection());
    let db = ommi::connect(&database.url).await.unwrap();
    assert_eq!(db.get::<Item>(1).await.unwrap().name, "kept");
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_statement_is_stopped_on_the_server() {
    let Some(database) = Database::make("stopped", "&application_name=stopped").await else { return };
    let db = ommi::connect(&database.url.replace("pool=8", "pool=2")).await.unwrap();
    let watch =
        ommi::connect(&database.url.replace("application_name=stopped", "application_name=watch")).await.unwrap();
    let slow = db.raw("SELECT pg_sleep(60)").execute();
    assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
    let again = db.raw("SELECT pg_sleep(60)").execute();
    assert!(tokio::time::timeout(Duration::from_millis(100), again).await.is_err());
    // both connections are in order again, or the statement would wait for a minute
    let rows: Vec<(i32,)> = db.raw("SELECT 1").tuples().await.unwrap();
    assert_eq!(rows, [(1,)]);
    let mut left = busy(&watch, "stopped").await;
    for _ in 0..200 {
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = busy(&watch, "stopped").await;
    }
    assert_eq!(left, 0);
    db.close().await.unwrap();
    watch.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_futures_leave_connections_clean() {
    let Some(database) = Database::make("cancelled", "").await else { return };
    let url = database.url.replace("pool=8", "pool=2");
    let target = Target::new("PostgreSQL", move || {
        let url = url.clone();
        async move { emptied(&url).await }
    });
    let report = cancellation(&target).await;
    println!("{report}");
    database.drop().await;
    assert!(report.is_clean(), "{}", report.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_the_bank_are_right() {
    let Some(database) = Database::make("bank", "").await else { return };
    let bank = Bank { transfers: 100, accounts: 5, drops: 25, ..Bank::default() };
    let report = bank.run(&Target::from_url("PostgreSQL", &*database.url)).await;
    println!("{report}");
    database.drop().await;
    assert!(report.is_right() && report.acknowledged == 800, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_loses_nothing() {
    let Some(database) = Database::make("churn", "").await else { return };
    let churn = Churn { acquires: 4_000, tasks: 16, ..Churn::default() };
    let report = churn.run(&Target::from_url("PostgreSQL", &*database.url)).await;
    println!("{report}");
    database.drop().await;
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tasks_than_connections_are_all_served() {
    let Some(database) = Database::make("fairness", "").await else { return };
    let fairness = Fairness { tasks: 60, time: Duration::from_millis(400) };
    let report = fairness.run(&Target::from_url("PostgreSQL", &*database.url)).await;
    println!("{report}");
    database.drop().await;
    assert!(report.problems.is_empty() && report.of_a_task.0 > 0, "{report}");
}
