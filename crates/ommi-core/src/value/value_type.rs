//! The type of a value, known at run time.

use std::fmt;
use std::sync::Arc;

use super::Datum;

/// How many digits a decimal field keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecimalSize {
    /// Significant digits in all, 1 to 28.
    pub precision: u8,
    /// Digits after the point, at most `precision`.
    pub scale: u8,
}

/// An enum that is stored as text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// The enum's name.
    pub name: String,
    /// The stored texts, in the order of declaration.
    pub variants: Vec<String>,
}

impl EnumType {
    /// An enum of a name, with the texts of its variants.
    pub fn new(name: &str, variants: &[&str]) -> Self {
        EnumType { name: name.into(), variants: variants.iter().copied().map(String::from).collect() }
    }
}

/// The type of a field's values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// True or false.
    Bool,
    /// −128 to 127.
    I8,
    /// 16-bit signed integers.
    I16,
    /// 32-bit signed integers.
    I32,
    /// 64-bit signed integers.
    I64,
    /// 0 to 255.
    U8,
    /// 16-bit unsigned integers.
    U16,
    /// 32-bit unsigned integers.
    U32,
    /// 64-bit unsigned integers.
    U64,
    /// Single-precision floating point, without NaN.
    F32,
    /// Double-precision floating point, without NaN.
    F64,
    /// Decimals of up to 28 significant digits, with a fixed size or without.
    Decimal(Option<DecimalSize>),
    /// Text without NUL.
    Text,
    /// A string of bytes.
    Bytes,
    /// A UUID.
    Uuid,
    /// A date, years 1 to 9999.
    Date,
    /// A time of day, in microseconds.
    Time,
    /// A naive date and time, in microseconds, years 1 to 9999.
    DateTime,
    /// An instant, in microseconds, years 1 to 9999 in UTC.
    Timestamp,
    /// A signed span of time, in microseconds.
    Duration,
    /// A JSON document.
    Json,
    /// An enum that is stored as text.
    Enum(Arc<EnumType>),
    /// A list of scalars, none of them null.
    List(Box<ValueType>),
}

impl ValueType {
    /// A decimal without a fixed size.
    pub const DECIMAL: ValueType = ValueType::Decimal(None);

    /// Whether the type is one of the integers.
    pub fn is_integer(&self) -> bool {
        self.integer_range().is_some()
    }

    /// The least and the greatest integer of the type.
    pub fn integer_range(&self) -> Option<(i128, i128)> {
        Some(match self {
            ValueType::I8 => (i8::MIN.into(), i8::MAX.into()),
            ValueType::I16 => (i16::MIN.into(), i16::MAX.into()),
            ValueType::I32 => (i32::MIN.into(), i32::MAX.into()),
            ValueType::I64 => (i64::MIN.into(), i64::MAX.into()),
            ValueType::U8 => (0, u8::MAX.into()),
            ValueType::U16 => (0, u16::MAX.into()),
            ValueType::U32 => (0, u32::MAX.into()),
            ValueType::U64 => (0, u64::MAX.into()),
            _ => return None,
        })
    }

    /// Whether a field of the type may have a value, as far as the range of integers says. A field that
    /// leads to one of a smaller type may have values that no row there has.
    pub fn may_hold(&self, value: &Datum) -> bool {
        let value: i128 = match value {
            Datum::Int(value) => (*value).into(),
            Datum::UInt(value) => (*value).into(),
            _ => return true,
        };
        self.integer_range().is_none_or(|(least, greatest)| (least..=greatest).contains(&value))
    }

    /// Whether the type is one of the floats.
    pub fn is_float(&self) -> bool {
        matches!(self, ValueType::F32 | ValueType::F64)
    }

    /// Whether the type is a decimal.
    pub fn is_decimal(&self) -> bool {
        matches!(self, ValueType::Decimal(_))
    }

    /// Whether the type has arithmetic.
    pub fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || self.is_decimal()
    }

    /// Whether the values are stored as text that compares by code point.
    pub fn is_text(&self) -> bool {
        matches!(self, ValueType::Text | ValueType::Enum(_))
    }

    /// Whether values of the type have an order.
    pub fn is_ordered(&self) -> bool {
        !matches!(self, ValueType::Json | ValueType::List(_))
    }

    /// Whether rows can be grouped by values of the type.
    pub fn is_groupable(&self) -> bool {
        self.is_ordered()
    }

    /// Whether values of both types can be compared with each other.
    pub fn is_comparable_with(&self, other: &ValueType) -> bool {
        match (self, other) {
            (ValueType::List(left), ValueType::List(right)) => left.is_comparable_with(right),
            _ => {
                self.is_number() && other.is_number() && self.is_float() == other.is_float()
                    || self.is_text() && other.is_text()
                    || self == other
            }
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueType::Bool => "bool",
            ValueType::I8 => "i8",
            ValueType::I16 => "i16",
            ValueType::I32 => "i32",
            ValueType::I64 => "i64",
            ValueType::U8 => "u8",
            ValueType::U16 => "u16",
            ValueType::U32 => "u32",
            ValueType::U64 => "u64",
            ValueType::F32 => "f32",
            ValueType::F64 => "f64",
            ValueType::Decimal(None) => "decimal",
            ValueType::Decimal(Some(size)) => {
                return write!(f, "decimal({}, {})", size.precision, size.scale);
            }
            ValueType::Text => "text",
            ValueType::Bytes => "bytes",
            ValueType::Uuid => "uuid",
            ValueType::Date => "date",
            ValueType::Time => "time",
            ValueType::DateTime => "datetime",
            ValueType::Timestamp => "timestamp",
            ValueType::Duration => "duration",
            ValueType::Json => "json",
            ValueType::Enum(of) => return write!(f, "enum {}", of.name),
            ValueType::List(item) => return write!(f, "list of {item}"),
        })
    }
}
