//! Connections taken and given back many times, with drops and faults.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use ommi::prelude::*;
use tokio::runtime::Handle;

use crate::cancellation::cut::{Ended, drop_at_random};
use crate::models::{Item, item};
use crate::process::resident_bytes;
use crate::proxy::{Proxy, Way};
use crate::target::Target;

/// How many rows there are to be read.
const ROWS: i64 = 2_000;
/// How many keys each task writes.
const KEYS: i64 = 10;
/// By how much the memory of the process may grow after the first fifth of the run.
const GROWTH: u64 = 32 << 20;
/// The latest moment at which a use is dropped that is not dropped after a few polls.
const DROP_WITHIN: Duration = Duration::from_millis(3);
/// How long the database may take to be in order again after the last fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the pool is used. The table `Item` is created, and written.
#[derive(Clone, Debug)]
pub struct Churn {
    /// How often a connection is taken.
    pub acquires: u64,
    /// How many tasks take them.
    pub tasks: u32,
    /// How many of a hundred uses are dropped at some moment.
    pub drops: u8,
    /// What the random choices are made from.
    pub seed: u64,
    /// The proxy that the database is reached through, to make faults with.
    pub proxy: Option<Arc<Proxy>>,
}

impl Default for Churn {
    fn default() -> Self {
        Churn { acquires: 100_000, tasks: 16, drops: 30, seed: 1, proxy: None }
    }
}

/// What was lost, if anything.
#[derive(Clone, Debug, Default)]
pub struct ChurnReport {
    /// The target's name.
    pub target: String,
    /// How often a connection was taken.
    pub acquires: u64,
    /// How many of the uses were dropped.
    pub dropped: u64,
    /// How many faults were made.
    pub faults: u64,
    /// How often each kind of error was met.
    pub errors: BTreeMap<&'static str, u64>,
    /// The bytes of memory of the process after a fifth of the run, and at its end.
    pub memory: Option<(u64, u64)>,
    /// What is wrong.
    pub problems: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

impl ChurnReport {
    /// Whether no connection, task or memory was lost.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for ChurnReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<String> = self.errors.iter().map(|(kind, number)| format!("{number} {kind}")).collect();
        write!(
            f,
            "{}: {} acquires in {:.1} s, {} dropped, {} faults; errors: {}",
            self.target,
            self.acquires,
            self.time.as_secs_f64(),
            self.dropped,
            self.faults,
            if errors.is_empty() { "none".to_owned() } else { errors.join(", ") }
        )?;
        if let Some((first, last)) = self.memory {
            write!(f, "; memory {:.1} MiB, then {:.1} MiB", mebibytes(first), mebibytes(last))?;
        }
        for problem in self.problems.iter().take(20) {
            write!(f, "\n  {problem}")?;
        }
        match self.problems.len() {
            0 => f.write_str("\nno connection, task or memory was lost"),
            number => write!(f, "\n{number} problems"),
        }
    }
}

fn mebibytes(bytes: u64) -> f64 {
    // a sum that is shown
    #[expect(clippy::cast_precision_loss, reason = "a rounded number is what is shown")]
    let bytes = bytes as f64;
    bytes / f64::from(1 << 20)
}

/// What all tasks count.
#[derive(Default)]
struct Counts {
    left: AtomicU64,
    dropped: AtomicU64,
    is_over: AtomicBool,
}

impl Churn {
    /// Takes and gives back connections, and looks at what is left in the end.
    ///
    /// The runtime has nothing else to do: tasks that are left running are found by their number.
    pub async fn run(&self, target: &Target) -> ChurnReport {
        let begun = Instant::now();
        let mut report =
            ChurnReport { target: target.name().to_owned(), acquires: self.acquires, ..ChurnReport::default() };
        if let Err(error) = self.run_on(target, &mut report).await {
            report.problems.push(error.to_string());
        }
        report.time = begun.elapsed();
        report
    }

    async fn run_on(&self, target: &Target, report: &mut ChurnReport) -> Result<()> {
        let tasks_before = Handle::current().metrics().num_alive_tasks();
        let db = target.open().await?;
        db.create::<Item>().await?;
        db.find(Item::all()).delete().await?;
        db.add_all((0..ROWS).map(|id| item(id, "kept"))).await?;
        let counts = Arc::new(Counts { left: AtomicU64::new(self.acquires), ..Counts::default() });
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| {
                let (churn, db, counts) = (self.clone(), db.clone(), Arc::clone(&counts));
                tokio::spawn(async move { churn.use_often(&db, task, &counts).await })
            })
            .collect();
        let faults = self.proxy.clone().map(|proxy| tokio::spawn(make_faults(proxy, self.seed, Arc::clone(&counts))));
        let watching = tokio::spawn(watch_memory(self.acquires, Arc::clone(&counts)));
        for task in tasks {
            match task.await {
                Ok((errors, wrong)) => {
                    for (kind, number) in errors {
                        *report.errors.entry(kind).or_default() += number;
                    }
                    report.problems.extend(wrong);
                }
                Err(fault) => report.problems.push(format!("a task ended: {fault}")),
            }
        }
        counts.is_over.store(true, Ordering::Relaxed);
        report.dropped = counts.dropped.load(Ordering::Relaxed);
        if let Some(faults) = faults {
            report.faults = faults.await.unwrap_or_default();
        }
        let first = watching.await.ok().flatten();
        in_order(&db, self.tasks, report).await;
        report.memory = first.zip(resident_bytes());
        if let Some((first, last)) = report.memory
            && last > first + GROWTH
        {
            report.problems.push(format!("the memory grew by {:.1} MiB", mebibytes(last - first)));
        }
        if let Err(error) = db.close().await {
            report.problems.push(format!("at the close: {error}"));
        }
        drop(db);
        let metrics = Handle::current().metrics();
        for _ in 0..500 {
            if metrics.num_alive_tasks() <= tasks_before {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        report
            .problems
            .push(format!("{} tasks were left running", metrics.num_alive_tasks().saturating_sub(tasks_before)));
        Ok(())
    }

    /// Uses connections until all are done; gives the errors, and what was wrong.
    async fn use_often(&self, db: &Db, task: u32, counts: &Counts) -> (BTreeMap<&'static str, u64>, Option<String>) {
        let mut errors = BTreeMap::new();
        let mut random = Rng::with_seed(self.seed.wrapping_mul(7_919).wrapping_add(u64::from(task)));
        let mut one_less = |left: u64| left.checked_sub(1);
        while counts.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, &mut one_less).is_ok() {
            let work = use_once(db, task, random.u8(0..9), random.i64(0..ROWS));
            let answer = match random.u8(0..100) < self.drops {
                false => work.await,
                true => match drop_at_random(&mut random, DROP_WITHIN, work).await {
                    Ended::Done(answer) => answer,
                    Ended::Dropped => {
                        counts.dropped.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                },
            };
            let Err(error) = answer else { continue };
            *errors.entry(error.kind().name()).or_default() += 1;
            let is_fault = error.is_connection() || error.is_unknown() || error.is_timeout() || error.is_transaction();
            if !(error.is_retryable() || is_fault && self.proxy.is_some()) {
                return (errors, Some(error.to_string()));
            }
            tokio::time::sleep(Duration::from_millis(random.u64(0..5))).await;
        }
        (errors, None)
    }
}

/// One use of a connection.
async fn use_once(db: &Db, task: u32, what: u8, id: i64) -> Result<()> {
    let own = ROWS + i64::from(task) * KEYS + id % KEYS;
    let has_transactions = db.driver().capabilities().transaction.transactions;
    match what {
        0 | 1 => {
            check_eq!(db.get::<Item>(id).await?.name, "kept");
        }
        2 => {
            let mut rows = db.find(Item::ID.lt(ROWS)).stream().await?;
            for _ in 0..3 {
                check!(rows.next().await?.is_some_and(|row| row.name == "kept"));
            }
        }
        3 => {
            let page = db.find(Item::ID.between(id, id + 30) & Item::ID.lt(ROWS)).all().await?;
            check!(page.iter().all(|row| row.name == "kept"));
        }
        4 if has_transactions => drop(db.begin().await?),
        5 if has_transactions => {
            let tx = db.begin().await?;
            tx.upsert(item(own, "committed")).count().await?;
            tx.commit().await?;
        }
        6 if has_transactions => {
            let tx = db.begin().await?;
            tx.find(Item::ID.eq(id)).update(Item::NAME.set("lost")).await?;
            tx.rollback().await?;
        }
        7 if has_transactions => {
            db.transaction(async |tx| {
                tx.upsert(item(own, "closure")).count().await?;
                tx.get::<Item>(own).await
            })
            .await?;
        }
        _ => drop(db.upsert(item(own, "upserted")).count().await?),
    }
    Ok(())
}

/// Makes one fault after the other until the run is over; gives how many.
async fn make_faults(proxy: Arc<Proxy>, seed: u64, counts: Arc<Counts>) -> u64 {
    let mut random = Rng::with_seed(seed);
    let mut faults = 0;
    while !counts.is_over.load(Ordering::Relaxed) {
        let way = if random.bool() { Way::ToServer } else { Way::ToClient };
        match random.u8(0..5) {
            0 => proxy.cut(),
            1 => proxy.stall(way),
            2 => proxy.delay(way, Duration::from_millis(random.u64(1..10))),
            3 => proxy.truncate(way, random.usize(0..2_000)),
            _ => {
                proxy.refuse(true);
                proxy.cut();
            }
        }
        faults += 1;
        tokio::time::sleep(Duration::from_millis(random.u64(10..100))).await;
        proxy.flow();
        tokio::time::sleep(Duration::from_millis(random.u64(100..500))).await;
    }
    proxy.flow();
    faults
}

/// The memory of the process when a fifth of the run is done.
async fn watch_memory(acquires: u64, counts: Arc<Counts>) -> Option<u64> {
    while counts.left.load(Ordering::Relaxed) > acquires / 5 * 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    resident_bytes()
}

/// Checks that after the last fault everything is served again, by many at once.
async fn in_order(db: &Db, tasks: u32, report: &mut ChurnReport) {
    let begun = Instant::now();
    loop {
        let users: Vec<_> = (0..tasks.max(16))
            .map(|task| {
                let db = db.clone();
                tokio::spawn(async move {
                    for what in [0, 5, 3] {
                        use_once(&db, task, what, i64::from(task)).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        let mut failed = None;
        for user in users {
            match user.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed = Some(error.to_string()),
                Err(fault) => failed = Some(fault.to_string()),
            }
        }
        match failed {
            None => break,
            Some(failed) if begun.elapsed() > PATIENCE => {
                report.problems.push(format!("not in order {PATIENCE:?} after the last fault: {failed}"));
                return;
            }
            Some(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    match db.find(Item::ID.lt(ROWS) & Item::NAME.eq("kept")).count().await {
        Ok(count) if count == ROWS.unsigned_abs() => {}
        Ok(count) => report.problems.push(format!("{count} of {ROWS} rows are as they were")),
        Err(error) => report.problems.push(error.to_string()),
    }
}
