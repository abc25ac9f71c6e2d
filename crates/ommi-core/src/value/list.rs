//! Lists of scalars, and their portable form as JSON text.
//!
//! The text is a JSON array without white space. Integers, finite floats, text and booleans are
//! themselves; integers above `i64::MAX` are strings of 20 digits, bytes and UUIDs are
//! hexadecimal strings, infinite floats the strings `inf` and `-inf`, and all other types the
//! strings of their own portable forms. Equal lists have equal texts.

use std::fmt::Write;

use super::{Cell, Datum, Json, List, Value, ValueType, decimal, iso, json, kind};
use crate::error::{Error, Result};

impl<T: Value> List for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        self.get(index).map_or(Cell::Null, T::cell)
    }
}

/// A scalar type that a list may hold: every value type but `Option`, bytes' own elements and
/// lists.
#[diagnostic::on_unimplemented(
    message = "a list cannot hold `{Self}`",
    label = "a `Vec` field holds scalars",
    note = "use `Many<..>` for rows of another model, and `#[ommi(json)]` for a list of anything else"
)]
pub trait Element: Value {}

impl<T: Element> Value for Vec<T> {
    type Kind = kind::List<T>;
    type Plain = Self;
    type Wrap<W: Value> = W;

    fn value_type() -> ValueType {
        ValueType::List(Box::new(T::value_type()))
    }

    fn cell(&self) -> Cell<'_> {
        Cell::List(self)
    }

    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::List(items) => (0..items.len()).map(|index| T::decode(items.cell(index))).collect(),
            Cell::Text(text) => {
                let value_type = T::value_type();
                parse(text)?.iter().map(|item| with_element(item, &value_type, |cell| T::decode(cell))).collect()
            }
            other => Err(other.mismatch("a list")),
        }
    }

    fn normalize(&mut self) {
        self.iter_mut().for_each(T::normalize);
    }
}

fn parse(text: &str) -> Result<Vec<Json>> {
    match json::parse(text)? {
        Json::Array(items) => Ok(items),
        _ => Err(Error::decode("expected a JSON array")),
    }
}

/// Reads a list from its own cell or from its portable text.
///
/// # Errors
///
/// `Decode` if the cell is not a list of the element type.
pub fn decode(cell: Cell<'_>, element: &ValueType) -> Result<Vec<Datum>> {
    match cell {
        Cell::List(items) => (0..items.len()).map(|index| Datum::decode(items.cell(index), element)).collect(),
        Cell::Text(text) => {
            parse(text)?.iter().map(|item| with_element(item, element, |cell| Datum::decode(cell, element))).collect()
        }
        other => Err(other.mismatch("a list")),
    }
}

/// Shows an element of the JSON array as the cell of its type.
pub(crate) fn with_element<R>(item: &Json, element: &ValueType, read: impl FnOnce(Cell<'_>) -> Result<R>) -> Result<R> {
    match (item, element) {
        (Json::Bool(value), _) => read(Cell::Bool(*value)),
        (Json::String(text), ValueType::U64) => {
            let value = text.parse().map_err(|_| Error::decode(format!("`{text}` is not an integer")))?;
            read(Cell::from_u64(value))
        }
        (Json::String(text), ValueType::Bytes | ValueType::Uuid) => read(Cell::Bytes(&unhex(text)?)),
        (Json::String(text), ValueType::F32 | ValueType::F64) => match text.as_str() {
            "inf" => read(Cell::Float(f64::INFINITY)),
            "-inf" => read(Cell::Float(f64::NEG_INFINITY)),
            _ => Err(Error::decode(format!("`{text}` is not a float"))),
        },
        (Json::String(text), _) => read(Cell::Text(text)),
        (Json::Number(number), ValueType::F32 | ValueType::F64) => {
            read(Cell::Float(number.as_f64().unwrap_or_default()))
        }
        (Json::Number(number), _) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => read(Cell::Int(value)),
            (None, Some(value)) => read(Cell::UInt(value)),
            (None, None) => read(Cell::Float(number.as_f64().unwrap_or_default())),
        },
        (Json::Null, _) => Err(Error::decode("null in a list")),
        (other, ValueType::Json) => read(Cell::Json(other)),
        _ => Err(Error::decode("an array or object in a list of scalars")),
    }
}

/// The portable text of a list.
///
/// # Errors
///
/// `Query` if an element cannot be stored.
pub fn text(items: &dyn List) -> Result<String> {
    let mut out = String::with_capacity(2 + items.len() * 8);
    out.push('[');
    for index in 0..items.len() {
        if index > 0 {
            out.push(',');
        }
        element_text(items.cell(index), &mut out)?;
    }
    out.push(']');
    Ok(out)
}

/// Appends the portable JSON text of one element.
///
/// # Errors
///
/// `Query` if the element cannot be stored.
pub fn element_text(cell: Cell<'_>, out: &mut String) -> Result<()> {
    let written = match cell {
        Cell::Null => return Err(Error::query("a list cannot hold null")),
        Cell::List(_) => return Err(Error::query("a list cannot hold lists")),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Int(value) => write!(out, "{value}"),
        Cell::UInt(value) => write!(out, "\"{value:020}\""),
        Cell::Float(value) if value.is_infinite() => out.write_str(if value > 0.0 { "\"inf\"" } else { "\"-inf\"" }),
        Cell::Float(value) => write!(out, "{}", Json::from(value + 0.0)),
        Cell::Decimal(value) => write!(out, "\"{}\"", decimal::text(value, None)),
        Cell::Text(value) => write!(out, "{}", Json::from(value)),
        Cell::Bytes(value) => write!(out, "\"{}\"", hex(value)),
        Cell::Uuid(value) => write!(out, "\"{}\"", value.simple()),
        Cell::Date(value) => write!(out, "\"{}\"", iso::date_text(value).as_str()),
        Cell::Time(value) => write!(out, "\"{}\"", iso::time_text(value).as_str()),
        Cell::DateTime(value) => write!(out, "\"{}\"", iso::date_time_text(value).as_str()),
        Cell::Timestamp(value) => write!(out, "\"{}\"", iso::timestamp_text(value).as_str()),
        Cell::Duration(value) => write!(out, "{}", iso::duration_micros(value)?),
        Cell::Json(value) => write!(out, "{value}"),
    };
    written.map_err(|_| Error::query("the list could not be written"))
}

/// Lower-case hexadecimal digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// The bytes of hexadecimal digits.
///
/// # Errors
///
/// `Decode` if the text is not an even number of hexadecimal digits.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    let wrong = || Error::decode("expected an even number of hexadecimal digits");
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(wrong());
    };
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<_>>().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Element + PartialEq + std::fmt::Debug>(items: Vec<T>) -> String {
        let written = text(&items).unwrap();
        assert_eq!(Vec::<T>::decode(Cell::Text(&written)).unwrap(), items);
        written
    }

    #[test]
    fn lists_read_back_from_their_text() {
        assert_eq!(round_trip::<i64>(vec![]), "[]");
        assert_eq!(round_trip(vec![i64::MIN, 0, i64::MAX]), "[-9223372036854775808,0,9223372036854775807]");
        assert_eq!(round_trip(vec![u64::MAX, 1]), "[\"18446744073709551615\",1]");
        assert_eq!(round_trip(vec![1.5, f64::INFINITY, 1.0, 1e300]), "[1.5,\"inf\",1.0,1e+300]");
        assert_eq!(round_trip(vec!["a\"b".to_owned(), "ü".to_owned()]), r#"["a\"b","ü"]"#);
        assert_eq!(round_trip(vec![vec![0u8, 255]]), r#"["00ff"]"#);
        round_trip(vec![true, false]);
    }
}
