//! Rows that are kept until they are asked for.

use std::any::Any;
use std::ops::Range;

use ommi_core::driver::{Flow, RowRef, RowSink};
use ommi_core::value::Cell;
use ommi_core::{Error, Result};

/// A cell whose text or bytes lie in the buffer.
#[derive(Clone, Debug)]
enum Kept {
    Null,
    Int(i64),
    Float(f64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

/// Rows, copied out of SQLite's buffer.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    /// How many cells a row has; 0 before the first row.
    width: usize,
    cells: Vec<Kept>,
    text: String,
    bytes: Vec<u8>,
    rows: usize,
}

impl RowBuffer {
    /// A buffer for rows of a width.
    pub(crate) fn new(width: usize) -> Self {
        RowBuffer { width, ..RowBuffer::default() }
    }

    /// Gives rows to a sink; says whether there are more.
    pub(crate) fn give(&self, given: &mut usize, rows: usize, sink: &mut dyn RowSink) -> Result<bool> {
        let end = given.saturating_add(rows).min(self.rows);
        while *given < end {
            let row = BufferedRow { buffer: self, begin: *given * self.width };
            *given += 1;
            if sink.row(&row)? == Flow::Stop {
                *given = self.rows;
                return Ok(false);
            }
        }
        Ok(*given < self.rows)
    }
}

impl RowSink for RowBuffer {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        self.width = names.len();
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        for column in 0..self.width {
            let kept = match row.cell(column)? {
                Cell::Null => Kept::Null,
                Cell::Int(value) => Kept::Int(value),
                Cell::Float(value) => Kept::Float(value),
                Cell::Text(value) => {
                    let begin = self.text.len();
                    self.text.push_str(value);
                    Kept::Text(begin..self.text.len())
                }
                Cell::Bytes(value) => {
                    let begin = self.bytes.len();
                    self.bytes.extend_from_slice(value);
                    Kept::Bytes(begin..self.bytes.len())
                }
                other => return Err(other.mismatch("a value of SQLite")),
            };
            self.cells.push(kept);
        }
        self.rows += 1;
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        *self = RowBuffer::new(self.width);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

struct BufferedRow<'a> {
    buffer: &'a RowBuffer,
    begin: usize,
}

impl RowRef for BufferedRow<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        let buffer = self.buffer;
        let kept = if column < buffer.width { buffer.cells.get(self.begin + column) } else { None };
        let past_the_end = || Error::decode(format!("the row has no column {}", column + 1));
        Ok(match kept.ok_or_else(past_the_end)? {
            Kept::Null => Cell::Null,
            Kept::Int(value) => Cell::Int(*value),
            Kept::Float(value) => Cell::Float(*value),
            Kept::Text(range) => Cell::Text(buffer.text.get(range.clone()).ok_or_else(past_the_end)?),
            Kept::Bytes(range) => Cell::Bytes(buffer.bytes.get(range.clone()).ok_or_else(past_the_end)?),
        })
    }
}
