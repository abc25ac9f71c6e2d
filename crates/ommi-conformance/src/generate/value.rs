//! Random values: biased to the ends of ranges and to values that look alike.

use fastrand::Rng;
use ommi::query::Expr;
use ommi::value::{Date, DateTime, Datum, Decimal, DecimalSize, Duration, Json, Time, Timestamp, Uuid, ValueType, iso};
use serde_json::json;

/// One of some values.
pub(super) fn pick<'a, T>(rng: &mut Rng, values: &'a [T]) -> Option<&'a T> {
    match values.len() {
        0 => None,
        count => values.get(rng.usize(..count)),
    }
}

/// One of some values, or the default of none.
pub(super) fn one<T: Clone + Default>(rng: &mut Rng, values: &[T]) -> T {
    pick(rng, values).cloned().unwrap_or_default()
}

/// Whether something happens that happens so many times in a hundred.
pub(super) fn percent(rng: &mut Rng, times: u8) -> bool {
    rng.u8(..100) < times
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "a ",
    " a",
    "b",
    "B",
    "ab",
    "aB",
    "Ab",
    "AB",
    "aab",
    "abc",
    "abcabc",
    "ä",
    "Ä",
    "a\u{308}",
    "ß",
    "ẞ",
    "ss",
    "SS",
    "\u{212A}",
    "k",
    "K",
    "İ",
    "i",
    "I",
    "ı",
    "ſ",
    "s",
    "S",
    "σ",
    "ς",
    "Σ",
    "%",
    "_",
    "\\",
    "100%",
    "a_b",
    "a\\b",
    "'",
    "\"",
    "\n",
    "a\nb",
    "\u{1F600}",
    "e\u{301}",
    "é",
    "\u{FFFF}",
    "\u{10FFFF}",
    "日本",
    "x'; DROP TABLE t; --",
    "{\"$gt\": \"\"}",
    "0",
    "10",
    "9",
    "NULL",
    "true",
    "[1]",
    "a b c",
    "\t",
    "\u{1}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
];

/// A text.
pub(super) fn text(rng: &mut Rng) -> String {
    match percent(rng, 90) {
        true => one(rng, TEXTS).to_owned(),
        false => (0..rng.usize(..4)).map(|_| one(rng, TEXTS)).collect(),
    }
}

/// The stored texts of the enum that models have.
pub(super) const VARIANTS: &[&str] = &["low", "High", "mid dle", "LOW"];

fn documents() -> Vec<Json> {
    vec![
        json!(null),
        json!(1),
        json!(1.0),
        json!("1"),
        json!(true),
        json!({}),
        json!([]),
        json!({"a": 1}),
        json!({"a": 1.0, "b": null}),
        json!({"b": null, "a": 1}),
        json!({"a": "x", "b": [1, 2, {"a": true}]}),
        json!({"a": {"a": {"b": "deep"}}, "b": false}),
        json!({"a": null}),
        json!({"a": -2.5, "a b": 7}),
        json!([1, "a", null, [2]]),
        json!({"a": 9_007_199_254_740_993_i64}),
        json!({"a": u64::MAX}),
        json!({"b": ["ä", "A", "a "], "a": ""}),
    ]
}

fn decimals() -> Vec<Decimal> {
    let texts = [
        "0",
        "1",
        "-1",
        "1.5",
        "-1.5",
        "0.1",
        "0.2",
        "0.3",
        "10",
        "9",
        "100",
        "-0.001",
        "2.25",
        "3",
        "7",
        "99999999999999",
        "9999999999999999999999999999",
        "-9999999999999999999999999999",
        "0.0000000000000000000000000001",
        "12345678901234.56789",
        "0.333333333333",
    ];
    texts.iter().filter_map(|text| ommi::value::decimal::parse(text).ok()).collect()
}

/// A decimal that a size holds.
fn sized(rng: &mut Rng, size: DecimalSize) -> Decimal {
    let digits = 10_i64.saturating_pow(u32::from(size.precision)).saturating_sub(1);
    let mantissa = match rng.u8(..6) {
        0 => 0,
        1 => digits,
        2 => -digits,
        3 => 10_i64.saturating_pow(u32::from(size.scale)),
        _ => rng.i64(-digits.min(400)..=digits.min(400)),
    };
    Decimal::new(mantissa, size.scale.into())
}

fn integer(rng: &mut Rng, least: i128, greatest: i128) -> Datum {
    let near = [-2, -1, 0, 1, 2, 3, 7, 10, 64, 100];
    let number = match rng.u8(..10) {
        0 => least,
        1 => least + 1,
        2 => greatest,
        3 => greatest - 1,
        _ => one(rng, &near),
    };
    let number = number.clamp(least, greatest);
    match i64::try_from(number) {
        Ok(number) => Datum::Int(number),
        Err(_) => Datum::UInt(u64::try_from(number).unwrap_or(u64::MAX)),
    }
}

const FLOATS: &[f64] = &[
    0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    0.1,
    0.2,
    0.25,
    2.0,
    3.0,
    1e15,
    1e16,
    -2.5,
    9_007_199_254_740_992.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

fn date(rng: &mut Rng) -> Date {
    let dates = [
        (1, 1, 1),
        (9999, 12, 31),
        (1970, 1, 1),
        (1969, 12, 31),
        (2024, 2, 29),
        (2024, 3, 1),
        (2023, 12, 31),
        (999, 6, 7),
        (1600, 2, 29),
    ];
    let (year, month, day) = one(rng, &dates);
    Date::new(year, month, day).unwrap_or(Date::MAX)
}

fn time(rng: &mut Rng) -> Time {
    let times =
        [(0, 0, 0, 0), (23, 59, 59, 999_999), (12, 0, 0, 0), (0, 0, 0, 1), (1, 2, 3, 400_000), (12, 0, 0, 500_000)];
    let (hour, minute, second, micros) = one(rng, &times);
    Time::new(hour, minute, second, micros * 1000).unwrap_or(Time::MAX)
}

/// A value of a type, in the form in which it is stored.
pub(super) fn value(rng: &mut Rng, value_type: &ValueType) -> Datum {
    if let Some((least, greatest)) = value_type.integer_range() {
        return integer(rng, least, greatest);
    }
    match value_type {
        ValueType::Bool => Datum::Bool(rng.bool()),
        ValueType::F32 => Datum::Float(match rng.u8(..8) {
            0 => f64::from(one(rng, &[f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::EPSILON])),
            _ => f64::from(one(rng, FLOATS) as f32),
        }),
        ValueType::F64 => Datum::Float(match rng.u8(..8) {
            0 => one(rng, &[f64::MAX, f64::MIN, 5e-324, f64::EPSILON]),
            _ => one(rng, FLOATS),
        }),
        ValueType::Decimal(None) => Datum::Decimal(one(rng, &decimals())),
        ValueType::Decimal(Some(size)) => Datum::Decimal(sized(rng, *size)),
        ValueType::Text => Datum::Text(text(rng).into()),
        ValueType::Bytes => {
            let all: [&[u8]; 8] = [&[], &[0], &[255], &[0, 1], &[127], &[128], b"a", b"ab"];
            Datum::Bytes(one(rng, &all).into())
        }
        ValueType::Uuid => {
            Datum::Uuid(Uuid::from_u128(one(rng, &[0, 1, u128::MAX, 1 << 127, (1 << 127) - 1, 255 << 64])))
        }
        ValueType::Date => Datum::Date(date(rng)),
        ValueType::Time => Datum::Time(time(rng)),
        ValueType::DateTime => Datum::DateTime(DateTime::from_parts(date(rng), time(rng))),
        ValueType::Timestamp => {
            // the last day of the calendar is not an instant everywhere
            let moment = DateTime::from_parts(date(rng), time(rng));
            Datum::Timestamp(iso::from_utc(moment).unwrap_or(Timestamp::UNIX_EPOCH))
        }
        ValueType::Duration => {
            let micros = one(rng, &[0, 1, -1, 1_000_000, -1_000_001, 86_400_000_000, i64::MAX, i64::MIN]);
            Datum::Duration(Duration::from_micros(micros))
        }
        ValueType::Json => Datum::Json(Box::new(one(rng, &documents()))),
        ValueType::Enum(of) => Datum::Text(one(rng, &of.variants).into()),
        ValueType::List(item) => Datum::List((0..rng.usize(..4)).map(|_| value(rng, item)).collect()),
        // the integers are above
        _ => Datum::Null,
    }
}

/// A value that is simpler than another, for a smaller failing case; `None` if it is simple.
pub(super) fn simpler(value: &Datum) -> Option<Datum> {
    let simple = match value {
        Datum::Null => return None,
        Datum::Bool(_) => Datum::Bool(false),
        Datum::Int(number) if number.abs_diff(0) > 1 => Datum::Int(1),
        Datum::Int(_) => Datum::Int(0),
        Datum::UInt(_) => Datum::Int(0),
        Datum::Float(number) if *number != 1.0 => Datum::Float(1.0),
        Datum::Float(_) => return None,
        Datum::Decimal(number) if *number != Decimal::ONE => Datum::Decimal(Decimal::ONE),
        Datum::Decimal(_) => return None,
        Datum::Text(text) => match text.char_indices().next_back() {
            Some((last, _)) => Datum::Text(text.get(..last).unwrap_or_default().into()),
            None => return None,
        },
        Datum::List(items) => match items.split_last() {
            Some((_, rest)) => Datum::List(rest.to_vec()),
            None => return None,
        },
        Datum::Json(document) if !document.is_null() => Datum::Json(Box::new(Json::Null)),
        _ => return None,
    };
    (simple != *value).then_some(simple)
}

/// A constant.
pub(super) fn literal(value: Datum) -> Expr {
    Expr::Literal(value)
}
