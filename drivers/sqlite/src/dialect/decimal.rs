//! Comparing decimals, which are stored as text.

use ommi_core::query::Comparison;
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Source, Sql};

use super::{SqliteDialect, refused};

/// The digits that survive the way into a REAL and keep their order there.
const REAL_DIGITS: u32 = 15;

/// Whether equal values of both operands have equal texts.
pub(super) fn have_one_text(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    left.value_type.is_decimal()
        && left.value_type == right.value_type
        && left.is_stored_form()
        && right.is_stored_form()
}

impl SqliteDialect {
    pub(super) fn compare_decimals(
        &self,
        operator: Comparison,
        left: &Operand<'_>,
        right: &Operand<'_>,
    ) -> Result<Sql> {
        let sign = operator.sign();
        if matches!(operator, Comparison::Eq | Comparison::Ne) && have_one_text(left, right) {
            return Ok(Sql::comparison(format!("{} {sign} {}", left.term(), right.term())));
        }
        if self.is_rule() {
            let is_zero = is_zero(left) || is_zero(right);
            return Ok(Sql::comparison(format!("{} {sign} {}", as_real(left, is_zero)?, as_real(right, is_zero)?)));
        }
        Ok(Sql::comparison(format!("{} COLLATE OMMI_DECIMAL {sign} {}", as_text(left), as_text(right))))
    }
}

/// A number as the text that the collation compares.
pub(super) fn as_text(operand: &Operand<'_>) -> String {
    if operand.value_type.is_decimal() {
        return operand.primary();
    }
    format!("CAST({} AS TEXT)", operand.argument())
}

fn is_zero(operand: &Operand<'_>) -> bool {
    match operand.source {
        Source::Literal(Datum::Decimal(value)) => value.is_zero(),
        Source::Literal(Datum::Int(value)) => *value == 0,
        _ => false,
    }
}

/// A number as a REAL that compares as the number does; with zero any does.
fn as_real(operand: &Operand<'_>, with_zero: bool) -> Result<String> {
    let kept = |mantissa: i128| mantissa.unsigned_abs().checked_ilog10().unwrap_or_default() < REAL_DIGITS;
    match (operand.source, &operand.value_type) {
        (Source::Literal(Datum::Decimal(value)), _) if kept(value.normalize().mantissa()) => Ok(value.to_string()),
        (Source::Literal(Datum::Int(value)), _) if kept(i128::from(*value)) => Ok(value.to_string()),
        (Source::Literal(_), _) => Err(Error::unsupported(format!(
            "it compares with a number of more than {REAL_DIGITS} digits: use a shorter one, or check it in the program"
        ))),
        (Source::Field, ValueType::Decimal(size)) => {
            let is_short = size.is_some_and(|size| u32::from(size.precision) <= REAL_DIGITS);
            if is_short || with_zero {
                return Ok(format!("CAST({} AS REAL)", operand.argument()));
            }
            Err(Error::unsupported(format!(
                "it compares decimals that may have more than {REAL_DIGITS} digits, which needs a collation that other \
                 programs that open the SQLite file lack: give the field a size, `decimal({REAL_DIGITS}, s)` at most, or \
                 check it in the program"
            )))
        }
        (Source::Field, _) => Ok(operand.term()),
        _ => Err(refused("OMMI_DECIMAL")),
    }
}
