//! Rows that become instances while others still come.
//!
//! A server takes about as long to send a large answer as Python takes to make its instances. The runtime
//! hands the rows over in parts, and the thread of the event loop makes instances of one part while the
//! next one comes. An answer that is there at once, as an embedded database's, is taken whole.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::arena::Arena;
use crate::model::{Instances, ModelOf};
use crate::operation::TURN;
use crate::port::{Place, Port};
use crate::query::QueryOf;
use crate::waiter::Waiter;

/// How many rows make a part.
pub(crate) const PART: usize = 256;
/// How many parts come together where the loop has other operations to look after.
const TOGETHER: usize = 4;
/// How long the event loop's thread waits for a part: a turn of the loop takes half of it. Once it has
/// waited in vain, what follows comes slowly, and the loop goes on meanwhile.
const PATIENCE: Duration = Duration::from_micros(200);

/// What instances are made of rows.
pub(crate) enum Of {
    /// Those of a query.
    Query(Arc<QueryOf>),
    /// Those of related rows.
    Model(Arc<ModelOf>),
}

/// The parts of an answer.
pub(crate) struct Parts {
    of: Of,
    /// Whether there will be many, so that the answer is not waited for where it is asked for.
    pub(crate) are_expected: bool,
    state: Mutex<State>,
    /// Told of a part, and of the end, while nobody listens.
    changed: Condvar,
    /// What was made of the parts so far.
    made: Mutex<Made>,
}

#[derive(Default)]
struct State {
    /// Whether somebody takes parts: the answer is not there at once.
    is_heard: bool,
    full: Vec<Arena>,
    /// Room for parts to come.
    free: Vec<Arena>,
    /// How many rows were handed over.
    rows: usize,
    /// How many of the rows that were taken are to be kept.
    kept: Option<usize>,
    is_over: bool,
    /// Of how many parts the loop is to be told, and who waits there.
    listener: Option<(usize, Arc<Port>, Py<Waiter>)>,
}

struct Made {
    instances: Instances,
    /// Whether parts came slowly.
    is_slow: bool,
}

impl Parts {
    pub(crate) fn new(of: Of, are_expected: bool) -> Arc<Self> {
        Arc::new(Parts {
            of,
            are_expected,
            state: Mutex::default(),
            changed: Condvar::new(),
            made: Mutex::new(Made { instances: Instances::of_parts(), is_slow: false }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the one who takes parts that there is something.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let listener = state.listener.take();
        drop(state);
        match listener {
            Some((_, port, waiter)) => port.ring(waiter),
            None => self.changed.notify_one(),
        }
    }

    /// Hands rows over and leaves room for others, where somebody takes parts.
    pub(crate) fn hand_over(&self, rows: &mut Arena) {
        let mut state = self.state();
        if state.is_heard {
            let next = state.free.pop().unwrap_or_else(|| Arena::with_rows(rows.width(), PART));
            state.rows += rows.rows();
            state.full.push(std::mem::replace(rows, next));
            if state.listener.as_ref().is_none_or(|(parts, ..)| *parts <= state.full.len()) {
                self.tell(state);
            }
        }
    }

    /// Forgets all rows that were handed over but the first ones. Gives how many are left.
    pub(crate) fn keep(&self, rows: usize) -> usize {
        let mut state = self.state();
        while state.rows > rows {
            let surplus = state.rows - rows;
            match state.full.last_mut() {
                Some(part) if part.rows() > surplus => part.truncate(part.rows() - surplus),
                Some(part) => {
                    let gone = part.rows();
                    state.full.pop();
                    state.rows -= gone;
                    continue;
                }
                None => state.kept = Some(rows),
            }
            state.rows = rows;
        }
        state.rows
    }

    /// Says that the outcome is there.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        self.tell(state);
    }

    /// Lets the loop tell a waiter of the next part, or at once of what is there already. Where other
    /// operations are waited for, some parts come together.
    pub(crate) fn listen(&self, place: &Place, waiter: Py<Waiter>) {
        let mut state = self.state();
        state.is_heard = true;
        let port = Arc::clone(place.port());
        if state.full.is_empty() && !state.is_over {
            state.listener = Some((if place.is_alone() { 1 } else { TOGETHER }, port, waiter));
        } else {
            drop(state);
            port.ring(waiter);
        }
    }

    /// Makes instances of the parts that are there, and, where no other operation is waited for, of those
    /// that soon will be; for a turn of the loop at most. Whether the outcome is there; otherwise there is more
    /// to come.
    pub(crate) fn take(&self, py: Python<'_>, is_alone: bool) -> PyResult<bool> {
        let begun = Instant::now();
        let mut made = self.made();
        loop {
            let mut state = self.state();
            if is_alone && !made.is_slow && state.full.is_empty() && !state.is_over {
                drop(state);
                py.detach(|| {
                    let waits = |state: &mut State| state.full.is_empty() && !state.is_over;
                    drop(self.changed.wait_timeout_while(self.state(), PATIENCE, waits));
                });
                state = self.state();
            }
            let is_over = state.is_over;
            if state.full.is_empty() && !is_over {
                made.is_slow |= is_alone;
                return Ok(false);
            }
            self.make(py, state, &mut made.instances)?;
            if is_over {
                return Ok(true);
            }
            if begun.elapsed() >= TURN {
                return Ok(false);
            }
        }
    }

    /// Makes instances of the parts that are there.
    fn make(&self, py: Python<'_>, mut state: MutexGuard<'_, State>, to: &mut Instances) -> PyResult<()> {
        let (full, kept) = (std::mem::take(&mut state.full), state.kept.take());
        drop(state);
        if let Some(kept) = kept {
            to.truncate(kept);
        }
        for mut part in full {
            match &self.of {
                Of::Query(query) => query.add(py, &part, to)?,
                Of::Model(model) => model.add(py, &part, to)?,
            }
            part.clear();
            self.state().free.push(part);
        }
        Ok(())
    }

    /// The instances of all parts, once the outcome is there.
    pub(crate) fn finish(&self, py: Python<'_>) -> PyResult<Instances> {
        let mut made = self.made();
        self.make(py, self.state(), &mut made.instances)?;
        Ok(std::mem::replace(&mut made.instances, Instances::of_parts()))
    }
}
