//! The suite on MongoDB: on a replica set, and on a server by itself.

#![allow(clippy::print_stdout, reason = "the table of the cases is what is to be seen")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi::mongodb::mongodb::Database;
use ommi_conformance::server::address;
use ommi_conformance::{Outcome, Target, run};

/// A target whose databases are made anew for each case and dropped before it.
fn target(name: &str, url: String) -> Target {
    let number = Arc::new(AtomicU64::new(0));
    let process = std::process::id();
    Target::new(name, move || {
        let number = number.fetch_add(1, Ordering::Relaxed) % 4;
        let (base, options) = url.split_once('?').map_or((url.as_str(), ""), |(base, options)| (base, options));
        let (hosts, _) = base
            .rsplit_once('/')
            .filter(|(hosts, _)| hosts.contains("//") && !hosts.ends_with('/'))
            .unwrap_or((base, ""));
        let url = format!("{hosts}/ommi_suite_{process}_{number}?{options}");
        async move {
            let db = ommi::connect(&url).await?;
            db.native(|database: &mut Database| {
                tokio::runtime::Handle::current().block_on(async { database.drop().await })
            })
            .await?
            .map_err(|error| ommi::Error::config(error.to_string()))?;
            Ok(db)
        }
    })
}

/// Runs the cases, shows the table, and expects that none failed and that nothing but the named
/// capabilities kept one from running.
async fn passes(name: &str, variable: &str, lacking: &[&str]) {
    let Some(url) = address(variable) else { return };
    let filter = std::env::var("OMMI_CASES").ok();
    let report = run(target(name, url), filter.as_deref()).await;
    println!("{report}");
    let failures: Vec<&str> = report.failures().map(|case| case.name).collect();
    assert!(failures.is_empty(), "{} of {} cases failed: {failures:#?}", failures.len(), report.cases.len());
    for case in report.unsupported() {
        let stated = matches!(case.outcome, Outcome::Unsupported(capability) if lacking.contains(&capability));
        assert!(stated, "{} was left out: {:?}", case.name, case.outcome);
    }
}

/// What MongoDB does otherwise: its language is not SQL, and its embedded structs are documents. Rows of
/// a link model are read by a query of their own. Its transactions read a snapshot.
const NEVER: [&str; 5] = [
    "operation.sql",
    "columns in place of operation.documents",
    "transaction.savepoints",
    "transaction.serializable",
    "relation.joins",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_passes() {
    passes("MongoDB, replica set", "OMMI_MONGODB_URL", &NEVER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_by_itself_passes() {
    let mut lacking = NEVER.to_vec();
    lacking.extend([
        "transaction.transactions",
        "transaction.read_only",
        "transaction.repeatable_read",
        "constraint.references",
        "transaction.transactions or write.update_expressions",
    ]);
    passes("MongoDB, standalone", "OMMI_MONGODB_STANDALONE_URL", &lacking).await;
}
