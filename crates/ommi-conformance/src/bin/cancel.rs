//! Drops the future of every operation at every await point, and looks at what is left.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the output of the command")]

use std::process::ExitCode;

use lexopt::prelude::*;
use ommi_conformance::{Target, cancellation};

const USAGE: &str = "usage: cancel [--url [NAME=]URL]... [--drop-all-tables]

Runs each operation on the databases of each URL (sqlite::memory:), and drops its future at each of
its await points. `{n}` in a URL stands for a number that is another for each database; without it
the database must be allowed to be emptied, by --drop-all-tables. A small pool finds more. Ends
with 1 if a drop left anything behind.";

fn arguments() -> Result<Option<Vec<Target>>, lexopt::Error> {
    let (mut urls, mut may_drop_tables) = (Vec::new(), false);
    let mut given = lexopt::Parser::from_env();
    while let Some(argument) = given.next()? {
        match argument {
            Long("url") => urls.push(given.value()?.string()?),
            Long("drop-all-tables") => may_drop_tables = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if urls.is_empty() {
        urls.push("sqlite::memory:".into());
    }
    let target = |url: &String| Target::from_argument(url, may_drop_tables).map_err(|error| error.to_string().into());
    urls.iter().map(target).collect::<Result<_, _>>().map(Some)
}

#[tokio::main]
async fn main() -> ExitCode {
    let targets = match arguments() {
        Ok(Some(targets)) => targets,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut is_clean = true;
    for target in targets {
        let report = cancellation(&target).await;
        println!("{report}\n");
        is_clean &= report.is_clean();
    }
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
