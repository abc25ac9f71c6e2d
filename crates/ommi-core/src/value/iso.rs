//! Dates and times: their limits, and their portable form as ISO 8601 text.
//!
//! The text has a fixed width but for the fraction, which is absent or has six digits, so that
//! it sorts as the values do: `2013-01-01`, `06:00:00`, `06:00:00.000001`,
//! `2013-01-01 06:00:00`. Instants are in UTC and carry no suffix. Reading is more lenient: a `T`
//! between date and time, a `Z` or an offset behind an instant, any number of fraction digits.

use jiff::tz::TimeZone;

use super::{Date, DateTime, Duration, Time, Timestamp};
use crate::error::{Error, Result};

/// A short ASCII text that lives on the stack.
#[derive(Clone, Copy, Debug)]
pub struct IsoText {
    bytes: [u8; 26],
    len: u8,
}

impl IsoText {
    const fn new() -> Self {
        IsoText { bytes: [0; 26], len: 0 }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(usize::from(self.len)) {
            *slot = byte;
            self.len += 1;
        }
    }

    fn digits(&mut self, value: u32, width: u32) {
        for place in (0..width).rev() {
            let digit = value / 10u32.pow(place) % 10;
            self.push(b'0' + u8::try_from(digit).unwrap_or_default());
        }
    }

    fn date(&mut self, date: Date) {
        self.digits(u32::from(date.year().unsigned_abs()), 4);
        self.push(b'-');
        self.digits(u32::from(date.month().unsigned_abs()), 2);
        self.push(b'-');
        self.digits(u32::from(date.day().unsigned_abs()), 2);
    }

    fn time(&mut self, time: Time) {
        self.digits(u32::from(time.hour().unsigned_abs()), 2);
        self.push(b':');
        self.digits(u32::from(time.minute().unsigned_abs()), 2);
        self.push(b':');
        self.digits(u32::from(time.second().unsigned_abs()), 2);
        let micros = time.subsec_nanosecond().unsigned_abs() / 1_000;
        if micros != 0 {
            self.push(b'.');
            self.digits(micros, 6);
        }
    }
}

/// The portable text of a date.
pub fn date_text(date: Date) -> IsoText {
    let mut text = IsoText::new();
    text.date(date);
    text
}

/// The portable text of a time of day.
pub fn time_text(time: Time) -> IsoText {
    let mut text = IsoText::new();
    text.time(time);
    text
}

/// The portable text of a naive date and time.
pub fn date_time_text(value: DateTime) -> IsoText {
    let mut text = IsoText::new();
    text.date(value.date());
    text.push(b' ');
    text.time(value.time());
    text
}

/// The portable text of an instant.
pub fn timestamp_text(value: Timestamp) -> IsoText {
    date_time_text(utc(value))
}

/// The instant's date and time in UTC.
pub fn utc(value: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(value)
}

/// The instant at which clocks in UTC show a date and time.
///
/// # Errors
///
/// `Decode` if it is outside the range of instants.
pub fn from_utc(value: DateTime) -> Result<Timestamp> {
    TimeZone::UTC
        .to_timestamp(value)
        .map_err(|error| Error::decode(format!("{value} is not an instant")).with_source(error))
}

/// Reads `NN` at an offset.
fn two(bytes: &[u8], at: usize) -> Option<i8> {
    let tens = bytes.get(at)?.wrapping_sub(b'0');
    let ones = bytes.get(at + 1)?.wrapping_sub(b'0');
    if tens > 9 || ones > 9 {
        return None;
    }
    i8::try_from(tens * 10 + ones).ok()
}

fn is_byte(bytes: &[u8], at: usize, byte: u8) -> Option<()> {
    (*bytes.get(at)? == byte).then_some(())
}

fn read_date(bytes: &[u8]) -> Option<Date> {
    let year = i16::from(two(bytes, 0)?) * 100 + i16::from(two(bytes, 2)?);
    is_byte(bytes, 4, b'-')?;
    let month = two(bytes, 5)?;
    is_byte(bytes, 7, b'-')?;
    let day = two(bytes, 8)?;
    Date::new(year, month, day).ok()
}

/// Reads a time and gives what follows it.
fn read_time(bytes: &[u8]) -> Option<(Time, &[u8])> {
    let hour = two(bytes, 0)?;
    is_byte(bytes, 2, b':')?;
    let minute = two(bytes, 3)?;
    let (second, mut rest) = match bytes.get(5) {
        Some(b':') => (two(bytes, 6)?, bytes.get(8..)?),
        _ => (0, bytes.get(5..)?),
    };
    let mut nanos = 0i32;
    if let Some((b'.', fraction)) = rest.split_first() {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..9 {
            let digit = if place < digits { fraction.get(place)? - b'0' } else { 0 };
            nanos = nanos * 10 + i32::from(digit);
        }
        rest = fraction.get(digits..)?;
    }
    Some((Time::new(hour, minute, second, nanos).ok()?, rest))
}

fn read_date_time(bytes: &[u8]) -> Option<(DateTime, &[u8])> {
    let date = read_date(bytes)?;
    match bytes.get(10) {
        None => Some((date.to_datetime(Time::midnight()), &[])),
        Some(b' ' | b'T' | b't') => {
            let (time, rest) = read_time(bytes.get(11..)?)?;
            Some((date.to_datetime(time), rest))
        }
        Some(_) => None,
    }
}

#[cold]
fn not_iso(text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::decode(format!("`{shown}` is not {what} in ISO 8601 form"))
}

/// Reads a date.
///
/// # Errors
///
/// `Decode` if the text is not an ISO 8601 date.
pub fn parse_date(text: &str) -> Result<Date> {
    let date = (text.len() == 10).then(|| read_date(text.as_bytes())).flatten();
    date.ok_or_else(|| not_iso(text, "a date"))
}

/// Reads a time of day.
///
/// # Errors
///
/// `Decode` if the text is not an ISO 8601 time.
pub fn parse_time(text: &str) -> Result<Time> {
    match read_time(text.as_bytes()) {
        Some((time, [])) => Ok(cut_time(time)),
        _ => Err(not_iso(text, "a time")),
    }
}

/// Reads a naive date and time.
///
/// # Errors
///
/// `Decode` if the text is not an ISO 8601 date and time, or has an offset.
pub fn parse_date_time(text: &str) -> Result<DateTime> {
    match read_date_time(text.as_bytes()) {
        Some((value, [])) => Ok(cut_date_time(value)),
        _ => Err(not_iso(text, "a date and time without an offset")),
    }
}

/// Reads an instant; without an offset the text is in UTC.
///
/// # Errors
///
/// `Decode` if the text is not an ISO 8601 date and time.
pub fn parse_timestamp(text: &str) -> Result<Timestamp> {
    match read_date_time(text.as_bytes()) {
        Some((value, [] | [b'Z' | b'z'])) => from_utc(cut_date_time(value)),
        Some(_) => {
            let parsed: Result<Timestamp, _> = text.replacen(' ', "T", 1).parse();
            parsed.map(cut_timestamp).map_err(|_| not_iso(text, "an instant"))
        }
        None => Err(not_iso(text, "an instant")),
    }
}

/// The time without digits finer than microseconds.
pub fn cut_time(time: Time) -> Time {
    let nanos = time.subsec_nanosecond();
    Time::new(time.hour(), time.minute(), time.second(), nanos - nanos % 1_000).unwrap_or(time)
}

/// The date and time without digits finer than microseconds.
pub fn cut_date_time(value: DateTime) -> DateTime {
    if value.subsec_nanosecond() % 1_000 == 0 {
        return value;
    }
    value.date().to_datetime(cut_time(value.time()))
}

/// The instant without digits finer than microseconds, cut towards the past.
pub fn cut_timestamp(value: Timestamp) -> Timestamp {
    let nanos = value.as_nanosecond();
    let cut = nanos - nanos.rem_euclid(1_000);
    Timestamp::from_nanosecond(cut).unwrap_or(value)
}

/// The span without digits finer than microseconds, cut towards zero.
pub fn cut_duration(value: Duration) -> Duration {
    Duration::new(value.as_secs(), value.subsec_nanos() - value.subsec_nanos() % 1_000)
}

/// The span in microseconds.
///
/// # Errors
///
/// `Query` if the span is longer than about 292,000 years.
pub fn duration_micros(value: Duration) -> Result<i64> {
    i64::try_from(value.as_micros())
        .map_err(|_| Error::query(format!("the duration {value:?} is longer than 64 bits of microseconds can hold")))
}

/// Refuses years outside 1 to 9999.
///
/// # Errors
///
/// `Query` if the year is outside the range.
pub fn check_year(year: i16) -> Result<()> {
    if (1..=9999).contains(&year) {
        return Ok(());
    }
    Err(Error::query(format!("the year {year} is outside 1 to 9999, the years that every database can keep")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_timestamp_reads_back_as_the_same_instant() {
        for micros in [0, 1, -1, 1_357_020_000_000_000, 253_402_207_199_999_999, -62_135_596_800_000_000] {
            let instant = Timestamp::from_microsecond(micros).unwrap();
            let text = timestamp_text(instant);
            assert_eq!(parse_timestamp(text.as_str()).unwrap(), instant, "{}", text.as_str());
        }
    }

    #[test]
    fn text_sorts_as_the_values_do() {
        let mut texts: Vec<String> = [0, 1, 10, 100_000, 1_000_000, 1_500_000, 1_000_000_000]
            .iter()
            .map(|micros| timestamp_text(Timestamp::from_microsecond(*micros).unwrap()).as_str().to_owned())
            .collect();
        let sorted = texts.clone();
        texts.sort();
        assert_eq!(texts, sorted);
    }

    #[test]
    fn offsets_become_instants() {
        assert_eq!(
            parse_timestamp("2013-01-01T08:00:00+02:00").unwrap(),
            parse_timestamp("2013-01-01 06:00:00").unwrap()
        );
    }

    #[test]
    fn finer_digits_than_microseconds_are_cut_towards_the_past() {
        let before = Timestamp::from_nanosecond(-1).unwrap();
        assert_eq!(cut_timestamp(before), Timestamp::from_microsecond(-1).unwrap());
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in ["", "2013", "2013-13-01", "2013-02-30", "13-01-01", "2013-01-01x", "2013/01/01"] {
            assert!(parse_date(text).unwrap_err().is_decode(), "{text}");
        }
    }
}
