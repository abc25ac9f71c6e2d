//! Reading BSON, element by element, where it lies.

use ommi_core::{Error, Result};

use crate::writer::kind;

/// An element of a document: its name and where its value lies in the document's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: RawValue<'a>,
}

/// A value as it lies in a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawValue<'a> {
    pub(crate) kind: u8,
    pub(crate) bytes: &'a [u8],
}

/// The elements of a document or an array.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

#[cold]
pub(crate) fn broken() -> Error {
    Error::decode("the server's answer is not BSON")
}

#[inline]
pub(crate) fn number(bytes: &[u8]) -> Result<usize> {
    match bytes.first_chunk::<4>() {
        Some(bytes) => usize::try_from(i32::from_le_bytes(*bytes)).map_err(|_| broken()),
        None => Err(broken()),
    }
}

impl<'a> Elements<'a> {
    /// The elements of a document that begins at the first byte.
    #[inline]
    pub(crate) fn of(document: &'a [u8]) -> Result<Self> {
        let length = number(document)?;
        match document.get(4..length.wrapping_sub(1)) {
            Some(rest) => Ok(Elements { rest }),
            None => Err(broken()),
        }
    }

    /// The elements of a document that is still being written.
    pub(crate) fn open(document: &'a [u8]) -> Self {
        Elements { rest: document.get(4..).unwrap_or_default() }
    }

    /// The next element.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>> {
        let Some((kind, rest)) = self.rest.split_first() else { return Ok(None) };
        let Some(end) = rest.iter().position(|byte| *byte == 0) else { return Err(broken()) };
        let (Some(name), Some(rest)) = (rest.get(..end), rest.get(end + 1..)) else { return Err(broken()) };
        let size = size(*kind, rest)?;
        let (Some(value), Some(rest)) = (rest.get(..size), rest.get(size..)) else { return Err(broken()) };
        self.rest = rest;
        Ok(Some(Element { name, value: RawValue { kind: *kind, bytes: value } }))
    }

    /// The next element, if its name is the one expected: no search for its end.
    #[inline]
    pub(crate) fn next_named(&mut self, name: &[u8]) -> Result<Option<RawValue<'a>>> {
        let Some((kind, rest)) = self.rest.split_first() else { return Ok(None) };
        match rest.strip_prefix(name) {
            Some([0, rest @ ..]) => {
                let size = size(*kind, rest)?;
                let (Some(value), Some(rest)) = (rest.get(..size), rest.get(size..)) else { return Err(broken()) };
                self.rest = rest;
                Ok(Some(RawValue { kind: *kind, bytes: value }))
            }
            _ => Ok(None),
        }
    }
}

/// How many bytes a value has.
#[inline]
fn size(kind: u8, bytes: &[u8]) -> Result<usize> {
    Ok(match kind {
        kind::DOUBLE | kind::DATE | kind::LONG | kind::TIMESTAMP => 8,
        kind::TEXT | kind::CODE | kind::SYMBOL => 4 + number(bytes)?,
        kind::INT => 4,
        kind::BOOL => 1,
        kind::NULL | kind::UNDEFINED | kind::MIN_KEY | kind::MAX_KEY => 0,
        kind::DOCUMENT | kind::ARRAY | kind::SCOPED_CODE => number(bytes)?,
        kind::BINARY => 5 + number(bytes)?,
        kind::DECIMAL => 16,
        kind::OBJECT_ID => 12,
        kind::POINTER => 4 + number(bytes)? + 12,
        kind::REGEX => {
            let end = |from: usize| {
                let rest = bytes.get(from..).unwrap_or_default();
                rest.iter().position(|byte| *byte == 0).map(|end| from + end + 1).ok_or_else(broken)
            };
            end(end(0)?)?
        }
        _ => return Err(broken()),
    })
}

impl<'a> RawValue<'a> {
    /// A value that is not there.
    pub(crate) const MISSING: RawValue<'static> = RawValue { kind: 0, bytes: &[] };

    /// Whether the value is null or not there.
    #[inline]
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, 0 | kind::NULL | kind::UNDEFINED)
    }

    #[inline]
    pub(crate) fn eight(&self) -> Result<[u8; 8]> {
        self.bytes.first_chunk::<8>().copied().ok_or_else(broken)
    }

    #[inline]
    pub(crate) fn four(&self) -> Result<[u8; 4]> {
        self.bytes.first_chunk::<4>().copied().ok_or_else(broken)
    }

    /// The text of a text.
    #[inline]
    pub(crate) fn text(&self) -> Result<&'a str> {
        let bytes = self.bytes.get(4..self.bytes.len().wrapping_sub(1)).ok_or_else(broken)?;
        std::str::from_utf8(bytes).map_err(|_| Error::decode("a text that is not UTF-8: another program wrote it"))
    }

    /// The subtype and the bytes of bytes.
    pub(crate) fn binary(&self) -> Result<(u8, &'a [u8])> {
        match self.bytes.get(4..) {
            // the old subtype has its length again in front
            Some([2, rest @ ..]) => Ok((0, rest.get(4..).ok_or_else(broken)?)),
            Some([subtype, rest @ ..]) => Ok((*subtype, rest)),
            _ => Err(broken()),
        }
    }

    /// The whole number that a number is.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self.kind {
            kind::INT => Some(i32::from_le_bytes(self.four().ok()?).into()),
            kind::LONG => Some(i64::from_le_bytes(self.eight().ok()?)),
            kind::DOUBLE => {
                let value = f64::from_le_bytes(self.eight().ok()?);
                (value.fract() == 0.0 && value.abs() < 9e18).then_some(value as i64)
            }
            _ => None,
        }
    }

    /// The element of a name of a document.
    pub(crate) fn get(&self, name: &str) -> Option<RawValue<'a>> {
        if !matches!(self.kind, kind::DOCUMENT | kind::ARRAY) {
            return None;
        }
        find(self.bytes, name)
    }

    /// The text that the value is, if it is one.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        (self.kind == kind::TEXT).then(|| self.text().ok()).flatten()
    }

    /// Whether the value is true, or a number that is not 0.
    pub(crate) fn is_true(&self) -> bool {
        match self.kind {
            kind::BOOL => self.bytes.first() == Some(&1),
            _ => self.whole().is_some_and(|number| number != 0),
        }
    }

    /// The elements of a document or an array; none of anything else.
    pub(crate) fn elements(&self) -> Vec<(String, RawValue<'a>)> {
        match self.kind {
            kind::DOCUMENT | kind::ARRAY => elements(self.bytes),
            _ => Vec::new(),
        }
    }
}

/// The element of a name of a document.
pub(crate) fn find<'a>(document: &'a [u8], name: &str) -> Option<RawValue<'a>> {
    let mut elements = Elements::of(document).ok()?;
    while let Ok(Some(element)) = elements.next() {
        if element.name == name.as_bytes() {
            return Some(element.value);
        }
    }
    None
}

/// All elements of a document, with their names.
pub(crate) fn elements(document: &[u8]) -> Vec<(String, RawValue<'_>)> {
    let mut found = Vec::new();
    if let Ok(mut elements) = Elements::of(document) {
        while let Ok(Some(element)) = elements.next() {
            found.push((String::from_utf8_lossy(element.name).into_owned(), element.value));
        }
    }
    found
}
