//! Instances that are made of the first rows of an answer while the others are still on their way.
//!
//! Rows that the runtime reads are handed over some hundreds at a time, and the event loop makes
//! instances of them between its other work; the last ones are made where the answer is given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use crate::arena::Arena;
use crate::model::ModelOf;
use crate::port::{Port, Ticket};

tokio::task_local! {
    /// The way to the event loop that waits for the work of a task of the runtime.
    pub(crate) static PORT: Arc<Port>;
}

/// The first rows of an answer, and what was made of them.
pub(crate) struct Parts {
    model: Arc<ModelOf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often all rows were forgotten, because they are read anew.
    attempt: u32,
    read: Vec<(u32, Arena)>,
    made: Vec<(u32, Vec<Py<PyAny>>)>,
    failed: Option<PyErr>,
}

impl Parts {
    /// Parts of an answer of a model's rows.
    pub(crate) fn new(model: &Arc<ModelOf>) -> Arc<Self> {
        Arc::new(Parts { model: Arc::clone(model), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows are handed over together.
    pub(crate) const ROWS: usize = 256;

    /// Hands rows over, if an event loop waits for the answer.
    #[cold]
    pub(crate) fn offer(self: &Arc<Self>, arena: &mut Arena) -> bool {
        let offered = PORT.try_with(|port| {
            let empty = Arena::with_rows(arena.width(), Self::ROWS);
            let mut state = self.state();
            let attempt = state.attempt;
            state.read.push((attempt, std::mem::replace(arena, empty)));
            drop(state);
            port.ring(Ticket::Rows(Arc::clone(self)));
        });
        offered.is_ok()
    }

    /// Forgets all rows.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        state.attempt += 1;
        state.read.clear();
    }

    /// Makes the instances of the rows that were handed over.
    pub(crate) fn make(&self, py: Python<'_>) {
        let read = std::mem::take(&mut self.state().read);
        for (attempt, arena) in read {
            let made = self.model.list(py, &arena, None, &[]);
            let mut state = self.state();
            match made {
                Ok(made) => state.made.push((attempt, made.into_iter().map(Bound::unbind).collect())),
                Err(error) => state.failed = Some(error),
            }
        }
    }

    /// All instances: those of the parts, and of the last rows.
    pub(crate) fn finish<'py>(&self, py: Python<'py>, rest: &Arena) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.make(py);
        let mut state = self.state();
        let (attempt, made, failed) = (state.attempt, std::mem::take(&mut state.made), state.failed.take());
        drop(state);
        if let Some(error) = failed {
            return Err(error);
        }
        let rest = self.model.list(py, rest, None, &[])?;
        if made.is_empty() {
            return Ok(rest);
        }
        let made = made.into_iter().filter(|(of, _)| *of == attempt).flat_map(|(_, made)| made);
        Ok(made.map(|made| made.into_bound(py)).chain(rest).collect())
    }
}
