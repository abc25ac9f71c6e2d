//! Servers that die, and answers that do not come.

use std::sync::Arc;
use std::time::Duration;

use ommi::prelude::*;
use ommi_conformance::proxy::{Proxy, Way};
use ommi_conformance::{Bank, Target};
use tokio::sync::Mutex;

use crate::process::Server;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Entry {
    #[ommi(key)]
    id: i64,
    text: String,
}

impl Entry {
    fn numbered(id: i64) -> Entry {
        Entry { id, text: format!("entry {id}") }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_costs_errors_while_it_is_away_and_nothing_after() {
    let Some(mut server) = Server::start("killed", "").await else { return };
    let db = ommi::connect(&server.url("pool=4&acquire_timeout=5s")).await.unwrap();
    db.create::<Entry>().await.unwrap();
    for id in 0..20 {
        db.add(Entry::numbered(id)).await.unwrap();
    }
    let open = db.begin().await.unwrap();
    open.add(Entry::numbered(100)).await.unwrap();
    server.kill();

    let error = open.add(Entry::numbered(101)).await.unwrap_err();
    assert!(error.is_connection() || error.is_transaction(), "{error}");
    assert!(open.commit().await.is_err());
    for _ in 0..3 {
        let read = db.get::<Entry>(1).await.unwrap_err();
        assert!(read.is_connection(), "{read}");
        let write = db.add(Entry::numbered(102)).await.unwrap_err();
        assert!(write.is_connection() || write.is_unknown(), "{write}");
    }

    server.run().await;
    assert_eq!(db.find(Entry::all()).count().await.unwrap(), 20);
    for id in 20..40 {
        db.add(Entry::numbered(id)).await.unwrap();
        assert_eq!(db.get::<Entry>(id).await.unwrap(), Entry::numbered(id));
    }
    db.transaction(async |tx| tx.find(Entry::ID.lt(10)).delete().await).await.unwrap();
    assert_eq!(db.find(Entry::all()).count().await.unwrap(), 30);
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_not_answered_is_unknown_and_a_read_is_not() {
    let Some(server) = Server::start("unknown", "").await else { return };
    let proxy = Proxy::start(format!("127.0.0.1:{}", server.port)).await.unwrap();
    let through = server.url("pool=3").replace(&format!("127.0.0.1:{}", server.port), &proxy.address().to_string());
    let db = ommi::connect(&through).await.unwrap();
    db.create::<Entry>().await.unwrap();
    db.add(Entry::numbered(1)).await.unwrap();
    db.get::<Entry>(1).await.unwrap();

    // what is sent arrives, and its answer does not
    let cut_behind = async |work: std::pin::Pin<Box<dyn Future<Output = Error> + Send>>| {
        proxy.stall(Way::ToClient);
        let work = tokio::spawn(work);
        tokio::time::sleep(Duration::from_millis(200)).await;
        proxy.cut();
        let error = work.await.unwrap();
        proxy.flow();
        error
    };
    let handle = db.clone();
    let write = cut_behind(Box::pin(async move { handle.add(Entry::numbered(2)).await.unwrap_err() })).await;
    assert!(write.is_unknown(), "{write}");
    assert_eq!(db.get::<Entry>(2).await.unwrap(), Entry::numbered(2));

    let handle = db.clone();
    let read = cut_behind(Box::pin(async move { handle.get::<Entry>(1).await.unwrap_err() })).await;
    assert!(read.is_connection(), "{read}");

    let tx = db.begin().await.unwrap();
    tx.add(Entry::numbered(3)).await.unwrap();
    let commit = cut_behind(Box::pin(async move { tx.commit().await.unwrap_err() })).await;
    assert!(commit.is_unknown(), "{commit}");
    assert_eq!(db.get::<Entry>(3).await.unwrap(), Entry::numbered(3));

    let tx = db.begin().await.unwrap();
    let inside = cut_behind(Box::pin(async move {
        let error = tx.add(Entry::numbered(4)).await.unwrap_err();
        drop(tx);
        error
    }))
    .await;
    assert!(inside.is_connection(), "{inside}");
    assert_eq!(db.find(Entry::all()).count().await.unwrap(), 3);
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_right_though_the_server_is_killed() {
    let Some(server) = Server::start("bank", "").await else { return };
    let url = server.url("pool=8&acquire_timeout=20s");
    let server = Arc::new(Mutex::new(server));
    let killed = Arc::clone(&server);
    let bank = Bank {
        transfers: 250,
        hook_every: 400,
        hook: Some(Arc::new(move |_| {
            let killed = Arc::clone(&killed);
            Box::pin(async move {
                let mut server = killed.lock().await;
                server.kill();
                server.run().await;
            })
        })),
        ..Bank::default()
    };
    let report = bank.run(&Target::from_url("PostgreSQL", url)).await;
    println!("{report}");
    assert!(report.is_right() && report.acknowledged == 2_000, "{report}");
}
