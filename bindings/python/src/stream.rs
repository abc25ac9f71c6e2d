//! Rows in batches.

use std::sync::Arc;

use ommi::{Db, Error};
use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::operation::{Finish, Operation, Start, Style, begun_by};
use crate::query::{QueryOf, result_list};

/// The rows of a query in batches; the connection that reads is held until the last one, or until
/// this is dropped.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Batches {
    batches: Arc<Mutex<Option<ommi::Batches>>>,
    db: Db,
    query: Arc<QueryOf>,
    size: usize,
}

impl Batches {
    pub(crate) fn new(batches: ommi::Batches, db: Db, query: Arc<QueryOf>, size: usize) -> Self {
        Batches { batches: Arc::new(Mutex::new(Some(batches))), db, query, size }
    }
}

#[pymethods]
impl Batches {
    /// The next batch as a list, and whether there may be more.
    fn next(&self) -> Operation {
        let (batches, db, query) = (Arc::clone(&self.batches), self.db.clone(), Arc::clone(&self.query));
        let size = self.size;
        let start: Start = begun_by(move |_| {
            let (batches, db, query) = (Arc::clone(&batches), db.clone(), Arc::clone(&query));
            Ok(Box::pin(async move {
                let mut open = batches.try_lock().map_err(|_| Error::query("the batch before is still being read"))?;
                let (rows, is_more) = match &mut *open {
                    Some(batches) => batches.next(query.sink(usize::MAX), size).await?,
                    None => (query.sink(usize::MAX), false),
                };
                if !is_more {
                    *open = None;
                }
                let related = query.related(&db, &rows.arena, None).await?;
                Ok(Box::new(move |py: Python<'_>| {
                    let list = result_list(py, query.objects(py, &rows.arena, &related)?)?;
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
