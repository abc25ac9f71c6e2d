//! Sources: the rows of an insert.

use std::any::Any;
use std::sync::Arc;

use crate::driver::{AssignedKeys, Encoder, Inserted, RowEncoder, RowSource};
use crate::error::{Error, Result};
use crate::model::{Model, ModelDef};
use crate::value::{Cell, Datum};

/// Models that are written.
pub(super) struct ModelRows<M>(pub(super) Vec<M>);

impl<M: Model> RowSource for ModelRows<M> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()> {
        match self.0.get(row) {
            Some(model) => model.encode(&mut RowEncoder::new(M::definition(), encoder)),
            None => Err(past_the_end(row)),
        }
    }

    fn is_unassigned(&self, row: usize) -> bool {
        self.0.get(row).is_some_and(Model::is_unassigned)
    }

    fn key(&self, row: usize) -> Option<i64> {
        let index = M::definition().auto()?;
        match values_of(self.0.get(row)?, &[index]).as_deref() {
            Ok([Datum::Int(key)]) => Some(*key),
            _ => None,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Rows without a Rust type that are written.
pub(super) struct UntypedRows {
    pub(super) model: Arc<ModelDef>,
    pub(super) rows: Vec<Vec<Datum>>,
}

impl RowSource for UntypedRows {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()> {
        let values = self.rows.get(row).ok_or_else(|| past_the_end(row))?;
        let mut encoder = RowEncoder::new(&self.model, encoder);
        values.iter().try_for_each(|value| encoder.cell(value.cell()))
    }

    fn is_unassigned(&self, row: usize) -> bool {
        let auto = self.model.auto().map(usize::from);
        auto.and_then(|auto| self.rows.get(row)?.get(auto)).is_some_and(Datum::is_null)
    }

    fn key(&self, row: usize) -> Option<i64> {
        let auto = usize::from(self.model.auto()?);
        match self.rows.get(row)?.get(auto)? {
            Datum::Int(key) => Some(*key),
            _ => None,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cold]
fn past_the_end(row: usize) -> Error {
    Error::connection(format!("the driver asked for row {row}, which was not given: a fault of the driver"))
}

/// The source that a driver gave back, as its own type.
pub(super) fn take<S: RowSource + 'static>(inserted: Inserted) -> Result<(S, u64, AssignedKeys)> {
    match inserted.source.into_any().downcast::<S>() {
        Ok(source) => Ok((*source, inserted.rows, inserted.keys)),
        Err(_) => Err(Error::connection("the driver gave back other rows than it was given: a fault of the driver")),
    }
}

/// Takes all fields of a row as owned values.
#[derive(Default)]
pub(super) struct Values(pub(super) Vec<Datum>);

impl Encoder for Values {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        self.0.push(Datum::from_cell(cell));
        Ok(())
    }
}

/// Takes some fields, in the order in which they are asked for.
struct ValuesOf<'a> {
    fields: &'a [u16],
    next: u16,
    values: Vec<Datum>,
}

impl Encoder for ValuesOf<'_> {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        for (_, value) in self.fields.iter().zip(&mut self.values).filter(|(field, _)| **field == self.next) {
            *value = Datum::from_cell(cell);
            value.normalize();
        }
        self.next += 1;
        Ok(())
    }
}

/// All fields of a model's instance.
pub(super) fn data_of<M: Model>(model: &M) -> Result<Vec<Datum>> {
    let mut values = Values(Vec::with_capacity(M::definition().fields().len()));
    model.encode(&mut RowEncoder::new(M::definition(), &mut values))?;
    Ok(values.0)
}

/// Some fields of a model's instance, in the form in which they are stored.
pub(crate) fn values_of<M: Model>(model: &M, fields: &[u16]) -> Result<Vec<Datum>> {
    let mut taken = ValuesOf { fields, next: 0, values: vec![Datum::Null; fields.len()] };
    model.encode(&mut RowEncoder::new(M::definition(), &mut taken))?;
    Ok(taken.values)
}
