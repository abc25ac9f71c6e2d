//! One value of a row, borrowed from wherever it lies.

use std::fmt;

use super::{Date, DateTime, Decimal, Duration, Json, Time, Timestamp, Uuid};
use crate::error::{Error, Result};

/// One value of a row, borrowed from a model or from a driver's buffer.
///
/// A driver that lacks a type stores its *portable form* and gives that back: `Int` 0 and 1 for
/// booleans, ISO 8601 `Text` for dates and times (see [`crate::value::iso`]), `Int` microseconds
/// for durations, plain `Text` for decimals, 16 `Bytes` for UUIDs, JSON `Text` for JSON and lists
/// (see [`crate::value::list`]). Every value type decodes from its own cell and from its
/// portable form.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`; smaller ones are `Int`.
    UInt(u64),
    /// A floating-point number, never NaN.
    Float(f64),
    /// A decimal.
    Decimal(Decimal),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A UUID.
    Uuid(Uuid),
    /// A date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A naive date and time.
    DateTime(DateTime),
    /// An instant.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(Duration),
    /// A JSON document.
    Json(&'a Json),
    /// A list.
    List(&'a dyn List),
}

/// A list of values, as a cell shows it.
pub trait List: Send + Sync {
    /// How many elements there are.
    fn len(&self) -> usize;

    /// Whether there are no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at an index, or null past the end.
    fn cell(&self, index: usize) -> Cell<'_>;
}

// Shown by their cells, so that elements need no `Debug` of their own.
impl fmt::Debug for dyn List + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).map(|index| self.cell(index))).finish()
    }
}

impl<'a> Cell<'a> {
    /// An unsigned integer: `Int` where it fits.
    #[inline]
    pub fn from_u64(value: u64) -> Cell<'a> {
        match i64::try_from(value) {
            Ok(value) => Cell::Int(value),
            Err(_) => Cell::UInt(value),
        }
    }

    /// The integer of an `Int`.
    #[inline]
    pub fn int(&self) -> Option<i64> {
        match self {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether the cell is null.
    #[inline]
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// What the cell holds, in a word.
    pub fn type_name(&self) -> &'static str {
        match self {
            Cell::Null => "null",
            Cell::Bool(_) => "a boolean",
            Cell::Int(_) | Cell::UInt(_) => "an integer",
            Cell::Float(_) => "a float",
            Cell::Decimal(_) => "a decimal",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
            Cell::Uuid(_) => "a UUID",
            Cell::Date(_) => "a date",
            Cell::Time(_) => "a time",
            Cell::DateTime(_) => "a date-time",
            Cell::Timestamp(_) => "a timestamp",
            Cell::Duration(_) => "a duration",
            Cell::Json(_) => "JSON",
            Cell::List(_) => "a list",
        }
    }

    /// A `Decode` error: the cell is not what was expected.
    #[cold]
    pub fn mismatch(&self, expected: &str) -> Error {
        Error::decode(match self {
            Cell::Null => format!("null where {expected} is required: make the field an `Option`"),
            other => format!("expected {expected}, found {}", other.type_name()),
        })
    }

    /// The integer that the cell holds.
    ///
    /// # Errors
    ///
    /// `Decode` if it holds something else.
    #[inline]
    pub fn integer(self) -> Result<i128> {
        match self {
            Cell::Int(value) => Ok(value.into()),
            Cell::UInt(value) => Ok(value.into()),
            other => Err(other.mismatch("an integer")),
        }
    }
}
