//! Dates and times in their binary form: days or microseconds since the first day of 2000.

use ommi_core::value::{Date, DateTime, Time, Timestamp};

/// Microseconds from 1970 to 2000.
const EPOCH: i64 = 946_684_800_000_000;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

pub(super) fn timestamp(value: Timestamp) -> i64 {
    value.as_microsecond() - EPOCH
}

/// The days from the first of 2000 to a date.
pub(super) fn days(value: Date) -> i32 {
    // counted from the first of March, so that the day which leap years add is the last of its year
    let (year, month, day) = (i32::from(value.year()), i32::from(value.month()), i32::from(value.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468 - 10_957
}

pub(super) fn micros_of_day(value: Time) -> i64 {
    let seconds = (i64::from(value.hour()) * 60 + i64::from(value.minute())) * 60 + i64::from(value.second());
    seconds * 1_000_000 + i64::from(value.subsec_nanosecond()) / 1_000
}

pub(super) fn date_time(value: DateTime) -> i64 {
    i64::from(days(value.date())) * DAY + micros_of_day(value.time())
}

/// A span of microseconds as PostgreSQL reads intervals. Of hours, minutes and seconds it does not
/// read the longest span below zero.
pub(crate) fn interval_text(micros: i64) -> String {
    format!("{micros} microseconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_2000() {
        assert_eq!(days(Date::constant(2000, 1, 1)), 0);
        assert_eq!(days(Date::constant(1, 1, 1)), -730_119);
        assert_eq!(days(Date::constant(9999, 12, 31)), 2_921_939);
        assert_eq!(days(Date::constant(2000, 2, 29)), 59);
        assert_eq!(date_time(DateTime::constant(1999, 12, 31, 23, 59, 59, 999_999_000)), -1);
    }
}
