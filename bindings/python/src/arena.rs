//! Whole batches of values in two buffers: filled without the GIL, read with it, and the other way
//! round for rows that are written.

use std::any::Any;
use std::sync::Arc;

use ommi::driver::{Encoder, Flow, RowEncoder, RowRef, RowSink, RowSource};
use ommi::model::ModelDef;
use ommi::value::{Cell, Datum, ValueType};
use ommi::{Date, DateTime, Decimal, Duration, Error, Json, Result, Time, Timestamp, Uuid};

/// A value; text and bytes lie in the arena's buffer.
#[derive(Debug)]
pub(crate) enum Slot {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(usize, u32),
    Bytes(usize, u32),
    Decimal(Decimal),
    Uuid(Uuid),
    Date(Date),
    Time(Time),
    DateTime(DateTime),
    Timestamp(Timestamp),
    Duration(Duration),
    Json(Box<Json>),
    List(Vec<Datum>),
}

/// Rows of a fixed width.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    width: usize,
    slots: Vec<Slot>,
    buffer: Vec<u8>,
}

impl Arena {
    pub(crate) fn new(width: usize) -> Self {
        Arena { width, slots: Vec::new(), buffer: Vec::new() }
    }

    /// An arena with room for a number of rows.
    pub(crate) fn with_rows(width: usize, rows: usize) -> Self {
        Arena { width, slots: Vec::with_capacity(width * rows), buffer: Vec::new() }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.slots.len().checked_div(self.width).unwrap_or_default()
    }

    /// How many values a row has.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    fn clear(&mut self) {
        self.slots.clear();
        self.buffer.clear();
    }

    /// Forgets all rows but the first ones.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.slots.truncate(rows * self.width);
    }

    /// The values of each row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[Slot]> {
        self.slots.chunks_exact(self.width.max(1))
    }

    /// What a text or bytes hold.
    #[inline]
    pub(crate) fn bytes(&self, at: usize, length: u32) -> &[u8] {
        self.buffer.get(at..at + length as usize).unwrap_or_default()
    }

    /// The value at a position of a row; null past the end.
    #[inline]
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.slots.get(row * self.width + column).map_or(Cell::Null, |slot| self.cell_of(slot))
    }

    /// The value of a slot.
    pub(crate) fn cell_of<'a>(&'a self, slot: &'a Slot) -> Cell<'a> {
        match slot {
            Slot::Null => Cell::Null,
            Slot::Bool(value) => Cell::Bool(*value),
            Slot::Int(value) => Cell::Int(*value),
            Slot::UInt(value) => Cell::UInt(*value),
            Slot::Float(value) => Cell::Float(*value),
            // only whole texts were put into the buffer
            Slot::Text(at, length) => std::str::from_utf8(self.bytes(*at, *length)).map_or(Cell::Null, Cell::Text),
            Slot::Bytes(at, length) => Cell::Bytes(self.bytes(*at, *length)),
            Slot::Decimal(value) => Cell::Decimal(*value),
            Slot::Uuid(value) => Cell::Uuid(*value),
            Slot::Date(value) => Cell::Date(*value),
            Slot::Time(value) => Cell::Time(*value),
            Slot::DateTime(value) => Cell::DateTime(*value),
            Slot::Timestamp(value) => Cell::Timestamp(*value),
            Slot::Duration(value) => Cell::Duration(*value),
            Slot::Json(value) => Cell::Json(value),
            Slot::List(value) => Cell::List(value),
        }
    }

    /// The integer at a position of the last row.
    #[inline]
    pub(crate) fn last_integer(&self, column: usize) -> Option<i64> {
        match self.slots.rchunks_exact(self.width.max(1)).next()?.get(column) {
            Some(Slot::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// The next value.
    pub(crate) fn push(&mut self, value: Datum) {
        let slot = match value {
            Datum::Null => Slot::Null,
            Datum::Bool(value) => Slot::Bool(value),
            Datum::Int(value) => Slot::Int(value),
            Datum::UInt(value) => Slot::UInt(value),
            Datum::Float(value) => Slot::Float(value),
            Datum::Text(value) => return self.push_text(&value),
            Datum::Bytes(value) => return self.push_bytes(&value),
            Datum::Decimal(value) => Slot::Decimal(value),
            Datum::Uuid(value) => Slot::Uuid(value),
            Datum::Date(value) => Slot::Date(value),
            Datum::Time(value) => Slot::Time(value),
            Datum::DateTime(value) => Slot::DateTime(value),
            Datum::Timestamp(value) => Slot::Timestamp(value),
            Datum::Duration(value) => Slot::Duration(value),
            Datum::Json(value) => Slot::Json(value),
            Datum::List(value) => Slot::List(value),
        };
        self.slots.push(slot);
    }

    /// The next value, a text.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &str) {
        let at = self.put(text.as_bytes());
        self.slots.push(Slot::Text(at, length(text.len())));
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        let at = self.put(bytes);
        self.slots.push(Slot::Bytes(at, length(bytes.len())));
    }

    /// The next value, an integer.
    #[inline]
    pub(crate) fn push_int(&mut self, value: i64) {
        self.slots.push(Slot::Int(value));
    }

    fn put(&mut self, bytes: &[u8]) -> usize {
        let at = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        at
    }

    /// Puts an integer where there is null.
    pub(crate) fn assign(&mut self, row: usize, column: usize, value: i64) {
        if let Some(slot) = self.slots.get_mut(row * self.width + column) {
            *slot = Slot::Int(value);
        }
    }

    /// Reads a value of a type from what a driver gives.
    ///
    /// The cell stays where the driver has put it: to copy it as a whole, right after it was written in
    /// pieces, takes longer than all else here.
    #[inline(always)]
    fn read(&mut self, cell: &Result<Cell<'_>>, of: &ValueType) -> Result<()> {
        match (cell, of) {
            (Ok(Cell::Null), _) => self.slots.push(Slot::Null),
            (Ok(Cell::Int(value)), ValueType::I64) => self.slots.push(Slot::Int(*value)),
            (Ok(Cell::Text(text)), ValueType::Text) => {
                let at = self.buffer.len();
                self.buffer.extend_from_slice(text.as_bytes());
                self.slots.push(Slot::Text(at, length(text.len())));
            }
            (Ok(Cell::Float(value)), ValueType::F64) => self.slots.push(Slot::Float(*value)),
            (cell, of) => return self.read_other(cell, of),
        }
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

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Takes the rows of an answer.
pub(crate) struct RowsOf {
    pub(crate) arena: Arena,
    types: Arc<[ValueType]>,
    model: Option<Arc<ModelDef>>,
    /// After how many rows the sink has enough.
    most: usize,
}

impl RowsOf {
    /// Takes rows of values of some types; of a model, if they are all its fields.
    pub(crate) fn new(types: Arc<[ValueType]>, model: Option<Arc<ModelDef>>, most: usize) -> Self {
        // an answer of a row or two is put where there is room for it
        let arena = match most {
            0..=2 => Arena { buffer: Vec::with_capacity(128), ..Arena::with_rows(types.len(), most) },
            _ => Arena::new(types.len()),
        };
        RowsOf { arena, types, model, most }
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
        let (arena, types) = (&mut self.arena, &self.types);
        arena.slots.reserve(types.len());
        for (index, of) in types.iter().enumerate() {
            if let Err(error) = arena.read(&row.cell(index), of) {
                return Err(self.name(error, index));
            }
        }
        Ok(if self.arena.rows() >= self.most { Flow::Stop } else { Flow::Continue })
    }

    fn reset(&mut self) {
        self.arena.clear();
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
