//! Transfers money between few accounts of a database, and looks at the books in the end.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the output of the command")]

use std::process::ExitCode;
use std::sync::Arc;

use lexopt::prelude::*;
use ommi::driver::RedactedUrl;
use ommi_conformance::{Bank, Target};

const USAGE: &str = "usage: bank [--url URL] [--tasks N] [--transfers N] [--drops PERCENT] [--seed S]
            [--every N --run COMMAND]

N tasks (8) make N transfers each (2,000) on the database of a URL (sqlite::memory:), whose tables
BankAccount and BankTransfer are emptied at first. Some (10 %) are dropped at a random moment and
made again. A command can be run each time that some more transfers are done: it may kill the
server and start it again. Ends with 1 if a sum is wrong, or a transfer is lost or there twice.";

struct Arguments {
    url: String,
    bank: Bank,
    command: Option<String>,
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let mut found = Arguments { url: "sqlite::memory:".into(), bank: Bank::default(), command: None };
    let mut given = lexopt::Parser::from_env();
    while let Some(argument) = given.next()? {
        match argument {
            Long("url") => found.url = given.value()?.string()?,
            Long("tasks") => found.bank.tasks = given.value()?.parse()?,
            Long("transfers") => found.bank.transfers = given.value()?.parse()?,
            Long("drops") => found.bank.drops = given.value()?.parse()?,
            Long("seed") => found.bank.seed = given.value()?.parse()?,
            Long("every") => found.bank.hook_every = given.value()?.parse()?,
            Long("run") => found.command = Some(given.value()?.string()?),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(found))
}

/// Runs a command of the shell, whose end is waited for.
async fn run(command: String) {
    match tokio::process::Command::new("sh").arg("-c").arg(&command).status().await {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("`{command}` ended with {status}"),
        Err(error) => eprintln!("`{command}` was not run: {error}"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { url, mut bank, command } = match arguments() {
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
    if let Some(command) = command {
        bank.hook = Some(Arc::new(move |done| {
            eprintln!("{done} transfers are done: {command}");
            Box::pin(run(command.clone()))
        }));
    }
    let report = bank.run(&Target::from_url(RedactedUrl(&url).to_string(), url)).await;
    println!("{report}");
    if report.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
