//! The flights data, loaded by hand with rusqlite: what the example `flights` is measured against.
//!
//! `dev/bench flights DATA_DIR LOADED.db` copies the schema of a database that the example loaded
//! into a new file, fills that from the same data, and prints the time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

/// How many rows a transaction has, as in the example.
const BATCH: usize = 5_000;

const TABLES: &[&str] = &["airlines", "airports", "planes", "weather", "flights"];

/// Loads the data into a new file beside the loaded one and prints the time.
pub fn load(data: &str, loaded: &str) {
    let source = Connection::open(loaded).expect("the loaded database");
    let path = std::env::temp_dir().join(format!("ommi-bench-flights-{}.db", std::process::id()));
    let raw = Connection::open(&path).expect("a new database");
    raw.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    raw.pragma_update(None, "synchronous", "FULL").expect("synchronous");
    raw.pragma_update(None, "foreign_keys", "ON").expect("foreign keys");
    let mut schema = source
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
        .expect("a schema");
    for sql in schema.query_map([], |row| row.get::<_, String>(0)).expect("a schema") {
        raw.execute_batch(&sql.expect("a statement")).expect("a table");
    }
    let begun = Instant::now();
    for table in TABLES {
        fill(&raw, table, &Path::new(data).join(format!("{table}.csv")));
    }
    println!("rusqlite by hand: {:.2} s", begun.elapsed().as_secs_f64());
    for table in TABLES {
        let count = |database: &Connection| -> i64 {
            database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("a count")
        };
        assert_eq!(count(&raw), count(&source), "both have the same {table}");
    }
    drop(raw);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

/// All flights of the data, a record each.
pub fn records(data: &str) -> Vec<csv::StringRecord> {
    let zip = File::open(Path::new(data).join("flights.csv.zip")).expect("an archive");
    let mut archive = zip::ZipArchive::new(BufReader::new(zip)).expect("an archive");
    let file = archive.by_index(0).expect("a file in the archive");
    csv::Reader::from_reader(BufReader::new(file)).records().map(|record| record.expect("a record")).collect()
}

fn fill(raw: &Connection, table: &str, path: &Path) {
    if path.exists() {
        return rows(raw, table, File::open(path).expect("a file"));
    }
    let zip = File::open(path.with_extension("csv.zip")).expect("an archive");
    let mut archive = zip::ZipArchive::new(BufReader::new(zip)).expect("an archive");
    rows(raw, table, archive.by_index(0).expect("a file in the archive"));
}

/// The declared type of a column.
fn column_type(raw: &Connection, table: &str, column: &str) -> Option<String> {
    raw.query_row("SELECT type FROM pragma_table_xinfo(?1) WHERE name = ?2", [table, column], |row| row.get(0))
        .optional()
        .expect("a column")
}

fn rows(raw: &Connection, table: &str, file: impl Read) {
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let columns: Vec<(usize, String, String)> = reader
        .headers()
        .expect("a header")
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some((index, name.to_owned(), column_type(raw, table, name)?)))
        .collect();
    let names: Vec<String> = columns.iter().map(|(_, name, _)| format!("\"{name}\"")).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let sql =
        format!("INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT DO NOTHING", names.join(", "), places.join(", "));
    let mut statement = raw.prepare(&sql).expect("a statement");
    raw.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
    let mut record = csv::StringRecord::new();
    let mut written = 0;
    while reader.read_record(&mut record).expect("a record") {
        let values = columns.iter().map(|(index, name, of)| value(&record[*index], name, of));
        statement.execute(params_from_iter(values)).expect("an insert");
        written += 1;
        if written % BATCH == 0 {
            raw.execute_batch("COMMIT; BEGIN IMMEDIATE").expect("a transaction");
        }
    }
    raw.execute_batch("COMMIT").expect("a commit");
}

fn value(text: &str, column: &str, of: &str) -> Value {
    match of {
        _ if text == "NA" => Value::Null,
        "INTEGER" => Value::Integer(text.parse().expect("an integer")),
        "REAL" => Value::Real(text.parse().expect("a number")),
        _ if column == "time_hour" => Value::Text(text.replace('T', " ").trim_end_matches('Z').to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}
