//! Rows on their way out of PostgreSQL: cells straight from the binary form in its buffer.

mod array;
mod number;
mod time;

use std::cell::OnceCell;

use ommi_core::driver::RowRef;
use ommi_core::value::{Cell, Uuid, ValueType};
use ommi_core::{Error, Result};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use self::array::Array;

/// The binary form of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// A numeric that is read as an integer.
    Integer,
    Text,
    /// Text behind a byte that says its version.
    Jsonb,
    Bytes,
    Uuid,
    Date,
    Time,
    DateTime,
    Timestamp,
    Interval,
    Void,
    Unknown,
}

impl Form {
    fn of(of: &Type, wanted: Option<&ValueType>) -> Form {
        match *of {
            Type::BOOL => Form::Bool,
            Type::INT2 => Form::Int2,
            Type::INT4 => Form::Int4,
            Type::INT8 => Form::Int8,
            Type::OID | Type::XID | Type::REGCLASS | Type::REGTYPE => Form::Oid,
            Type::FLOAT4 => Form::Float4,
            Type::FLOAT8 => Form::Float8,
            Type::NUMERIC => match wanted {
                Some(wanted) if wanted.is_integer() => Form::Integer,
                _ => Form::Numeric,
            },
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::XML => {
                Form::Text
            }
            Type::JSONB => Form::Jsonb,
            Type::BYTEA => Form::Bytes,
            Type::UUID => Form::Uuid,
            Type::DATE => Form::Date,
            Type::TIME => Form::Time,
            Type::TIMESTAMP => Form::DateTime,
            Type::TIMESTAMPTZ => Form::Timestamp,
            Type::INTERVAL => Form::Interval,
            Type::VOID => Form::Void,
            _ => match of.kind() {
                Kind::Enum(_) => Form::Text,
                Kind::Domain(base) => Form::of(base, wanted),
                // a type of an extension that is text at heart
                _ if of.name() == "citext" => Form::Text,
                _ => Form::Unknown,
            },
        }
    }
}

/// How the values of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    One(Form),
    /// An array of elements.
    Many(Form),
}

impl Column {
    fn of(of: &Type, wanted: Option<&ValueType>) -> Column {
        match of.kind() {
            Kind::Array(element) => {
                let wanted = match wanted {
                    Some(ValueType::List(element)) => Some(&**element),
                    _ => None,
                };
                Column::Many(Form::of(element, wanted))
            }
            _ => Column::One(Form::of(of, wanted)),
        }
    }
}

/// How columns are read that hold values of the wanted types, as far as these are known.
pub(crate) fn columns(columns: &[tokio_postgres::Column], wanted: &[ValueType]) -> Box<[Column]> {
    columns.iter().enumerate().map(|(at, column)| Column::of(column.type_(), wanted.get(at))).collect()
}

/// The bytes of a value; `None` for null.
struct Bytes<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Bytes<'a> {
    #[inline]
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Bytes(Some(raw)))
    }

    #[inline]
    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Bytes(None))
    }

    #[inline]
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row in PostgreSQL's buffer.
pub(crate) struct PostgresRow<'a> {
    row: &'a Row,
    columns: &'a [Column],
    /// The arrays that were asked for, by their columns.
    arrays: OnceCell<Box<[OnceCell<Array<'a>>]>>,
}

impl<'a> PostgresRow<'a> {
    #[inline]
    pub(crate) fn new(row: &'a Row, columns: &'a [Column]) -> Self {
        PostgresRow { row, columns, arrays: OnceCell::new() }
    }

    #[cold]
    fn array(&self, at: usize, element: Form, bytes: &'a [u8]) -> Result<Cell<'_>> {
        let arrays = self.arrays.get_or_init(|| self.columns.iter().map(|_| OnceCell::new()).collect());
        let Some(place) = arrays.get(at) else { return Err(past_the_end(at)) };
        if place.get().is_none() {
            let array = Array::read(element, bytes).map_err(|error| self.name(error, at))?;
            let _ = place.set(array);
        }
        match place.get() {
            Some(array) => Ok(Cell::List(array)),
            None => Err(past_the_end(at)),
        }
    }

    /// The error, with the column that it is about.
    #[cold]
    fn name(&self, error: Error, at: usize) -> Error {
        let column = self.row.columns().get(at);
        let name = column.map_or("?", |column| column.name());
        let of = column.map_or("?", |column| column.type_().name());
        Error::decode(format!("the value of type {of} in the column `{name}`: {}", error.message()))
    }
}

impl RowRef for PostgresRow<'_> {
    #[inline]
    fn cell(&self, at: usize) -> Result<Cell<'_>> {
        let Some(column) = self.columns.get(at) else { return Err(past_the_end(at)) };
        let bytes = match self.row.try_get::<usize, Bytes<'_>>(at) {
            Ok(Bytes(Some(bytes))) => bytes,
            Ok(Bytes(None)) => return Ok(Cell::Null),
            Err(_) => return Err(past_the_end(at)),
        };
        match *column {
            Column::One(form) => match cell(form, bytes) {
                Ok(cell) => Ok(cell),
                Err(error) => Err(self.name(error, at)),
            },
            Column::Many(element) => self.array(at, element, bytes),
        }
    }
}

#[cold]
fn past_the_end(at: usize) -> Error {
    Error::decode(format!("the row has no column {}", at + 1))
}

#[cold]
fn malformed() -> Error {
    Error::decode("the server sent it in a form that is not its type's")
}

/// The bytes of a value of a fixed length.
#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| malformed())
}

/// A value in its binary form.
#[inline]
fn cell(form: Form, bytes: &[u8]) -> Result<Cell<'_>> {
    Ok(match form {
        Form::Int8 => Cell::Int(i64::from_be_bytes(fixed(bytes)?)),
        Form::Text => Cell::Text(text(bytes)?),
        Form::Int4 => Cell::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        Form::Timestamp => Cell::Timestamp(time::timestamp(i64::from_be_bytes(fixed(bytes)?))?),
        Form::Int2 => Cell::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        Form::Bool => Cell::Bool(fixed::<1>(bytes)? != [0]),
        Form::Float8 => Cell::Float(f64::from_be_bytes(fixed(bytes)?)),
        Form::Float4 => Cell::Float(f32::from_be_bytes(fixed(bytes)?).into()),
        Form::Bytes => Cell::Bytes(bytes),
        Form::Uuid => Cell::Uuid(Uuid::from_bytes(fixed(bytes)?)),
        Form::Numeric => Cell::Decimal(number::decimal(bytes)?),
        other => return unusual(other, bytes),
    })
}

fn unusual(form: Form, bytes: &[u8]) -> Result<Cell<'_>> {
    Ok(match form {
        Form::Integer => number::integer(bytes)?,
        Form::Oid => Cell::Int(u32::from_be_bytes(fixed(bytes)?).into()),
        Form::Jsonb => match bytes {
            [1, document @ ..] => Cell::Text(text(document)?),
            _ => return Err(malformed()),
        },
        Form::Date => Cell::Date(time::date(i32::from_be_bytes(fixed(bytes)?))?),
        Form::Time => Cell::Time(time::time_of_day(i64::from_be_bytes(fixed(bytes)?))?),
        Form::DateTime => Cell::DateTime(time::date_time(i64::from_be_bytes(fixed(bytes)?))?),
        Form::Interval => Cell::Duration(time::interval(fixed(bytes)?)?),
        Form::Void => Cell::Null,
        _ => return Err(Error::decode("Ommi does not read this type: cast it to `text` in the statement")),
    })
}

#[inline]
fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| not_utf8())
}

#[cold]
fn not_utf8() -> Error {
    Error::decode("it is not UTF-8: set the database's encoding to UTF8")
}
