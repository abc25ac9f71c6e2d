//! The suite and generated queries on PostgreSQL.

use std::sync::Arc;

use ommi_conformance::{Outcome, Target, fuzz, run};

use crate::database::{Database, emptied};

/// What no built-in driver has: its values are too long for a test to reach their limit.
const VALUE_LIMIT: &str = "limits.value_bytes of at most 64 MiB";

const QUERIES: u64 = 5_000;
const SEED: u64 = 20_260_101;

/// Runs the cases (those that `OMMI_CASES` names a part of, if it is set), shows the table, and
/// expects that none failed and that nothing but the length of values kept one from running.
async fn passes(name: &str, database: &str, options: &str) {
    let Some(database) = Database::make(database, options).await else { return };
    let url: Arc<str> = database.url.as_str().into();
    let target = Target::new(name, move || {
        let url = Arc::clone(&url);
        async move { emptied(&url).await }
    });
    let filter = std::env::var("OMMI_CASES").ok();
    let report = run(target, filter.as_deref()).await;
    println!("{report}");
    database.drop().await;
    let failures: Vec<&str> = report.failures().map(|case| case.name).collect();
    assert!(failures.is_empty(), "{} of {} cases failed: {failures:#?}", failures.len(), report.cases.len());
    for case in report.unsupported() {
        assert!(matches!(case.outcome, Outcome::Unsupported(VALUE_LIMIT)), "{} was left out", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_passes() {
    passes("PostgreSQL", "suite", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_passes_without_prepared_statements() {
    passes("PostgreSQL behind a pooler", "pooler", "&prepare=off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_answers_generated_queries_as_the_reference_does() {
    let Some(database) = Database::make("fuzz", "").await else { return };
    let report = fuzz(&database.url, QUERIES, SEED).await;
    database.drop().await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.queries, QUERIES);
}
