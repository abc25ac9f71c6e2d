//! The examples, run as a user runs them.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ommi_conformance::server::{self, Database};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An example that cargo has built into the same directory.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(
        built.exists(),
        "{} is not built: run `cargo test --workspace`, or `cargo build -p ommi-examples --examples` before",
        built.display()
    );
    Command::new(built)
}

fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A copy of a data directory in which the flights are zipped, as the whole data set has them.
fn zipped(directory: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for table in ["airlines", "airports", "planes", "weather"] {
        let file = format!("{table}.csv");
        fs::copy(directory.join(&file), copy.path().join(&file)).unwrap();
    }
    let mut archive = ZipWriter::new(File::create(copy.path().join("flights.csv.zip")).unwrap());
    archive.start_file("flights.csv", SimpleFileOptions::default()).unwrap();
    archive.write_all(&fs::read(directory.join("flights.csv")).unwrap()).unwrap();
    archive.finish().unwrap();
    copy
}

fn flights(directory: &Path, url: &str, flags: &[&str]) -> Output {
    example("flights").arg(directory).arg(url).args(flags).output().unwrap()
}

/// What a successful run prints, and nothing but that.
fn printed(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The data directories in the repository, each with what `dev/check-flights` prints for it.
fn data() -> [(PathBuf, String); 2] {
    let expected = |name: &str| fs::read_to_string(here().join("tests/expected").join(name)).unwrap();
    [(here().join("data"), expected("data.json")), (here().join("tests/edge"), expected("edge.json"))]
}

#[test]
fn quickstart_prints_the_same_when_it_runs_twice() {
    let temporary = TempDir::new().unwrap();
    let run = || printed(example("quickstart").env("TMPDIR", temporary.path()).output().unwrap());
    let first = run();
    assert!(first.starts_with("163 flights and 112 planes are in "), "{first}");
    assert!(first.contains("\n   420 min  VX 413  AIRBUS\n"), "{first}");
    assert!(first.contains("\n   205 min  AA 341  an unknown plane\n"), "{first}");
    assert!(first.contains("\n57 did not arrive, and 29 of these had no plane.\n"), "{first}");
    assert!(first.contains("\n  UA    74.8 min over 20 flights\n"), "{first}");
    assert_eq!(run(), first);
}

#[test]
fn the_flights_report_is_the_same_on_every_database() {
    for (directory, expected) in data() {
        for url in ["memory:", "memory:?capabilities=none", "sqlite::memory:"] {
            assert_eq!(printed(flights(&directory, url, &["--json"])), expected, "{url}");
        }
    }
}

/// Loads the data twice into a database of its own on a server, which computes the whole report.
async fn on_server(variable: &str) {
    let Some(server) = server::address(variable) else { return };
    for (directory, expected) in data() {
        let database = Database::on(&server, &format!("ommi_flights_{}", std::process::id())).await.unwrap();
        let url = database.url();
        assert_eq!(printed(flights(&directory, url, &["--json"])), expected);
        let report = printed(flights(&directory, url, &[]));
        assert!(report.contains("of which 0 were new"), "{report}");
        assert_native(&printed(flights(&directory, url, &["--explain"])));
        database.drop().await.unwrap();
    }
}

#[tokio::test]
async fn the_flights_report_is_the_same_on_mongodb() {
    on_server("OMMI_MONGODB_URL").await;
}

#[tokio::test]
async fn the_flights_report_is_the_same_on_postgres() {
    on_server("OMMI_POSTGRES_URL").await;
}

/// Every query of the report is the database's own work.
fn assert_native(plans: &str) {
    let lines = |text| plans.lines().filter(|line| line.starts_with(text)).count();
    assert_eq!((lines("native: "), lines("engine: "), lines("engine: nothing to complete")), (5, 5, 5), "{plans}");
}

#[test]
fn flights_are_read_from_a_zip_and_loaded_once() {
    for (directory, expected) in data() {
        let directory = zipped(&directory);
        let url = format!("sqlite://{}", directory.path().join("flights.db").display());
        assert_native(&printed(flights(directory.path(), &url, &["--explain"])));
        assert_eq!(printed(flights(directory.path(), &url, &["--json"])), expected);
        assert_eq!(printed(flights(directory.path(), &url, &["--json"])), expected);
        let report = printed(flights(directory.path(), &url, &[]));
        assert!(report.contains("of which 0 were new"), "{report}");
    }
}

#[test]
fn the_flights_program_says_what_is_wrong() {
    let data = here().join("data");
    for (arguments, code, message) in [
        (vec![data.as_path()], 2, "usage: flights DATA_DIR URL [--json | --explain]"),
        (vec![&data, Path::new("memory:"), Path::new("--yaml")], 2, "usage: "),
        (vec![Path::new("nowhere"), Path::new("memory:")], 1, "nowhere/airlines.csv: "),
        (vec![&data, Path::new("nosuch://x")], 1, "no driver is registered for `nosuch:` URLs"),
    ] {
        let output = example("flights").args(&arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(errors.contains(message), "{errors}");
        assert!(output.stdout.is_empty());
    }
}
