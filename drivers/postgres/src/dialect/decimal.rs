//! Arithmetic with decimals: exact, of up to 28 digits.

use ommi_core::query::ArithmeticOperator;
use ommi_core::value::{DecimalSize, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Sql};

use super::{PostgresDialect, operation, pair, within};

/// The most digits of a decimal.
const DIGITS: u32 = 28;
/// The digits that a quotient has behind its point, as a factor and its inverse.
const SHIFT: &str = "1000000000000";
const SHIFT_BACK: &str = "0.000000000001";

/// The digits before and behind the point that values of an operand have at most, if that is known.
fn digits(operand: &Operand<'_>) -> Option<(u32, u32)> {
    match &operand.value_type {
        ValueType::Decimal(Some(size)) if operand.is_field() => {
            Some((u32::from(size.precision - size.scale.min(size.precision)), size.scale.into()))
        }
        integer => {
            let (least, greatest) = integer.integer_range()?;
            Some((least.unsigned_abs().max(greatest.unsigned_abs()).checked_ilog10()? + 1, 0))
        }
    }
}

fn stays_short(operator: ArithmeticOperator, left: &Operand<'_>, right: &Operand<'_>) -> bool {
    let (Some(left), Some(right)) = (digits(left), digits(right)) else { return false };
    let (before, behind) = match operator {
        ArithmeticOperator::Multiply => (left.0 + right.0, left.1 + right.1),
        _ => (left.0.max(right.0) + 1, left.1.max(right.1)),
    };
    before + behind <= DIGITS
}

/// A decimal, refused if it has more than 28 digits.
pub(super) fn short(value: &str) -> String {
    // the last cast refuses its text, and the error shows it
    let made = format!(
        "CASE WHEN min_scale(v) <= {DIGITS} AND abs(v) * power(CAST(10 AS numeric), CAST(min_scale(v) AS numeric)) < 1e{DIGITS} \
         THEN v ELSE CAST(CAST(v AS text) || ' has more than {DIGITS} digits' AS numeric) END"
    );
    within(&made, &[("v", value)])
}

/// A decimal, refused if it has more digits behind the point than a field keeps. The server itself
/// refuses those that are too large for the column, in the same way.
pub(super) fn of_size(value: &str, size: DecimalSize) -> String {
    let DecimalSize { precision, scale } = size;
    let made =
        format!("CASE WHEN round(v, {scale}) = v THEN v ELSE CAST(abs(v) + 1e30 AS numeric({precision}, {scale})) END");
    within(&made, &[("v", value)])
}

/// A quotient with 12 digits behind the point, half even, not checked for its length.
pub(super) fn quotient(dividend: &str, divisor: &str) -> String {
    let dividend = format!("({dividend}) * {SHIFT}");
    let divisor = format!("NULLIF({divisor}, 0)");
    let made = format!(
        "(div(n, d) + CASE WHEN 2 * abs(mod(n, d)) > abs(d) OR 2 * abs(mod(n, d)) = abs(d) AND mod(div(n, d), 2) <> 0 \
         THEN sign(n) * sign(d) ELSE 0 END) * {SHIFT_BACK}"
    );
    within(&made, &[("n", &dividend), ("d", &divisor)])
}

pub(super) fn arithmetic(
    dialect: &PostgresDialect,
    operator: ArithmeticOperator,
    left: &Operand<'_>,
    right: &Operand<'_>,
) -> Result<Sql> {
    let is_short = stays_short(operator, left, right);
    let numeric = |operand: &Operand<'_>, text: String| match operand.value_type.is_decimal() {
        true => text,
        false => format!("CAST({text} AS numeric)"),
    };
    let (a, b) = pair(left, right);
    let (a, b) = (numeric(left, a), numeric(right, b));
    let plain = match operator {
        ArithmeticOperator::Add | ArithmeticOperator::Subtract | ArithmeticOperator::Multiply => {
            let plain = format!("{a} {} {b}", operator.sign());
            if is_short || dialect.is_rule {
                return Ok(operation(plain));
            }
            plain
        }
        ArithmeticOperator::Divide => {
            dialect.needs_query("the exact quotient of decimals")?;
            quotient(&a, &b)
        }
        ArithmeticOperator::Remainder => {
            if dialect.is_rule {
                return Ok(Sql::primary(format!("mod({a}, NULLIF({b}, 0))")));
            }
            within("mod(l, NULLIF(r, 0))", &[("l", &a), ("r", &b)])
        }
        other => return Err(Error::query(format!("decimals have no operation `{}`", other.sign()))),
    };
    Ok(Sql::primary(short(&plain)))
}
