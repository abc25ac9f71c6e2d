//! Statements in the database's own language.

use std::sync::Arc;

use ommi::value::Datum;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arena::{RawModelRows, RawRows, RowsOf};
use crate::handle::Handle;
use crate::model::model_of;
use crate::operation::{Finish, Operation, Start, Style, begun_by};
use crate::query::result_list;
use crate::value::{infer, to_python};

/// A statement in the database's own language, with bound parameters.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct RawQuery(Arc<RawOf>);

struct RawOf {
    handle: Handle,
    owner: Py<PyAny>,
    text: Arc<str>,
    parameters: Vec<Datum>,
}

impl RawQuery {
    pub(crate) fn new(
        handle: Handle,
        owner: Py<PyAny>,
        text: &str,
        parameters: &Bound<'_, PyTuple>,
    ) -> PyResult<RawQuery> {
        let parameters = parameters.iter_borrowed().map(|value| infer(&value)).collect::<PyResult<_>>()?;
        Ok(RawQuery(Arc::new(RawOf { handle, owner, text: text.into(), parameters })))
    }

    fn rows(&self, as_dicts: bool) -> Operation {
        let raw = Arc::clone(&self.0);
        let start: Start = begun_by(move |_| {
            let raw = Arc::clone(&raw);
            Ok(Box::pin(async move {
                let (rows, _) = raw.query().await?.read_into(RawRows::default()).await?;
                Ok(Box::new(move |py: Python<'_>| {
                    let mut list = Vec::with_capacity(rows.arena.rows());
                    for row in 0..rows.arena.rows() {
                        let value = |column| to_python(py, rows.arena.cell(row, column));
                        if as_dicts {
                            let dict = PyDict::new(py);
                            for (column, name) in rows.columns.iter().enumerate() {
                                dict.set_item(name, value(column)?)?;
                            }
                            list.push(dict.into_any());
                        } else {
                            let values = (0..rows.columns.len()).map(value).collect::<PyResult<Vec<_>>>()?;
                            list.push(PyTuple::new(py, values)?.into_any());
                        }
                    }
                    Ok(result_list(py, list)?.unbind())
                }) as Finish)
            }))
        });
        Operation::new(Style::Result, start)
    }
}

impl RawOf {
    async fn query(&self) -> ommi::Result<ommi::RawQuery> {
        let mut raw = self.handle.db().await?.raw(Arc::clone(&self.text));
        for value in &self.parameters {
            raw = raw.bind_datum(value.clone());
        }
        Ok(raw)
    }
}

#[pymethods]
impl RawQuery {
    /// The rows as tuples, as they are stored.
    #[getter]
    fn tuples(&self) -> Operation {
        self.rows(false)
    }

    /// The rows as dicts by the names of the columns, as they are stored.
    #[getter]
    fn dicts(&self) -> Operation {
        self.rows(true)
    }

    /// The rows as instances: each field from the column of its stored name.
    fn models(&self, model: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let model = model_of(model)?;
        let raw = Arc::clone(&self.0);
        let start: Start = begun_by(move |_| {
            let (raw, model) = (Arc::clone(&raw), Arc::clone(&model));
            Ok(Box::pin(async move {
                let sink = RowsOf::new(Arc::clone(&model.types), Some(Arc::clone(&model.def)), usize::MAX);
                let (rows, _) = raw.query().await?.read_into(RawModelRows::new(sink)).await?;
                Ok(Box::new(move |py: Python<'_>| {
                    Ok(result_list(py, model.list(py, &rows.rows.arena, &raw.owner, &[])?)?.unbind())
                }) as Finish)
            }))
        });
        Ok(Operation::new(Style::Result, start))
    }

    /// Runs a statement that gives no rows, and says how many it changed.
    #[getter]
    fn execute(&self) -> Operation {
        let raw = Arc::clone(&self.0);
        let start: Start = begun_by(move |_| {
            let raw = Arc::clone(&raw);
            Ok(Box::pin(async move {
                let (_, changed) = raw.query().await?.read_into(RawRows::default()).await?;
                Ok(Box::new(move |py: Python<'_>| Ok(changed.into_pyobject(py)?.into_any().unbind())) as Finish)
            }))
        });
        Operation::new(Style::Result, start)
    }
}
