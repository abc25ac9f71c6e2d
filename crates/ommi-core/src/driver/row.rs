//! Rows on their way from and to a driver.

use std::any::Any;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::BoxFuture;
use crate::error::Result;
use crate::model::{FieldDef, ModelDef};
use crate::relation::group::{GroupBuilder, Place};
use crate::relation::{Handle, RelationField};
use crate::value::{Cell, Value, json};

/// A row in a driver's buffer.
pub trait RowRef {
    /// The value at a position.
    ///
    /// # Errors
    ///
    /// `Decode` if it cannot be shown as a cell (text that is not UTF-8), or past the end.
    fn cell(&self, column: usize) -> Result<Cell<'_>>;
}

/// Whether a sink wants more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It has enough: the driver stops reading.
    Stop,
}

/// Takes rows while the driver reads them.
///
/// A sink is owned by the call that fills it, so that a dropped future leaves nothing behind that
/// borrows; it comes back with the answer.
pub trait RowSink: Send {
    /// Takes the names of the columns, before the first row of a raw statement.
    fn columns(&mut self, names: &[&str]) -> Result<()>;

    /// Takes a row.
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow>;

    /// Forgets all rows: the driver begins anew.
    fn reset(&mut self);

    /// The sink as its own type.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// Rows that are read in batches.
pub trait RowStream: Send {
    /// Reads up to `rows` rows into a sink; the flag says whether there may be more.
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>>;
}

/// Takes the cells of a row, one after the other.
pub trait Encoder {
    /// Takes a cell.
    ///
    /// # Errors
    ///
    /// `Query` if the database cannot keep the value.
    fn cell(&mut self, cell: Cell<'_>) -> Result<()>;
}

/// Rows to be written. Owned by the call, it comes back with the answer.
pub trait RowSource: Send {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives all fields of a row to an encoder, in the order of the definition. An automatic
    /// integer key that is still to be assigned is given as null.
    ///
    /// # Errors
    ///
    /// The encoder's, and those of values that cannot be stored.
    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()>;

    /// Whether the automatic integer key of a row is still to be assigned.
    fn is_unassigned(&self, row: usize) -> bool;

    /// The automatic integer key of a row that has one already.
    fn key(&self, row: usize) -> Option<i64>;

    /// The source as its own type.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// A row that is being read into a model, field by field.
pub struct Row<'a> {
    row: &'a dyn RowRef,
    next: usize,
    /// Where the row's relation fields stand, if they are to know their database.
    place: Option<Place<'a>>,
}

impl<'a> Row<'a> {
    /// Begins to read a row at its first value.
    #[inline]
    pub fn new(row: &'a dyn RowRef) -> Self {
        Row { row, next: 0, place: None }
    }

    /// Begins to read a row whose relations are loaded with those of others.
    #[inline]
    pub(crate) fn in_group(row: &'a dyn RowRef, group: Option<&'a GroupBuilder>) -> Self {
        Row { row, next: 0, place: group.map(GroupBuilder::place) }
    }

    /// The field of a relation, by its index: not stored, it leads to other rows.
    #[inline]
    pub fn relation<F: RelationField>(&self, relation: u16) -> F {
        F::at(match self.place {
            Some(place) => Handle::new(Arc::clone(place.group), place.row, relation),
            None => Handle::default(),
        })
    }

    /// Reads the next value.
    ///
    /// # Errors
    ///
    /// `Decode` if it does not fit the type.
    #[inline]
    pub fn take<V: Value>(&mut self) -> Result<V> {
        V::decode(self.cell()?)
    }

    /// Reads the next value as it is.
    ///
    /// # Errors
    ///
    /// `Decode` if it cannot be shown.
    #[inline]
    pub fn cell(&mut self) -> Result<Cell<'a>> {
        let column = self.next;
        self.next += 1;
        self.row.cell(column)
    }

    /// Reads the next value from a JSON document, by serde.
    ///
    /// # Errors
    ///
    /// `Decode` if the document does not fit the type.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        json::from_cell(self.cell()?)
    }

    /// Reads the next value from a JSON document, by serde, or `None` from null.
    ///
    /// # Errors
    ///
    /// `Decode` if the document does not fit the type.
    pub fn json_optional<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        match self.cell()? {
            Cell::Null => Ok(None),
            cell => json::from_cell(cell).map(Some),
        }
    }

    /// The next value as it is, without a step forward.
    ///
    /// # Errors
    ///
    /// `Decode` if it cannot be shown.
    pub fn peek(&self, ahead: usize) -> Result<Cell<'a>> {
        self.row.cell(self.next + ahead)
    }

    /// Leaves out values.
    pub fn skip(&mut self, values: usize) {
        self.next += values;
    }

    /// How many values have been read or left out: the one that failed is the last of them.
    pub fn position(&self) -> usize {
        self.next
    }
}

/// Writes a model field by field: checks each value against its field and hands it on.
pub struct RowEncoder<'a> {
    encoder: &'a mut dyn Encoder,
    fields: std::slice::Iter<'a, FieldDef>,
    model: &'a Arc<str>,
}

impl<'a> RowEncoder<'a> {
    /// Begins to write a row of a model.
    pub fn new(model: &'a ModelDef, encoder: &'a mut dyn Encoder) -> Self {
        RowEncoder { encoder, fields: model.fields().iter(), model: model.name() }
    }

    /// Writes the next field.
    ///
    /// # Errors
    ///
    /// `Query` or `Constraint` if the field cannot keep the value.
    #[inline]
    pub fn put<V: Value>(&mut self, value: &V) -> Result<()> {
        self.cell(value.cell())
    }

    /// Writes the next field, which is automatic: null while it is still to be assigned.
    ///
    /// # Errors
    ///
    /// As [`RowEncoder::put`].
    pub fn put_auto<V: crate::value::AutoValue>(&mut self, value: &V) -> Result<()> {
        match value.is_unassigned() {
            true => self.cell(Cell::Null),
            false => self.cell(value.cell()),
        }
    }

    /// Writes the next field as a JSON document, by serde.
    ///
    /// # Errors
    ///
    /// `Query` if serde cannot make a document of the value.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<()> {
        self.cell(Cell::Json(&json::document(value)?))
    }

    /// Writes the next field as a JSON document, by serde, or null for `None`.
    ///
    /// # Errors
    ///
    /// As [`RowEncoder::json`].
    pub fn json_optional<T: Serialize>(&mut self, value: &Option<T>) -> Result<()> {
        match value {
            Some(value) => self.json(value),
            None => self.cell(Cell::Null),
        }
    }

    /// Writes the next field from a cell.
    ///
    /// # Errors
    ///
    /// As [`RowEncoder::put`].
    #[inline]
    pub fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        if let Some(field) = self.fields.next() {
            field.check(cell).map_err(|error| error.with_model(self.model))?;
        }
        self.encoder.cell(cell)
    }
}
