//! Decimals: their limits, their portable form as text, and exact arithmetic.

use std::cmp::Ordering;

use rust_decimal::RoundingStrategy;

use super::{Decimal, DecimalSize};
use crate::error::{Error, Result};

/// The greatest number of significant digits.
pub const MAX_DIGITS: u32 = 28;
/// Digits after the point of a quotient or an average.
pub const QUOTIENT_SCALE: u32 = 12;

/// How many digits the absolute value has, without leading zeros.
fn digits(value: i128) -> u32 {
    value.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
}

/// Refuses decimals of more than 28 significant digits.
///
/// # Errors
///
/// `Query` if the value has more digits.
pub fn check(value: Decimal) -> Result<()> {
    if digits(value.mantissa()) <= MAX_DIGITS || digits(value.normalize().mantissa()) <= MAX_DIGITS {
        return Ok(());
    }
    Err(Error::query(format!("the decimal {value} has more than {MAX_DIGITS} significant digits")))
}

/// The same number with exactly `size.scale` digits after the point, if it fits the size.
pub fn fit(value: Decimal, size: DecimalSize) -> Option<Decimal> {
    let scale = u32::from(size.scale);
    let mut fitted = value.normalize();
    if fitted.scale() > scale {
        return None;
    }
    if digits(fitted.mantissa()) + (scale - fitted.scale()) > u32::from(size.precision) && !fitted.is_zero() {
        return None;
    }
    fitted.rescale(scale);
    (fitted.scale() == scale).then_some(fitted)
}

/// The portable text of a decimal: without trailing zeros, or with those of its size.
///
/// A value that does not fit the size (an argument of a comparison) keeps its own digits.
pub fn text(value: Decimal, size: Option<DecimalSize>) -> String {
    match size.and_then(|size| fit(value, size)) {
        Some(fitted) => fitted.to_string(),
        None => value.normalize().to_string(),
    }
}

/// Reads a decimal.
///
/// # Errors
///
/// `Decode` if the text is not a decimal, or one with more digits than can be kept.
pub fn parse(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).map_err(|error| {
        let shown: String = text.chars().take(60).collect();
        Error::decode(format!("`{shown}` is not a decimal of up to {MAX_DIGITS} digits")).with_source(error)
    })
}

/// The decimal of a mantissa and a scale, if it has at most 28 digits; trailing zeros go.
pub fn from_parts(mut mantissa: i128, mut scale: u32) -> Option<Decimal> {
    while scale > 0 && (mantissa % 10 == 0) {
        mantissa /= 10;
        scale -= 1;
    }
    if digits(mantissa) > MAX_DIGITS || scale > MAX_DIGITS {
        return None;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

fn aligned(left: Decimal, right: Decimal) -> Option<(i128, i128, u32)> {
    let (left, right) = (left.normalize(), right.normalize());
    let scale = left.scale().max(right.scale());
    let widen = |value: Decimal| {
        if value.is_zero() {
            return Some(0);
        }
        10i128.checked_pow(scale - value.scale()).and_then(|factor| value.mantissa().checked_mul(factor))
    };
    Some((widen(left)?, widen(right)?, scale))
}

/// The exact sum, if it has at most 28 digits.
pub fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right, scale) = aligned(left, right)?;
    from_parts(left.checked_add(right)?, scale)
}

/// The exact difference, if it has at most 28 digits.
pub fn sub(left: Decimal, right: Decimal) -> Option<Decimal> {
    add(left, -right)
}

/// The exact product, if it has at most 28 digits.
pub fn mul(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (mut left, mut right) = (left.normalize(), right.normalize());
    // Factors of two and five may meet in the other factor and make trailing zeros: take the
    // product in 128 bits where it fits, and give up only where no 28 digits can hold it.
    if left.is_zero() || right.is_zero() {
        return Some(Decimal::ZERO);
    }
    let mut scale = left.scale() + right.scale();
    loop {
        if let Some(product) = left.mantissa().checked_mul(right.mantissa()) {
            return from_parts_wide(product, scale);
        }
        // Move a factor of ten out of the pair, if there is one.
        let (two, five) = if left.mantissa() % 2 == 0 && right.mantissa() % 5 == 0 {
            (&mut left, &mut right)
        } else if left.mantissa() % 5 == 0 && right.mantissa() % 2 == 0 {
            (&mut right, &mut left)
        } else {
            return None;
        };
        *two = Decimal::from_i128_with_scale(two.mantissa() / 2, 0);
        *five = Decimal::from_i128_with_scale(five.mantissa() / 5, 0);
        scale = scale.checked_sub(1)?;
    }
}

fn from_parts_wide(mut mantissa: i128, mut scale: u32) -> Option<Decimal> {
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    from_parts(mantissa, scale)
}

/// The quotient with 12 digits after the point, half even; null (`Some(None)`) for a division by
/// zero, `None` where the result has too many digits.
pub fn div(left: Decimal, right: Decimal) -> Option<Option<Decimal>> {
    if right.is_zero() {
        return Some(None);
    }
    let (left, right) = (left.normalize(), right.normalize());
    long_division(left.mantissa(), right.mantissa(), right.scale(), left.scale()).map(Some)
}

/// `numerator / denominator` with 12 digits after the point, half even, if it fits.
///
/// The denominator is not zero.
pub fn quotient(numerator: i128, denominator: i128) -> Option<Decimal> {
    long_division(numerator, denominator, 0, 0)
}

/// `numerator * 10^up / denominator / 10^down` with 12 digits after the point, half even, digit by
/// digit: no product on the way needs more than 128 bits.
fn long_division(numerator: i128, denominator: i128, up: u32, down: u32) -> Option<Decimal> {
    let is_negative = (numerator < 0) != (denominator < 0);
    let (numerator, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let mut digits = numerator.checked_div(denominator)?;
    let mut rest = numerator % denominator;
    // The digits so far stand for `digits * 10^up / 10^down`; more follow while there are any.
    let mut scale = i64::from(down) - i64::from(up);
    while scale < i64::from(QUOTIENT_SCALE) && rest != 0 {
        let (digit, remainder) = times_ten_div(rest, denominator);
        digits = digits.checked_mul(10)?.checked_add(digit)?;
        rest = remainder;
        scale += 1;
    }
    let mut half = rest.cmp(&(denominator - rest));
    let excess = u32::try_from(scale - i64::from(QUOTIENT_SCALE)).unwrap_or(0);
    if excess > 0 {
        let unit = 10u128.checked_pow(excess)?;
        half = (digits % unit).cmp(&(unit / 2)).then(if rest == 0 { Ordering::Equal } else { Ordering::Greater });
        digits /= unit;
        scale = QUOTIENT_SCALE.into();
    }
    if half.is_gt() || half.is_eq() && digits % 2 == 1 {
        digits = digits.checked_add(1)?;
    }
    if scale < 0 {
        digits = digits.checked_mul(10u128.checked_pow(u32::try_from(-scale).ok()?)?)?;
        scale = 0;
    }
    let signed = i128::try_from(digits).ok()?;
    from_parts(if is_negative { -signed } else { signed }, u32::try_from(scale).ok()?)
}

/// `(rest * 10) / denominator` and its remainder, for `rest < denominator`, without overflow.
fn times_ten_div(rest: u128, denominator: u128) -> (u128, u128) {
    let (mut digit, mut sum) = (0, 0u128);
    for _ in 0..10 {
        // sum + rest ≥ denominator, said without the sum
        if sum >= denominator - rest {
            sum -= denominator - rest;
            digit += 1;
        } else {
            sum += rest;
        }
    }
    (digit, sum)
}

/// The value rounded to 12 digits after the point, half even.
pub fn round_quotient(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(QUOTIENT_SCALE, RoundingStrategy::MidpointNearestEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        parse(text).unwrap()
    }

    #[test]
    fn sums_are_exact_or_refused() {
        assert_eq!(add(decimal("0.1"), decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(add(decimal("9999999999999999999999999999"), decimal("1")), None);
        assert_eq!(add(decimal("1000000000000000000000000000"), decimal("0.0000000000000000000000000001")), None);
    }

    #[test]
    fn products_are_exact_or_refused() {
        assert_eq!(mul(decimal("1.5"), decimal("-2.25")), Some(decimal("-3.375")));
        assert_eq!(mul(decimal("0.00000000000001"), decimal("0.000000000000001")), None);
        assert_eq!(mul(decimal("99999999999999"), decimal("999999999999999")), None);
    }

    #[test]
    fn quotients_have_twelve_digits_half_even() {
        assert_eq!(div(decimal("1"), decimal("3")), Some(Some(decimal("0.333333333333"))));
        assert_eq!(div(decimal("2"), decimal("3")), Some(Some(decimal("0.666666666667"))));
        assert_eq!(div(decimal("0.000000000001"), decimal("2")), Some(Some(Decimal::ZERO)));
        assert_eq!(div(decimal("0.000000000003"), decimal("2")), Some(Some(decimal("0.000000000002"))));
        assert_eq!(div(decimal("-1"), decimal("8")), Some(Some(decimal("-0.125"))));
        assert_eq!(div(decimal("1"), Decimal::ZERO), Some(None));
        assert_eq!(div(decimal("-2"), decimal("-3")), Some(Some(decimal("0.666666666667"))));
    }

    #[test]
    fn quotients_of_numbers_of_very_different_size_are_exact() {
        let nearly_one = decimal("0.9999999999999999999999999999");
        let large = decimal("9999999999999999999999999999");
        assert_eq!(div(nearly_one, decimal("12345678901")), Some(Some(decimal("0.000000000081"))));
        assert_eq!(
            div(decimal("2000000000000"), decimal("1.0000000000000000000000000005")).map(|q| q.is_some()),
            Some(true)
        );
        assert_eq!(div(large, Decimal::ONE), Some(Some(large)));
        assert_eq!(div(large, decimal("3")), Some(Some(decimal("3333333333333333333333333333"))));
        assert_eq!(div(large, decimal("7")), None);
        assert_eq!(div(large, decimal("0.1")), None);
        assert_eq!(div(decimal("0.0000000000000000000000000001"), large), Some(Some(Decimal::ZERO)));
        assert_eq!(div(decimal("0.0000000000005"), Decimal::ONE), Some(Some(Decimal::ZERO)));
        assert_eq!(div(decimal("0.0000000000015"), Decimal::ONE), Some(Some(decimal("0.000000000002"))));
        assert_eq!(div(decimal("0.0000000000005000000001"), Decimal::ONE), Some(Some(decimal("0.000000000001"))));
        assert_eq!(div(decimal("100"), decimal("0.5")), Some(Some(decimal("200"))));
    }

    #[test]
    fn a_size_keeps_its_zeros_and_refuses_what_is_finer() {
        let size = DecimalSize { precision: 5, scale: 2 };
        assert_eq!(text(decimal("1.5"), Some(size)), "1.50");
        assert_eq!(fit(decimal("999.99"), size), Some(decimal("999.99")));
        assert_eq!(fit(decimal("1000"), size), None);
        assert_eq!(fit(decimal("0.001"), size), None);
        assert_eq!(text(Decimal::ZERO, Some(size)), "0.00");
    }
}
