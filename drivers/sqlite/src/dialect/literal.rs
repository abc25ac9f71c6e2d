//! Constants.

use ommi_core::value::{Datum, ValueType, decimal, iso, list};
use ommi_core::{Error, Result};
use ommi_sql::{Precedence, Sql};

/// A constant in the form in which its type is stored.
pub(super) fn literal(value: &Datum, value_type: &ValueType) -> Result<Sql> {
    let number = |text: String| {
        let precedence = if text.starts_with('-') { Precedence::Operator } else { Precedence::Primary };
        Ok(Sql::new(text, precedence))
    };
    let text = |text: &str| quoted(text).map(Sql::primary);
    match value {
        Datum::Null => Ok(Sql::primary("NULL")),
        Datum::Bool(value) => number(u8::from(*value).to_string()),
        Datum::Int(value) => number(value.to_string()),
        Datum::UInt(value) => text(&format!("{value:020}")),
        // beyond the range, and so infinite
        Datum::Float(value) if value.is_infinite() => number(if *value > 0.0 { "9e999" } else { "-9e999" }.into()),
        Datum::Float(value) if value.is_nan() => Err(Error::query("NaN cannot be stored or compared")),
        Datum::Float(value) => number(format!("{:?}", value + 0.0)),
        Datum::Decimal(value) => {
            let size = match value_type {
                ValueType::Decimal(size) => *size,
                _ => None,
            };
            text(&decimal::text(*value, size))
        }
        Datum::Text(value) => text(value),
        Datum::Bytes(value) => Ok(Sql::primary(format!("X'{}'", list::hex(value)))),
        Datum::Uuid(value) => Ok(Sql::primary(format!("X'{}'", value.simple()))),
        Datum::Date(value) => text(iso::date_text(*value).as_str()),
        Datum::Time(value) => text(iso::time_text(*value).as_str()),
        Datum::DateTime(value) => text(iso::date_time_text(*value).as_str()),
        Datum::Timestamp(value) => text(iso::timestamp_text(*value).as_str()),
        Datum::Duration(value) => number(iso::duration_micros(*value)?.to_string()),
        Datum::Json(value) => text(&value.to_string()),
        Datum::List(items) => text(&list::text(items)?),
    }
}

/// A text between quotes, quotes in it doubled.
pub(super) fn quoted(text: &str) -> Result<String> {
    ommi_core::value::check::text(text)?;
    Ok(format!("'{}'", text.replace('\'', "''")))
}
