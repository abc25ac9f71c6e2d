//! How long a long query keeps a timer waiting on a runtime of one thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ommi::Model;

use crate::model::User;

/// The longest that a sleep was late, in microseconds.
static LATEST: AtomicU64 = AtomicU64::new(0);

/// Runs a statement of about two seconds beside a task that sleeps a millisecond at a time, and
/// prints the longest that a sleep was late.
pub fn measure() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let path = std::env::temp_dir().join(format!("ommi-latency-{}.db", std::process::id()));
        let db = ommi::connect(&format!("sqlite://{}", path.display())).await.expect("a database");
        db.create::<User>().await.expect("a table");
        db.add_all((1..=300_000).map(User::numbered)).await.expect("users");
        report("nothing", async { tokio::time::sleep(Duration::from_secs(2)).await }).await;
        let numbers =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT sum(i) FROM n";
        report("one long step", async {
            db.raw(numbers).tuples::<(i64,)>().await.expect("a sum");
        })
        .await;
        report("300,000 rows into structs", async {
            assert_eq!(db.find(User::all()).all().await.expect("users").len(), 300_000);
        })
        .await;
        report("a filter that no index serves", async {
            db.find(User::NAME.regex("9+8*7+$")).order_by(User::NAME.desc()).all().await.expect("users");
        })
        .await;
        report("100,000 look-ups by key in a row", async {
            for key in 1..=100_000i64 {
                db.get::<User>(key).await.expect("a user");
            }
        })
        .await;
        db.close().await.expect("a good end");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    });
}

async fn report(work: &str, query: impl Future<Output = ()>) {
    let ticker = tokio::spawn(async {
        let mut latest = Duration::ZERO;
        loop {
            let begun = Instant::now();
            tokio::time::sleep(Duration::from_millis(1)).await;
            latest = latest.max(begun.elapsed().saturating_sub(Duration::from_millis(1)));
            LATEST.store(u64::try_from(latest.as_micros()).unwrap_or(u64::MAX), Relaxed);
        }
    });
    LATEST.store(0, Relaxed);
    tokio::task::yield_now().await;
    let begun = Instant::now();
    query.await;
    let took = begun.elapsed();
    ticker.abort();
    let late = LATEST.load(Relaxed);
    println!("{work}: took {:.2} s, a timer was at most {:.1} ms late", took.as_secs_f64(), late as f64 / 1e3);
}
