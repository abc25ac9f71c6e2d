//! Tables in CSV files, read row by row.

use std::fs::File;
use std::io::Read;
use std::marker::PhantomData;
use std::path::Path;

use csv::{Reader, StringRecord};
use serde::de::DeserializeOwned;

/// The rows of a CSV file with a head line, read by the names of their columns. `NA` and nothing
/// are null.
#[derive(Debug)]
pub struct Table<S, T> {
    reader: Reader<S>,
    head: StringRecord,
    rows: PhantomData<fn() -> T>,
}

impl<S: Read, T: DeserializeOwned> Table<S, T> {
    /// Reads the head line.
    ///
    /// # Errors
    ///
    /// Those of reading, and of a head line that is not UTF-8.
    pub fn new(source: S) -> csv::Result<Self> {
        let mut reader = Reader::from_reader(source);
        let head = reader.headers()?.clone();
        Ok(Table { reader, head, rows: PhantomData })
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    fn read(&mut self) -> csv::Result<Option<T>> {
        let mut record = StringRecord::new();
        if !self.reader.read_record(&mut record)? {
            return Ok(None);
        }
        if record.iter().any(|field| field == "NA") {
            let place = record.position().cloned();
            record = record.iter().map(|field| if field == "NA" { "" } else { field }).collect();
            record.set_position(place);
        }
        record.deserialize(Some(&self.head)).map(Some)
    }
}

impl<S: Read, T: DeserializeOwned> Iterator for Table<S, T> {
    type Item = csv::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// All rows of a table of `examples/data`, a small cut of the flights data.
///
/// # Errors
///
/// Those of reading, and of rows that do not fit the type.
pub fn sample<T: DeserializeOwned>(name: &str) -> csv::Result<Vec<T>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).with_extension("csv");
    Table::new(File::open(file)?)?.collect()
}
