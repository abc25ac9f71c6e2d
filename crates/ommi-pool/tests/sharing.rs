//! Short requests that share connections.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use std::sync::Arc;
use std::time::Duration;

use ommi_core::Result;
use ommi_core::driver::{BoxFuture, Holder};
use ommi_pool::{Lease, Opener, Pool, Settings};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

/// Connections that are nothing but numbers, and always work.
struct Numbers;

impl Opener for Numbers {
    type Connection = ();

    fn open(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            yield_now().await;
            Ok(())
        })
    }

    fn is_open(&self, (): &()) -> bool {
        true
    }

    fn check<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, bool> {
        Box::pin(async { true })
    }

    fn is_unclean(&self, (): &()) -> bool {
        false
    }

    fn restore<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, bool> {
        Box::pin(async { true })
    }

    fn closed(&self, (): &()) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// A pool of four, of which two may be lanes of three requests each.
fn pool() -> Arc<Pool<Numbers>> {
    let settings = Settings { size: 4, lane_depth: 3, lane_patience: Duration::from_secs(60), ..Settings::default() };
    Pool::new(Numbers, settings)
}

fn look_up() -> Holder {
    Holder::operation("get")
}

async fn shared(pool: &Arc<Pool<Numbers>>, count: usize) -> Vec<Lease<Numbers>> {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let pool = Arc::clone(pool);
        tasks.spawn(async move { pool.share(look_up()).await.unwrap() });
    }
    timeout(Duration::from_secs(10), tasks.join_all()).await.unwrap()
}

/// Ends when as many requests wait.
async fn until_waiting(pool: &Arc<Pool<Numbers>>, count: usize) {
    while pool.metrics().waiting < count {
        yield_now().await;
    }
}

#[tokio::test]
async fn requests_that_wait_for_the_first_connections_share_them() {
    let pool = pool();
    // two lanes of three, and two connections that are nobody's but theirs
    let leases = shared(&pool, 8).await;
    assert_eq!((leases.len(), pool.metrics().open), (8, 4));
    let ninth = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.share(look_up()).await.map(drop) }
    });
    until_waiting(&pool, 1).await;
    assert!(!ninth.is_finished());
    drop(leases);
    ninth.await.unwrap().unwrap();
    assert_eq!((pool.metrics().idle, pool.metrics().waiting), (4, 0));
    pool.close().await;
}

#[tokio::test]
async fn places_in_lanes_go_to_those_who_wait_in_their_order() {
    let pool = pool();
    let mut leases = shared(&pool, 8).await;
    let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut waiting = JoinSet::new();
    for number in 0..20 {
        let (of_task, told) = (Arc::clone(&pool), told.clone());
        waiting.spawn(async move {
            let lease = of_task.share(look_up()).await.unwrap();
            told.send(number).unwrap();
            drop(lease);
        });
        until_waiting(&pool, number + 1).await;
    }
    // a newcomer is behind them, though it comes when a place is free
    drop(leases.pop());
    drop(pool.share(look_up()).await.unwrap());
    told.send(20).unwrap();
    drop(leases);
    waiting.join_all().await;
    let mut served = Vec::new();
    for _ in 0..=20 {
        served.push(order.recv().await.unwrap());
    }
    assert_eq!(served, (0..=20).collect::<Vec<_>>());
    pool.close().await;
}

#[tokio::test]
async fn requests_that_give_up_take_no_place_from_others() {
    let pool = pool();
    let leases = shared(&pool, 8).await;
    let mut waiting = JoinSet::new();
    let mut given_up = Vec::new();
    for number in 0..30 {
        let of_task = Arc::clone(&pool);
        let task = waiting.spawn(async move { of_task.share(look_up()).await.map(drop) });
        if number % 3 != 0 {
            given_up.push(task);
        }
        until_waiting(&pool, number + 1).await;
    }
    given_up.iter().for_each(tokio::task::AbortHandle::abort);
    drop(leases);
    let mut served = 0;
    while let Some(ended) = timeout(Duration::from_secs(10), waiting.join_next()).await.unwrap() {
        served += usize::from(ended.is_ok());
    }
    assert_eq!((served, pool.metrics().idle, pool.metrics().waiting), (10, 4, 0));
    pool.close().await;
}

#[tokio::test]
async fn look_ups_without_end_keep_no_write_waiting() {
    let pool = pool();
    let mut look_ups = JoinSet::new();
    for _ in 0..30 {
        let pool = Arc::clone(&pool);
        look_ups.spawn(async move {
            loop {
                let lease = pool.share(look_up()).await.unwrap();
                yield_now().await;
                drop(lease);
            }
        });
    }
    for _ in 0..100 {
        let write = timeout(Duration::from_secs(10), pool.lease(Holder::operation("add"))).await;
        yield_now().await;
        drop(write.unwrap().unwrap());
    }
    look_ups.shutdown().await;
    pool.close().await;
}
