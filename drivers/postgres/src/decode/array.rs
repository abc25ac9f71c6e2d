//! Arrays in their binary form.

use ommi_core::Result;
use ommi_core::value::{Cell, List};

use super::{Form, cell, malformed};
use ommi_core::Error;

/// An array in PostgreSQL's buffer, all of whose elements have been looked at once.
pub(super) struct Array<'a> {
    element: Form,
    elements: Vec<&'a [u8]>,
}

impl<'a> Array<'a> {
    /// Reads where the elements are: a number of dimensions, a flag for nulls, the type, then a length
    /// and a lower bound for each dimension, then the elements behind their lengths.
    pub(super) fn read(element: Form, bytes: &'a [u8]) -> Result<Self> {
        let mut rest = bytes;
        let dimensions = number(&mut rest)?;
        let (_, _) = (number(&mut rest)?, number(&mut rest)?);
        let count = match dimensions {
            0 => 0,
            1 => {
                let count = number(&mut rest)?;
                number(&mut rest)?;
                usize::try_from(count).map_err(|_| malformed())?
            }
            _ => return Err(Error::decode("an array of several dimensions is no list of values")),
        };
        let mut elements = Vec::with_capacity(count.min(rest.len() / 4));
        for _ in 0..count {
            let length = number(&mut rest)?;
            let Ok(length) = usize::try_from(length) else { return Err(Error::decode("a list cannot hold null")) };
            let (bytes, behind) = rest.split_at_checked(length).ok_or_else(malformed)?;
            // elements are given without an error later
            cell(element, bytes)?;
            elements.push(bytes);
            rest = behind;
        }
        Ok(Array { element, elements })
    }
}

fn number(rest: &mut &[u8]) -> Result<i32> {
    let (number, behind) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    *rest = behind;
    Ok(i32::from_be_bytes(*number))
}

impl List for Array<'_> {
    fn len(&self) -> usize {
        self.elements.len()
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        match self.elements.get(index) {
            Some(bytes) => cell(self.element, bytes).unwrap_or(Cell::Null),
            None => Cell::Null,
        }
    }
}
