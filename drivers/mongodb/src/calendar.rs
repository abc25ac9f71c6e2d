//! Dates and times as numbers: days and microseconds since 1970, as if all clocks were in UTC.

use ommi_core::value::{Date, DateTime, Time, Timestamp};
use ommi_core::{Error, Result};

const DAY_MICROS: i64 = 86_400_000_000;
pub(crate) const DAY_MILLIS: i64 = 86_400_000;

/// The days from 1970-01-01 to a date.
pub(crate) fn days(date: Date) -> i64 {
    let year = i64::from(date.year()) - i64::from(date.month() <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let month = (i64::from(date.month()) + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(date.day()) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date that is some days from 1970-01-01.
///
/// # Errors
///
/// `Decode` if its year is outside 1 to 9999.
pub(crate) fn date(days: i64) -> Result<Date> {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let date = (1..=9999).contains(&year).then(|| {
        let (year, month, day) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(year, month, day).ok()
    });
    date.flatten().ok_or_else(|| Error::decode("a date outside the years 1 to 9999"))
}

/// The microseconds from 1970-01-01 00:00:00 to a date and time.
pub(crate) fn micros(value: DateTime) -> i64 {
    let time = value.time();
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    days(value.date()) * DAY_MICROS + seconds * 1_000_000 + i64::from(time.subsec_nanosecond() / 1_000)
}

/// The microseconds from 1970 to an instant, cut towards the past.
pub(crate) fn instant_micros(value: Timestamp) -> i64 {
    let nanos = value.as_nanosecond();
    i64::try_from(nanos.div_euclid(1_000)).unwrap_or_default()
}

/// The date and time that is some microseconds from 1970.
///
/// # Errors
///
/// `Decode` if its year is outside 1 to 9999.
pub(crate) fn date_time(micros: i64) -> Result<DateTime> {
    let of_day = micros.rem_euclid(DAY_MICROS);
    let part = |value: i64| i8::try_from(value).unwrap_or_default();
    let seconds = of_day / 1_000_000;
    let nanos = i32::try_from(of_day % 1_000_000 * 1_000).unwrap_or_default();
    let time = Time::new(part(seconds / 3_600), part(seconds / 60 % 60), part(seconds % 60), nanos)
        .map_err(|error| Error::decode("a time of day out of range").with_source(error))?;
    Ok(date(micros.div_euclid(DAY_MICROS))?.to_datetime(time))
}

/// The instant that is some microseconds from 1970.
///
/// # Errors
///
/// `Decode` if it is outside the range of instants.
pub(crate) fn instant(micros: i64) -> Result<Timestamp> {
    Timestamp::from_nanosecond(i128::from(micros) * 1_000)
        .map_err(|error| Error::decode("an instant outside the years 1 to 9999").with_source(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_go_both_ways() {
        for (text, number) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("0001-01-01", -719_162)]
        {
            let value: Date = text.parse().unwrap();
            assert_eq!(days(value), number, "{text}");
            assert_eq!(date(number).unwrap(), value);
        }
        for number in (-719_162..2_932_896).step_by(97) {
            assert_eq!(days(date(number).unwrap()), number);
        }
        assert_eq!(date(2_932_896).unwrap().to_string(), "9999-12-31");
        assert!(date(2_932_897).unwrap_err().is_decode());
    }

    #[test]
    fn microseconds_go_both_ways() {
        for number in [0, -1, 1, 999_999, -62_135_596_800_000_000, 253_402_300_799_999_999] {
            assert_eq!(micros(date_time(number).unwrap()), number);
        }
    }
}
