//! Requests that move the bytes of their connection themselves.

use std::any::Any;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use futures_util::poll;
use ommi::Result;
use ommi::driver::{Flow, RowRef, RowSink};
use ommi::prelude::*;
use ommi::value::Datum;
use tokio::time::timeout;

use crate::database::Database;

const SOON: Duration = Duration::from_secs(10);
/// Enough requests one after the other for the next one to move the bytes itself.
const LONELY: i64 = 20;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Item {
    #[ommi(key)]
    id: i64,
    name: String,
}

/// A database with items, and one connection to it that look-ups share.
async fn items(name: &str) -> Option<(Database, Db)> {
    let database = Database::make(name, "").await?;
    let db = ommi::connect(&database.url.replace("pool=8", "pool=2")).await.unwrap();
    db.create::<Item>().await.unwrap();
    db.add_all((1..=LONELY).map(|id| Item { id, name: format!("item {id}") })).await.unwrap();
    Some((database, db))
}

/// Reads items one after the other.
async fn read(db: &Db) {
    for id in 1..=LONELY {
        assert_eq!(db.get::<Item>(id).await.unwrap().id, id);
    }
}

#[tokio::test]
async fn a_look_up_that_nobody_polls_holds_up_no_other() {
    let Some((database, db)) = items("unpolled").await else { return };
    read(&db).await;
    let mut waiting = pin!(IntoFuture::into_future(db.get::<Item>(1)));
    assert!(poll!(waiting.as_mut()).is_pending());
    for id in 2..=LONELY {
        let item = timeout(SOON, db.get::<Item>(id)).await.expect("an answer").unwrap();
        assert_eq!(item.id, id);
    }
    assert_eq!(timeout(SOON, waiting).await.expect("an answer").unwrap().id, 1);
    read(&db).await;

    let tx = db.begin().await.unwrap();
    read(&tx).await;
    let mut waiting = Box::pin(IntoFuture::into_future(tx.add(Item { id: 100, name: "added".into() })));
    assert!(poll!(waiting.as_mut()).is_pending());
    timeout(SOON, read(&tx)).await.expect("answers");
    assert_eq!(timeout(SOON, waiting.as_mut()).await.expect("an answer").unwrap().id, 100);
    drop(waiting);
    timeout(SOON, tx.commit()).await.expect("an answer").unwrap();
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_look_up_leaves_its_connection_to_others() {
    let Some((database, db)) = items("dropped").await else { return };
    for round in 1..=LONELY {
        read(&db).await;
        {
            let mut waiting = pin!(IntoFuture::into_future(db.get::<Item>(round)));
            let _ = poll!(waiting.as_mut());
        }
        let others = join_all((1..=LONELY).map(|id| timeout(SOON, db.get::<Item>(id)))).await;
        for (other, id) in others.into_iter().zip(1..) {
            assert_eq!(other.expect("an answer").unwrap().id, id);
        }
    }
    db.close().await.unwrap();
    database.drop().await;
}

/// Wants no row after the first.
struct FirstRow(usize);

impl RowSink for FirstRow {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, _: &dyn RowRef) -> Result<Flow> {
        self.0 += 1;
        Ok(Flow::Stop)
    }

    fn reset(&mut self) {
        self.0 = 0;
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[tokio::test]
async fn who_wants_one_row_and_gets_one_leaves_nothing_to_clean() {
    let Some((database, db)) = items("one_row").await else { return };
    for id in 1..=LONELY {
        let found = db.model(Item::definition()).get_into(&[Datum::Int(id)], FirstRow(0)).await.unwrap();
        assert_eq!(found.0, 1);
    }
    // while a connection is cleaned, another is opened
    let opened =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'";
    assert_eq!(db.raw(opened).tuples::<(i64,)>().await.unwrap(), [(1,)]);
    read(&db).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alone_and_together_in_turns() {
    let Some((database, db)) = items("turns").await else { return };
    let tasks = (0..8).map(|task| {
        let db = db.clone();
        tokio::spawn(async move {
            for round in 0..50 {
                if (round + task) % 10 == 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                let id = (round * 7 + task) % LONELY + 1;
                assert_eq!(db.get::<Item>(id).await.unwrap().id, id);
            }
        })
    });
    timeout(SOON, try_join_all(tasks)).await.expect("all answers").unwrap();
    db.close().await.unwrap();
    database.drop().await;
}

#[test]
fn a_handle_outlives_the_runtime_of_its_connections() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = runtime();
    let Some((database, db)) = first.block_on(async {
        let made = items("outlived").await?;
        read(&made.1).await;
        Some(made)
    }) else {
        return;
    };
    // a request of another runtime, in flight when the connections' own ends
    let second = runtime();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let of_other = db.clone();
    let lookup = second.spawn(async move {
        let sleeping = of_other.raw("SELECT pg_sleep(60)").execute();
        let mut sleeping = pin!(IntoFuture::into_future(sleeping));
        let _ = poll!(sleeping.as_mut());
        let _ = begun.send(());
        sleeping.await
    });
    second.block_on(begins).unwrap();
    drop(first);
    second.block_on(async {
        let error = timeout(SOON, lookup).await.expect("an end").unwrap().unwrap_err();
        assert!(error.is_connection() || error.is_unknown(), "{error}");
        timeout(SOON, read(&db)).await.expect("answers over a new connection");
        db.close().await.unwrap();
        database.drop().await;
    });
}
