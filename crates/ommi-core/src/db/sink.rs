//! Sinks: where the rows of an answer go.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::driver::{Flow, Row, RowRef, RowSink};
use crate::error::{Error, Result};
use crate::model::{Model, ModelDef};
use crate::value::{Datum, ValueType};

/// Reads a row into something.
pub(crate) trait Decode: 'static {
    type Out: Send + 'static;

    fn decode(row: &mut Row<'_>) -> Result<Self::Out>;

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

/// Keeps all rows.
pub(crate) struct All<D: Decode>(pub(crate) Vec<D::Out>);

impl<D: Decode> RowSink for All<D> {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let mut row = Row::new(row);
        match D::decode(&mut row) {
            Ok(value) => {
                self.0.push(value);
                Ok(Flow::Continue)
            }
            Err(error) => Err(D::name(error, row.position())),
        }
    }

    fn reset(&mut self) {
        self.0.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Keeps the first row, and knows whether there was another.
pub(crate) struct First<D: Decode> {
    pub(crate) first: Option<D::Out>,
    pub(crate) several: bool,
}

impl<D: Decode> Default for First<D> {
    fn default() -> Self {
        First { first: None, several: false }
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
        let mut row = Row::new(row);
        match D::decode(&mut row) {
            Ok(value) => {
                self.first = Some(value);
                Ok(Flow::Continue)
            }
            Err(error) => Err(D::name(error, row.position())),
        }
    }

    fn reset(&mut self) {
        self.first = None;
        self.several = false;
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
