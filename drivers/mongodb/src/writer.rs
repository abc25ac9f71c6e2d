//! Writing BSON, byte by byte, without a tree of values in between.

use mongodb::bson::{Decimal128, RawDocumentBuf};
use ommi_core::{Error, Result};

/// The types of BSON elements that the driver reads or writes.
pub(crate) mod kind {
    pub(crate) const DOUBLE: u8 = 0x01;
    pub(crate) const TEXT: u8 = 0x02;
    pub(crate) const DOCUMENT: u8 = 0x03;
    pub(crate) const ARRAY: u8 = 0x04;
    pub(crate) const BINARY: u8 = 0x05;
    pub(crate) const UNDEFINED: u8 = 0x06;
    pub(crate) const OBJECT_ID: u8 = 0x07;
    pub(crate) const BOOL: u8 = 0x08;
    pub(crate) const DATE: u8 = 0x09;
    pub(crate) const NULL: u8 = 0x0a;
    pub(crate) const REGEX: u8 = 0x0b;
    pub(crate) const POINTER: u8 = 0x0c;
    pub(crate) const CODE: u8 = 0x0d;
    pub(crate) const SYMBOL: u8 = 0x0e;
    pub(crate) const SCOPED_CODE: u8 = 0x0f;
    pub(crate) const INT: u8 = 0x10;
    pub(crate) const TIMESTAMP: u8 = 0x11;
    pub(crate) const LONG: u8 = 0x12;
    pub(crate) const DECIMAL: u8 = 0x13;
    pub(crate) const MAX_KEY: u8 = 0x7f;
    pub(crate) const MIN_KEY: u8 = 0xff;
}

/// The subtype of plain bytes.
pub(crate) const GENERIC: u8 = 0;
/// The subtype of UUIDs.
pub(crate) const UUID: u8 = 4;

/// A document that is being written. Values are appended without their type; the functions give
/// it back, for the place that [`Writer::key`] kept free.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

/// Where a document or an array begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start(usize);

impl Writer {
    /// A writer that has begun a document.
    pub(crate) fn document() -> Self {
        let mut writer = Writer { bytes: Vec::with_capacity(256) };
        writer.begin();
        writer
    }

    /// Ends the document that [`Writer::document`] began.
    ///
    /// # Errors
    ///
    /// `Query` if it is longer than BSON can say.
    pub(crate) fn finish(mut self) -> Result<RawDocumentBuf> {
        self.end(Start(0))?;
        RawDocumentBuf::from_bytes(self.bytes)
            .map_err(|error| Error::query("the command could not be written as BSON").with_source(error))
    }

    /// The bytes so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes there are so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all bytes behind a number of them.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Appends bytes that are a value already.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins an element: its name, and a place for its type, which is given back.
    ///
    /// # Errors
    ///
    /// `Query` if the name has a NUL character, which BSON cannot write.
    pub(crate) fn key(&mut self, name: &str) -> Result<usize> {
        if name.as_bytes().contains(&0) {
            return Err(Error::query("a name in a document has a NUL character"));
        }
        let place = self.bytes.len();
        self.bytes.push(kind::NULL);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        Ok(place)
    }

    /// Begins the element of an array.
    pub(crate) fn index(&mut self, index: usize) -> usize {
        let place = self.bytes.len();
        self.bytes.push(kind::NULL);
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = index;
        loop {
            at -= 1;
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(digits.get(at..).unwrap_or_default());
        self.bytes.push(0);
        place
    }

    /// Says of which type the element at a place is.
    pub(crate) fn set(&mut self, place: usize, kind: u8) {
        if let Some(slot) = self.bytes.get_mut(place) {
            *slot = kind;
        }
    }

    /// Begins a document or an array.
    pub(crate) fn begin(&mut self) -> Start {
        let start = Start(self.bytes.len());
        self.bytes.extend_from_slice(&[0; 4]);
        start
    }

    /// Ends a document or an array.
    ///
    /// # Errors
    ///
    /// `Query` if it is longer than BSON can say.
    pub(crate) fn end(&mut self, start: Start) -> Result<()> {
        self.bytes.push(0);
        let length = i32::try_from(self.bytes.len() - start.0)
            .map_err(|_| Error::query("a document is longer than 2 GB, which BSON cannot say"))?;
        if let Some(slot) = self.bytes.get_mut(start.0..start.0 + 4) {
            slot.copy_from_slice(&length.to_le_bytes());
        }
        Ok(())
    }

    pub(crate) fn int(&mut self, value: i32) -> u8 {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        kind::INT
    }

    pub(crate) fn long(&mut self, value: i64) -> u8 {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        kind::LONG
    }

    pub(crate) fn double(&mut self, value: f64) -> u8 {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        kind::DOUBLE
    }

    pub(crate) fn bool(&mut self, value: bool) -> u8 {
        self.bytes.push(u8::from(value));
        kind::BOOL
    }

    pub(crate) fn date(&mut self, millis: i64) -> u8 {
        self.bytes.extend_from_slice(&millis.to_le_bytes());
        kind::DATE
    }

    pub(crate) fn decimal(&mut self, value: Decimal128) -> u8 {
        self.bytes.extend_from_slice(&value.bytes());
        kind::DECIMAL
    }

    /// Writes a text.
    pub(crate) fn text(&mut self, value: &str) -> u8 {
        let length = u32::try_from(value.len() + 1).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
        kind::TEXT
    }

    /// Writes bytes of a subtype.
    pub(crate) fn binary(&mut self, value: &[u8], subtype: u8) -> u8 {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.push(subtype);
        self.bytes.extend_from_slice(value);
        kind::BINARY
    }

    /// Writes a regular expression without options.
    ///
    /// # Errors
    ///
    /// `Query` if the pattern has a NUL character.
    pub(crate) fn regex(&mut self, pattern: &str) -> Result<u8> {
        if pattern.as_bytes().contains(&0) {
            return Err(Error::query("a pattern has a NUL character"));
        }
        self.bytes.extend_from_slice(pattern.as_bytes());
        self.bytes.extend_from_slice(&[0, 0]);
        Ok(kind::REGEX)
    }
}
