//! Values on their way into MongoDB: the form in which each type is stored.

use ommi_core::driver::Encoder;
use ommi_core::model::{FieldDef, ModelDef};
use ommi_core::value::{Cell, Date, Json, List, ValueType, iso};
use ommi_core::{Error, Result};

use crate::layout::{Holds, Layout, Member, is_moment};
use crate::writer::{GENERIC, UUID, Writer, kind};
use crate::{calendar, decimal};

/// The most bytes of a document.
pub(crate) const DOCUMENT_BYTES: usize = 16 << 20;

/// The longest value: a document has 16 MB, and some of them are the other fields'.
pub(crate) const VALUE_BYTES: usize = DOCUMENT_BYTES - (64 << 10);

#[inline]
fn short(length: usize) -> Result<()> {
    if length <= VALUE_BYTES { Ok(()) } else { Err(too_long(length)) }
}

#[cold]
fn too_long(length: usize) -> Error {
    Error::query(format!(
        "a value has {length} bytes, and MongoDB keeps at most {DOCUMENT_BYTES} in a row: store large values elsewhere, or in rows of their own"
    ))
}

/// The milliseconds and the microseconds of a moment.
pub(crate) fn split(micros: i64) -> (i64, i32) {
    (micros.div_euclid(1_000), i32::try_from(micros.rem_euclid(1_000)).unwrap_or_default())
}

/// The microseconds since 1970 of a cell that is a moment.
pub(crate) fn moment(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::DateTime(value) => Some(calendar::micros(*value)),
        Cell::Timestamp(value) => Some(calendar::instant_micros(*value)),
        _ => None,
    }
}

/// Whether integers of a type are stored in 32 bits.
pub(crate) fn is_narrow(value_type: &ValueType) -> bool {
    matches!(value_type, ValueType::I8 | ValueType::I16 | ValueType::I32 | ValueType::U8 | ValueType::U16)
}

/// Writes a value in the form in which its type is stored. Of a moment, the date alone.
///
/// # Errors
///
/// `Query` if MongoDB cannot keep the value.
pub(crate) fn value(writer: &mut Writer, cell: Cell<'_>, value_type: &ValueType) -> Result<u8> {
    Ok(match cell {
        Cell::Null => kind::NULL,
        Cell::Bool(value) => writer.bool(value),
        Cell::Int(value) => match value_type {
            ValueType::F32 | ValueType::F64 => writer.double(value as f64),
            ValueType::Decimal(size) => writer.decimal(decimal::stored(value.into(), *size)),
            narrow if is_narrow(narrow) => match i32::try_from(value) {
                Ok(value) => writer.int(value),
                Err(_) => writer.long(value),
            },
            _ => writer.long(value),
        },
        Cell::UInt(value) => match value_type {
            ValueType::F32 | ValueType::F64 => writer.double(value as f64),
            _ => writer.decimal(decimal::of_integer(value.into())),
        },
        // -0.0 becomes 0.0
        Cell::Float(value) => writer.double(value + 0.0),
        Cell::Decimal(value) => match value_type {
            ValueType::Decimal(size) => writer.decimal(decimal::stored(value, *size)),
            _ => writer.decimal(decimal::stored(value, None)),
        },
        Cell::Text(value) => writer.text(short(value.len()).map(|()| value)?),
        Cell::Bytes(value) => writer.binary(short(value.len()).map(|()| value)?, GENERIC),
        Cell::Uuid(value) => writer.binary(value.as_bytes(), UUID),
        Cell::Date(value) => writer.date(date_millis(value)),
        Cell::Time(value) => writer.text(iso::time_text(value).as_str()),
        Cell::DateTime(value) => writer.date(split(calendar::micros(value)).0),
        Cell::Timestamp(value) => writer.date(split(calendar::instant_micros(value)).0),
        Cell::Duration(value) => writer.long(iso::duration_micros(value)?),
        Cell::Json(value) => json(writer, value)?,
        Cell::List(items) => list(writer, items, value_type)?,
    })
}

/// The milliseconds since 1970 at the beginning of a day.
pub(crate) fn date_millis(date: Date) -> i64 {
    calendar::days(date) * calendar::DAY_MILLIS
}

fn list(writer: &mut Writer, items: &dyn List, value_type: &ValueType) -> Result<u8> {
    let item = match value_type {
        ValueType::List(item) => item,
        other => other,
    };
    let start = writer.begin();
    for index in 0..items.len() {
        let place = writer.index(index);
        let kind = element(writer, items.cell(index), item)?;
        writer.set(place, kind);
    }
    writer.end(start)?;
    Ok(kind::ARRAY)
}

/// Writes an element of a list: a moment is a document of its own there.
///
/// # Errors
///
/// As [`value`].
pub(crate) fn element(writer: &mut Writer, cell: Cell<'_>, value_type: &ValueType) -> Result<u8> {
    let Some(micros) = moment(&cell) else { return value(writer, cell, value_type) };
    let (millis, rest) = split(micros);
    let start = writer.begin();
    let place = writer.key("date")?;
    let kind = writer.date(millis);
    writer.set(place, kind);
    let place = writer.key("us")?;
    let kind = writer.int(rest);
    writer.set(place, kind);
    writer.end(start)?;
    Ok(kind::DOCUMENT)
}

/// Writes a JSON document, the members of objects sorted by name: documents that are equal are
/// then so byte by byte.
///
/// # Errors
///
/// `Query` if the document is too long.
pub(crate) fn json(writer: &mut Writer, value: &Json) -> Result<u8> {
    Ok(match value {
        Json::Null => kind::NULL,
        Json::Bool(value) => writer.bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => writer.long(value),
            (None, Some(value)) => writer.decimal(decimal::of_integer(value.into())),
            (None, None) => writer.double(number.as_f64().unwrap_or_default()),
        },
        Json::String(value) => writer.text(value),
        Json::Array(items) => {
            let start = writer.begin();
            for (index, item) in items.iter().enumerate() {
                let place = writer.index(index);
                let kind = json(writer, item)?;
                writer.set(place, kind);
            }
            writer.end(start)?;
            kind::ARRAY
        }
        Json::Object(members) => {
            let mut sorted: Vec<(&String, &Json)> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let start = writer.begin();
            for (name, member) in sorted {
                let place = writer.key(name)?;
                let kind = json(writer, member)?;
                writer.set(place, kind);
            }
            writer.end(start)?;
            kind::DOCUMENT
        }
    })
}

/// A cell of the row that is being written, as it lies in the scratch space.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    kind: u8,
    start: usize,
    end: usize,
    micros: Option<i32>,
}

/// Writes rows as documents. The cells of a row come in the order of the definition and lie in a
/// scratch space until the row is whole: documents have an order of their own.
pub(crate) struct RowWriter<'a> {
    layout: &'a Layout,
    fields: &'a [FieldDef],
    /// The index of the automatic key.
    auto: Option<usize>,
    /// The key that the row gets, if it has none.
    key: Option<i64>,
    scratch: Writer,
    row: Vec<Written>,
}

impl<'a> RowWriter<'a> {
    pub(crate) fn new(model: &'a ModelDef, layout: &'a Layout) -> Self {
        RowWriter {
            layout,
            fields: model.fields(),
            auto: model.auto().map(usize::from),
            key: None,
            scratch: Writer::default(),
            row: Vec::with_capacity(model.fields().len()),
        }
    }

    /// Begins a row, which gets a key if it has none.
    pub(crate) fn begin_row(&mut self, key: Option<i64>) {
        self.key = key;
        self.scratch.truncate(0);
        self.row.clear();
    }

    /// Writes the row's document.
    ///
    /// # Errors
    ///
    /// `Query` if it is longer than MongoDB keeps.
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<u8> {
        let begin = writer.len();
        self.members(writer, &self.layout.members)?;
        let length = writer.len() - begin;
        if length > DOCUMENT_BYTES {
            return Err(Error::query(format!(
                "the row is a document of {length} bytes, and MongoDB keeps at most {DOCUMENT_BYTES}: store large values elsewhere, or in rows of their own"
            )));
        }
        Ok(kind::DOCUMENT)
    }

    fn members(&self, writer: &mut Writer, members: &[Member]) -> Result<()> {
        let start = writer.begin();
        for member in members {
            match &member.holds {
                Holds::Field(index) => {
                    let written = self.row.get(*index).copied().unwrap_or_default();
                    if written.kind == 0 {
                        continue;
                    }
                    let place = writer.key(&member.name)?;
                    writer.raw(self.scratch.bytes().get(written.start..written.end).unwrap_or_default());
                    writer.set(place, written.kind);
                }
                Holds::Micros(index) => {
                    let place = writer.key(&member.name)?;
                    let kind = match self.row.get(*index).and_then(|written| written.micros) {
                        Some(micros) => writer.int(micros),
                        None => kind::NULL,
                    };
                    writer.set(place, kind);
                }
                Holds::Document(inner) => {
                    let place = writer.key(&member.name)?;
                    self.members(writer, inner)?;
                    writer.set(place, kind::DOCUMENT);
                }
            }
        }
        writer.end(start)
    }
}

impl Encoder for RowWriter<'_> {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let index = self.row.len();
        let Some(field) = self.fields.get(index) else {
            return Err(Error::query("the row has more values than its model has fields"));
        };
        let cell = match (cell, self.key) {
            (Cell::Null, Some(key)) if self.auto == Some(index) => Cell::Int(key),
            (cell, _) => cell,
        };
        let start = self.scratch.len();
        let kind = match (cell, &field.value_type) {
            // null is a JSON value: what is absent is null
            (Cell::Null, ValueType::Json) => 0,
            (cell, value_type) => value(&mut self.scratch, cell, value_type)?,
        };
        let micros = match is_moment(&field.value_type) {
            true => moment(&cell).map(|micros| split(micros).1),
            false => None,
        };
        self.row.push(Written { kind, start, end: self.scratch.len(), micros });
        Ok(())
    }
}
