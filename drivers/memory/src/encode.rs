//! Rows on their way into tables.

use ommi_core::driver::{Encoder, RowSource};
use ommi_core::evaluate::fit;
use ommi_core::model::ModelDef;
use ommi_core::value::{Cell, Datum};
use ommi_core::{Error, Result};

/// Takes all fields of a row, each in the form in which its field stores it.
struct Fields<'a> {
    model: &'a ModelDef,
    values: Vec<Datum>,
}

impl Encoder for Fields<'_> {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let Some(field) = self.model.fields().get(self.values.len()) else {
            return Err(Error::query("the row has more values than the model has fields").with_model(self.model.name()));
        };
        let value = fit(field, Datum::from_cell(cell)).map_err(|error| error.with_model(self.model.name()))?;
        self.values.push(value);
        Ok(())
    }
}

/// The values of a row that is written.
///
/// # Errors
///
/// `Query` if a value does not fit its field, or there are too few.
pub(crate) fn values(model: &ModelDef, source: &dyn RowSource, row: usize) -> Result<Vec<Datum>> {
    let width = model.fields().len();
    let mut fields = Fields { model, values: Vec::with_capacity(width) };
    source.encode(row, &mut fields)?;
    if fields.values.len() < width {
        return Err(Error::query("the row has fewer values than the model has fields").with_model(model.name()));
    }
    Ok(fields.values)
}
