//! JSON documents: their limits, structural equality and paths.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cell, Json};
use crate::error::{Error, Result};

/// The deepest nesting that is stored: what parsers on every database can read back.
pub const MAX_DEPTH: usize = 100;

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// The member of an object.
    Key(Box<str>),
    /// The element of an array, counted from 0.
    Index(u32),
}

impl From<&str> for PathStep {
    fn from(key: &str) -> Self {
        PathStep::Key(key.into())
    }
}

impl From<String> for PathStep {
    fn from(key: String) -> Self {
        PathStep::Key(key.into())
    }
}

impl From<u32> for PathStep {
    fn from(index: u32) -> Self {
        PathStep::Index(index)
    }
}

impl From<i32> for PathStep {
    fn from(index: i32) -> Self {
        PathStep::Index(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathStep::Key(key) => write!(f, ".{}", Json::from(&**key)),
            PathStep::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// What a path into a document is read as; a value of another type is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonCast {
    /// Strings.
    Text,
    /// Numbers that are integers of 64 bits, however they are written.
    Int,
    /// Numbers.
    Float,
    /// True and false.
    Bool,
    /// Anything, JSON null included.
    Json,
}

/// The part of a document at a path.
pub fn at<'a>(document: &'a Json, path: &[PathStep]) -> Option<&'a Json> {
    path.iter().try_fold(document, |value, step| match step {
        PathStep::Key(key) => value.as_object()?.get(&**key),
        PathStep::Index(index) => value.as_array()?.get(usize::try_from(*index).ok()?),
    })
}

/// The integer that a JSON number is, however it is written.
pub fn integer(value: &Json) -> Option<i64> {
    let number = value.as_number()?;
    if let Some(value) = number.as_i64() {
        return Some(value);
    }
    if number.is_u64() {
        return None;
    }
    let value = number.as_f64()?;
    // 2^63 is exact as a float; the cast below is exact inside the range.
    (value.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value))
        .then_some(value as i64)
}

/// Whether two documents are the same: objects by member, arrays by position, numbers by value.
pub fn equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => number_order(left, right) == Some(Ordering::Equal),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn number_order(left: &serde_json::Number, right: &serde_json::Number) -> Option<Ordering> {
    let integer =
        |number: &serde_json::Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Some(integer), None) => compare_integer(integer, right.as_f64()?),
        (None, Some(integer)) => compare_integer(integer, left.as_f64()?).map(Ordering::reverse),
    }
}

/// Compares an integer of 64 bits with a float by value, without rounding either.
fn compare_integer(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float >= 2f64.powi(65) {
        return Some(Ordering::Less);
    }
    if float <= -2f64.powi(65) {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(integer.cmp(&(whole as i128)).then_with(|| 0f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal)))
}

/// Refuses what some database can't keep: NUL characters and deep nesting.
///
/// # Errors
///
/// `Query` if the document has a NUL character in a string or a key, or nests deeper than
/// [`MAX_DEPTH`].
pub fn check(document: &Json) -> Result<()> {
    let mut open = vec![(document, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(Error::query(format!("the JSON document nests deeper than {MAX_DEPTH} levels")));
        }
        match value {
            Json::String(text) => super::check::text(text)?,
            Json::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(members) => {
                for (key, item) in members {
                    super::check::text(key)?;
                    open.push((item, depth + 1));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The document that serde makes of a value.
///
/// # Errors
///
/// `Query` if serde cannot: a map whose keys are not text, say.
pub fn document<T: Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|error| Error::query(format!("the value cannot be stored as JSON: {error}")))
}

/// Reads a value, by serde, from a document or its text.
///
/// # Errors
///
/// `Decode` if the document does not fit the type.
pub fn from_cell<T: DeserializeOwned>(cell: Cell<'_>) -> Result<T> {
    let read = match cell {
        Cell::Json(document) => T::deserialize(document),
        Cell::Text(text) => serde_json::from_str(text),
        other => return Err(other.mismatch("JSON")),
    };
    read.map_err(|error| Error::decode(format!("the JSON document does not fit the field: {error}")))
}

/// Reads a document.
///
/// # Errors
///
/// `Decode` if the text is not JSON.
pub fn parse(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| Error::decode(format!("the text is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(equal(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!equal(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)));
        assert!(!equal(&json!(1), &json!("1")));
        assert!(!equal(&json!(null), &json!(false)));
    }

    #[test]
    fn a_missing_path_is_absent() {
        let document = json!({"a": {"b": [10, 20]}});
        assert_eq!(at(&document, &["a".into(), "b".into(), 1.into()]), Some(&json!(20)));
        assert_eq!(at(&document, &["a".into(), 0.into()]), None);
        assert_eq!(at(&document, &["x".into()]), None);
    }

    #[test]
    fn integers_are_read_from_any_spelling() {
        assert_eq!(integer(&json!(1.0)), Some(1));
        assert_eq!(integer(&json!(1.5)), None);
        assert_eq!(integer(&json!(u64::MAX)), None);
        assert_eq!(integer(&json!(-9.3e18)), None);
    }
}
