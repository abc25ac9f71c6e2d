//! Generated queries on the drivers that Ommi comes with.

use ommi_conformance::fuzz;

const QUERIES: u64 = 5_000;
const SEED: u64 = 20_260_101;

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_completes_generated_queries_as_the_reference_answers_them() {
    let report = fuzz("memory:?capabilities=none", QUERIES, SEED).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.queries, QUERIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_answers_generated_queries_as_the_reference_does() {
    let report = fuzz("sqlite::memory:", QUERIES, SEED).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.queries, QUERIES);
}
