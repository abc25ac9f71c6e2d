//! Arithmetic with integers.
//!
//! PostgreSQL refuses results outside of its own types. For those that it lacks, a cast that it
//! refuses as well checks the range: `"char"` holds −128 to 127, and an unsigned range is a signed
//! one that was moved. So the operands stand once.

use ommi_core::query::ArithmeticOperator;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Source, Sql};

use super::{PostgresDialect, operation, type_name, within};

/// 2^63, by which the unsigned integers of 64 bits are moved.
const MOVED: &str = "9223372036854775808";
/// The sign's bit alone.
const SIGN: &str = "CAST('-9223372036854775808' AS bigint)";

/// The operand in the type in which the operation works.
fn cast(operand: &Operand<'_>, wanted: &ValueType) -> String {
    let wanted = type_name(wanted);
    if type_name(&operand.value_type) == wanted && !matches!(operand.source, Source::Literal(_)) {
        return operand.primary();
    }
    format!("CAST({} AS {wanted})", operand.argument())
}

/// An integer of the type's column, refused if it is outside of the type.
pub(super) fn checked(value: &str, value_type: &ValueType) -> Sql {
    match value_type {
        ValueType::I8 => {
            Sql::primary(format!("CAST(CAST(CAST(CAST({value} AS integer) AS \"char\") AS integer) AS smallint)"))
        }
        ValueType::U8 => Sql::primary(format!(
            "CAST(CAST(CAST(CAST({value} AS integer) - 128 AS \"char\") AS integer) + 128 AS smallint)"
        )),
        ValueType::U16 => Sql::primary(format!("(CAST(CAST(({value}) - 32768 AS smallint) AS integer) + 32768)")),
        ValueType::U32 => {
            Sql::primary(format!("(CAST(CAST(({value}) - 2147483648 AS integer) AS bigint) + 2147483648)"))
        }
        ValueType::U64 => Sql::primary(format!("(CAST(CAST(({value}) - {MOVED} AS bigint) AS numeric) + {MOVED})")),
        _ => Sql::primary(format!("({value})")),
    }
}

/// How many bits a type has.
fn bits(value_type: &ValueType) -> i32 {
    match value_type {
        ValueType::I8 | ValueType::U8 => 8,
        ValueType::I16 | ValueType::U16 => 16,
        ValueType::I32 | ValueType::U32 => 32,
        _ => 64,
    }
}

/// A count of bits to shift by, refused if it is negative or not less than the type's: those from 0
/// to one less are spread over the range of `"char"`, so that the next ones are outside.
fn shift_count(of: &str, value_type: &ValueType) -> String {
    let factor = 256 / bits(value_type);
    let moved = factor * (bits(value_type) - 1) / 2;
    format!("((CAST(CAST(CAST({of} AS integer) * {factor} - {moved} AS \"char\") AS integer) + {moved}) / {factor})")
}

/// The bits of an unsigned integer of 64 bits, as those of a signed one.
fn as_bits(unsigned: &str) -> String {
    format!("(CAST({unsigned} - {MOVED} AS bigint) # {SIGN})")
}

fn from_bits(bits: &str) -> Sql {
    Sql::primary(format!("(CAST({bits} # {SIGN} AS numeric) + {MOVED})"))
}

pub(super) fn integers(
    dialect: &PostgresDialect,
    operator: ArithmeticOperator,
    left: &Operand<'_>,
    right: &Operand<'_>,
    value_type: &ValueType,
) -> Result<Sql> {
    let (a, b) = (cast(left, value_type), cast(right, value_type));
    let is_shift = matches!(operator, ArithmeticOperator::ShiftLeft | ArithmeticOperator::ShiftRight);
    if dialect.is_rule || !is_shift && !is_asked_apart(operator, left) {
        return operate(operator, &a, &b, value_type);
    }
    let made = operate(operator, "l", "r", value_type)?;
    // a wrong count is no error where there is nothing to shift
    let made = if is_shift { format!("CASE WHEN l IS NOT NULL THEN {} END", made.text()) } else { made.text().into() };
    Ok(Sql::primary(within(&made, &[("l", &a), ("r", &b)])))
}

/// Whether a dividend has to be computed apart from its division: the planner does not compute it
/// where the divisor is zero, and so would miss that it cannot be.
fn is_asked_apart(operator: ArithmeticOperator, dividend: &Operand<'_>) -> bool {
    matches!(operator, ArithmeticOperator::Divide | ArithmeticOperator::Remainder)
        && dividend.source == Source::Computed
}

fn operate(operator: ArithmeticOperator, a: &str, b: &str, value_type: &ValueType) -> Result<Sql> {
    let is_wide = *value_type == ValueType::U64;
    let sign = match operator {
        ArithmeticOperator::BitXor => "#",
        operator => operator.sign(),
    };
    let plain = match operator {
        ArithmeticOperator::Add | ArithmeticOperator::Subtract | ArithmeticOperator::Multiply => {
            format!("{a} {sign} {b}")
        }
        ArithmeticOperator::Divide if is_wide => return Ok(Sql::primary(format!("div({a}, NULLIF({b}, 0))"))),
        ArithmeticOperator::Divide => format!("{a} / NULLIF({b}, 0)"),
        ArithmeticOperator::Remainder if is_wide => return Ok(Sql::primary(format!("mod({a}, NULLIF({b}, 0))"))),
        ArithmeticOperator::Remainder => return Ok(operation(format!("{a} % NULLIF({b}, 0)"))),
        ArithmeticOperator::BitAnd | ArithmeticOperator::BitOr | ArithmeticOperator::BitXor => {
            if is_wide {
                return Ok(from_bits(&format!("({} {sign} {})", as_bits(a), as_bits(b))));
            }
            return Ok(operation(format!("{a} {sign} {b}")));
        }
        ArithmeticOperator::ShiftLeft | ArithmeticOperator::ShiftRight => {
            let count = shift_count(b, value_type);
            let power = format!("power(CAST(2 AS numeric), CAST({count} AS numeric))");
            match (operator, is_wide) {
                (ArithmeticOperator::ShiftLeft, false) => {
                    format!("CAST(CAST({a} AS numeric) * {power} AS {})", type_name(value_type))
                }
                (ArithmeticOperator::ShiftLeft, true) => format!("trunc({a} * {power})"),
                (_, false) => return Ok(operation(format!("{a} >> {count}"))),
                (_, true) => return Ok(Sql::primary(format!("div({a}, {power})"))),
            }
        }
    };
    match value_type {
        ValueType::I16 | ValueType::I32 | ValueType::I64 => Ok(operation(plain)),
        value_type if value_type.is_integer() => Ok(checked(&plain, value_type)),
        other => Err(Error::query(format!("values of type {other} are no integers"))),
    }
}
