//! Transactions.

use std::time::Duration;

use ommi::prelude::*;
use ommi_conformance::proxy::{Proxy, Way};

use crate::harness::{REPLICA_SET, close, open, parts};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Account {
    #[ommi(key)]
    id: i64,
    balance: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nested_transaction_is_refused_before_anything_runs() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Account>().await.unwrap();
    let answer = db
        .transaction(async |tx| {
            let nested = tx.transaction(async |_| -> Result<()> { panic!("it ran") }).await;
            assert!(nested.unwrap_err().is_unsupported());
            tx.add(Account { id: 1, balance: 1 }).await
        })
        .await;
    answer.unwrap();
    assert_eq!(db.find(Account::all()).count().await.unwrap(), 1);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_that_write_a_row_is_a_conflict() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Account>().await.unwrap();
    db.add(Account { id: 1, balance: 10 }).await.unwrap();
    let error = db
        .transaction(async |tx| {
            tx.find(Account::all()).count().await?;
            db.outside().find(Account::ID.eq(1)).update(Account::BALANCE.set(20)).await?;
            tx.find(Account::ID.eq(1)).update(Account::BALANCE.set(Account::BALANCE + 1)).await
        })
        .await
        .unwrap_err();
    assert!(error.is_conflict() && error.is_retryable(), "{error}");
    assert_eq!(db.get::<Account>(1).await.unwrap().balance, 20);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_many_rows_are_whole_or_not_at_all() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Account>().await.unwrap();
    db.add_all((1..=3).map(|id| Account { id, balance: i64::MAX - 2 + (id / 3) * 2 })).await.unwrap();
    let error = db.find(Account::all()).update(Account::BALANCE.set(Account::BALANCE + 1)).await.unwrap_err();
    assert!(error.is_query(), "{error}");
    assert_eq!(db.find(Account::BALANCE.eq(i64::MAX - 2)).count().await.unwrap(), 2);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_dropped_before_the_server_has_read_it_locks_nothing() {
    let (Some((db, url)), Some((hosts, _))) = (open(REPLICA_SET).await, parts(REPLICA_SET)) else { return };
    db.create::<Account>().await.unwrap();
    db.add_all((1..=3).map(|id| Account { id, balance: 0 })).await.unwrap();
    let proxy = Proxy::start(hosts.clone()).await.unwrap();
    let (base, _) = url.split_once('?').unwrap();
    let base = base.replace(&hosts, &proxy.address().to_string());
    let slow = ommi::connect(&format!("{base}?directConnection=true")).await.unwrap();
    slow.find(Account::all()).update(Account::BALANCE.set(1)).await.unwrap();

    proxy.delay(Way::ToServer, Duration::from_millis(300));
    let write = slow.find(Account::all()).update(Account::BALANCE.set(2));
    tokio::time::timeout(Duration::from_millis(100), async { write.await }).await.unwrap_err();
    // what would end the transaction overtakes what begins it
    proxy.flow();
    tokio::time::sleep(Duration::from_millis(400)).await;
    slow.find(Account::all()).update(Account::BALANCE.set(Account::BALANCE + 10)).await.unwrap();
    assert_eq!(db.find(Account::BALANCE.eq(11)).count().await.unwrap(), 3);
    slow.close().await.unwrap();
    close(db).await;
}
