//! Runs generated queries on a database and compares each answer with the reference evaluator's.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the output of the command")]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use ommi_conformance::server::Database;
use ommi_conformance::{FuzzReport, fuzz_graphs, fuzz_with_progress};

const USAGE: &str = "usage: fuzz [--queries N | --graphs N] [--seed S] [--url URL | --server URL]

Runs N generated queries (10,000) on the database of a URL (sqlite::memory:) and in the reference
evaluator; or N generated trees of related rows, on the database and by plain loops. With --server
the database is one of its own beside that of the URL, which is dropped in the end. The same seed
makes the same queries and trees. Ends with 1 if an answer differs.";

struct Arguments {
    queries: u64,
    graphs: Option<u64>,
    seed: u64,
    url: String,
    is_server: bool,
}

fn arguments() -> Result<Option<Arguments>, String> {
    let mut found =
        Arguments { queries: 10_000, graphs: None, seed: 1, url: "sqlite::memory:".into(), is_server: false };
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        if matches!(flag.as_str(), "--help" | "-h") {
            return Ok(None);
        }
        let value = given.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        let number = || value.replace('_', "").parse().map_err(|_| format!("`{value}` is not a number"));
        match flag.as_str() {
            "--queries" => found.queries = number()?,
            "--graphs" => found.graphs = Some(number()?),
            "--seed" => found.seed = number()?,
            "--url" | "--server" => (found.url, found.is_server) = (value, flag == "--server"),
            _ => return Err(format!("`{flag}` is unknown")),
        }
    }
    Ok(Some(found))
}

impl Arguments {
    async fn run(&self, url: &str) -> FuzzReport {
        let is_terminal = std::io::stderr().is_terminal();
        let total = self.graphs.unwrap_or(self.queries);
        let progress = |done| {
            if is_terminal {
                eprint!("\r{done} of {total}");
                let _ = std::io::stderr().flush();
            }
        };
        let report = match self.graphs {
            None => fuzz_with_progress(url, self.queries, self.seed, progress).await,
            Some(trees) => fuzz_graphs(url, trees, self.seed, progress).await,
        };
        if is_terminal {
            eprintln!();
        }
        report
    }

    async fn run_on_server(&self) -> ommi::Result<FuzzReport> {
        let database = Database::on(&self.url, &format!("ommi_fuzz_{}", std::process::id())).await?;
        let report = self.run(database.url()).await;
        database.drop().await?;
        Ok(report)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments() {
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
    let begun = Instant::now();
    let report = match arguments.is_server {
        false => arguments.run(&arguments.url).await,
        true => match arguments.run_on_server().await {
            Ok(report) => report,
            Err(problem) => {
                eprintln!("{problem}");
                return ExitCode::from(2);
            }
        },
    };
    println!("{report} in {:.1} s", begun.elapsed().as_secs_f64());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
