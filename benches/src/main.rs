//! Ommi beside the raw drivers, in one run: `dev/bench sqlite`, `dev/bench postgres`.
//!
//! Every workload is written twice, once with Ommi and once with the driver used well: prepared
//! statements cached, structs filled by position, the same file, schema and pragmas. Lanes are
//! interleaved and warmed; the table shows medians, their spread and the ratio to the raw driver.
//! `dev/bench sqlite --count WORK LANE N` runs one workload N times and nothing else, for
//! instruction counts under callgrind.

mod flights;
mod latency;
mod measure;
mod mongodb;
mod postgres;
mod relations;
mod sqlite;
mod user;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
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
        ["postgres", "--together"] => postgres::together(),
        ["latency"] => latency::measure(),
        ["flights", data, loaded] => flights::load(data, loaded),
        _ => {
            eprintln!(
                "usage: dev/bench [latency | flights DATA_DIR LOADED.db | sqlite|mongodb|postgres [--only WORK | --count WORK ommi|raw TIMES] | postgres --together]"
            );
            std::process::exit(2);
        }
    }
}
