//! What no database may be given: refused before anything is sent.

use super::{Cell, decimal, iso, json};
use crate::error::{Error, Result};

/// Refuses a NUL character, which some databases can't keep in text.
///
/// # Errors
///
/// `Query` if the text has one.
#[inline]
pub fn text(text: &str) -> Result<()> {
    if text.as_bytes().contains(&0) {
        return Err(nul(text));
    }
    Ok(())
}

#[cold]
fn nul(text: &str) -> Error {
    let at = text.bytes().position(|byte| byte == 0).unwrap_or_default();
    Error::query(format!(
        "the text has a NUL character at byte {at}; text is kept without NUL on every database: use `Vec<u8>` for bytes"
    ))
}

/// Refuses a value that cannot be kept by every database: NaN, a NUL in text, a year outside 1 to
/// 9999, a decimal of more than 28 digits, JSON nested too deep.
///
/// # Errors
///
/// `Query`, with the reason.
#[inline]
pub fn cell(cell: Cell<'_>) -> Result<()> {
    match cell {
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::UInt(_) | Cell::Bytes(_) | Cell::Uuid(_) | Cell::Time(_) => {
            Ok(())
        }
        Cell::Float(value) if value.is_nan() => Err(Error::query(
            "NaN cannot be stored or compared: use an `Option` and `None` for a number that is absent",
        )),
        Cell::Float(_) => Ok(()),
        Cell::Text(value) => text(value),
        Cell::Decimal(value) => decimal::check(value),
        Cell::Date(value) => iso::check_year(value.year()),
        Cell::DateTime(value) => iso::check_year(value.year()),
        Cell::Timestamp(value) => iso::check_year(iso::utc(value).year()),
        Cell::Duration(value) => iso::duration_micros(value).map(drop),
        Cell::Json(value) => json::check(value),
        Cell::List(items) => (0..items.len()).try_for_each(|index| match items.cell(index) {
            Cell::Null => Err(Error::query("a list cannot hold null")),
            item => self::cell(item),
        }),
    }
}
