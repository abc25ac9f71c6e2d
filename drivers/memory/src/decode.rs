//! Rows on their way out of tables.

use ommi_core::driver::RowRef;
use ommi_core::value::{Cell, Datum};
use ommi_core::{Error, Result};

/// A row of an answer.
pub(crate) struct Values<'a>(pub(crate) &'a [Datum]);

impl RowRef for Values<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.0.get(column) {
            Some(value) => Ok(value.cell()),
            None => {
                Err(Error::decode(format!("the row has {} values, and value {column} was asked for", self.0.len())))
            }
        }
    }
}
