//! Numerics in their binary form: digits to the base of 10,000.

use bytes::{BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
/// How many digits of ten one of ten thousand has.
const GROUP: u32 = 4;
/// The most groups: of 39 digits and the zeros that bring the point between two groups.
const GROUPS: usize = 12;

/// Appends a number of a mantissa of at most 96 bits and a scale.
pub(super) fn write(mantissa: i128, scale: u32, out: &mut BytesMut) {
    // zeros are added until the point stands between two groups
    let groups_behind = scale.div_ceil(GROUP);
    let mut rest = mantissa.unsigned_abs() * 10u128.pow(groups_behind * GROUP - scale);
    let mut groups = [0u16; GROUPS];
    let mut count = 0usize;
    for group in &mut groups {
        if rest == 0 {
            break;
        }
        *group = u16::try_from(rest % 10_000).unwrap_or_default();
        rest /= 10_000;
        count += 1;
    }
    let all = groups.get(..count).unwrap_or_default();
    // the last groups that are zero are left out
    let zeros = all.iter().take_while(|group| **group == 0).count();
    let kept = all.get(zeros..).unwrap_or_default();
    let weight = i32::try_from(count).unwrap_or_default() - i32::try_from(groups_behind).unwrap_or_default() - 1;
    out.put_i16(i16::try_from(kept.len()).unwrap_or_default());
    out.put_i16(if kept.is_empty() { 0 } else { i16::try_from(weight).unwrap_or_default() });
    out.put_u16(if mantissa < 0 { NEGATIVE } else { 0 });
    out.put_u16(u16::try_from(scale).unwrap_or_default());
    kept.iter().rev().for_each(|group| out.put_u16(*group));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mantissa: i128, scale: u32) -> Vec<u16> {
        let mut out = BytesMut::new();
        write(mantissa, scale, &mut out);
        out.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn numbers_are_groups_of_four_digits() {
        assert_eq!(words(0, 0), [0, 0, 0, 0]);
        assert_eq!(words(1, 0), [1, 0, 0, 0, 1]);
        assert_eq!(words(-15, 1), [2, 0, NEGATIVE, 1, 1, 5000]);
        assert_eq!(words(123_456_789, 2), [3, 1, 0, 2, 123, 4567, 8900]);
        assert_eq!(words(10_000_000, 0), [1, 1, 0, 0, 1000]);
        // the weight of 10^-28 is that of the seventh group behind the point
        assert_eq!(words(1, 28), [1, 65_529, 0, 28, 1]);
        assert_eq!(words(1, 5), [1, 65_534, 0, 5, 1000]);
    }
}
