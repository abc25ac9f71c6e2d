//! More tasks than connections: whether some wait much longer than others.

use std::fmt;
use std::time::{Duration, Instant};

use ommi::prelude::*;

use crate::models::{Item, item};
use crate::target::Target;

/// How many times the median the slowest of a thousand may take.
const UNFAIR: f64 = 20.0;

/// How many tasks use the database at once, and for how long. The table `Item` is created, and its
/// rows deleted at first.
#[derive(Clone, Debug)]
pub struct Fairness {
    /// How many tasks there are.
    pub tasks: u32,
    /// How long they go on.
    pub time: Duration,
}

impl Default for Fairness {
    fn default() -> Self {
        Fairness { tasks: 500, time: Duration::from_secs(60) }
    }
}

/// How long the uses took, from the wish for a connection to the answer.
#[derive(Clone, Debug, Default)]
pub struct FairnessReport {
    /// The target's name.
    pub target: String,
    /// How many uses there were.
    pub uses: usize,
    /// What half of the uses took at most.
    pub median: Duration,
    /// What 99 of 100 took at most.
    pub p99: Duration,
    /// What 999 of 1,000 took at most.
    pub p999: Duration,
    /// What the slowest took.
    pub slowest: Duration,
    /// The fewest and the most uses of a task.
    pub of_a_task: (usize, usize),
    /// What is wrong.
    pub problems: Vec<String>,
}

impl FairnessReport {
    /// Whether the slowest of a thousand takes less than twenty times the median, and nothing
    /// failed.
    pub fn is_fair(&self) -> bool {
        self.problems.is_empty() && self.ratio() < UNFAIR
    }

    /// How many times the median the slowest of a thousand takes.
    pub fn ratio(&self) -> f64 {
        self.p999.as_secs_f64() / self.median.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for FairnessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        write!(
            f,
            "{}: {} uses, {} to {} a task; p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, slowest {:.2} ms: p99.9 is {:.1} times p50",
            self.target,
            self.uses,
            self.of_a_task.0,
            self.of_a_task.1,
            millis(self.median),
            millis(self.p99),
            millis(self.p999),
            millis(self.slowest),
            self.ratio()
        )?;
        for problem in self.problems.iter().take(20) {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl Fairness {
    /// Lets all tasks use the database for a time.
    pub async fn run(&self, target: &Target) -> FairnessReport {
        let mut report = FairnessReport { target: target.name().to_owned(), ..FairnessReport::default() };
        if let Err(error) = self.run_on(target, &mut report).await {
            report.problems.push(error.to_string());
        }
        report
    }

    async fn run_on(&self, target: &Target, report: &mut FairnessReport) -> Result<()> {
        let db = target.open().await?;
        db.create::<Item>().await?;
        db.find(Item::all()).delete().await?;
        db.add_all((0..500).map(|id| item(id, "kept"))).await?;
        let end = Instant::now() + self.time;
        let tasks: Vec<_> = (0..self.tasks)
            .map(|task| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        // the others come first: it is the pool's fairness that is measured
                        tokio::task::yield_now().await;
                        let begun = Instant::now();
                        use_once(&db, i64::from(task % 500)).await?;
                        times.push(begun.elapsed());
                    }
                    Ok::<_, Error>(times)
                })
            })
            .collect();
        let mut all = Vec::new();
        let mut numbers = Vec::new();
        for task in tasks {
            match task.await {
                Ok(Ok(times)) => {
                    numbers.push(times.len());
                    all.extend(times);
                }
                Ok(Err(error)) => report.problems.push(error.to_string()),
                Err(fault) => report.problems.push(format!("a task ended: {fault}")),
            }
        }
        all.sort_unstable();
        let at = |share: usize| all.get((all.len() * share / 1_000).min(all.len().saturating_sub(1)));
        let time = |share| at(share).copied().unwrap_or_default();
        report.uses = all.len();
        (report.median, report.p99, report.p999) = (time(500), time(990), time(999));
        report.slowest = all.last().copied().unwrap_or_default();
        numbers.sort_unstable();
        report.of_a_task = (numbers.first().copied().unwrap_or_default(), numbers.last().copied().unwrap_or_default());
        db.close().await
    }
}

/// Takes a connection for two reads: in a transaction, so that no two share it.
async fn use_once(db: &Db, id: i64) -> Result<()> {
    let can = db.driver().capabilities().transaction;
    let read = async |db: &Db| {
        check_eq!(db.get::<Item>(id).await?.id, id);
        check!(db.find(Item::ID.eq(id)).exists().await?);
        Ok(())
    };
    match (can.transactions, can.read_only) {
        (true, true) => db.options().read_only().transaction(async |tx| read(tx).await).await,
        (true, false) => db.transaction(async |tx| read(tx).await).await,
        (false, _) => read(db).await,
    }
}
