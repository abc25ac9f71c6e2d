//! Dates and times in their binary form: days or microseconds since the first day of 2000.

use ommi_core::value::{Date, DateTime, Duration, Time, Timestamp};
use ommi_core::{Error, Result};

/// Days from 1970 to 2000.
const EPOCH_DAYS: i64 = 10_957;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

#[cold]
fn outside() -> Error {
    Error::decode("it is outside of the years 1 to 9999")
}

/// An instant.
#[inline]
pub(super) fn timestamp(micros: i64) -> Result<Timestamp> {
    let micros = micros.checked_add(EPOCH_DAYS * DAY).ok_or_else(outside)?;
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).map_err(|_| outside())?;
    Timestamp::new(micros.div_euclid(1_000_000), nanos).map_err(|_| outside())
}

/// The date of a number of days since 1970, in the proleptic Gregorian calendar.
///
/// The days are counted from the first of March of the year 0, in eras of 400 years, so that the
/// day which leap years add is the last of its year.
#[inline]
fn civil(days: i64) -> Result<Date> {
    let days = days.checked_add(719_468).ok_or_else(outside)?;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let date = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let (Ok(year @ 1..=9999), Ok(month), Ok(day)) = date else { return Err(outside()) };
    Date::new(year, month, day).map_err(|_| outside())
}

pub(super) fn date(days: i32) -> Result<Date> {
    civil(i64::from(days) + EPOCH_DAYS)
}

pub(super) fn time_of_day(micros: i64) -> Result<Time> {
    let part = |of: i64, divisor: i64| i8::try_from(of / divisor).map_err(|_| outside());
    if micros == DAY {
        return Err(Error::decode("it is 24:00:00, which is no time of a day"));
    }
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let nanoseconds = i32::try_from(rest * 1_000).map_err(|_| outside())?;
    Time::new(part(seconds, 3_600)?, part(seconds % 3_600, 60)?, part(seconds % 60, 1)?, nanoseconds)
        .map_err(|_| outside())
}

pub(super) fn date_time(micros: i64) -> Result<DateTime> {
    let (days, micros) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let date = civil(days + EPOCH_DAYS)?;
    Ok(DateTime::from_parts(date, time_of_day(micros)?))
}

/// An interval: microseconds, days and months. A day has 24 hours; a month has no length.
pub(super) fn interval(bytes: [u8; 16]) -> Result<Duration> {
    let [m0, m1, m2, m3, m4, m5, m6, m7, d0, d1, d2, d3, months @ ..] = bytes;
    let micros = i64::from_be_bytes([m0, m1, m2, m3, m4, m5, m6, m7]);
    let days = i64::from(i32::from_be_bytes([d0, d1, d2, d3]));
    if i32::from_be_bytes(months) != 0 {
        return Err(Error::decode("an interval with months has no length"));
    }
    let micros = days.checked_mul(DAY).and_then(|days| days.checked_add(micros)).ok_or_else(outside)?;
    Ok(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates_at_both_ends() {
        assert_eq!(date(0).unwrap(), Date::constant(2000, 1, 1));
        assert_eq!(date(-730_119).unwrap(), Date::constant(1, 1, 1));
        assert_eq!(date(2_921_939).unwrap(), Date::constant(9999, 12, 31));
        assert_eq!(date(59).unwrap(), Date::constant(2000, 2, 29));
        assert!(date(-730_120).is_err());
        assert!(date(2_921_940).is_err());
        assert!(date(i32::MAX).is_err());
        let mut day = Date::constant(1, 1, 1);
        for days in -730_119..2_921_939 {
            assert_eq!(date(days).unwrap(), day);
            day = day.tomorrow().unwrap();
        }
    }

    #[test]
    fn moments_before_2000_have_the_right_day() {
        assert_eq!(date_time(-1).unwrap(), DateTime::constant(1999, 12, 31, 23, 59, 59, 999_999_000));
        assert_eq!(timestamp(0).unwrap().as_second(), 946_684_800);
        assert!(timestamp(i64::MAX).is_err());
        assert!(date_time(i64::MIN).is_err());
    }

    #[test]
    fn intervals_of_months_have_no_length() {
        let mut bytes = [0; 16];
        bytes[11] = 1;
        assert_eq!(interval(bytes).unwrap(), Duration::from_hours(24));
        bytes[15] = 1;
        assert!(interval(bytes).is_err());
    }
}
