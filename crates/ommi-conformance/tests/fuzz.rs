//! Generated queries on the drivers that Ommi comes with.

use ommi_conformance::{fuzz, fuzz_graphs};

const QUERIES: u64 = 5_000;
const TREES: u64 = 2_000;
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

async fn loads_graphs_as_plain_loops_do(url: &str) {
    let report = fuzz_graphs(url, TREES, SEED, |_| {}).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.queries, TREES);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_loads_graphs_as_plain_loops_do() {
    loads_graphs_as_plain_loops_do("memory:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_loads_graphs_as_plain_loops_do() {
    loads_graphs_as_plain_loops_do("memory:?capabilities=none").await;
    loads_graphs_as_plain_loops_do("memory:?relations=none").await;
    loads_graphs_as_plain_loops_do("memory:?relations=joins").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_loads_graphs_as_plain_loops_do() {
    loads_graphs_as_plain_loops_do("sqlite::memory:").await;
}
