//! The scalar types of fields.

use super::kind;
use super::list::Element;
use super::{
    Cell, Date, DateTime, Datum, Decimal, Duration, Json, Time, Timestamp, Uuid, Value, ValueType, decimal, iso, json,
};
use crate::error::{Error, Result};

macro_rules! plain {
    ($kind:ident, $value_type:expr) => {
        type Kind = kind::$kind;
        type Plain = Self;
        type Wrap<W: Value> = W;

        fn value_type() -> ValueType {
            $value_type
        }
    };
}

macro_rules! integers {
    ($($t:ty, $value_type:ident;)*) => { $(
        impl Value for $t {
            plain!(Integer, ValueType::$value_type);

            #[inline]
            fn cell(&self) -> Cell<'_> {
                Cell::Int(i64::from(*self))
            }

            #[inline]
            fn decode(cell: Cell<'_>) -> Result<Self> {
                match cell {
                    Cell::Int(value) => Self::try_from(value).map_err(|_| too_large(value, stringify!($t))),
                    other => Err(other.mismatch("an integer")),
                }
            }

            #[inline]
            fn into_datum(self) -> Datum {
                Datum::Int(i64::from(self))
            }
        }
        impl Element for $t {}
    )* };
}

#[cold]
fn too_large(value: impl std::fmt::Display, target: &str) -> Error {
    Error::decode(format!("the integer {value} does not fit a field of type `{target}`"))
}

integers! {
    i8, I8;
    i16, I16;
    i32, I32;
    i64, I64;
    u16, U16;
    u32, U32;
}

// `Vec<u8>` is bytes: `u8` is a value but no element of lists.
impl Value for u8 {
    plain!(Integer, ValueType::U8);

    fn cell(&self) -> Cell<'_> {
        Cell::Int(i64::from(*self))
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Int(value) => Self::try_from(value).map_err(|_| too_large(value, "u8")),
            other => Err(other.mismatch("an integer")),
        }
    }
}

impl Value for u64 {
    plain!(Integer, ValueType::U64);

    fn cell(&self) -> Cell<'_> {
        Cell::from_u64(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::UInt(value) => Ok(value),
            Cell::Int(value) => Self::try_from(value).map_err(|_| too_large(value, "u64")),
            // the portable form of integers above `i64::MAX`
            Cell::Text(text) => text.parse().map_err(|_| cell.mismatch("an integer")),
            other => Err(other.mismatch("an integer")),
        }
    }
}
impl Element for u64 {}

impl Value for bool {
    plain!(Boolean, ValueType::Bool);

    #[inline]
    fn cell(&self) -> Cell<'_> {
        Cell::Bool(*self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bool(value) => Ok(value),
            Cell::Int(0) => Ok(false),
            Cell::Int(1) => Ok(true),
            other => Err(other.mismatch("a boolean")),
        }
    }
}
impl Element for bool {}

impl Value for f64 {
    plain!(Float, ValueType::F64);

    #[inline]
    fn cell(&self) -> Cell<'_> {
        Cell::Float(*self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Float(value) => Ok(value),
            Cell::Int(value) => Ok(value as f64),
            other => Err(other.mismatch("a float")),
        }
    }

    fn normalize(&mut self) {
        *self += 0.0;
    }
}
impl Element for f64 {}

impl Value for f32 {
    plain!(Float, ValueType::F32);

    #[inline]
    fn cell(&self) -> Cell<'_> {
        Cell::Float(f64::from(*self))
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Float(value) => {
                let single = value as f32;
                if single.is_infinite() && value.is_finite() {
                    return Err(too_large(value, "f32"));
                }
                Ok(single)
            }
            Cell::Int(value) => Ok(value as f32),
            other => Err(other.mismatch("a float")),
        }
    }

    fn normalize(&mut self) {
        *self += 0.0;
    }
}
impl Element for f32 {}

impl Value for Decimal {
    plain!(Decimal, ValueType::DECIMAL);

    fn cell(&self) -> Cell<'_> {
        Cell::Decimal(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Decimal(value) => Ok(value),
            Cell::Int(value) => Ok(value.into()),
            Cell::UInt(value) => Ok(value.into()),
            Cell::Text(text) => decimal::parse(text),
            other => Err(other.mismatch("a decimal")),
        }
    }
}
impl Element for Decimal {}

impl Value for String {
    plain!(Text, ValueType::Text);

    #[inline]
    fn cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Text(text) => Ok(text.to_owned()),
            other => Err(other.mismatch("text")),
        }
    }

    fn into_datum(self) -> Datum {
        Datum::Text(self.into_boxed_str())
    }
}
impl Element for String {}

impl Value for Vec<u8> {
    plain!(Bytes, ValueType::Bytes);

    fn cell(&self) -> Cell<'_> {
        Cell::Bytes(self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bytes(bytes) => Ok(bytes.to_vec()),
            other => Err(other.mismatch("bytes")),
        }
    }

    fn into_datum(self) -> Datum {
        Datum::Bytes(self.into_boxed_slice())
    }
}
impl Element for Vec<u8> {}

impl Value for Uuid {
    plain!(Uuid, ValueType::Uuid);

    fn cell(&self) -> Cell<'_> {
        Cell::Uuid(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Uuid(value) => Ok(value),
            Cell::Bytes(bytes) => Uuid::from_slice(bytes).map_err(|_| cell.mismatch("the 16 bytes of a UUID")),
            Cell::Text(text) => Uuid::try_parse(text).map_err(|_| cell.mismatch("a UUID")),
            other => Err(other.mismatch("a UUID")),
        }
    }
}
impl Element for Uuid {}

impl Value for Date {
    plain!(Date, ValueType::Date);

    fn cell(&self) -> Cell<'_> {
        Cell::Date(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Date(value) => Ok(value),
            Cell::Text(text) => iso::parse_date(text),
            other => Err(other.mismatch("a date")),
        }
    }
}
impl Element for Date {}

impl Value for Time {
    plain!(Time, ValueType::Time);

    fn cell(&self) -> Cell<'_> {
        Cell::Time(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Time(value) => Ok(value),
            Cell::Text(text) => iso::parse_time(text),
            other => Err(other.mismatch("a time")),
        }
    }

    fn normalize(&mut self) {
        *self = iso::cut_time(*self);
    }
}
impl Element for Time {}

impl Value for DateTime {
    plain!(DateTime, ValueType::DateTime);

    fn cell(&self) -> Cell<'_> {
        Cell::DateTime(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::DateTime(value) => Ok(value),
            Cell::Text(text) => iso::parse_date_time(text),
            other => Err(other.mismatch("a date and time")),
        }
    }

    fn normalize(&mut self) {
        *self = iso::cut_date_time(*self);
    }
}
impl Element for DateTime {}

impl Value for Timestamp {
    plain!(Timestamp, ValueType::Timestamp);

    fn cell(&self) -> Cell<'_> {
        Cell::Timestamp(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Timestamp(value) => Ok(value),
            Cell::Text(text) => iso::parse_timestamp(text),
            other => Err(other.mismatch("an instant")),
        }
    }

    fn normalize(&mut self) {
        *self = iso::cut_timestamp(*self);
    }
}
impl Element for Timestamp {}

impl Value for Duration {
    plain!(Duration, ValueType::Duration);

    fn cell(&self) -> Cell<'_> {
        Cell::Duration(*self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Duration(value) => Ok(value),
            Cell::Int(micros) => Ok(Duration::from_micros(micros)),
            other => Err(other.mismatch("a duration")),
        }
    }

    fn normalize(&mut self) {
        *self = iso::cut_duration(*self);
    }
}
impl Element for Duration {}

impl Value for Json {
    plain!(Json, ValueType::Json);

    fn cell(&self) -> Cell<'_> {
        Cell::Json(self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Json(value) => Ok(value.clone()),
            Cell::Text(text) => json::parse(text),
            other => Err(other.mismatch("JSON")),
        }
    }

    fn into_datum(self) -> Datum {
        Datum::Json(Box::new(self))
    }
}
