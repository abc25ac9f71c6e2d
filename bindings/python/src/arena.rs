//! Whole batches of values in two buffers: filled without the GIL, read with it, and the other way
//! round for rows that are written.

use std::any::Any;
use std::sync::Arc;

use ommi::driver::{Encoder, Flow, RowEncoder, RowRef, RowSink, RowSource};
use ommi::model::ModelDef;
use ommi::value::{Cell, Datum, ValueType};
use ommi::{Error, Result};
use pyo3::prelude::*;

use crate::model::Instances;
use crate::parts::{PART, Parts};

/// A value. Text and bytes lie in the arena's buffer, and what is larger than a number among its others.
///
/// Its parts are written each by itself: one that is put together elsewhere and then copied as a whole takes
/// longer to write than all else that is done with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// How many bytes there are.
    length: u32,
    /// A number's bits, or where the bytes or the other begin.
    value: u64,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    UInt,
    Float,
    Text,
    Bytes,
    Other,
}

impl Slot {
    #[inline(always)]
    fn new(kind: Kind, value: u64) -> Self {
        Slot { kind, length: 0, value }
    }

    #[inline(always)]
    fn of_integer(value: i64) -> Self {
        Slot::new(Kind::Int, value.cast_unsigned())
    }

    /// The integer, if it is one.
    #[inline]
    pub(crate) fn integer(&self) -> Option<i64> {
        (self.kind == Kind::Int).then_some(self.value.cast_signed())
    }
}

/// Rows of a fixed width.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    width: usize,
    slots: Vec<Slot>,
    buffer: Vec<u8>,
    others: Vec<Datum>,
}

impl Arena {
    pub(crate) fn new(width: usize) -> Self {
        Arena { width, ..Arena::default() }
    }

    /// An arena with room for a number of rows.
    pub(crate) fn with_rows(width: usize, rows: usize) -> Self {
        Arena { width, slots: Vec::with_capacity(width * rows), ..Arena::default() }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.slots.len().checked_div(self.width).unwrap_or_default()
    }

    /// How many values a row has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Forgets all rows, and keeps their room.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.buffer.clear();
        self.others.clear();
    }

    /// Forgets all rows but the first ones.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.slots.truncate(rows.saturating_mul(self.width));
    }

    /// The values of each row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Slot]> {
        self.slots.chunks_exact(self.width.max(1))
    }

    /// The bytes of a text, or of bytes.
    #[inline]
    pub(crate) fn bytes(&self, slot: &Slot) -> &[u8] {
        let at = place(slot.value);
        self.buffer.get(at..at + slot.length as usize).unwrap_or_default()
    }

    /// The value at a position of a row; null past the end.
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.slots.get(row * self.width + column).map_or(Cell::Null, |slot| self.cell_of(slot))
    }

    /// The value of a slot.
    pub(crate) fn cell_of<'a>(&'a self, slot: &Slot) -> Cell<'a> {
        match slot.kind {
            Kind::Null => Cell::Null,
            Kind::Bool => Cell::Bool(slot.value != 0),
            Kind::Int => Cell::Int(slot.value.cast_signed()),
            Kind::UInt => Cell::UInt(slot.value),
            Kind::Float => Cell::Float(f64::from_bits(slot.value)),
            // only whole texts were put into the buffer
            Kind::Text => std::str::from_utf8(self.bytes(slot)).map_or(Cell::Null, Cell::Text),
            Kind::Bytes => Cell::Bytes(self.bytes(slot)),
            Kind::Other => self.others.get(place(slot.value)).map_or(Cell::Null, Datum::cell),
        }
    }

    /// The integer at a position of the last row.
    #[inline]
    pub(crate) fn last_integer(&self, column: usize) -> Option<i64> {
        self.slots.rchunks_exact(self.width.max(1)).next()?.get(column)?.integer()
    }

    /// The next value.
    pub(crate) fn push(&mut self, value: Datum) {
        let slot = match value {
            Datum::Null => Slot::new(Kind::Null, 0),
            Datum::Bool(value) => Slot::new(Kind::Bool, value.into()),
            Datum::Int(value) => Slot::of_integer(value),
            Datum::UInt(value) => Slot::new(Kind::UInt, value),
            Datum::Float(value) => Slot::new(Kind::Float, value.to_bits()),
            Datum::Text(value) => return self.push_text(&value),
            Datum::Bytes(value) => return self.push_bytes(&value),
            other => {
                self.others.push(other);
                Slot::new(Kind::Other, self.others.len() as u64 - 1)
            }
        };
        self.slots.push(slot);
    }

    /// The next value, a text.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &str) {
        let slot = self.put(Kind::Text, text.as_bytes());
        self.slots.push(slot);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        let slot = self.put(Kind::Bytes, bytes);
        self.slots.push(slot);
    }

    /// The next value, an integer.
    #[inline]
    pub(crate) fn push_int(&mut self, value: i64) {
        self.slots.push(Slot::of_integer(value));
    }

    #[inline(always)]
    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Slot {
        let at = self.buffer.len() as u64;
        self.buffer.extend_from_slice(bytes);
        Slot { kind, length: u32::try_from(bytes.len()).unwrap_or(u32::MAX), value: at }
    }

    /// Puts an integer where there is null.
    pub(crate) fn assign(&mut self, row: usize, column: usize, value: i64) {
        if let Some(slot) = self.slots.get_mut(row * self.width + column) {
            *slot = Slot::of_integer(value);
        }
    }

    /// Reads a value of a type from what a driver gives.
    ///
    /// The cell stays where the driver has put it: to copy it as a whole, right after it was written in
    /// pieces, takes longer than all else here.
    #[inline(always)]
    fn read(&mut self, cell: &Result<Cell<'_>>, of: &ValueType) -> Result<()> {
        let slot = match (cell, of) {
            (Ok(Cell::Null), _) => Slot::new(Kind::Null, 0),
            (Ok(Cell::Int(value)), ValueType::I64) => Slot::of_integer(*value),
            (Ok(Cell::Text(text)), ValueType::Text) => self.put(Kind::Text, text.as_bytes()),
            (Ok(Cell::Float(value)), ValueType::F64) => Slot::new(Kind::Float, value.to_bits()),
            (cell, of) => return self.read_other(cell, of),
        };
        self.slots.push(slot);
        Ok(())
    }

    #[inline(never)]
    fn read_other(&mut self, cell: &Result<Cell<'_>>, of: &ValueType) -> Result<()> {
        match cell {
            Ok(Cell::Bytes(bytes)) if *of == ValueType::Bytes => self.push_bytes(bytes),
            Ok(cell) => self.push(Datum::decode(*cell, of)?),
            Err(error) => return Err(error.clone()),
        }
        Ok(())
    }

    /// Takes a value as it is.
    pub(crate) fn push_cell(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Text(text) => self.push_text(text),
            Cell::Bytes(bytes) => self.push_bytes(bytes),
            cell => self.push(Datum::from_cell(cell)),
        }
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Takes the rows of an answer.
pub(crate) struct RowsOf {
    pub(crate) arena: Arena,
    types: Arc<[ValueType]>,
    model: Option<Arc<ModelDef>>,
    /// How many values are enough.
    enough: usize,
    /// How many values make a part that is handed over.
    of_part: usize,
    parts: Option<Arc<Parts>>,
}

impl RowsOf {
    /// Takes rows of values of some types; of a model, if they are all its fields.
    pub(crate) fn new(types: Arc<[ValueType]>, model: Option<Arc<ModelDef>>, most: usize) -> Self {
        // an answer of a row or two is put where there is room for it
        let arena = match most {
            0..=2 => Arena { buffer: Vec::with_capacity(128), ..Arena::with_rows(types.len(), most) },
            _ => Arena::new(types.len()),
        };
        let enough = types.len().saturating_mul(most);
        RowsOf { arena, types, model, enough, of_part: usize::MAX, parts: None }
    }

    /// Hands the rows over in parts, where somebody takes them.
    pub(crate) fn in_parts(mut self, parts: Option<Arc<Parts>>) -> Self {
        self.parts = parts;
        self.note_part();
        self
    }

    fn note_part(&mut self) {
        if self.parts.is_some() {
            self.of_part = self.arena.slots.len() + self.types.len() * PART;
        }
    }

    #[cold]
    fn hand_over(&mut self) {
        if let Some(parts) = &self.parts {
            parts.hand_over(&mut self.arena);
        }
        self.note_part();
    }

    /// Forgets all rows but the first ones.
    pub(crate) fn keep(&mut self, rows: usize) {
        let handed_over = self.parts.as_ref().map_or(0, |parts| parts.keep(rows));
        self.arena.truncate(rows - handed_over);
    }

    /// What was made of the rows that were handed over.
    pub(crate) fn made(&self, py: Python<'_>) -> PyResult<Instances> {
        self.parts.as_ref().map_or_else(|| Ok(Instances::default()), |parts| parts.finish(py))
    }

    #[cold]
    fn name(&self, error: Error, index: usize) -> Error {
        match self.model.as_ref().and_then(|model| Some((model, model.fields().get(index)?))) {
            Some((model, field)) => Error::decode(format!("`{}`: {}", field.name, error.message()))
                .with_model(model.name())
                .with_fields([&*field.name]),
            None => Error::decode(format!("column {} of the answer: {}", index + 1, error.message())),
        }
    }
}

impl RowSink for RowsOf {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        if self.arena.slots.len() >= self.of_part {
            self.hand_over();
        }
        let (arena, types) = (&mut self.arena, &self.types);
        arena.slots.reserve(types.len());
        for (index, of) in types.iter().enumerate() {
            if let Err(error) = arena.read(&row.cell(index), of) {
                return Err(self.name(error, index));
            }
        }
        Ok(if arena.slots.len() < self.enough { Flow::Continue } else { Flow::Stop })
    }

    fn reset(&mut self) {
        self.keep(0);
        self.arena.clear();
        self.note_part();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Takes the rows of a raw statement as they are stored, with the names of their columns.
#[derive(Default)]
pub(crate) struct RawRows {
    pub(crate) arena: Arena,
    pub(crate) columns: Vec<String>,
}

impl RowSink for RawRows {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        self.columns = names.iter().map(|name| (*name).to_owned()).collect();
        self.arena = Arena::new(names.len());
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        for index in 0..self.columns.len() {
            self.arena.push_cell(row.cell(index)?);
        }
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.arena.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Takes the rows of a raw statement as a model's: each field from the column of its stored name.
pub(crate) struct RawModelRows {
    pub(crate) rows: RowsOf,
    positions: Vec<usize>,
}

impl RawModelRows {
    pub(crate) fn new(rows: RowsOf) -> Self {
        RawModelRows { rows, positions: Vec::new() }
    }
}

struct Reordered<'a> {
    row: &'a dyn RowRef,
    positions: &'a [usize],
}

impl RowRef for Reordered<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.positions.get(column) {
            Some(column) => self.row.cell(*column),
            None => Err(Error::decode(format!("the row has no column {column}"))),
        }
    }
}

impl RowSink for RawModelRows {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        let Some(model) = &self.rows.model else { return Ok(()) };
        let positions = model.fields().iter().map(|field| {
            let exact = names.iter().position(|name| **name == *field.column);
            let found = exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(&field.column)));
            found.ok_or_else(|| {
                Error::query(format!(
                    "the answer has no column `{}`, which the model needs; it has {}",
                    field.column,
                    names.join(", ")
                ))
                .with_model(model.name())
            })
        });
        self.positions = positions.collect::<Result<_>>()?;
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        self.rows.row(&Reordered { row, positions: &self.positions })
    }

    fn reset(&mut self) {
        self.rows.reset();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The rows of an insert.
pub(crate) struct NewRows {
    pub(crate) arena: Arena,
    pub(crate) model: Arc<ModelDef>,
}

impl RowSource for NewRows {
    fn len(&self) -> usize {
        self.arena.rows()
    }

    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()> {
        let mut encoder = RowEncoder::new(&self.model, encoder);
        (0..self.arena.width()).try_for_each(|column| encoder.cell(self.arena.cell(row, column)))
    }

    fn is_unassigned(&self, row: usize) -> bool {
        self.model.auto().is_some_and(|auto| self.arena.cell(row, auto.into()).is_null())
    }

    fn key(&self, row: usize) -> Option<i64> {
        match self.arena.cell(row, self.model.auto()?.into()) {
            Cell::Int(key) => Some(key),
            _ => None,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
