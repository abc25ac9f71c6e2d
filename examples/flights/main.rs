//! Loads a year of flights into any database, and reports on them:
//! `cargo run --release --example flights -- DATA_DIR URL [--json | --explain]`.
//!
//! `DATA_DIR` holds `airlines.csv`, `airports.csv`, `planes.csv`, `weather.csv` and
//! `flights.csv.zip`; each may be zipped or not. What is in the database already stays as it is, so
//! that a second run adds nothing. `--explain` shows how the database computes the report.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program's output")]

mod load;
mod models;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use self::report::Report;

const USAGE: &str = "usage: flights DATA_DIR URL [--json | --explain]";

/// What the command line asks for.
struct Arguments {
    directory: PathBuf,
    url: String,
    shown: Shown,
}

/// What is printed.
enum Shown {
    Text,
    Json,
    Plans,
}

impl Arguments {
    fn read(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (flags, words): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with('-'));
        let shown = match flags.as_slice() {
            [] => Shown::Text,
            [flag] if flag == "--json" => Shown::Json,
            [flag] if flag == "--explain" => Shown::Plans,
            _ => return None,
        };
        let [directory, url] = words.try_into().ok()?;
        Some(Arguments { directory: directory.into(), url, shown })
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error + Send + Sync>> {
    let db = ommi::connect(&arguments.url).await?;
    let loaded = load::all(&db, &arguments.directory).await?;
    match arguments.shown {
        Shown::Text => println!("{loaded}\n\n{}", Report::of(&db).await?),
        Shown::Json => println!("{}", serde_json::to_string(&Report::of(&db).await?)?),
        Shown::Plans => {
            for (figure, plan) in Report::plans(&db).await? {
                println!("{figure}: {plan}");
            }
        }
    }
    db.close().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flights: {error}");
            ExitCode::FAILURE
        }
    }
}
