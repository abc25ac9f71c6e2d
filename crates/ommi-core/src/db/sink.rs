//! Sinks: where the rows of an answer go.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Db;
use crate::driver::{Flow, Row, RowRef, RowSink};
use crate::error::{Error, Result};
use crate::model::{Model, ModelDef};
use crate::relation::group::{Group, GroupBuilder};
use crate::value::{Datum, ValueType};

/// Reads a row into something.
pub(crate) trait Decode: 'static {
    type Out: Send + 'static;

    fn decode(row: &mut Row<'_>) -> Result<Self::Out>;

    /// A group for the rows, if they have relations.
    #[inline]
    fn group(_: &Db) -> Option<Box<GroupBuilder>> {
        None
    }

    /// Takes what was read, and the row that it was read from, into their group.
    #[inline]
    fn enter(_: &Self::Out, _: &dyn RowRef, _: &mut GroupBuilder) -> Result<()> {
        Ok(())
    }

    /// The error with the field whose value did not fit, by its position in the row.
    fn name(error: Error, position: usize) -> Error;
}

/// Reads whole models.
pub(crate) struct Whole<M>(PhantomData<fn() -> M>);

impl<M: Model> Decode for Whole<M> {
    type Out = M;

    #[inline]
    fn decode(row: &mut Row<'_>) -> Result<M> {
        M::decode(row)
    }

    #[inline]
    fn group(db: &Db) -> Option<Box<GroupBuilder>> {
        GroupBuilder::of::<M>(db)
    }

    #[inline]
    fn enter(instance: &M, row: &dyn RowRef, group: &mut GroupBuilder) -> Result<()> {
        group.push_of(instance, row)
    }

    #[cold]
    fn name(error: Error, position: usize) -> Error {
        let model = M::definition();
        match position.checked_sub(1).and_then(|index| model.fields().get(index)) {
            Some(field) => decode_error(error, model, &field.name),
            None => error.with_model(model.name()),
        }
    }
}

/// The error with the field and the model that it is about.
#[cold]
pub(super) fn decode_error(error: Error, model: &ModelDef, field: &str) -> Error {
    Error::decode(format!("`{field}`: {}", error.message())).with_model(model.name()).with_fields([field])
}

/// Reads a row into something, at its place in a group, which it enters after.
#[inline]
fn decode<D: Decode>(row: &dyn RowRef, group: Option<&GroupBuilder>) -> Result<D::Out> {
    let mut fields = Row::in_group(row, group);
    D::decode(&mut fields).map_err(|error| D::name(error, fields.position()))
}

/// Reads a row into something, at its place in a group, and keeps it.
#[inline]
fn keep<D: Decode>(rows: &mut Vec<D::Out>, row: &dyn RowRef, group: &mut Option<Box<GroupBuilder>>) -> Result<()> {
    // what was read goes to its place at once, because each step in between would be a copy
    rows.push(decode::<D>(row, group.as_deref())?);
    match (group, rows.last()) {
        (Some(group), Some(last)) => D::enter(last, row, group),
        _ => Ok(()),
    }
}

/// Reads a row into a model, at its place in a group, and keeps it.
#[inline]
pub(crate) fn keep_whole<M: Model>(
    rows: &mut Vec<M>,
    row: &dyn RowRef,
    group: &mut Option<Box<GroupBuilder>>,
) -> Result<()> {
    keep::<Whole<M>>(rows, row, group)
}

/// Keeps all rows.
pub(crate) struct All<D: Decode> {
    pub(crate) rows: Vec<D::Out>,
    group: Option<Box<GroupBuilder>>,
}

impl<D: Decode> All<D> {
    #[inline]
    pub(crate) fn new(db: &Db) -> Self {
        All { rows: Vec::new(), group: D::group(db) }
    }

    /// The rows, and their group if they have relations.
    #[inline]
    pub(crate) fn finish(self) -> (Vec<D::Out>, Option<Arc<Group>>) {
        (self.rows, self.group.map(|group| group.seal()))
    }
}

impl<D: Decode> RowSink for All<D> {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        keep::<D>(&mut self.rows, row, &mut self.group)?;
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
        if let Some(group) = &mut self.group {
            group.truncate(0);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Keeps the first row, and knows whether there was another.
pub(crate) struct First<D: Decode> {
    first: Option<D::Out>,
    pub(crate) several: bool,
    group: Option<Box<GroupBuilder>>,
}

impl<D: Decode> First<D> {
    #[inline]
    pub(crate) fn new(db: &Db) -> Self {
        First { first: None, several: false, group: D::group(db) }
    }

    /// The row, and its group if it has relations.
    #[inline]
    pub(crate) fn finish(self) -> (Option<D::Out>, Option<Arc<Group>>) {
        (self.first, self.group.map(|group| group.seal()))
    }
}

impl<D: Decode> RowSink for First<D> {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        if self.first.is_some() {
            self.several = true;
            return Ok(Flow::Stop);
        }
        let first = self.first.insert(decode::<D>(row, self.group.as_deref())?);
        if let Some(group) = &mut self.group {
            D::enter(first, row, group)?;
        }
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.first = None;
        self.several = false;
        if let Some(group) = &mut self.group {
            group.truncate(0);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Keeps all rows without a Rust type.
pub(crate) struct Untyped {
    pub(crate) rows: Vec<Vec<Datum>>,
    types: Arc<[ValueType]>,
    /// The model, if the rows hold all its fields.
    model: Option<Arc<ModelDef>>,
}

impl Untyped {
    pub(crate) fn new(types: impl Into<Arc<[ValueType]>>) -> Self {
        Untyped { rows: Vec::new(), types: types.into(), model: None }
    }

    /// Rows of all fields of a model.
    pub(crate) fn of_model(model: &Arc<ModelDef>) -> Self {
        let types = model.fields().iter().map(|field| field.value_type.clone()).collect::<Vec<_>>();
        Untyped { model: Some(Arc::clone(model)), ..Untyped::new(types) }
    }

    /// The error with the field whose value did not fit.
    #[cold]
    fn name(&self, error: Error, index: usize) -> Error {
        match self.model.as_ref().and_then(|model| Some((model, model.fields().get(index)?))) {
            Some((model, field)) => decode_error(error, model, &field.name),
            None => Error::decode(format!("column {} of the answer: {}", index + 1, error.message())),
        }
    }
}

impl RowSink for Untyped {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let decode = |(index, value_type): (usize, &ValueType)| {
            row.cell(index).and_then(|cell| Datum::decode(cell, value_type)).map_err(|error| self.name(error, index))
        };
        self.rows.push(self.types.iter().enumerate().map(decode).collect::<Result<_>>()?);
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The sink that a driver gave back, as its own type.
///
/// # Errors
///
/// `Connection`, if the driver gave back another sink than it was given: a fault of the driver.
#[inline]
pub(crate) fn take<S: RowSink + 'static>(sink: Box<dyn RowSink>) -> Result<S> {
    match sink.into_any().downcast::<S>() {
        Ok(sink) => Ok(*sink),
        Err(_) => Err(Error::connection("the driver gave back another sink than it was given: a fault of the driver")),
    }
}

/// A row of owned values, as a sink sees it.
pub(crate) struct OwnedRow<'a>(pub(crate) &'a [Datum]);

impl RowRef for OwnedRow<'_> {
    fn cell(&self, column: usize) -> Result<crate::value::Cell<'_>> {
        match self.0.get(column) {
            Some(value) => Ok(value.cell()),
            None => Err(Error::decode(format!("the row has no column {column}"))),
        }
    }
}
