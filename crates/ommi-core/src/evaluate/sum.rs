//! Sums and means, exact and one value at a time.

use crate::error::{Error, Result};
use crate::value::Decimal;
use crate::value::decimal as exact;

/// The sum of integers: exact, an `i64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumInt {
    sum: i128,
    count: u64,
}

impl SumInt {
    /// Adds a value of up to 64 bits.
    pub fn add(&mut self, value: i128) {
        self.sum += value;
        self.count += 1;
    }

    /// The sum; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it is outside `i64`.
    pub fn finish(&self) -> Result<Option<i64>> {
        if self.count == 0 {
            return Ok(None);
        }
        i64::try_from(self.sum).map(Some).map_err(|_| {
            Error::query(format!("the sum {} is outside i64: sum smaller groups, or a decimal field", self.sum))
        })
    }
}

/// The mean of integers: a decimal with 12 digits after the point, half even.
#[derive(Clone, Copy, Debug, Default)]
pub struct AvgInt {
    total: SumInt,
}

impl AvgInt {
    /// Adds a value of up to 64 bits.
    pub fn add(&mut self, value: i128) {
        self.total.add(value);
    }

    /// The mean; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it has more digits than a decimal keeps: more than 16 before the point.
    pub fn finish(&self) -> Result<Option<Decimal>> {
        if self.total.count == 0 {
            return Ok(None);
        }
        mean_or_refuse(exact::quotient(self.total.sum, self.total.count.into()))
    }
}

fn mean_or_refuse(mean: Option<Decimal>) -> Result<Option<Decimal>> {
    match mean {
        Some(mean) => Ok(Some(mean)),
        None => Err(Error::query(format!(
            "the mean has more than {} digits, the most that a decimal keeps",
            exact::MAX_DIGITS
        ))),
    }
}

/// Scales of decimals, 0 to 28.
const SCALES: usize = 29;
/// Digits after the point of a mean.
const KEPT: usize = exact::QUOTIENT_SCALE as usize;

/// The sum of decimals: exact, of up to 28 digits. The sums on the way may be longer.
#[derive(Clone, Debug)]
pub struct SumDecimal {
    /// The sum of the mantissas of each scale: at 94 bits each, 2^33 of them fit.
    sums: [i128; SCALES],
    count: u64,
}

impl Default for SumDecimal {
    fn default() -> Self {
        SumDecimal { sums: [0; SCALES], count: 0 }
    }
}

/// A number of any length, not negative: its whole part and 28 digits of fraction.
struct Digits {
    is_negative: bool,
    whole: u128,
    fraction: [u8; SCALES - 1],
}

impl SumDecimal {
    /// Adds a value.
    ///
    /// # Errors
    ///
    /// `Query` once the sum is beyond any decimal.
    pub fn add(&mut self, value: Decimal) -> Result<()> {
        self.count += 1;
        let sum = usize::try_from(value.scale()).ok().and_then(|scale| self.sums.get_mut(scale));
        match sum.and_then(|sum| Some((sum.checked_add(value.mantissa())?, sum))) {
            Some((added, sum)) => {
                *sum = added;
                Ok(())
            }
            None => Err(too_long()),
        }
    }

    /// The sum; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it has more than 28 digits.
    pub fn finish(&self) -> Result<Option<Decimal>> {
        if self.count == 0 {
            return Ok(None);
        }
        self.digits().and_then(|digits| digits.decimal()).map(Some).ok_or_else(too_long)
    }

    fn digits(&self) -> Option<Digits> {
        let mut digits = self.carry(1)?;
        if digits.is_negative {
            digits = Digits { is_negative: true, ..self.carry(-1)? };
        }
        Some(digits)
    }

    /// Carries the sums from the finest scale to the whole part. A sum below zero has a negative
    /// whole part and is carried anew with the other sign.
    fn carry(&self, sign: i128) -> Option<Digits> {
        let mut fraction = [0; SCALES - 1];
        let mut carry = 0i128;
        for (sum, digit) in self.sums.iter().skip(1).zip(&mut fraction).rev() {
            carry = carry.checked_add(sum.checked_mul(sign)?)?;
            *digit = u8::try_from(carry.rem_euclid(10)).ok()?;
            carry = carry.div_euclid(10);
        }
        let whole = carry.checked_add(self.sums.first()?.checked_mul(sign)?)?;
        Some(Digits { is_negative: whole < 0, whole: u128::try_from(whole).unwrap_or(0), fraction })
    }
}

impl Digits {
    fn decimal(&self) -> Option<Decimal> {
        let scale = self.fraction.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
        let mut mantissa = i128::try_from(self.whole).ok()?;
        for digit in self.fraction.iter().take(scale) {
            mantissa = mantissa.checked_mul(10)?.checked_add((*digit).into())?;
        }
        exact::from_parts(if self.is_negative { -mantissa } else { mantissa }, u32::try_from(scale).ok()?)
    }

    /// The number divided by a count, with 12 digits after the point, half even.
    fn mean(&self, count: u64) -> Option<Decimal> {
        let count = u128::from(count);
        let mut whole = self.whole / count;
        let mut rest = self.whole % count;
        let mut kept = 0u64;
        for digit in self.fraction.iter().take(KEPT) {
            rest = rest * 10 + u128::from(*digit);
            kept = kept * 10 + u64::try_from(rest / count).ok()?;
            rest %= count;
        }
        // What is left is `rest` and the digits behind it, to be compared with half the count.
        let mut unit = 1u128;
        for digit in self.fraction.iter().skip(KEPT) {
            rest = rest * 10 + u128::from(*digit);
            unit *= 10;
        }
        let half = (2 * rest).cmp(&(count * unit));
        if half.is_gt() || half.is_eq() && kept % 2 == 1 {
            kept += 1;
        }
        let mut scale = exact::QUOTIENT_SCALE;
        while scale > 0 && kept.is_multiple_of(10) {
            kept /= 10;
            scale -= 1;
        }
        whole = whole.checked_mul(10u128.pow(scale))?.checked_add(kept.into())?;
        let mantissa = i128::try_from(whole).ok()?;
        exact::from_parts(if self.is_negative { -mantissa } else { mantissa }, scale)
    }
}

#[cold]
fn too_long() -> Error {
    Error::query(format!("the sum has more than {} digits, the most that a decimal keeps", exact::MAX_DIGITS))
}

/// The mean of decimals: exact, with 12 digits after the point, half even.
#[derive(Clone, Debug, Default)]
pub struct AvgDecimal {
    total: SumDecimal,
}

impl AvgDecimal {
    /// Adds a value.
    ///
    /// # Errors
    ///
    /// `Query` once the sum is beyond any decimal.
    pub fn add(&mut self, value: Decimal) -> Result<()> {
        self.total.add(value)
    }

    /// The mean; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it has more than 28 digits.
    pub fn finish(&self) -> Result<Option<Decimal>> {
        if self.total.count == 0 {
            return Ok(None);
        }
        mean_or_refuse(self.total.digits().and_then(|digits| digits.mean(self.total.count)))
    }
}

/// A sum of finite floats that does not overflow, with the rounding errors summed up beside it.
#[derive(Clone, Copy, Debug, Default)]
struct Compensated {
    sum: f64,
    errors: f64,
}

impl Compensated {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let (large, small) = if self.sum.abs() >= value.abs() { (self.sum, value) } else { (value, self.sum) };
        self.errors += (large - sum) + small;
        self.sum = sum;
    }

    fn total(&self) -> f64 {
        self.sum + self.errors
    }
}

/// Floats from here on are summed apart, divided by it, so that no sum on the way overflows.
const LARGE: f64 = 1.340_780_792_994_259_7e154;

/// The sum of floats, whatever their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumFloat {
    small: Compensated,
    large: Compensated,
    infinite: f64,
    count: u64,
}

impl SumFloat {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        if value.abs() < LARGE {
            self.small.add(value);
        } else if value.is_finite() {
            self.large.add(value / LARGE);
        } else {
            self.infinite += value;
        }
    }

    /// The sum; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if finite values have a sum beyond the range, or infinities of both signs were added.
    pub fn finish(&self) -> Result<Option<f64>> {
        if self.count == 0 {
            return Ok(None);
        }
        self.divided_by(1.0).map(Some)
    }

    fn divided_by(&self, count: f64) -> Result<f64> {
        if self.infinite.is_nan() {
            return Err(Error::query("the sum of infinities of both signs is not a number"));
        }
        if self.infinite != 0.0 {
            return Ok(self.infinite);
        }
        let large = self.large.total();
        if large == 0.0 {
            return Ok(self.small.total() / count + 0.0);
        }
        let total = (large + self.small.total() / LARGE) / count * LARGE;
        if total.is_infinite() {
            return Err(Error::query("the sum is outside f64: sum smaller groups"));
        }
        Ok(total + 0.0)
    }
}

/// The mean of floats.
#[derive(Clone, Copy, Debug, Default)]
pub struct AvgFloat {
    total: SumFloat,
}

impl AvgFloat {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.total.add(value);
    }

    /// The mean; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it is no number: infinities of both signs were added.
    pub fn finish(&self) -> Result<Option<f64>> {
        if self.total.count == 0 {
            return Ok(None);
        }
        self.total.divided_by(self.total.count as f64).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> Result<Option<f64>> {
        let mut sum = SumFloat::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.finish()
    }

    #[test]
    fn a_sum_of_floats_does_not_depend_on_their_order() {
        assert_eq!(2f64.powi(512), LARGE);
        for values in
            [[f64::MAX, f64::MAX, -f64::MAX], [f64::MAX, -f64::MAX, f64::MAX], [-f64::MAX, f64::MAX, f64::MAX]]
        {
            assert_eq!(sum(&values).unwrap(), Some(f64::MAX));
        }
        assert_eq!(sum(&[f64::MAX, f64::MAX, f64::NEG_INFINITY]).unwrap(), Some(f64::NEG_INFINITY));
        assert_eq!(sum(&[f64::NEG_INFINITY, f64::MAX]).unwrap(), Some(f64::NEG_INFINITY));
        assert_eq!(sum(&[1e300, 5e-324, -1e300]).unwrap(), Some(5e-324));
        assert_eq!(sum(&[]).unwrap(), None);
    }

    #[test]
    fn a_sum_of_floats_outside_their_range_is_an_error_and_their_mean_is_not() {
        assert!(sum(&[f64::MAX, f64::MAX]).unwrap_err().is_query());
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).unwrap_err().is_query());
        let mut mean = AvgFloat::default();
        [f64::MAX, f64::MAX].into_iter().for_each(|value| mean.add(value));
        assert_eq!(mean.finish().unwrap(), Some(f64::MAX));
    }
}
