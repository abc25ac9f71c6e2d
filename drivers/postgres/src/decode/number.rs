//! Numerics in their binary form: digits to the base of 10,000.

use ommi_core::value::{Cell, Decimal, decimal};
use ommi_core::{Error, Result};

use super::malformed;

const NEGATIVE: u16 = 0x4000;
const POSITIVE: u16 = 0x0000;
/// How many digits of ten one of ten thousand has.
const GROUP: i32 = 4;

/// A numeric: its digits as one number, the power of ten that it is to be multiplied by, and the
/// digits behind the point that it is shown with.
struct Parts {
    mantissa: u128,
    exponent: i32,
    shown: u32,
    is_negative: bool,
}

impl Parts {
    #[inline]
    fn read(bytes: &[u8]) -> Result<Parts> {
        let Some(([c0, c1, w0, w1, s0, s1, d0, d1], digits)) = bytes.split_first_chunk::<8>() else {
            return Err(malformed());
        };
        let count = i32::from(i16::from_be_bytes([*c0, *c1]));
        let weight = i32::from(i16::from_be_bytes([*w0, *w1]));
        let sign = u16::from_be_bytes([*s0, *s1]);
        let shown = u32::from(u16::from_be_bytes([*d0, *d1]));
        if sign != POSITIVE && sign != NEGATIVE {
            return Err(Error::decode("it is no number: NaN and infinity are no decimals"));
        }
        let mut mantissa = 0u128;
        for digit in digits.chunks_exact(2) {
            let digit = u16::from_be_bytes(digit.try_into().unwrap_or_default());
            mantissa = mantissa
                .checked_mul(10_000)
                .and_then(|mantissa| mantissa.checked_add(digit.into()))
                .ok_or_else(too_long)?;
        }
        Ok(Parts { mantissa, exponent: GROUP * (weight - count + 1), shown, is_negative: sign == NEGATIVE })
    }

    fn signed(&self, magnitude: u128) -> Result<i128> {
        let magnitude = i128::try_from(magnitude).map_err(|_| too_long())?;
        Ok(if self.is_negative { -magnitude } else { magnitude })
    }
}

#[cold]
fn too_long() -> Error {
    Error::decode(format!("it has more than {} digits, the most that a decimal keeps", decimal::MAX_DIGITS))
}

fn power(exponent: u32) -> Result<u128> {
    10u128.checked_pow(exponent).ok_or_else(too_long)
}

/// A numeric as a decimal, with the digits behind the point that it is shown with.
#[inline]
pub(super) fn decimal(bytes: &[u8]) -> Result<Decimal> {
    let parts = Parts::read(bytes)?;
    if parts.mantissa == 0 {
        return Ok(Decimal::from_i128_with_scale(0, parts.shown.min(decimal::MAX_DIGITS)));
    }
    let (mut mantissa, mut scale) = match u32::try_from(-parts.exponent) {
        Ok(scale) => (parts.mantissa, scale),
        Err(_) => {
            let whole = power(parts.exponent.unsigned_abs())?.checked_mul(parts.mantissa);
            (whole.ok_or_else(too_long)?, 0)
        }
    };
    // the last group may have zeros that are not shown
    while scale > parts.shown && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    let plain = decimal::from_parts(parts.signed(mantissa)?, scale).ok_or_else(too_long)?;
    let padded = parts.shown.checked_sub(plain.scale()).and_then(|zeros| {
        let mantissa = plain.mantissa().checked_mul(10i128.checked_pow(zeros)?)?;
        Decimal::try_from_i128_with_scale(mantissa, parts.shown).ok()
    });
    Ok(padded.unwrap_or(plain))
}

/// A numeric that is a whole number of up to 64 bits.
pub(super) fn integer(bytes: &[u8]) -> Result<Cell<'static>> {
    let parts = Parts::read(bytes)?;
    let is_whole = parts.exponent >= 0 || parts.mantissa == 0;
    let factor = power(parts.exponent.max(0).unsigned_abs())?;
    let outside = || Error::decode("it is no integer of 64 bits");
    if !is_whole {
        return Err(outside());
    }
    let magnitude = parts.mantissa.checked_mul(factor).ok_or_else(outside)?;
    let value = parts.signed(magnitude)?;
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Ok(Cell::Int(value)),
        (_, Ok(value)) => Ok(Cell::UInt(value)),
        _ => Err(outside()),
    }
}
