//! Documents as text that `jsonb` keeps as they are.

use std::io;

use ommi_core::value::Json;
use ommi_core::{Error, Result};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes whole floats with a point and all their digits: `jsonb` keeps numbers as decimals, and
/// shows them as they were written, so that they come back as floats and compare by value.
struct Exact;

impl Formatter for Exact {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match value.fract() == 0.0 {
            true => write!(writer, "{:.1}", value + 0.0),
            false => write!(writer, "{value:?}"),
        }
    }
}

/// The text of a document.
///
/// # Errors
///
/// `Query` if it cannot be written.
pub(crate) fn json_text(document: &Json) -> Result<String> {
    let mut out = Vec::with_capacity(64);
    let written = document.serialize(&mut Serializer::with_formatter(&mut out, Exact));
    written.map_err(|error| Error::query(format!("the JSON document could not be written: {error}")))?;
    String::from_utf8(out).map_err(|_| Error::query("the JSON document could not be written"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn floats_stay_floats_and_have_all_their_digits() {
        assert_eq!(json_text(&json!([1, 1.0, -0.0, 0.1, 1e-7])).unwrap(), "[1,1.0,0.0,0.1,1e-7]");
        assert_eq!(json_text(&json!(2f64.powi(63))).unwrap(), "9223372036854775808.0");
        assert_eq!(json_text(&json!(1e22)).unwrap(), "10000000000000000000000.0");
    }
}
