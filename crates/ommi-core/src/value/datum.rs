//! An owned value without its Rust type.

use super::cell::{Cell, List};
use super::value_type::ValueType;
use super::{Date, DateTime, Decimal, Duration, Json, Time, Timestamp, Uuid, Value, decimal, iso, list};
use crate::error::{Error, Result};

/// An owned value: a query's parameter, or a field of a row that has no Rust type.
///
/// Equality is structural and meant for tests; the query language's own comparison, with nulls
/// and numbers, is [`crate::evaluate::compare`].
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Datum {
    /// Null.
    #[default]
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
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
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
    Json(Box<Json>),
    /// A list.
    List(Vec<Datum>),
}

impl List for Vec<Datum> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        self.get(index).map_or(Cell::Null, Datum::cell)
    }
}

impl Datum {
    /// The value of a cell, copied.
    pub fn from_cell(cell: Cell<'_>) -> Datum {
        match cell {
            Cell::Null => Datum::Null,
            Cell::Bool(value) => Datum::Bool(value),
            Cell::Int(value) => Datum::Int(value),
            Cell::UInt(value) => Datum::UInt(value),
            Cell::Float(value) => Datum::Float(value),
            Cell::Decimal(value) => Datum::Decimal(value),
            Cell::Text(value) => Datum::Text(value.into()),
            Cell::Bytes(value) => Datum::Bytes(value.into()),
            Cell::Uuid(value) => Datum::Uuid(value),
            Cell::Date(value) => Datum::Date(value),
            Cell::Time(value) => Datum::Time(value),
            Cell::DateTime(value) => Datum::DateTime(value),
            Cell::Timestamp(value) => Datum::Timestamp(value),
            Cell::Duration(value) => Datum::Duration(value),
            Cell::Json(value) => Datum::Json(Box::new(value.clone())),
            Cell::List(items) => Datum::List((0..items.len()).map(|i| Datum::from_cell(items.cell(i))).collect()),
        }
    }

    /// The value as a driver sees it.
    #[inline]
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Datum::Null => Cell::Null,
            Datum::Bool(value) => Cell::Bool(*value),
            Datum::Int(value) => Cell::Int(*value),
            Datum::UInt(value) => Cell::UInt(*value),
            Datum::Float(value) => Cell::Float(*value),
            Datum::Decimal(value) => Cell::Decimal(*value),
            Datum::Text(value) => Cell::Text(value),
            Datum::Bytes(value) => Cell::Bytes(value),
            Datum::Uuid(value) => Cell::Uuid(*value),
            Datum::Date(value) => Cell::Date(*value),
            Datum::Time(value) => Cell::Time(*value),
            Datum::DateTime(value) => Cell::DateTime(*value),
            Datum::Timestamp(value) => Cell::Timestamp(*value),
            Datum::Duration(value) => Cell::Duration(*value),
            Datum::Json(value) => Cell::Json(value),
            Datum::List(value) => Cell::List(value),
        }
    }

    /// Whether the value is null.
    #[inline]
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    /// Reads a value of a type from what a driver gives: from the type's own cell or from its
    /// portable form.
    ///
    /// # Errors
    ///
    /// `Decode` if the cell does not hold a value of the type.
    pub fn decode(cell: Cell<'_>, value_type: &ValueType) -> Result<Datum> {
        if cell.is_null() {
            return Ok(Datum::Null);
        }
        Ok(match value_type {
            ValueType::Bool => Datum::Bool(bool::decode(cell)?),
            ValueType::I8 => Datum::Int(i8::decode(cell)?.into()),
            ValueType::I16 => Datum::Int(i16::decode(cell)?.into()),
            ValueType::I32 => Datum::Int(i32::decode(cell)?.into()),
            ValueType::I64 => Datum::Int(i64::decode(cell)?),
            ValueType::U8 => Datum::Int(u8::decode(cell)?.into()),
            ValueType::U16 => Datum::Int(u16::decode(cell)?.into()),
            ValueType::U32 => Datum::Int(u32::decode(cell)?.into()),
            ValueType::U64 => u64::decode(cell)?.into_datum(),
            ValueType::F32 => Datum::Float(f32::decode(cell)?.into()),
            ValueType::F64 => Datum::Float(f64::decode(cell)?),
            ValueType::Decimal(size) => {
                let value = Decimal::decode(cell)?;
                Datum::Decimal(match size {
                    Some(size) => decimal::fit(value, *size).unwrap_or(value),
                    None => value,
                })
            }
            ValueType::Text => match cell {
                Cell::Text(value) => Datum::Text(value.into()),
                other => return Err(other.mismatch("text")),
            },
            ValueType::Bytes => match cell {
                Cell::Bytes(value) => Datum::Bytes(value.into()),
                other => return Err(other.mismatch("bytes")),
            },
            ValueType::Uuid => Datum::Uuid(Uuid::decode(cell)?),
            ValueType::Date => Datum::Date(Date::decode(cell)?),
            ValueType::Time => Datum::Time(Time::decode(cell)?),
            ValueType::DateTime => Datum::DateTime(DateTime::decode(cell)?),
            ValueType::Timestamp => Datum::Timestamp(Timestamp::decode(cell)?),
            ValueType::Duration => Datum::Duration(Duration::decode(cell)?),
            ValueType::Json => Datum::Json(Box::new(Json::decode(cell)?)),
            ValueType::Enum(of) => match cell {
                Cell::Text(value) if of.variants.iter().any(|variant| variant == value) => Datum::Text(value.into()),
                Cell::Text(value) => return Err(unknown_variant(value, of.variants.iter().map(String::as_str))),
                other => return Err(other.mismatch("the text of an enum's variant")),
            },
            ValueType::List(item) => Datum::List(list::decode(cell, item)?),
        })
    }

    /// Brings the value to the form in which it is stored: finer digits than microseconds are
    /// cut, −0.0 becomes 0.0.
    pub fn normalize(&mut self) {
        match self {
            Datum::Float(value) => value.normalize(),
            Datum::Time(value) => *value = iso::cut_time(*value),
            Datum::DateTime(value) => *value = iso::cut_date_time(*value),
            Datum::Timestamp(value) => *value = iso::cut_timestamp(*value),
            Datum::Duration(value) => *value = iso::cut_duration(*value),
            Datum::List(items) => items.iter_mut().for_each(Datum::normalize),
            _ => {}
        }
    }
}

/// A `Decode` error for a number that is none of an enum's variants.
#[cold]
pub fn unknown_number(found: i64, name: &str) -> Error {
    Error::decode(format!("{found} is not the number of a variant of the enum `{name}`"))
}

/// A `Decode` error for a text that names no variant of an enum.
#[cold]
pub fn unknown_variant<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Error {
    Error::decode(format!(
        "`{found}` is not a variant of the enum, which has {}",
        known.map(|variant| format!("`{variant}`")).collect::<Vec<_>>().join(", ")
    ))
}
