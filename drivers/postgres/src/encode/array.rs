//! Arrays in their binary form and as text.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use ommi_core::value::{Cell, List, decimal, iso, list};
use ommi_core::{Error, Result};
use tokio_postgres::types::{IsNull, Type};

use super::{interval_text, json_text};

/// Appends an array of elements of a type.
pub(super) fn write(items: &dyn List, element: &Type, out: &mut BytesMut) -> Result<()> {
    header(items.len(), element, out)?;
    for index in 0..items.len() {
        if let IsNull::Yes = write_element(items.cell(index), element, out)? {
            return Err(Error::query("a list cannot hold null"));
        }
    }
    Ok(())
}

/// A number of dimensions, a flag for nulls, the type, then the length and the lower bound of the
/// one dimension. An array without elements has no dimension.
fn header(count: usize, element: &Type, out: &mut BytesMut) -> Result<()> {
    out.put_i32(i32::from(count > 0));
    out.put_i32(0);
    out.put_u32(element.oid());
    if count > 0 {
        out.put_i32(length(count)?);
        out.put_i32(1);
    }
    Ok(())
}

fn length(of: usize) -> Result<i32> {
    i32::try_from(of).map_err(|_| Error::query("the value is larger than PostgreSQL's limit of 1 GB"))
}

/// Appends an element behind its length.
fn write_element(cell: Cell<'_>, of: &Type, out: &mut BytesMut) -> Result<IsNull> {
    let at = out.len();
    out.put_i32(-1);
    let is_null = super::write(cell, of, out)?;
    if let IsNull::No = is_null {
        let written = length(out.len() - at - 4)?.to_be_bytes();
        if let Some(place) = out.get_mut(at..at + 4) {
            place.copy_from_slice(&written);
        }
    }
    Ok(is_null)
}

/// Arrays that are filled row by row, one for each column.
pub(crate) struct Columns {
    types: Vec<Type>,
    arrays: Vec<BytesMut>,
    next: usize,
    rows: usize,
}

impl Columns {
    /// Columns of elements of some types.
    pub(crate) fn new(types: Vec<Type>) -> Self {
        let arrays = types.iter().map(|_| BytesMut::new()).collect();
        Columns { types, arrays, next: 0, rows: 0 }
    }

    /// Appends a value to the next column.
    pub(crate) fn push(&mut self, cell: Cell<'_>) -> Result<()> {
        let (Some(of), Some(array)) = (self.types.get(self.next), self.arrays.get_mut(self.next)) else {
            return Err(Error::query("the row has more values than its model has fields"));
        };
        write_element(cell, of, array)?;
        self.next += 1;
        if self.next == self.types.len() {
            self.next = 0;
            self.rows += 1;
        }
        Ok(())
    }

    /// How many bytes the values take.
    pub(crate) fn bytes(&self) -> usize {
        self.arrays.iter().map(BytesMut::len).sum()
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The whole arrays, to be bound.
    pub(crate) fn finish(self) -> Result<Vec<WholeArray>> {
        let rows = self.rows;
        self.types
            .iter()
            .zip(self.arrays)
            .map(|(of, elements)| {
                let mut bytes = BytesMut::with_capacity(20 + elements.len());
                header(rows, of, &mut bytes)?;
                // nulls may be among them
                if let Some(flag) = bytes.get_mut(7) {
                    *flag = 1;
                }
                bytes.extend_from_slice(&elements);
                Ok(WholeArray(bytes))
            })
            .collect()
    }
}

/// An array in its binary form. `Debug` does not show it: it may be secret.
pub(crate) struct WholeArray(BytesMut);

impl WholeArray {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The text of a value as PostgreSQL reads it.
///
/// # Errors
///
/// `Query` if the value cannot be stored.
pub(crate) fn element_text(cell: Cell<'_>) -> Result<String> {
    Ok(match cell {
        Cell::Null => return Err(Error::query("a list cannot hold null")),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Float(value) if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        Cell::Float(value) => format!("{:?}", value + 0.0),
        Cell::Decimal(value) => decimal::text(value, None),
        Cell::Text(value) => value.to_owned(),
        Cell::Bytes(value) => format!("\\x{}", list::hex(value)),
        Cell::Uuid(value) => value.to_string(),
        Cell::Date(value) => iso::date_text(value).as_str().to_owned(),
        Cell::Time(value) => iso::time_text(value).as_str().to_owned(),
        Cell::DateTime(value) => iso::date_time_text(value).as_str().to_owned(),
        Cell::Timestamp(value) => format!("{}+00", iso::timestamp_text(value).as_str()),
        Cell::Duration(value) => interval_text(iso::duration_micros(value)?),
        Cell::Json(value) => json_text(value)?,
        Cell::List(items) => list_text(items)?,
    })
}

/// The text of an array: every element between quotes.
fn list_text(items: &dyn List) -> Result<String> {
    let mut out = String::with_capacity(2 + 8 * items.len());
    out.push('{');
    for index in 0..items.len() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        for character in element_text(items.cell(index))?.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            let _ = out.write_char(character);
        }
        out.push('"');
    }
    out.push('}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_between_quotes() {
        let items = vec!["a".to_owned(), "b\"c\\".to_owned(), String::new()];
        assert_eq!(element_text(Cell::List(&items)).unwrap(), r#"{"a","b\"c\\",""}"#);
        assert_eq!(element_text(Cell::List(&Vec::<i64>::new())).unwrap(), "{}");
    }

    #[test]
    fn an_array_is_a_header_and_its_elements() {
        let mut out = BytesMut::new();
        write(&vec![7i64], &Type::INT8, &mut out).unwrap();
        let words: Vec<i32> = out.chunks_exact(4).map(|b| i32::from_be_bytes(b.try_into().unwrap())).collect();
        assert_eq!(words, [1, 0, 20, 1, 1, 8, 0, 7]);
    }
}
