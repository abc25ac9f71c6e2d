//! Arithmetic with floats.
//!
//! PostgreSQL refuses results that are too large, as the contract wants, and those that are too
//! small, which are zero; and it takes what is no number for a value.

use ommi_core::query::ArithmeticOperator;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Sql};

use super::within;

/// Two powers of two whose product is the inverse of what rounds to zero: 2^1075.
const UP: &str = "power(CAST(2 AS double precision), 538)";
const UP_TOO: &str = "power(CAST(2 AS double precision), 537)";
const DOWN: &str = "power(CAST(2 AS double precision), -537)";

/// A float, refused if it is no number.
pub(super) fn number(value: &str) -> String {
    // a cast to an integer refuses what is no number
    let made = "CASE WHEN v = 'NaN' THEN CAST(CAST(v AS bigint) AS double precision) ELSE v + 0 END";
    within(made, &[("v", value)])
}

/// A float brought to single precision.
pub(super) fn single(value: &str) -> String {
    let made =
        "CASE WHEN abs(v) <= power(CAST(2 AS double precision), -150) THEN CAST(0 AS real) ELSE CAST(v AS real) END";
    within(made, &[("v", value)])
}

/// From this size on, floats are summed apart: their sum may be too large on the way to its end.
const LARGE: &str = "1e290";
/// By how much these are made smaller meanwhile.
const SMALLER: &str = "power(CAST(2 AS double precision), -64)";
const LARGER: &str = "power(CAST(2 AS double precision), 64)";

/// The sum of floats, divided by their number for a mean; null if there are none.
pub(super) fn sum(distinct: &str, value: &str, is_mean: bool) -> String {
    let value = format!("CAST({value} AS double precision)");
    let plain = format!("SUM({distinct}{value}) FILTER (WHERE abs({value}) < {LARGE})");
    let large = format!(
        "SUM({distinct}{value} * CASE WHEN abs({value}) < {LARGE} THEN 1 ELSE {SMALLER} END) FILTER (WHERE abs({value}) >= {LARGE})"
    );
    let count = if is_mean { format!("COUNT({distinct}{value})") } else { "1".into() };
    // what vanishes beside the large ones would be refused for being too small
    let made = format!(
        "CASE WHEN l IS NULL THEN s / n \
         ELSE (l + CASE WHEN abs(s) > 1e-200 THEN s * {SMALLER} ELSE 0 END) / n * {LARGER} END"
    );
    number(&within(&made, &[("s", &plain), ("l", &large), ("n", &count)]))
}

pub(super) fn arithmetic(
    operator: ArithmeticOperator,
    left: &Operand<'_>,
    right: &Operand<'_>,
    value_type: &ValueType,
) -> Result<Sql> {
    let double = |operand: &Operand<'_>| format!("CAST({} AS double precision)", operand.argument());
    let (left, mut right) = (double(left), double(right));
    if operator == ArithmeticOperator::Divide {
        right = format!("NULLIF({right}, 0)");
    }
    let made = match operator {
        ArithmeticOperator::Add => "l + r".to_owned(),
        ArithmeticOperator::Subtract => "l - r".to_owned(),
        ArithmeticOperator::Multiply => format!(
            "CASE WHEN abs(l) >= 1 OR abs(r) >= 1 OR l = 0 OR r = 0 OR abs(l) > 1e-160 AND abs(r) > 1e-160 THEN l * r \
             WHEN (abs(l) * {UP}) * (abs(r) * {UP_TOO}) <= 1 THEN 0 ELSE l * r END"
        ),
        ArithmeticOperator::Divide => format!(
            "CASE WHEN l = 0 OR abs(l) >= 1 OR abs(r) <= 1 THEN l / r \
             WHEN abs(l) * {UP} <= abs(r) * {DOWN} THEN 0 ELSE l / r END"
        ),
        other => return Err(Error::unsupported(format!("PostgreSQL has no `{}` of floats", other.sign()))),
    };
    let result = number(&within(&made, &[("l", &left), ("r", &right)]));
    Ok(Sql::primary(if *value_type == ValueType::F32 { single(&result) } else { result }))
}
