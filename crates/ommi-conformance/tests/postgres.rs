//! The suite and generated queries on PostgreSQL.

#![allow(clippy::print_stdout, reason = "the table of the cases is what is to be seen")]

use std::sync::Arc;

use ommi::{Db, Result};
use ommi_conformance::{Outcome, Target, fuzz, run, server};

/// What no built-in driver has: its values are too long for a test to reach their limit.
const VALUE_LIMIT: &str = "limits.value_bytes of at most 64 MiB";

const QUERIES: u64 = 5_000;
const SEED: u64 = 20_260_101;

/// A database of a test's own.
struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    /// Makes a database; `None` if there is no server.
    async fn make(name: &str, options: &str) -> Option<Database> {
        let server = server::address("OMMI_POSTGRES_URL")?;
        let name = format!("ommi_{name}_{}", std::process::id());
        let base = server.split_once('?').map_or(&*server, |(base, _)| base);
        let (host, _) = base.rsplit_once('/').unwrap();
        let url = format!("{host}/{name}?pool=8{options}");
        let db = ommi::connect(&server).await.unwrap();
        db.raw(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).execute().await.unwrap();
        db.raw(&format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).execute().await.unwrap();
        db.close().await.unwrap();
        Some(Database { server, name, url })
    }

    async fn drop(&self) {
        let db = ommi::connect(&self.server).await.unwrap();
        db.raw(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).execute().await.unwrap();
        db.close().await.unwrap();
    }
}

/// A handle on an emptied database.
async fn emptied(url: &str) -> Result<Db> {
    let db = ommi::connect(url).await?;
    for table in db.inspect().await?.tables {
        let schema = table.schema.map(|schema| format!("\"{schema}\".")).unwrap_or_default();
        let kind = if table.is_view { "VIEW" } else { "TABLE" };
        let name = table.name.replace('"', "\"\"");
        db.raw(&format!("DROP {kind} IF EXISTS {schema}\"{name}\" CASCADE")).execute().await?;
    }
    Ok(db)
}

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
