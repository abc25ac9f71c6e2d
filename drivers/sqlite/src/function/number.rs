//! Exact arithmetic, and the order of decimals.

use std::cmp::Ordering;

use ommi_core::evaluate::arithmetic;
use ommi_core::query::ArithmeticOperator;
use ommi_core::value::{Datum, DecimalSize, ValueType, decimal};
use ommi_core::{ConstraintKind, Error, Result};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use super::{flags, remembered, text};
use crate::error::from_function;

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation("OMMI_DECIMAL", order)?;
    connection.create_scalar_function("ommi_arith", 4, flags(), |context| {
        let value_type = remembered(context, 0, number_type)?;
        let sign = text(context, 1)?.unwrap_or_default();
        let (left, right) = (context.get_raw(2), context.get_raw(3));
        // how the dialect says that a value is to be brought to a type
        let is_conversion = sign == "+" && right == ValueRef::Integer(0);
        calculate(&value_type, sign, left, right)
            .and_then(|result| stored(result, &value_type, is_conversion))
            .map_err(from_function)
    })
}

fn calculate(value_type: &ValueType, sign: &str, left: ValueRef<'_>, right: ValueRef<'_>) -> Result<Datum> {
    let operator = operator(sign)?;
    arithmetic(operator, &number(left)?, &number(right)?, value_type)
}

/// The order of decimals as numbers. Whatever is no number comes behind, by code point.
fn order(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (decimal::parse(left), decimal::parse(right)) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// The number type of a name.
fn number_type(name: &str) -> Result<ValueType> {
    Ok(match name {
        "i8" => ValueType::I8,
        "i16" => ValueType::I16,
        "i32" => ValueType::I32,
        "i64" => ValueType::I64,
        "u8" => ValueType::U8,
        "u16" => ValueType::U16,
        "u32" => ValueType::U32,
        "u64" => ValueType::U64,
        "f32" => ValueType::F32,
        "f64" => ValueType::F64,
        "decimal" => ValueType::DECIMAL,
        other => ValueType::Decimal(Some(
            size(other).ok_or_else(|| Error::query(format!("`{other}` is not a type that has arithmetic")))?,
        )),
    })
}

/// The size that `decimal(p, s)` names.
fn size(name: &str) -> Option<DecimalSize> {
    let (precision, scale) = name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(", ")?;
    Some(DecimalSize { precision: precision.parse().ok()?, scale: scale.parse().ok()? })
}

fn operator(sign: &str) -> Result<ArithmeticOperator> {
    use ArithmeticOperator as Operator;
    let all = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Remainder,
        Operator::BitAnd,
        Operator::BitOr,
        Operator::BitXor,
        Operator::ShiftLeft,
        Operator::ShiftRight,
    ];
    let found = all.into_iter().find(|operator| operator.sign() == sign);
    found.ok_or_else(|| Error::query(format!("`{sign}` is not an operation on numbers")))
}

/// A number in the form in which SQLite stores it.
pub(super) fn number(value: ValueRef<'_>) -> Result<Datum> {
    Ok(match value {
        ValueRef::Null => Datum::Null,
        ValueRef::Integer(value) => Datum::Int(value),
        ValueRef::Real(value) => Datum::Float(value),
        ValueRef::Text(bytes) => {
            let text =
                std::str::from_utf8(bytes).map_err(|_| Error::decode("a number in the database is not UTF-8"))?;
            // 20 digits without a point are an integer above `i64::MAX`
            match text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                true => text.parse().map(Datum::UInt).or_else(|_| decimal::parse(text).map(Datum::Decimal))?,
                false => Datum::Decimal(decimal::parse(text)?),
            }
        }
        ValueRef::Blob(_) => return Err(Error::decode("expected a number, found bytes")),
    })
}

/// The form in which SQLite stores a number of a type.
pub(super) fn stored(value: Datum, value_type: &ValueType, must_fit: bool) -> Result<Value> {
    Ok(match value {
        Datum::Int(value) => Value::Integer(value),
        Datum::UInt(value) => Value::Text(format!("{value:020}")),
        Datum::Float(value) => Value::Real(value),
        Datum::Decimal(value) => {
            let size = match value_type {
                ValueType::Decimal(size) => *size,
                _ => None,
            };
            if let Some(size) = size
                && must_fit
                && decimal::fit(value, size).is_none()
            {
                return Err(Error::constraint(ConstraintKind::Check, format!("{value} does not fit a {value_type}")));
            }
            Value::Text(decimal::text(value, size))
        }
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_ordered_as_numbers() {
        let mut texts = ["10", "9", "-2.5", "-10", "0.10", "0.1000001", "x", "1.50"];
        texts.sort_by(|left, right| order(left, right));
        assert_eq!(texts, ["-10", "-2.5", "0.10", "0.1000001", "1.50", "9", "10", "x"]);
        assert_eq!(order("1.5", "1.50"), Ordering::Equal);
    }

    #[test]
    fn types_are_read_from_their_names() {
        let sized = ValueType::Decimal(Some(DecimalSize { precision: 10, scale: 2 }));
        for value_type in [ValueType::I8, ValueType::U64, ValueType::F32, ValueType::DECIMAL, sized] {
            assert_eq!(number_type(&value_type.to_string()).unwrap(), value_type);
        }
        assert!(number_type("text").unwrap_err().is_query());
    }
}
