//! The suite on the drivers that Ommi comes with.

#![allow(clippy::print_stdout, reason = "the table of the cases is what is to be seen")]

use ommi_conformance::{Outcome, Report, Target, case_names, run};

/// What no built-in driver has: its values are too long for a test to reach their limit.
const VALUE_LIMIT: &str = "limits.value_bytes of at most 64 MiB";

/// Runs the cases (those that `OMMI_CASES` names a part of, if it is set), shows the table, and
/// expects that none failed and that nothing but the named capabilities kept one from running.
async fn passes(target: Target, lacking: &[&str]) {
    let filter = std::env::var("OMMI_CASES").ok();
    let report = run(target, filter.as_deref()).await;
    println!("{report}");
    let failures: Vec<&str> = report.failures().map(|case| case.name).collect();
    assert!(failures.is_empty(), "{} of {} cases failed: {failures:#?}", failures.len(), report.cases.len());
    if filter.is_none() {
        assert_eq!(report.cases.len(), case_names().count());
        only_without(&report, lacking);
    }
}

/// Expects that cases were left out for the want of these capabilities alone.
fn only_without(report: &Report, lacking: &[&str]) {
    for case in report.unsupported() {
        let stated = matches!(case.outcome, Outcome::Unsupported(capability) if lacking.contains(&capability));
        assert!(stated, "{} was left out: {:?}", case.name, case.outcome);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes() {
    passes(Target::from_url("memory", "memory:"), &["operation.sql", VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes_without_its_capabilities() {
    let target = Target::from_url("memory without capabilities", "memory:?capabilities=none");
    passes(
        target,
        &[
            "operation.sql",
            "relation.joins",
            "transaction.transactions",
            "transaction.savepoints",
            "transaction.read_only",
            "transaction.repeatable_read",
            "transaction.serializable",
            "transaction.transactions or write.update_expressions",
            VALUE_LIMIT,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes_without_savepoints() {
    let target = Target::new("memory without savepoints", || async {
        let mut capabilities = *ommi::connect("memory:").await?.driver().capabilities();
        capabilities.transaction.savepoints = false;
        Ok(ommi::Db::new(std::sync::Arc::new(ommi_memory::MemoryDriver::new(capabilities)), &[]))
    });
    passes(target, &["operation.sql", "transaction.savepoints", VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes_without_related_rows_of_its_own() {
    let target = Target::from_url("memory without relations", "memory:?relations=none");
    passes(target, &["operation.sql", "relation.joins", VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes_with_joins_alone() {
    let target = Target::from_url("memory with joins alone", "memory:?relations=joins");
    passes(target, &["operation.sql", VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_driver_passes_with_short_lists_of_keys() {
    let target = Target::new("memory with lists of seven", || async {
        let mut capabilities = *ommi::connect("memory:").await?.driver().capabilities();
        capabilities.limits.list_values = 7;
        Ok(ommi::Db::new(std::sync::Arc::new(ommi_memory::MemoryDriver::new(capabilities)), &[]))
    });
    passes(target, &["operation.sql", VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_memory_passes() {
    passes(Target::from_url("SQLite in memory", "sqlite::memory:"), &[VALUE_LIMIT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_in_a_file_passes() {
    let directory = std::env::temp_dir().join(format!("ommi-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let template = format!("sqlite://{}/{{n}}.db", directory.display());
    passes(Target::from_url("SQLite in a file", template), &[VALUE_LIMIT]).await;
    std::fs::remove_dir_all(&directory).unwrap();
}
