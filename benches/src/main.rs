//! Ommi beside the raw drivers, in one run: `dev/bench sqlite`, `dev/bench postgres`.
//!
//! Every workload is written twice, once with Ommi and once with the driver used well: prepared
//! statements cached, structs filled by position, the same file, schema and pragmas. Lanes are
//! interleaved and warmed; the table shows medians, their spread and the ratio to the raw driver.
//! `dev/bench sqlite --count WORK LANE N` runs one workload N times and nothing else, for
//! instruction counts under callgrind.

#![cfg_attr(not(feature = "all"), allow(dead_code, reason = "all but what counts instructions"))]

#[cfg(feature = "all")]
mod flights;
#[cfg(feature = "all")]
mod further;
#[cfg(feature = "all")]
mod growth;
#[cfg(feature = "all")]
mod latency;
mod measure;
#[cfg(feature = "all")]
mod mongodb;
mod peers;
#[cfg(feature = "all")]
mod postgres;
#[cfg(feature = "all")]
mod relations;
#[cfg(feature = "all")]
mod sqlite;
#[cfg(feature = "all")]
mod user;

/// The runtime of lanes of one thread.
fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [database @ ("sqlite" | "memory" | "postgres"), "--counted", lane] => peers::gate::run(database, lane),
        words => command(words),
    }
}

/// Where instructions are counted there is nothing else, so that it is soon built.
#[cfg(not(feature = "all"))]
fn command(_: &[&str]) {
    eprintln!("usage: DATABASE --counted LANE");
    std::process::exit(2);
}

#[cfg(feature = "all")]
fn command(words: &[&str]) {
    match words {
        [] | ["sqlite"] => sqlite::compare(""),
        ["sqlite", "--only", work] => sqlite::compare(work),
        ["sqlite", "--count", work, lane, times] => {
            let times = times.parse().expect("a number of times");
            sqlite::count(work, lane, times);
        }
        ["mongodb"] => mongodb::compare(""),
        ["mongodb", "--only", work] => mongodb::compare(work),
        ["mongodb", "--count", work, lane, times] => {
            let times = times.parse().expect("a number of times");
            mongodb::count(work, lane, times);
        }
        ["postgres"] => postgres::compare(""),
        ["postgres", "--only", work] => postgres::compare(work),
        ["postgres", "--count", work, lane, times] => {
            let times = times.parse().expect("a number of times");
            postgres::count(work, lane, times);
        }
        [database @ ("sqlite" | "postgres"), "--peers"] => peers::compare(database, ""),
        [database @ ("sqlite" | "postgres"), "--peers", "--only", work] => peers::compare(database, work),
        [database @ ("sqlite" | "postgres"), "--further"] => further::compare(database, None, ""),
        [database @ ("sqlite" | "postgres"), "--further", data] => further::compare(database, Some(data), ""),
        [database @ ("sqlite" | "postgres"), "--further", data, "--only", work] => {
            further::compare(database, Some(data), work);
        }
        [database @ ("sqlite" | "postgres"), "--growth"] => growth::compare(database),
        ["postgres", "--together"] => postgres::together(),
        ["latency"] => latency::measure(),
        ["flights", data, loaded] => flights::load(data, loaded),
        _ => {
            eprintln!(
                "usage: dev/bench [latency | flights DATA_DIR LOADED.db | sqlite|mongodb|postgres [--only WORK | --count WORK ommi|raw TIMES]\n\
                 \x20                | postgres --together | sqlite|postgres --peers [--only WORK] | --further [DATA_DIR [--only WORK]] | --growth]\n\
                 \x20      dev/bench --peers | --further [DATA_DIR] | --growth | --gate [--accept]"
            );
            std::process::exit(2);
        }
    }
}
