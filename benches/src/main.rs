//! Ommi beside the raw drivers, in one run: `dev/bench sqlite`, `dev/bench postgres`.
//!
//! Every workload is written for each lane: for Ommi, and for the driver used well, with prepared
//! statements cached, structs filled by position, the same file, schema and pragmas. Lanes are
//! interleaved and warmed; the table shows medians, their spread and the ratio to the raw driver.
//! `dev/bench sqlite --count WORK LANE N` runs one workload N times and nothing else, for
//! instruction counts under callgrind.

mod flights;
mod further;
mod further_postgres;
mod further_sqlite;
mod lane;
mod latency;
mod measure;
mod memory;
mod model;
mod mongodb;
mod postgres;
#[path = "../lanes/raw/sqlite.rs"]
mod raw_sqlite;
mod report;
mod sqlite;

use lanes::program::{Command, Figure};
use tokio::runtime::Runtime;

/// The runtime of lanes of one thread.
fn one_thread() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["mongodb"] => mongodb::compare(""),
        ["mongodb", "--only", work] => mongodb::compare(work),
        ["mongodb", "--count", work, lane, times] => {
            let times = times.parse().expect("a number of times");
            mongodb::count(work, lane, times);
        }
        ["latency"] => latency::measure(),
        ["flights", data, loaded] => flights::load(data, loaded),
        ["report", files @ ..] => report::write(files),
        [database @ ("sqlite" | "postgres" | "memory"), "--figures", options @ ..] => {
            for figure in figures(database, options).into_iter().chain(further(database, options)) {
                println!("{}", figure.to_line());
            }
        }
        [] => compare("sqlite", &[]),
        [database @ ("sqlite" | "postgres" | "memory"), options @ ..] => compare(database, options),
        _ => usage(),
    }
}

fn compare(database: &str, options: &[&str]) {
    let mut figures = figures(database, options);
    figures.extend(further(database, options));
    report::print(&figures);
}

fn figures(database: &str, options: &[&str]) -> Vec<Figure> {
    let Some(command) = Command::parse(options) else { usage() };
    let mut lanes = match database {
        "postgres" => postgres::open(),
        "memory" => memory::open(),
        _ => sqlite::open(),
    };
    command.run(&mut lanes)
}

/// The further workloads, if they are wanted.
fn further(database: &str, options: &[&str]) -> Vec<Figure> {
    match (database, Command::parse(options)) {
        ("sqlite", Some(Command::Figures(rounds, only))) => sqlite::further(rounds, &only),
        ("postgres", Some(Command::Figures(rounds, only))) => postgres::further(rounds, &only),
        _ => Vec::new(),
    }
}

fn usage() -> ! {
    eprintln!(
        "usage: dev/bench [latency | flights DATA_DIR LOADED.db | mongodb [--only WORK | --count WORK ommi|raw TIMES]\n\
         \x20                | sqlite|postgres|memory [--rounds N] [--only WORK].. [--count WORK LANE TIMES | --parts LANE]\n\
         \x20                | --peers [ROUNDS] | --gate [--write]]"
    );
    std::process::exit(2);
}
