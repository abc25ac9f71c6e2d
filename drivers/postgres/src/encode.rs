//! Values on their way into PostgreSQL: its own binary form.

mod array;
mod json;
mod number;
mod time;

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use ommi_core::value::{Cell, Datum, Time, ValueType, iso};
use ommi_core::{Error, Result};
use ommi_sql::{Bound, Slot};
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

pub(crate) use self::array::{Columns, WholeArray, element_text};
pub(crate) use self::json::json_text;
pub(crate) use self::time::interval_text;

/// What encoding gives, as the library wants it.
pub(crate) type Encoded = std::result::Result<IsNull, Box<dyn StdError + Sync + Send>>;

/// The type in which values of a type are stored and bound.
pub(crate) fn type_of(value_type: &ValueType) -> Type {
    match value_type {
        ValueType::Bool => Type::BOOL,
        ValueType::I8 | ValueType::I16 | ValueType::U8 => Type::INT2,
        ValueType::I32 | ValueType::U16 => Type::INT4,
        ValueType::I64 | ValueType::U32 => Type::INT8,
        ValueType::U64 | ValueType::Decimal(_) => Type::NUMERIC,
        ValueType::F32 => Type::FLOAT4,
        ValueType::F64 => Type::FLOAT8,
        ValueType::Text | ValueType::Enum(_) => Type::TEXT,
        ValueType::Bytes => Type::BYTEA,
        ValueType::Uuid => Type::UUID,
        ValueType::Date => Type::DATE,
        ValueType::Time => Type::TIME,
        ValueType::DateTime => Type::TIMESTAMP,
        ValueType::Timestamp => Type::TIMESTAMPTZ,
        ValueType::Duration => Type::INTERVAL,
        ValueType::Json => Type::JSONB,
        ValueType::List(element) => array_of(element),
    }
}

/// The type of arrays of values. Lists in an array would have to be of one length: they are bound
/// as the texts of arrays.
pub(crate) fn array_of(element: &ValueType) -> Type {
    array_of_elements(&type_of(element))
}

/// The type of arrays of elements of a type.
pub(crate) fn array_of_elements(element: &Type) -> Type {
    match *element {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::FLOAT4 => Type::FLOAT4_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::UUID => Type::UUID_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::INTERVAL => Type::INTERVAL_ARRAY,
        Type::JSONB => Type::JSONB_ARRAY,
        _ => Type::TEXT_ARRAY,
    }
}

/// The type that a slot of values of a type is bound as.
pub(crate) fn type_of_slot(slot: Slot, types: &[ValueType]) -> Result<Type> {
    match slot {
        Slot::Value(index) => match types.get(usize::from(index)) {
            Some(value_type) => Ok(type_of(value_type)),
            None => Err(Error::query(format!("the statement has no parameter {}", u32::from(index) + 1))),
        },
        _ => Ok(Type::TEXT),
    }
}

/// A value that is bound. `Debug` does not show it: it may be secret.
pub(crate) enum Parameter<'a> {
    Cell(Cell<'a>),
    /// A text that was made for the call.
    Made(String),
    /// An array of the values of a column.
    Whole(WholeArray),
}

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Parameter<'_> {
    /// The parameter as the library takes it.
    pub(crate) fn lent(&self) -> &(dyn ToSql + Sync) {
        self
    }
}

impl ToSql for Parameter<'_> {
    #[inline]
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Encoded {
        Ok(match self {
            Parameter::Cell(cell) => write(*cell, of, out)?,
            Parameter::Made(text) => write(Cell::Text(text), of, out)?,
            Parameter::Whole(array) => {
                out.put_slice(array.bytes());
                IsNull::No
            }
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    #[inline]
    fn encode_format(&self, of: &Type) -> Format {
        match self {
            // the server reads what it can of texts
            Parameter::Cell(Cell::Text(_)) | Parameter::Made(_) if !is_textual(of) => Format::Text,
            _ => Format::Binary,
        }
    }

    fn to_sql_checked(&self, of: &Type, out: &mut BytesMut) -> Encoded {
        self.to_sql(of, out)
    }
}

/// The parameters of a call.
#[inline]
pub(crate) fn parameters<'a>(
    slots: &[Slot],
    values: &'a [Datum],
    types: &'a [ValueType],
) -> Result<Vec<Parameter<'a>>> {
    let mut parameters = Vec::with_capacity(slots.len());
    for slot in slots {
        parameters.push(match slot.bind(values, types)? {
            Bound::Value(value, _) => Parameter::Cell(value.cell()),
            Bound::Text(text) => Parameter::Made(text),
            // no text is above all others: what a prefix has no end is compared with is null
            Bound::AboveText => Parameter::Cell(Cell::Null),
        });
    }
    Ok(parameters)
}

/// Whether the binary form of a type is that of text.
fn is_textual(of: &Type) -> bool {
    matches!(
        *of,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::XML | Type::JSONB
    ) || matches!(of.kind(), Kind::Enum(_))
        || of.name() == "citext"
}

#[cold]
fn does_not_fit(cell: Cell<'_>, of: &Type) -> Error {
    Error::query(format!("{} cannot be bound where the database wants {}", cell.type_name(), of.name()))
}

#[cold]
fn outside(of: &Type) -> Error {
    Error::query(format!("the integer is outside of what {} holds", of.name()))
}

/// Appends the binary form of a value of a type.
///
/// # Errors
///
/// `Query` if the type cannot hold the value.
#[inline]
pub(crate) fn write(cell: Cell<'_>, of: &Type, out: &mut BytesMut) -> Result<IsNull> {
    match cell {
        Cell::Null => return Ok(IsNull::Yes),
        Cell::Int(value) => match *of {
            Type::INT8 => out.put_i64(value),
            Type::INT4 => out.put_i32(i32::try_from(value).map_err(|_| outside(of))?),
            Type::INT2 => out.put_i16(i16::try_from(value).map_err(|_| outside(of))?),
            Type::NUMERIC => number::write(value.into(), 0, out),
            _ => return write_unusual(cell, of, out),
        },
        Cell::Text(value) => write_text(value, of, out),
        Cell::Bool(value) if *of == Type::BOOL => out.put_u8(value.into()),
        // -0.0 becomes 0.0
        Cell::Float(value) if *of == Type::FLOAT8 => out.put_f64(value + 0.0),
        #[expect(clippy::cast_possible_truncation, reason = "the nearest float is what the type has for the number")]
        Cell::Float(value) if *of == Type::FLOAT4 => out.put_f32(value as f32 + 0.0),
        Cell::Bytes(value) if *of == Type::BYTEA => out.put_slice(value),
        Cell::Uuid(value) if *of == Type::UUID => out.put_slice(value.as_bytes()),
        Cell::Decimal(value) if *of == Type::NUMERIC => {
            let value = value.normalize();
            number::write(value.mantissa(), value.scale(), out);
        }
        other => return write_unusual(other, of, out),
    }
    Ok(IsNull::No)
}

/// Appends a text; documents begin with their version.
#[inline]
fn write_text(text: &str, of: &Type, out: &mut BytesMut) {
    if *of == Type::JSONB {
        out.put_u8(1);
    }
    out.put_slice(text.as_bytes());
}

fn write_unusual(cell: Cell<'_>, of: &Type, out: &mut BytesMut) -> Result<IsNull> {
    match (cell, of) {
        (Cell::UInt(value), &Type::NUMERIC) => number::write(value.into(), 0, out),
        (Cell::UInt(_), &(Type::INT2 | Type::INT4 | Type::INT8)) => return Err(outside(of)),
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is what the type has for the number")]
        (Cell::Int(value), &Type::FLOAT8) => out.put_f64(value as f64),
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is what the type has for the number")]
        (Cell::Int(value), &Type::FLOAT4) => out.put_f32(value as f32),
        (Cell::Int(value), &Type::OID) => out.put_u32(u32::try_from(value).map_err(|_| outside(of))?),
        (Cell::Decimal(value), &Type::FLOAT8) => {
            out.put_f64(value.to_string().parse().map_err(|_| does_not_fit(cell, of))?);
        }
        (Cell::Date(value), &Type::DATE) => out.put_i32(time::days(value)),
        (Cell::Date(value), &Type::TIMESTAMP) => out.put_i64(time::date_time(value.to_datetime(Time::midnight()))),
        (Cell::Time(value), &Type::TIME) => out.put_i64(time::micros_of_day(value)),
        (Cell::DateTime(value), &Type::TIMESTAMP) => out.put_i64(time::date_time(value)),
        (Cell::Timestamp(value), &Type::TIMESTAMPTZ) => out.put_i64(time::timestamp(value)),
        (Cell::Timestamp(value), &Type::TIMESTAMP) => out.put_i64(time::date_time(iso::utc(value))),
        (Cell::Duration(value), &Type::INTERVAL) => {
            out.put_i64(iso::duration_micros(value)?);
            out.put_i64(0);
        }
        (Cell::Duration(value), &Type::INT8) => out.put_i64(iso::duration_micros(value)?),
        (Cell::Json(value), &(Type::JSONB | Type::JSON | Type::TEXT | Type::VARCHAR)) => {
            let text = json_text(value)?;
            write_text(&text, of, out);
        }
        (Cell::List(items), _) => match of.kind() {
            Kind::Array(element) => array::write(items, element, out)?,
            _ if is_textual(of) => out.put_slice(element_text(cell)?.as_bytes()),
            _ => return Err(does_not_fit(cell, of)),
        },
        (_, of) => match of.kind() {
            Kind::Domain(base) => return write(cell, base, out),
            _ if matches!(*of, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::UNKNOWN) => {
                out.put_slice(element_text(cell)?.as_bytes());
            }
            _ => return Err(does_not_fit(cell, of)),
        },
    }
    Ok(IsNull::No)
}
