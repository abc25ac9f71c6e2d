//! What a task waits for while the runtime works: as much of `asyncio.Future` as a task uses.
//!
//! A future of the loop takes two of its turns, one to be completed in and one in which its task goes
//! on. The port completes this one at the top of a turn, where no task runs, so the task goes on there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

/// What a task waits for.
#[pyclass(frozen, weakref, module = "ommi._core")]
pub(crate) struct Waiter {
    event_loop: Py<PyAny>,
    state: Mutex<State>,
}

struct State {
    end: End,
    /// Whether the waiter was yielded and no task has taken it yet: how a task tells it from other
    /// objects.
    is_yielded: bool,
    /// Who is told, each in its context.
    callbacks: Vec<(Py<PyAny>, Py<PyAny>)>,
}

enum End {
    Open,
    Done,
    Cancelled(Option<Py<PyAny>>),
}

impl Waiter {
    pub(crate) fn new(event_loop: Py<PyAny>) -> Self {
        let state = State { end: End::Open, is_yielded: true, callbacks: Vec::new() };
        Waiter { event_loop, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the task that gets it next has to wait.
    pub(crate) fn yielded(&self) {
        self.state().is_yielded = true;
    }

    /// Ends the wait, unless it is over. Who waits goes on at once: to be called by the loop itself.
    pub(crate) fn complete(slf: &Bound<'_, Self>) -> PyResult<()> {
        let mut state = slf.get().state();
        if !matches!(state.end, End::Open) {
            return Ok(());
        }
        state.end = End::Done;
        let callbacks = std::mem::take(&mut state.callbacks);
        drop(state);
        let mut callbacks = callbacks.into_iter();
        while let Some((callback, context)) = callbacks.next() {
            if let Err(error) = context.bind(slf.py()).call_method1(intern!(slf.py(), "run"), (callback, slf)) {
                // as when a program is interrupted: the others are told in the loop's next turn
                slf.get().soon(slf, callbacks)?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells those who wait in the loop's next turn.
    fn soon(&self, slf: &Bound<'_, Self>, callbacks: impl Iterator<Item = (Py<PyAny>, Py<PyAny>)>) -> PyResult<()> {
        let py = slf.py();
        let event_loop = self.event_loop.bind(py);
        for (callback, context) in callbacks {
            let arguments = PyDict::new(py);
            arguments.set_item(intern!(py, "context"), context)?;
            event_loop.call_method(intern!(py, "call_soon"), (callback, slf), Some(&arguments))?;
        }
        Ok(())
    }
}

static CANCELLED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

#[pymethods]
impl Waiter {
    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        self.state().is_yielded
    }

    #[setter(_asyncio_future_blocking)]
    fn set_yielded(&self, is_yielded: bool) {
        self.state().is_yielded = is_yielded;
    }

    pub(crate) fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    #[pyo3(signature = (callback, *, context = None))]
    fn add_done_callback(slf: &Bound<'_, Self>, callback: Py<PyAny>, context: Option<Py<PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let context = match context {
            Some(context) => context,
            None => {
                let copy = COPY_CONTEXT
                    .get_or_try_init(py, || py.import("contextvars")?.getattr("copy_context").map(Bound::unbind))?;
                copy.call0(py)?
            }
        };
        let mut state = slf.get().state();
        if matches!(state.end, End::Open) {
            state.callbacks.push((callback, context));
            return Ok(());
        }
        drop(state);
        slf.get().soon(slf, std::iter::once((callback, context)))
    }

    fn remove_done_callback(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let all = std::mem::take(&mut self.state().callbacks);
        let (mut kept, mut removed) = (Vec::with_capacity(all.len()), 0);
        for (known, context) in all {
            match known.bind(py).eq(callback)? {
                true => removed += 1,
                false => kept.push((known, context)),
            }
        }
        let mut state = self.state();
        kept.append(&mut state.callbacks);
        state.callbacks = kept;
        Ok(removed)
    }

    /// Ends the wait with `CancelledError`, which the task raises where it waits.
    #[pyo3(signature = (msg = None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let mut state = slf.get().state();
        if !matches!(state.end, End::Open) {
            return Ok(false);
        }
        state.end = End::Cancelled(msg);
        let callbacks = std::mem::take(&mut state.callbacks);
        drop(state);
        // a task may run that cancels the one that waits
        slf.get().soon(slf, callbacks.into_iter())?;
        Ok(true)
    }

    fn cancelled(&self) -> bool {
        matches!(self.state().end, End::Cancelled(_))
    }

    fn done(&self) -> bool {
        !matches!(self.state().end, End::Open)
    }

    fn result(&self, py: Python<'_>) -> PyResult<()> {
        let message = match &self.state().end {
            End::Done => return Ok(()),
            End::Open => return Err(PyRuntimeError::new_err("the wait is not over")),
            End::Cancelled(message) => message.as_ref().map(|message| message.clone_ref(py)),
        };
        let class = CANCELLED.get_or_try_init(py, || {
            Ok::<_, PyErr>(py.import("asyncio")?.getattr("CancelledError")?.cast_into::<PyType>()?.unbind())
        })?;
        Err(PyErr::from_value(match message {
            Some(message) => class.bind(py).call1((message,))?,
            None => class.bind(py).call0()?,
        }))
    }

    fn exception(&self, py: Python<'_>) -> PyResult<()> {
        self.result(py)
    }

    fn __await__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("the operation is awaited, not what it waits for"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        if let Ok(state) = self.state.try_lock() {
            for (callback, context) in &state.callbacks {
                visit.call(callback)?;
                visit.call(context)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let gone = std::mem::take(&mut self.state().callbacks);
        drop(gone);
    }
}
