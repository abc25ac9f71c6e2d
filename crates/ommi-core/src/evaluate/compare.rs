//! Comparing values: by value, whatever their types.

use std::cmp::Ordering;

use crate::query::{Direction, OrderBy};
use crate::value::{Datum, Decimal, json};

/// Compares two values; `None` if either is null or they have no order between them.
///
/// Numbers compare by value across all number types without rounding, text by code point, bytes
/// and UUIDs as unsigned bytes, false before true. JSON and lists have no order.
pub fn compare(left: &Datum, right: &Datum) -> Option<Ordering> {
    Some(match (left, right) {
        (Datum::Int(left), Datum::Int(right)) => left.cmp(right),
        (Datum::Text(left), Datum::Text(right)) => left.cmp(right),
        (Datum::Bool(left), Datum::Bool(right)) => left.cmp(right),
        (Datum::Bytes(left), Datum::Bytes(right)) => left.cmp(right),
        (Datum::Uuid(left), Datum::Uuid(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Datum::Date(left), Datum::Date(right)) => left.cmp(right),
        (Datum::Time(left), Datum::Time(right)) => left.cmp(right),
        (Datum::DateTime(left), Datum::DateTime(right)) => left.cmp(right),
        (Datum::Timestamp(left), Datum::Timestamp(right)) => left.cmp(right),
        (Datum::Duration(left), Datum::Duration(right)) => left.cmp(right),
        _ => return compare_numbers(left, right),
    })
}

fn compare_numbers(left: &Datum, right: &Datum) -> Option<Ordering> {
    match (left, right) {
        (Datum::Float(left), Datum::Float(right)) => left.partial_cmp(right),
        (Datum::Decimal(left), Datum::Decimal(right)) => Some(left.cmp(right)),
        (Datum::Float(left), right) => compare_decimal(decimal(right)?, *left).map(Ordering::reverse),
        (left, Datum::Float(right)) => compare_decimal(decimal(left)?, *right),
        (Datum::Decimal(left), right) => Some(left.cmp(&decimal(right)?)),
        (left, Datum::Decimal(right)) => Some(decimal(left)?.cmp(right)),
        (left, right) => Some(integer(left)?.cmp(&integer(right)?)),
    }
}

/// The integer that a value is.
pub(super) fn integer(value: &Datum) -> Option<i128> {
    match value {
        Datum::Int(value) => Some((*value).into()),
        Datum::UInt(value) => Some((*value).into()),
        _ => None,
    }
}

/// The decimal that a value is: integers fit without rounding.
pub(super) fn decimal(value: &Datum) -> Option<Decimal> {
    match value {
        Datum::Int(value) => Some((*value).into()),
        Datum::UInt(value) => Some((*value).into()),
        Datum::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// The fraction and the power of two of a float below one: `mantissa / 2^power`.
pub(super) fn binary_fraction(fraction: f64) -> (u128, u32) {
    const MANTISSA_BITS: u32 = 52;
    let bits = fraction.abs().to_bits();
    let stored = bits & ((1 << MANTISSA_BITS) - 1);
    let exponent = u32::try_from(bits >> MANTISSA_BITS).unwrap_or(0);
    match exponent {
        0 => (stored.into(), 1074),
        exponent => ((stored | 1 << MANTISSA_BITS).into(), 1075u32.saturating_sub(exponent)),
    }
}

/// Compares a decimal with a float by value, without rounding either.
fn compare_decimal(decimal: Decimal, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= 1e30 {
        return Some(Ordering::Less);
    }
    if float <= -1e30 {
        return Some(Ordering::Greater);
    }
    // Below 1e30 the cast of the whole part is exact.
    let whole = decimal.trunc().normalize().mantissa().cmp(&(float.trunc() as i128));
    if whole.is_ne() {
        return Some(whole);
    }
    let fraction = float.fract();
    let scale = decimal.scale();
    let decimal_digits = decimal.fract().mantissa() * 10i128.pow(Decimal::MAX_SCALE - scale.min(Decimal::MAX_SCALE));
    let is_negative = decimal_digits < 0 || fraction < 0.0;
    if (decimal_digits > 0 && fraction < 0.0) || (decimal_digits < 0 && fraction > 0.0) {
        return Some(decimal_digits.cmp(&0));
    }
    // Both fractions times 10^28: the float's is mantissa * 5^28 / 2^(power - 28), which has a
    // mantissa of at most 53 + 66 bits.
    let (mantissa, power) = binary_fraction(fraction);
    let product = mantissa * 5u128.pow(Decimal::MAX_SCALE);
    let (quotient, has_rest) = match power.checked_sub(Decimal::MAX_SCALE) {
        Some(shift) if shift >= u128::BITS => (0, product != 0),
        Some(shift) => (product >> shift, product & ((1 << shift) - 1) != 0),
        None => (product << (Decimal::MAX_SCALE - power), false),
    };
    let magnitude = decimal_digits.unsigned_abs().cmp(&quotient).then(match has_rest {
        true => Ordering::Less,
        false => Ordering::Equal,
    });
    Some(if is_negative { magnitude.reverse() } else { magnitude })
}

/// Whether two values are equal; `None` if either is null or they are of different kinds.
///
/// JSON is compared by structure, with numbers by value; lists element by element.
pub fn equal(left: &Datum, right: &Datum) -> Option<bool> {
    match (left, right) {
        (Datum::Text(left), Datum::Text(right)) => Some(left == right),
        (Datum::Json(left), Datum::Json(right)) => Some(json::equal(left, right)),
        (Datum::List(left), Datum::List(right)) => Some(
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right) == Some(true)),
        ),
        _ => compare(left, right).map(Ordering::is_eq),
    }
}

/// Compares two values of an `order_by`: nulls lowest or where they are placed.
pub fn order(left: &Datum, right: &Datum, by: &OrderBy) -> Ordering {
    order_values(left, right, by.direction, by.nulls_first())
}

pub(super) fn order_values(left: &Datum, right: &Datum, direction: Direction, nulls_first: bool) -> Ordering {
    let null = if nulls_first { Ordering::Less } else { Ordering::Greater };
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => null,
        (false, true) => null.reverse(),
        (false, false) => {
            let values = compare(left, right).unwrap_or(Ordering::Equal);
            if direction == Direction::Descending { values.reverse() } else { values }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Expr, Nulls};
    use serde_json::json;

    fn dec(text: &str) -> Datum {
        Datum::Decimal(crate::value::decimal::parse(text).unwrap())
    }

    #[test]
    fn numbers_compare_by_value_across_types() {
        let ascending = [
            Datum::Float(f64::NEG_INFINITY),
            Datum::Float(-1e300),
            Datum::Int(i64::MIN),
            dec("-1.5"),
            Datum::Float(-1.25),
            Datum::Float(-f64::MIN_POSITIVE),
            Datum::Int(0),
            Datum::Float(5e-324),
            dec("0.0000000000000000000000000001"),
            dec("0.1"),
            Datum::Float(0.1), // a little more than a tenth
            dec("0.5000000000000000000000000001"),
            Datum::Int(9_007_199_254_740_992),
            Datum::Int(9_007_199_254_740_993),
            Datum::Int(i64::MAX),
            Datum::Float(9_223_372_036_854_775_808.0),
            Datum::UInt((1 << 63) + 1),
            Datum::UInt(u64::MAX),
            Datum::Float(1.8446744073709552e19),
            dec("18446744073709551616.5"),
            Datum::Float(1e28), // the nearest float is a little less
            dec("9999999999999999999999999999"),
            Datum::Float(f64::INFINITY),
        ];
        for (i, left) in ascending.iter().enumerate() {
            for (j, right) in ascending.iter().enumerate() {
                assert_eq!(compare(left, right), Some(i.cmp(&j)), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn equal_numbers_of_different_types_are_equal() {
        for (left, right) in [
            (Datum::Float(-0.0), Datum::Float(0.0)),
            (Datum::Float(-0.0), Datum::Int(0)),
            (dec("1.50"), dec("1.5")),
            (dec("1.50"), Datum::Float(1.5)),
            (dec("-0.25"), Datum::Float(-0.25)),
            (dec("3.00"), Datum::Int(3)),
            (Datum::Int(3), Datum::Float(3.0)),
            (dec("18446744073709551615"), Datum::UInt(u64::MAX)),
        ] {
            assert_eq!(equal(&left, &right), Some(true), "{left:?} {right:?}");
            assert_eq!(equal(&right, &left), Some(true), "{left:?} {right:?}");
        }
    }

    #[test]
    fn text_compares_by_code_point_and_trailing_spaces_count() {
        let text = |text: &str| Datum::Text(text.into());
        assert_eq!(compare(&text("Z"), &text("a")), Some(Ordering::Less));
        assert_eq!(compare(&text("a"), &text("a ")), Some(Ordering::Less));
        // in UTF-16 the second would come first
        assert_eq!(compare(&text("\u{FFFF}"), &text("\u{10000}")), Some(Ordering::Less));
    }

    #[test]
    fn bytes_and_booleans_have_their_order() {
        let bytes = |bytes: &[u8]| Datum::Bytes(bytes.into());
        assert_eq!(compare(&bytes(&[0x7f]), &bytes(&[0x80])), Some(Ordering::Less));
        assert_eq!(compare(&bytes(&[1]), &bytes(&[1, 0])), Some(Ordering::Less));
        assert_eq!(compare(&Datum::Bool(false), &Datum::Bool(true)), Some(Ordering::Less));
    }

    #[test]
    fn null_and_different_kinds_do_not_compare() {
        assert_eq!(compare(&Datum::Null, &Datum::Null), None);
        assert_eq!(equal(&Datum::Null, &Datum::Int(1)), None);
        assert_eq!(equal(&Datum::Text("1".into()), &Datum::Int(1)), None);
        assert_eq!(compare(&Datum::Json(Box::new(json!(1))), &Datum::Json(Box::new(json!(2)))), None);
    }

    #[test]
    fn json_and_lists_are_equal_by_structure() {
        let document = |value| Datum::Json(Box::new(value));
        assert_eq!(equal(&document(json!({"a": 1, "b": 2})), &document(json!({"b": 2.0, "a": 1}))), Some(true));
        assert_eq!(equal(&document(json!(null)), &document(json!(null))), Some(true));
        let list = |items: &[i64]| Datum::List(items.iter().copied().map(Datum::Int).collect());
        assert_eq!(equal(&list(&[1, 2]), &list(&[1, 2])), Some(true));
        assert_eq!(equal(&list(&[1, 2]), &list(&[2, 1])), Some(false));
        assert_eq!(equal(&list(&[]), &list(&[1])), Some(false));
    }

    #[test]
    fn nulls_sort_lowest_or_where_they_are_placed() {
        let by = |direction, nulls| OrderBy { expr: Expr::Field(0), direction, nulls };
        let null_to_one = |by: &OrderBy| order(&Datum::Null, &Datum::Int(1), by);
        assert_eq!(null_to_one(&by(Direction::Ascending, None)), Ordering::Less);
        assert_eq!(null_to_one(&by(Direction::Descending, None)), Ordering::Greater);
        assert_eq!(null_to_one(&by(Direction::Ascending, Some(Nulls::Last))), Ordering::Greater);
        assert_eq!(null_to_one(&by(Direction::Descending, Some(Nulls::First))), Ordering::Less);
        assert_eq!(order(&Datum::Int(2), &Datum::Int(1), &by(Direction::Descending, None)), Ordering::Less);
        assert_eq!(order(&Datum::Null, &Datum::Null, &by(Direction::Descending, None)), Ordering::Equal);
    }
}
