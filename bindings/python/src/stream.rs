//! Rows in batches.

use std::sync::Arc;

use ommi::Error;
use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::operation::{Finish, Operation, Start, Style};
use crate::query::{QueryOf, result_list};

/// The rows of a query in batches; the connection that reads is held until the last one, or until
/// this is dropped.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Batches {
    batches: Arc<Mutex<Option<ommi::Batches>>>,
    query: Arc<QueryOf>,
    size: usize,
}

impl Batches {
    pub(crate) fn new(batches: ommi::Batches, query: Arc<QueryOf>, size: usize) -> Self {
        Batches { batches: Arc::new(Mutex::new(Some(batches))), query, size }
    }
}

#[pymethods]
impl Batches {
    /// The next batch as a list, and whether there may be more.
    fn next(&self) -> Operation {
        let (batches, query, size) = (Arc::clone(&self.batches), Arc::clone(&self.query), self.size);
        let start: Start = Arc::new(move |_| {
            let (batches, query) = (Arc::clone(&batches), Arc::clone(&query));
            Ok(Box::pin(async move {
                let mut open = batches.try_lock().map_err(|_| Error::query("the batch before is still being read"))?;
                let (rows, is_more) = match &mut *open {
                    Some(batches) => batches.next(query.sink(usize::MAX), size).await?,
                    None => (query.sink(usize::MAX), false),
                };
                if !is_more {
                    *open = None;
                }
                Ok(Box::new(move |py: Python<'_>| {
                    let list = result_list(py, query.objects(py, &rows.arena)?)?;
                    Ok((list, is_more).into_pyobject(py)?.into_any().unbind())
                }) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }

    /// Gives the connection back.
    fn close(&self) {
        if let Ok(mut open) = self.batches.try_lock() {
            *open = None;
        }
    }
}
