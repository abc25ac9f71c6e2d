//! Short runs of the kit on the drivers that Ommi comes with.

#![allow(clippy::print_stdout, reason = "the reports are what is to be seen")]
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod cut;
mod matrix;
mod proxy;
mod server;
mod target;

use std::time::Duration;

use ommi_conformance::soak::{Churn, Fairness};
use ommi_conformance::{Bank, Target};

/// The databases, the files among them in a directory that is gone in the end.
struct Targets {
    directory: std::path::PathBuf,
}

impl Targets {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("ommi-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Targets { directory }
    }

    fn all(&self) -> [Target; 3] {
        let file = format!("sqlite://{}/{{n}}.db?synchronous=normal", self.directory.display());
        [
            Target::from_url("memory", "memory:"),
            Target::from_url("SQLite in memory", "sqlite::memory:"),
            Target::from_url("SQLite in a file", file),
        ]
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_the_bank_are_right() {
    let bank = Bank { transfers: 100, accounts: 5, drops: 25, ..Bank::default() };
    for target in Targets::new("bank").all() {
        let report = bank.run(&target).await;
        println!("{report}");
        assert!(report.is_right() && report.acknowledged == 800, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_loses_nothing() {
    let churn = Churn { acquires: 4_000, tasks: 8, ..Churn::default() };
    for target in Targets::new("churn").all() {
        let report = churn.run(&target).await;
        println!("{report}");
        assert!(report.is_clean(), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tasks_than_connections_are_all_served() {
    let fairness = Fairness { tasks: 60, time: Duration::from_millis(400) };
    for target in Targets::new("fairness").all() {
        let report = fairness.run(&target).await;
        println!("{report}");
        assert!(report.problems.is_empty() && report.of_a_task.0 > 0, "{report}");
    }
}
