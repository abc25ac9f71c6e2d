//! Exact arithmetic.

use super::compare::{decimal, integer};
use crate::error::{Error, Result};
use crate::query::ArithmeticOperator;
use crate::value::decimal as exact;
use crate::value::{Datum, Decimal, ValueType};

/// The result of an operation on two values of a type; null if either is null, or for a division
/// by zero.
///
/// Integer division truncates towards zero, a decimal quotient has 12 digits after the point, half
/// even. A result of type `f32` is rounded to that type.
///
/// # Errors
///
/// `Query` if the exact result is outside the type, a finite float overflows, or the result is
/// NaN; for a shift by less than zero or by at least the type's bits; if the type has no such
/// operation.
pub fn arithmetic(operator: ArithmeticOperator, left: &Datum, right: &Datum, value_type: &ValueType) -> Result<Datum> {
    if left.is_null() || right.is_null() {
        return Ok(Datum::Null);
    }
    let result = if let Some(range) = value_type.integer_range() {
        let (Some(a), Some(b)) = (integer(left), integer(right)) else {
            return Err(not_numbers(operator, left, right, value_type));
        };
        integers(operator, a, b, range)
    } else if value_type.is_float() {
        let (Some(a), Some(b)) = (float(left), float(right)) else {
            return Err(not_numbers(operator, left, right, value_type));
        };
        floats(operator, a, b, *value_type == ValueType::F32)
    } else {
        let (Some(a), Some(b)) = (decimal(left), decimal(right)) else {
            return Err(not_numbers(operator, left, right, value_type));
        };
        decimals(operator, a, b)
    };
    result.map_err(|fault| fault.into_error(operator, left, right, value_type))
}

/// Why there is no result.
enum Fault {
    Outside,
    Shift,
    Undefined,
    NoSuchOperation,
}

impl Fault {
    #[cold]
    fn into_error(self, operator: ArithmeticOperator, left: &Datum, right: &Datum, value_type: &ValueType) -> Error {
        let sign = operator.sign();
        let shown = format!("{} {sign} {}", show(left), show(right));
        Error::query(match self {
            Fault::Outside => match value_type.integer_range() {
                Some((least, greatest)) => {
                    format!("{shown} is outside {value_type}, which holds {least} to {greatest}")
                }
                None if value_type.is_decimal() => {
                    format!("{shown} has more than {} digits, the most that a decimal keeps", exact::MAX_DIGITS)
                }
                None => format!("{shown} is outside {value_type}"),
            },
            Fault::Shift => format!("{shown}: bits of {value_type} cannot be moved by {}", show(right)),
            Fault::Undefined => format!("{shown} is not a number"),
            Fault::NoSuchOperation => format!("{value_type} values have no operation `{sign}`"),
        })
    }
}

/// A number as messages show it.
fn show(value: &Datum) -> String {
    match value {
        Datum::Int(value) => value.to_string(),
        Datum::UInt(value) => value.to_string(),
        Datum::Float(value) => value.to_string(),
        Datum::Decimal(value) => value.to_string(),
        other => other.cell().type_name().to_owned(),
    }
}

#[cold]
fn not_numbers(operator: ArithmeticOperator, left: &Datum, right: &Datum, value_type: &ValueType) -> Error {
    Error::query(format!("{} {} {} is no operation of {value_type}", show(left), operator.sign(), show(right)))
}

fn integers(operator: ArithmeticOperator, a: i128, b: i128, (least, greatest): (i128, i128)) -> Result<Datum, Fault> {
    let bits = (greatest - least).ilog2() + 1;
    let shift = || u32::try_from(b).ok().filter(|count| *count < bits).ok_or(Fault::Shift);
    // Operands have at most 64 bits; only a product can leave 128.
    let result = match operator {
        ArithmeticOperator::Add => a + b,
        ArithmeticOperator::Subtract => a - b,
        ArithmeticOperator::Multiply => a.checked_mul(b).ok_or(Fault::Outside)?,
        ArithmeticOperator::Divide | ArithmeticOperator::Remainder if b == 0 => return Ok(Datum::Null),
        ArithmeticOperator::Divide => a / b,
        ArithmeticOperator::Remainder => a % b,
        ArithmeticOperator::BitAnd => a & b,
        ArithmeticOperator::BitOr => a | b,
        ArithmeticOperator::BitXor => a ^ b,
        ArithmeticOperator::ShiftLeft => a << shift()?,
        ArithmeticOperator::ShiftRight => a >> shift()?,
    };
    if !(least..=greatest).contains(&result) {
        return Err(Fault::Outside);
    }
    Ok(whole(result))
}

/// An integer of 64 bits as a value.
pub(super) fn whole(value: i128) -> Datum {
    match i64::try_from(value) {
        Ok(value) => Datum::Int(value),
        Err(_) => Datum::UInt(u64::try_from(value).unwrap_or(u64::MAX)),
    }
}

/// The float nearest to a number.
pub(super) fn float(value: &Datum) -> Option<f64> {
    match value {
        Datum::Float(value) => Some(*value),
        Datum::Int(value) => Some(*value as f64),
        Datum::UInt(value) => Some(*value as f64),
        Datum::Decimal(value) => value.to_string().parse().ok(),
        _ => None,
    }
}

fn floats(operator: ArithmeticOperator, a: f64, b: f64, is_single: bool) -> Result<Datum, Fault> {
    let result = match operator {
        ArithmeticOperator::Add => a + b,
        ArithmeticOperator::Subtract => a - b,
        ArithmeticOperator::Multiply => a * b,
        ArithmeticOperator::Divide | ArithmeticOperator::Remainder if b == 0.0 => return Ok(Datum::Null),
        ArithmeticOperator::Divide => a / b,
        ArithmeticOperator::Remainder => a % b,
        _ => return Err(Fault::NoSuchOperation),
    };
    // Twice the digits and two more make the second rounding harmless.
    let result = if is_single { f64::from(result as f32) } else { result };
    if result.is_nan() {
        return Err(Fault::Undefined);
    }
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(Fault::Outside);
    }
    Ok(Datum::Float(result + 0.0))
}

fn decimals(operator: ArithmeticOperator, a: Decimal, b: Decimal) -> Result<Datum, Fault> {
    let result = match operator {
        ArithmeticOperator::Add => exact::add(a, b),
        ArithmeticOperator::Subtract => exact::sub(a, b),
        ArithmeticOperator::Multiply => exact::mul(a, b),
        ArithmeticOperator::Divide => match exact::div(a, b) {
            Some(None) => return Ok(Datum::Null),
            Some(quotient) => quotient,
            None => None,
        },
        ArithmeticOperator::Remainder if b.is_zero() => return Ok(Datum::Null),
        ArithmeticOperator::Remainder => remainder(a, b),
        _ => return Err(Fault::NoSuchOperation),
    };
    result.map(Datum::Decimal).ok_or(Fault::Outside)
}

/// The exact remainder of a truncating division by a number that is not zero.
fn remainder(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let (mut rest, mut by) = (a.mantissa(), b.mantissa());
    if a.scale() >= b.scale() {
        // A divisor that is wider than 128 bits at this scale is greater than the dividend.
        let Some(widened) = 10i128.checked_pow(a.scale() - b.scale()).and_then(|factor| by.checked_mul(factor)) else {
            return Some(a);
        };
        by = widened;
        return exact::from_parts(rest % by, a.scale());
    }
    rest %= by;
    for _ in a.scale()..b.scale() {
        rest = (rest * 10) % by;
    }
    exact::from_parts(rest, b.scale())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ArithmeticOperator::*;

    fn int(operator: ArithmeticOperator, a: i64, b: i64, value_type: ValueType) -> Result<Datum> {
        arithmetic(operator, &Datum::Int(a), &Datum::Int(b), &value_type)
    }

    fn dec(operator: ArithmeticOperator, a: &str, b: &str) -> Result<Datum> {
        let parse = |text| Datum::Decimal(exact::parse(text).unwrap());
        arithmetic(operator, &parse(a), &parse(b), &ValueType::DECIMAL)
    }

    #[test]
    fn results_outside_the_type_are_refused_at_both_ends() {
        for value_type in [
            ValueType::I8,
            ValueType::I16,
            ValueType::I32,
            ValueType::I64,
            ValueType::U8,
            ValueType::U16,
            ValueType::U32,
            ValueType::U64,
        ] {
            let (least, greatest) = value_type.integer_range().unwrap();
            let (least, greatest, one) = (whole(least), whole(greatest), Datum::Int(1));
            for (operator, edge) in [(Add, &greatest), (Subtract, &least)] {
                let error = arithmetic(operator, edge, &one, &value_type).unwrap_err();
                assert!(error.is_query());
                let says = format!("{} {} 1 is outside {value_type}", show(edge), operator.sign());
                assert!(error.message().contains(&says), "{error}");
            }
            assert_eq!(arithmetic(Subtract, &greatest, &Datum::Int(0), &value_type).unwrap(), greatest);
            assert!(arithmetic(Multiply, &greatest, &greatest, &value_type).is_err());
            assert_eq!(arithmetic(Multiply, &greatest, &one, &value_type).unwrap(), greatest);
        }
        assert!(int(Divide, -128, -1, ValueType::I8).is_err());
        assert!(int(Divide, i64::MIN, -1, ValueType::I64).is_err());
        assert_eq!(int(Remainder, i64::MIN, -1, ValueType::I64).unwrap(), Datum::Int(0));
    }

    #[test]
    fn integer_division_truncates_towards_zero() {
        assert_eq!(int(Divide, -7, 2, ValueType::I64).unwrap(), Datum::Int(-3));
        assert_eq!(int(Remainder, -7, 2, ValueType::I64).unwrap(), Datum::Int(-1));
        assert_eq!(int(Remainder, 7, -2, ValueType::I64).unwrap(), Datum::Int(1));
    }

    #[test]
    fn a_division_by_zero_is_null() {
        for operator in [Divide, Remainder] {
            assert_eq!(int(operator, 1, 0, ValueType::I8).unwrap(), Datum::Null);
            assert_eq!(dec(operator, "1.5", "0.00").unwrap(), Datum::Null);
            for zero in [0.0, -0.0] {
                let quotient = arithmetic(operator, &Datum::Float(0.0), &Datum::Float(zero), &ValueType::F64);
                assert_eq!(quotient.unwrap(), Datum::Null);
            }
        }
    }

    #[test]
    fn null_operands_give_null() {
        assert_eq!(arithmetic(Add, &Datum::Null, &Datum::Int(1), &ValueType::I8).unwrap(), Datum::Null);
        assert_eq!(arithmetic(Divide, &Datum::Int(1), &Datum::Null, &ValueType::F64).unwrap(), Datum::Null);
    }

    #[test]
    fn bits_are_those_of_the_type() {
        assert_eq!(int(BitAnd, -1, 0b1010, ValueType::I8).unwrap(), Datum::Int(10));
        assert_eq!(int(BitOr, 0b1000, 0b0001, ValueType::U8).unwrap(), Datum::Int(9));
        assert_eq!(int(BitXor, -1, 1, ValueType::I64).unwrap(), Datum::Int(-2));
        let ones = arithmetic(BitXor, &Datum::UInt(u64::MAX), &Datum::Int(0), &ValueType::U64);
        assert_eq!(ones.unwrap(), Datum::UInt(u64::MAX));
    }

    #[test]
    fn shifts_keep_the_sign_and_their_bounds() {
        assert_eq!(int(ShiftRight, -8, 1, ValueType::I8).unwrap(), Datum::Int(-4));
        assert_eq!(int(ShiftLeft, -1, 7, ValueType::I8).unwrap(), Datum::Int(-128));
        assert!(int(ShiftLeft, 1, 7, ValueType::I8).unwrap_err().message().contains("outside i8"));
        assert!(int(ShiftLeft, 1, 8, ValueType::I8).unwrap_err().message().contains("moved by 8"));
        assert!(int(ShiftRight, 1, 64, ValueType::U64).unwrap_err().is_query());
        assert_eq!(int(ShiftRight, 1, 63, ValueType::U64).unwrap(), Datum::Int(0));
        assert!(int(ShiftRight, 1, -1, ValueType::I64).unwrap_err().is_query());
        let top = arithmetic(ShiftLeft, &Datum::Int(1), &Datum::Int(63), &ValueType::U64).unwrap();
        assert_eq!(top, Datum::UInt(1 << 63));
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(dec(Add, "0.1", "0.2").unwrap(), dec(Multiply, "0.3", "1").unwrap());
        assert_eq!(dec(Divide, "1", "3").unwrap(), dec(Add, "0.333333333333", "0").unwrap());
        assert!(dec(Multiply, "9999999999999999999999999999", "10").unwrap_err().message().contains("28 digits"));
        assert_eq!(dec(Remainder, "-7.5", "2").unwrap(), dec(Add, "-1.5", "0").unwrap());
        assert_eq!(dec(Remainder, "7", "0.3").unwrap(), dec(Add, "0.1", "0").unwrap());
        assert_eq!(
            dec(Remainder, "1", "0.0000000000000000000000000003").unwrap(),
            dec(Add, "0.0000000000000000000000000001", "0").unwrap()
        );
        assert_eq!(
            dec(Remainder, "0.0000000000000000000000000003", "9999999999999999999999999999").unwrap(),
            dec(Add, "0.0000000000000000000000000003", "0").unwrap()
        );
        assert!(dec(BitAnd, "1", "1").unwrap_err().message().contains("no operation `&`"));
    }

    #[test]
    fn floats_keep_infinity_but_not_overflow_or_nan() {
        let float = |operator, a, b, value_type| arithmetic(operator, &Datum::Float(a), &Datum::Float(b), &value_type);
        assert_eq!(float(Add, f64::INFINITY, 1.0, ValueType::F64).unwrap(), Datum::Float(f64::INFINITY));
        assert!(float(Subtract, f64::INFINITY, f64::INFINITY, ValueType::F64).unwrap_err().is_query());
        assert!(float(Multiply, 1e308, 10.0, ValueType::F64).unwrap_err().is_query());
        assert!(float(Multiply, 3e38, 10.0, ValueType::F32).unwrap_err().message().contains("outside f32"));
        let third = float(Divide, 1.0, 3.0, ValueType::F32).unwrap();
        assert_eq!(third, Datum::Float(f64::from(1.0f32 / 3.0f32)));
        let zero = float(Multiply, -1.0, 0.0, ValueType::F64).unwrap();
        assert!(matches!(zero, Datum::Float(value) if value.is_sign_positive()));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let error = arithmetic(Add, &Datum::Text("1".into()), &Datum::Int(1), &ValueType::I64).unwrap_err();
        assert!(error.is_query());
    }
}
