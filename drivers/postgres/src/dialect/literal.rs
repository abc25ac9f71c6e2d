//! Constants.

use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::{Precedence, Sql};

use super::type_name;
use crate::encode::element_text;

/// A constant of the type in which values are stored.
pub(super) fn literal(value: &Datum, value_type: &ValueType) -> Result<Sql> {
    let number = |text: String| {
        let precedence = if text.starts_with('-') { Precedence::Operator } else { Precedence::Primary };
        Ok(Sql::new(text, precedence))
    };
    match value {
        Datum::Null => Ok(Sql::primary("NULL")),
        Datum::Bool(value) => Ok(Sql::primary(if *value { "TRUE" } else { "FALSE" })),
        // numbers of this size are integers to PostgreSQL too
        Datum::Int(value) if i32::try_from(*value).is_ok() && *value != i64::from(i32::MIN) => {
            number(value.to_string())
        }
        Datum::Decimal(value) => number(value.normalize().to_string()),
        Datum::Float(value) if value.is_nan() => Err(Error::query("NaN cannot be stored or compared")),
        Datum::Text(value) => quoted(value).map(Sql::primary),
        value => {
            let text = quoted(&element_text(value.cell())?)?;
            Ok(Sql::primary(format!("CAST({text} AS {})", type_name(value_type))))
        }
    }
}

/// A text between quotes, quotes in it doubled.
pub(super) fn quoted(text: &str) -> Result<String> {
    ommi_core::value::check::text(text)?;
    Ok(format!("'{}'", text.replace('\'', "''")))
}
