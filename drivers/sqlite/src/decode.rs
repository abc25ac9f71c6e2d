//! Rows on their way out of SQLite.

use ommi_core::driver::RowRef;
use ommi_core::value::Cell;
use ommi_core::{Error, Result};
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A row in SQLite's buffer. Its cells have portable forms: the types that SQLite lacks are
/// decoded from them by the core.
pub(crate) struct SqliteRow<'a>(pub(crate) &'a Row<'a>);

impl RowRef for SqliteRow<'_> {
    #[inline]
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.0.get_ref(column) {
            Ok(ValueRef::Integer(value)) => Ok(Cell::Int(value)),
            Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cell::Text(text)),
                Err(_) => Err(not_utf8(self.0, column)),
            },
            Ok(ValueRef::Null) => Ok(Cell::Null),
            Ok(ValueRef::Real(value)) => Ok(Cell::Float(value)),
            Ok(ValueRef::Blob(bytes)) => Ok(Cell::Bytes(bytes)),
            Err(_) => Err(past_the_end(column)),
        }
    }
}

#[cold]
fn not_utf8(row: &Row<'_>, column: usize) -> Error {
    let name = row.as_ref().column_name(column).unwrap_or_default();
    Error::decode(format!("the text in the column `{name}` is not UTF-8: another program wrote it"))
}

#[cold]
fn past_the_end(column: usize) -> Error {
    Error::decode(format!("the row has no column {}", column + 1))
}
