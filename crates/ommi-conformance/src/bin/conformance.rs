//! Runs the suite on several databases, and writes the table of the cases by the drivers.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the output of the command")]

use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;
use ommi_conformance::{Target, matrix, run};

const USAGE: &str =
    "usage: conformance [--url [NAME=]URL | --server [NAME=]URL]... [--drop-all-tables] [--filter TEXT] [--write FILE]

Runs the cases (those that have a text in their name) on the databases of each URL, and shows how
they ended; writes the table of cases by databases to a file in Markdown. `{n}` in a URL stands for
a number that is another for each case; without it the database must be allowed to be emptied before
each case, by --drop-all-tables. With --server a database `ommi_conformance` beside that of the URL
is used, which is made where it is not there. Without a URL the suite runs on databases in memory.
Ends with 1 if a case failed.";

/// What stands above the table.
const HEAD: &str = "\
# Conformance

What [the contract](contract.md) says, as cases, on each driver. `dev/conformance` runs them and writes
this page. A cell is *pass* where the database does all by itself, *completed* where the engine does a
part of it with the same result, and otherwise names the capability that the driver lacks and the case
cannot do without. [Writing a driver](drivers.md) says what capabilities are.

";

struct Arguments {
    urls: Vec<Url>,
    may_drop_tables: bool,
    filter: Option<String>,
    file: Option<PathBuf>,
}

/// Where the suite is to run.
enum Url {
    Database(String),
    Server(String),
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let mut found = Arguments { urls: Vec::new(), may_drop_tables: false, filter: None, file: None };
    let mut given = lexopt::Parser::from_env();
    while let Some(argument) = given.next()? {
        match argument {
            Long("url") => found.urls.push(Url::Database(given.value()?.string()?)),
            Long("server") => found.urls.push(Url::Server(given.value()?.string()?)),
            Long("drop-all-tables") => found.may_drop_tables = true,
            Long("filter") => found.filter = Some(given.value()?.string()?),
            Long("write") => found.file = Some(given.value()?.into()),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if found.urls.is_empty() {
        let usual = ["memory=memory:", "memory, least=memory:?capabilities=none", "SQLite in memory=sqlite::memory:"];
        found.urls.extend(usual.map(|url| Url::Database(url.to_owned())));
    }
    Ok(Some(found))
}

impl Arguments {
    async fn targets(&self) -> ommi::Result<Vec<Target>> {
        let mut targets = Vec::new();
        for url in &self.urls {
            targets.push(match url {
                Url::Database(url) => Target::from_argument(url, self.may_drop_tables)?,
                Url::Server(url) => Target::on_server(url).await?,
            });
        }
        Ok(targets)
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
    let targets = match arguments.targets().await {
        Ok(targets) => targets,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let Arguments { filter, file, .. } = arguments;
    let mut reports = Vec::new();
    for target in targets {
        let report = run(target, filter.as_deref()).await;
        for case in report.failures() {
            println!("{}: {}: {:?}", report.target, case.name, case.outcome);
        }
        println!("{}", report.summary());
        reports.push(report);
    }
    if let Some(file) = file
        && let Err(error) = std::fs::write(&file, format!("{HEAD}{}", matrix(&reports)))
    {
        eprintln!("{} cannot be written: {error}", file.display());
        return ExitCode::from(2);
    }
    match reports.iter().all(|report| report.failures().next().is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
