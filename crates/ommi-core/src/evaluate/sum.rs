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

/// The sum of floats, with the rounding errors summed up beside it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SumFloat {
    sum: f64,
    compensation: f64,
    count: u64,
}

impl SumFloat {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_finite() {
            let (large, small) = if self.sum.abs() >= value.abs() { (self.sum, value) } else { (value, self.sum) };
            self.compensation += (large - sum) + small;
        }
        self.sum = sum;
        self.count += 1;
    }

    /// The sum; `None` of no values.
    ///
    /// # Errors
    ///
    /// `Query` if it is no number: infinities of both signs were added.
    pub fn finish(&self) -> Result<Option<f64>> {
        if self.count == 0 {
            return Ok(None);
        }
        if self.sum.is_nan() {
            return Err(Error::query("the sum of infinities of both signs is not a number"));
        }
        Ok(Some(if self.sum.is_finite() { self.sum + self.compensation + 0.0 } else { self.sum }))
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
        Ok(self.total.finish()?.map(|sum| sum / self.total.count as f64 + 0.0))
    }
}
