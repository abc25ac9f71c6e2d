//! Dropped futures on the drivers that Ommi comes with.

#![allow(clippy::print_stdout, reason = "the table of the operations is what is to be seen")]

use ommi_conformance::{Target, cancellation};

async fn stays_clean(target: Target) {
    let report = cancellation(&target).await;
    println!("{report}");
    assert!(report.is_clean(), "{}", report.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_clean() {
    stays_clean(Target::from_url("memory", "memory:")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_capabilities_stays_clean() {
    stays_clean(Target::from_url("memory without capabilities", "memory:?capabilities=none")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_memory_stays_clean() {
    stays_clean(Target::from_url("SQLite in memory", "sqlite::memory:")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_a_file_stays_clean() {
    let directory = std::env::temp_dir().join(format!("ommi-cancellation-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let template = format!("sqlite://{}/{{n}}.db?readers=2", directory.display());
    stays_clean(Target::from_url("SQLite in a file", template)).await;
    std::fs::remove_dir_all(&directory).unwrap();
}
