//! Decimals as MongoDB stores them: 128 bits, of which a value of 28 digits fills few.

use mongodb::bson::Decimal128;
use ommi_core::value::{Decimal, DecimalSize, decimal};
use ommi_core::{Error, Result};

const BIAS: i32 = 6_176;
const COEFFICIENT: u128 = (1 << 113) - 1;

/// The stored form of a coefficient and an exponent of ten.
pub(crate) fn of_parts(coefficient: i128, exponent: i32) -> Decimal128 {
    let sign = u128::from(coefficient < 0) << 127;
    let biased = u128::try_from(exponent + BIAS).unwrap_or_default() << 113;
    Decimal128::from_bytes((sign | biased | coefficient.unsigned_abs() & COEFFICIENT).to_le_bytes())
}

/// The stored form of a decimal: with the digits of its size, if it fits that.
pub(crate) fn stored(value: Decimal, size: Option<DecimalSize>) -> Decimal128 {
    let value = size.and_then(|size| decimal::fit(value, size)).unwrap_or_else(|| value.normalize());
    of_parts(value.mantissa(), -i32::try_from(value.scale()).unwrap_or_default())
}

/// The stored form of an integer of up to 64 bits.
pub(crate) fn of_integer(value: i128) -> Decimal128 {
    of_parts(value, 0)
}

/// A stored decimal, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Parts {
    Finite { coefficient: i128, exponent: i32 },
    Infinite { is_negative: bool },
    NotANumber,
}

/// Takes a stored decimal apart.
pub(crate) fn parts(bytes: [u8; 16]) -> Parts {
    let bits = u128::from_le_bytes(bytes);
    let is_negative = bits >> 127 == 1;
    let top = bits >> 122 & 0x1f;
    if top == 0x1f {
        return Parts::NotANumber;
    }
    if top == 0x1e {
        return Parts::Infinite { is_negative };
    }
    // coefficients above 34 digits are no canonical numbers, and count as zero
    let (coefficient, biased) = match top >> 3 == 3 {
        true => (0, bits >> 111 & 0x3fff),
        false => (bits & COEFFICIENT, bits >> 113 & 0x3fff),
    };
    let coefficient = i128::try_from(coefficient).unwrap_or_default();
    Parts::Finite {
        coefficient: if is_negative { -coefficient } else { coefficient },
        exponent: i32::try_from(biased).unwrap_or_default() - BIAS,
    }
}

#[cold]
fn too_long() -> Error {
    Error::query(format!("a decimal has more than {} digits, the most that a decimal keeps", decimal::MAX_DIGITS))
}

/// Reads a stored decimal: without trailing zeros, or with those of its size.
///
/// # Errors
///
/// `Decode` if it is no number, `Query` if it has more digits than a decimal keeps.
pub(crate) fn read(bytes: [u8; 16], size: Option<DecimalSize>) -> Result<Decimal> {
    let Parts::Finite { mut coefficient, mut exponent } = parts(bytes) else {
        return Err(Error::decode("a decimal that is no number: another program wrote it"));
    };
    if coefficient == 0 {
        exponent = 0;
    }
    while exponent < 0 && coefficient % 10 == 0 {
        coefficient /= 10;
        exponent += 1;
    }
    while exponent > 0 {
        coefficient = coefficient.checked_mul(10).ok_or_else(too_long)?;
        exponent -= 1;
    }
    let scale = u32::try_from(-exponent).unwrap_or_default();
    let value = decimal::from_parts(coefficient, scale).ok_or_else(too_long)?;
    Ok(size.and_then(|size| decimal::fit(value, size)).unwrap_or(value))
}

/// Reads a stored decimal that is an integer of up to 64 bits.
pub(crate) fn read_integer(bytes: [u8; 16]) -> Option<i128> {
    let Parts::Finite { mut coefficient, mut exponent } = parts(bytes) else { return None };
    if coefficient == 0 {
        return Some(0);
    }
    while exponent < 0 {
        if coefficient % 10 != 0 {
            return None;
        }
        coefficient /= 10;
        exponent += 1;
    }
    while exponent > 0 {
        coefficient = coefficient.checked_mul(10)?;
        exponent -= 1;
    }
    Some(coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_what_the_library_parses() {
        for text in ["0", "1", "-1.5", "0.0000000000000000000000000001", "9999999999999999999999999999", "-0.001"] {
            let value = decimal::parse(text).unwrap();
            let parsed: Decimal128 = text.parse().unwrap();
            assert_eq!(stored(value, None).bytes(), parsed.bytes(), "{text}");
            assert_eq!(read(parsed.bytes(), None).unwrap().to_string(), text);
        }
        let wide: Decimal128 = "1E+3".parse().unwrap();
        assert_eq!(read(wide.bytes(), None).unwrap().to_string(), "1000");
        assert_eq!(read_integer("18446744073709551615".parse::<Decimal128>().unwrap().bytes()), Some(u64::MAX.into()));
        let size = DecimalSize { precision: 5, scale: 2 };
        assert_eq!(read("1.5".parse::<Decimal128>().unwrap().bytes(), Some(size)).unwrap().to_string(), "1.50");
        assert!(read("Infinity".parse::<Decimal128>().unwrap().bytes(), None).unwrap_err().is_decode());
        assert!(read("1E+300".parse::<Decimal128>().unwrap().bytes(), None).unwrap_err().is_query());
    }
}
