//! Uses a pool for long: whether it loses anything, and whether it is fair.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the output of the command")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lexopt::prelude::*;
use ommi::driver::RedactedUrl;
use ommi_conformance::Target;
use ommi_conformance::proxy::Proxy;
use ommi_conformance::soak::{Churn, Fairness};

const USAGE: &str =
    "usage: soak churn    [--url URL] [--acquires N] [--tasks N] [--drops PERCENT] [--seed S] [--proxy HOST:PORT]
       soak fairness [--url URL] [--tasks N] [--seconds N]

Uses the database of a URL (sqlite::memory:), in which the table Item is created and emptied.

churn takes and gives back N connections (100,000) by N tasks (16), drops some uses (30 %) at a
random moment, and looks for connections, tasks and memory that were lost. With --proxy, the address
HOST:PORT in the URL is reached through a proxy that cuts, stalls, delays and truncates.

fairness lets N tasks (500) use the database for N seconds (60), and compares the slowest of a
thousand uses with the median.

Ends with 1 if something was lost, or the slowest of a thousand takes twenty times the median.";

struct Arguments {
    command: String,
    url: String,
    proxy: Option<String>,
    churn: Churn,
    fairness: Fairness,
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let mut found = Arguments {
        command: String::new(),
        url: "sqlite::memory:".into(),
        proxy: None,
        churn: Churn::default(),
        fairness: Fairness::default(),
    };
    let mut given = lexopt::Parser::from_env();
    while let Some(argument) = given.next()? {
        match argument {
            Value(command) if found.command.is_empty() => found.command = command.string()?,
            Long("url") => found.url = given.value()?.string()?,
            Long("proxy") => found.proxy = Some(given.value()?.string()?),
            Long("acquires") => found.churn.acquires = given.value()?.parse()?,
            Long("drops") => found.churn.drops = given.value()?.parse()?,
            Long("seed") => found.churn.seed = given.value()?.parse()?,
            Long("tasks") => {
                found.churn.tasks = given.value()?.parse()?;
                found.fairness.tasks = found.churn.tasks;
            }
            Long("seconds") => found.fairness.time = Duration::from_secs(given.value()?.parse()?),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    match found.command.as_str() {
        "churn" | "fairness" => Ok(Some(found)),
        "" => Err("`churn` or `fairness` is missing".into()),
        other => Err(format!("`{other}` is unknown").into()),
    }
}

async fn churn(mut churn: Churn, mut url: String, proxy: Option<String>) -> Result<bool, String> {
    if let Some(upstream) = proxy {
        if !url.contains(&upstream) {
            return Err(format!("the URL does not have the address {upstream}"));
        }
        let started = Proxy::start(&upstream).await.map_err(|error| format!("no proxy: {error}"))?;
        url = url.replace(&upstream, &started.address().to_string());
        churn.proxy = Some(Arc::new(started));
    }
    let report = churn.run(&Target::from_url(RedactedUrl(&url).to_string(), url)).await;
    println!("{report}");
    Ok(report.is_clean())
}

#[tokio::main]
async fn main() -> ExitCode {
    let found = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let is_good = match found.command.as_str() {
        "churn" => churn(found.churn, found.url, found.proxy).await,
        _ => {
            let target = Target::from_url(RedactedUrl(&found.url).to_string(), found.url);
            let report = found.fairness.run(&target).await;
            println!("{report}");
            Ok(report.is_fair())
        }
    };
    match is_good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}
