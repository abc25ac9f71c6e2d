//! What Python awaits.
//!
//! An awaited operation is polled at once, where it is called and without the GIL. If it is then
//! complete, as short work on SQLite is, the `await` goes on without a trip through the event loop;
//! after a millisecond of such awaits the loop gets a turn. Otherwise the operation moves to the
//! runtime, and the task waits until the loop is told.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ommi::Result;
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use crate::error::exception;
use crate::parts::Parts;
use crate::port::{Place, port};
use crate::runtime::{company, runtime};
use crate::sleeper::Sleeper;
use crate::waiter::Waiter;

/// Makes the Python object of an answer.
pub(crate) type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
/// Work that gives an answer.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Finish>> + Send>>;
/// What begins an operation.
pub(crate) type Start = Arc<dyn Begin>;

/// Begins the work of an operation, each time that it is awaited.
pub(crate) trait Begin: Send + Sync {
    fn begin(self: Arc<Self>, py: Python<'_>) -> PyResult<Work>;

    /// Begins it, with the parts in which its rows can be taken before all of them are there.
    fn begin_in_parts(self: Arc<Self>, py: Python<'_>) -> PyResult<(Work, Option<Arc<Parts>>)> {
        Ok((self.begin(py)?, None))
    }
}

impl<F: Fn(Python<'_>) -> PyResult<Work> + Send + Sync> Begin for F {
    fn begin(self: Arc<Self>, py: Python<'_>) -> PyResult<Work> {
        self(py)
    }
}

/// What begins an operation by a closure.
pub(crate) fn begun_by(begin: impl Fn(Python<'_>) -> PyResult<Work> + Send + Sync + 'static) -> Start {
    Arc::new(begin)
}

/// How long completed awaits may follow each other before the event loop gets a turn.
pub(crate) const TURN: Duration = Duration::from_millis(1);

/// In which form an operation gives its outcome.
#[derive(Debug)]
pub(crate) enum Style {
    /// The value, or the exception is raised.
    Raise,
    /// A `DBResult`.
    Result,
    /// A `DBQueryResult`.
    QueryResult,
    /// The value, or another where there is no row; where anything fails, if that is said.
    Use(Py<PyAny>, bool),
}

/// The classes that outcomes are given in.
struct Outcomes {
    success: Py<PyAny>,
    failure: Py<PyAny>,
    query_success: Py<PyAny>,
    query_failure: Py<PyAny>,
    no_result: Py<PyType>,
}

static OUTCOMES: PyOnceLock<Outcomes> = PyOnceLock::new();

fn outcomes(py: Python<'_>) -> PyResult<&'static Outcomes> {
    OUTCOMES.get_or_try_init(py, || {
        let results = py.import("ommi.results")?;
        let class = |name: &str| results.getattr(name).map(Bound::unbind);
        Ok(Outcomes {
            success: class("DBSuccess")?,
            failure: class("DBFailure")?,
            query_success: class("DBQuerySuccess")?,
            query_failure: class("DBQueryFailure")?,
            no_result: results.getattr("DBStatusNoResultException")?.cast_into::<PyType>()?.unbind(),
        })
    })
}

impl Style {
    fn copy(&self, py: Python<'_>) -> Style {
        match self {
            Style::Raise => Style::Raise,
            Style::Result => Style::Result,
            Style::QueryResult => Style::QueryResult,
            Style::Use(value, always) => Style::Use(value.clone_ref(py), *always),
        }
    }

    /// The outcome in this form.
    fn wrap(&self, py: Python<'_>, outcome: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        match (self, outcome) {
            (Style::Raise, outcome) => outcome,
            (Style::Use(..), Ok(value)) => Ok(value),
            (Style::Use(value, always), Err(error)) => {
                let hides = match always {
                    true => error.is_instance_of::<pyo3::exceptions::PyException>(py),
                    false => error.is_instance(py, outcomes(py)?.no_result.bind(py)),
                };
                if hides { Ok(value.clone_ref(py)) } else { Err(error) }
            }
            (Style::Result, Ok(value)) => outcomes(py)?.success.call1(py, (value,)),
            (Style::QueryResult, Ok(value)) => outcomes(py)?.query_success.call1(py, (value,)),
            (_, Err(error)) if !error.is_instance_of::<pyo3::exceptions::PyException>(py) => Err(error),
            (Style::Result, Err(error)) => outcomes(py)?.failure.call1(py, (error.into_value(py),)),
            (Style::QueryResult, Err(error)) => outcomes(py)?.query_failure.call1(py, (error.into_value(py),)),
        }
    }
}

/// An operation that begins each time it is awaited.
#[pyclass(frozen, weakref, module = "ommi._core")]
pub(crate) struct Operation {
    start: Start,
    style: Style,
    /// The work that the methods of a coroutine drive.
    own: Mutex<Option<Py<Running>>>,
}

impl Operation {
    pub(crate) fn new(style: Style, start: Start) -> Self {
        Operation { start, style, own: Mutex::new(None) }
    }

    /// The operation, begun when it is first driven.
    pub(crate) fn begun(&self, py: Python<'_>) -> Running {
        Running::new(Arc::clone(&self.start), self.style.copy(py))
    }

    fn running(&self, py: Python<'_>) -> PyResult<Py<Running>> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*own {
            return Ok(running.clone_ref(py));
        }
        let running = Py::new(py, self.begun(py))?;
        *own = Some(running.clone_ref(py));
        Ok(running)
    }
}

#[pymethods]
impl Operation {
    fn __await__(&self, py: Python<'_>) -> Running {
        self.begun(py)
    }

    /// The operation itself: `find(..).one()` is `find(..).one`.
    fn __call__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// The value, or the exception raised.
    fn or_raise(&self) -> Operation {
        Operation::new(Style::Raise, Arc::clone(&self.start))
    }

    /// The value, or `default` where there is no row; with `any_error`, where anything fails.
    #[pyo3(signature = (default, *, any_error = false))]
    fn or_use(&self, default: Py<PyAny>, any_error: bool) -> Operation {
        Operation::new(Style::Use(default, any_error), Arc::clone(&self.start))
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let running = self.running(py)?;
        let mut running = running.try_borrow_mut(py)?;
        running.send(py, value)
    }

    #[pyo3(signature = (kind, value = None, traceback = None))]
    fn throw(
        &self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let running = self.running(py)?;
        let mut running = running.try_borrow_mut(py)?;
        running.throw(kind, value, traceback)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(running) = &*self.own.lock().unwrap_or_else(PoisonError::into_inner) {
            running.try_borrow_mut(py)?.close();
        }
        Ok(())
    }

    /// The outcome, waited for on this thread.
    fn block(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let outcome = Arc::clone(&self.start).begin(py).and_then(|work| block_on(py, work));
        self.style.wrap(py, outcome)
    }
}

thread_local! {
    /// When the event loop of this thread last got a turn from a completed await.
    static LAST_TURN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether the event loop is to get a turn now.
fn is_turn() -> bool {
    let now = Instant::now();
    match LAST_TURN.get() {
        Some(last) if now.duration_since(last) < TURN => false,
        _ => {
            LAST_TURN.set(Some(now));
            true
        }
    }
}

/// What ends an `await` with a value, as an exception.
fn stop(py: Python<'_>, value: Py<PyAny>) -> PyErr {
    let bound = value.bind(py);
    // a tuple would be taken for several arguments, and an exception for the `StopIteration` itself
    match bound.is_instance_of::<PyTuple>() || bound.is_instance_of::<PyBaseException>() {
        true => PyStopIteration::new_err((value,)),
        false => PyStopIteration::new_err(value),
    }
}

/// Ends an `await` with a value where the interpreter itself asks for the next one: it takes the value
/// from what is set here, and no exception is made, which takes a twentieth of a look-up.
#[allow(unsafe_code, reason = "pyo3 makes the exception, and has no other way to end an `await`")]
fn stop_iteration(py: Python<'_>, value: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
    let bound = value.bind(py);
    if bound.is_instance_of::<PyTuple>() || bound.is_instance_of::<PyBaseException>() {
        return Err(stop(py, value));
    }
    // SAFETY: the interpreter's lock is held, and both are live objects, which the call takes references
    // to. The caller answers null with this exception set, as it does with any other.
    unsafe { ffi::PyErr_SetObject(ffi::PyExc_StopIteration, bound.as_ptr()) };
    Ok(None)
}

/// What the runtime leaves for the task that waits.
pub(crate) type Outcome = Arc<Mutex<Option<Result<Finish>>>>;

enum State {
    Fresh(Start),
    /// A value that needs no work.
    Ready(Py<PyAny>),
    /// The work is the runtime's, and the task waits.
    Waiting {
        waiter: Py<Waiter>,
        outcome: Outcome,
        work: Arc<Sleeper>,
        parts: Option<Arc<Parts>>,
        place: Place,
    },
    /// Complete, after the loop's turn.
    Complete(PyResult<Py<PyAny>>),
    Over,
}

/// An operation that has begun.
#[pyclass(module = "ommi._core")]
pub(crate) struct Running {
    style: Style,
    state: State,
}

impl Running {
    fn new(start: Start, style: Style) -> Self {
        Running { style, state: State::Fresh(start) }
    }

    /// What gives a value at once.
    pub(crate) fn ready(value: Py<PyAny>) -> Self {
        Running { style: Style::Raise, state: State::Ready(value) }
    }

    fn give(&self, py: Python<'_>, outcome: PyResult<Py<PyAny>>) -> PyResult<Next> {
        self.style.wrap(py, outcome).map(Next::Over)
    }

    fn begin(&mut self, py: Python<'_>, start: Start) -> PyResult<Next> {
        let (work, parts) = match start.begin_in_parts(py) {
            Ok(begun) => begun,
            Err(error) => return self.give(py, Err(error)),
        };
        if parts.as_ref().is_some_and(|parts| parts.are_expected) {
            return self.wait(py, work, Sleeper::woken(), parts);
        }
        match poll_once(py, work)? {
            Begun::Complete(answer) => {
                let outcome = finish(py, answer);
                if is_turn() && running_loop(py).is_ok() {
                    self.state = State::Complete(outcome);
                    return Ok(Next::Wait(py.None()));
                }
                self.give(py, outcome)
            }
            Begun::Pending(work, sleeper) => self.wait(py, work, sleeper, parts),
        }
    }

    /// Leaves the work to the runtime, and lets the task wait.
    fn wait(&mut self, py: Python<'_>, work: Work, sleeper: Arc<Sleeper>, parts: Option<Arc<Parts>>) -> PyResult<Next> {
        let running_loop = running_loop(py)?;
        let place = port(py, &running_loop)?.place();
        let expects_many = parts.as_ref().is_some_and(|parts| parts.are_expected);
        company()?.wait(place.is_only() && !expects_many);
        let waiter = Py::new(py, Waiter::new(running_loop.unbind()))?;
        let outcome: Outcome = Arc::default();
        let of_task = Arc::clone(&outcome);
        let put = move |answer| *of_task.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        let told = waiter.clone_ref(py);
        sleeper.sleep(match &parts {
            Some(parts) => {
                parts.listen(&place, told);
                let parts = Arc::clone(parts);
                Box::pin(async move {
                    put(work.await);
                    parts.end();
                })
            }
            None => {
                let port = Arc::clone(place.port());
                Box::pin(async move {
                    put(work.await);
                    port.ring(told);
                })
            }
        });
        LAST_TURN.set(Some(Instant::now()));
        let yielded = waiter.clone_ref(py).into_any();
        self.state = State::Waiting { waiter, outcome, work: sleeper, parts, place };
        Ok(Next::Wait(yielded))
    }

    /// Goes on as far as it can.
    fn go_on(&mut self, py: Python<'_>) -> PyResult<Next> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fresh(start) => self.begin(py, start),
            State::Ready(value) => Ok(Next::Over(value)),
            State::Complete(outcome) => {
                LAST_TURN.set(Some(Instant::now()));
                self.give(py, outcome)
            }
            State::Waiting { mut waiter, outcome, work, parts, place } => {
                match parts.as_ref().map(|parts| parts.take(py, place.is_alone())).transpose() {
                    Ok(None | Some(true)) => {}
                    Ok(Some(false)) => {
                        // more is to come
                        waiter = Py::new(py, Waiter::new(waiter.get().get_loop(py)))?;
                        if let Some(parts) = &parts {
                            parts.listen(&place, waiter.clone_ref(py));
                        }
                    }
                    Err(error) => {
                        work.stop();
                        return self.give(py, Err(error));
                    }
                }
                let answer = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(answer) = answer else {
                    // woken for a part, or for nothing: the task waits again
                    waiter.get().yielded();
                    let yielded = waiter.clone_ref(py).into_any();
                    self.state = State::Waiting { waiter, outcome, work, parts, place };
                    return Ok(Next::Wait(yielded));
                };
                LAST_TURN.set(Some(Instant::now()));
                self.give(py, finish(py, answer))
            }
            State::Over => Err(PyRuntimeError::new_err("the operation is over: await it anew")),
        }
    }
}

/// How far an operation went.
enum Next {
    /// The task gives this to the loop, and waits.
    Wait(Py<PyAny>),
    /// To its end, with a value.
    Over(Py<PyAny>),
}

#[pymethods]
impl Running {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.go_on(py)? {
            Next::Wait(on) => Ok(Some(on)),
            Next::Over(value) => stop_iteration(py, value),
        }
    }

    fn send(&mut self, py: Python<'_>, _value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        match self.go_on(py)? {
            Next::Wait(on) => Ok(on),
            Next::Over(value) => Err(stop(py, value)),
        }
    }

    #[pyo3(signature = (kind, value = None, traceback = None))]
    fn throw(
        &mut self,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        self.close();
        let thrown = match kind.cast::<PyType>() {
            Ok(class) => match value {
                Some(value) if value.is_instance(class)? => value,
                Some(value) if !value.is_none() => class.call1((value,))?,
                _ => class.call0()?,
            },
            Err(_) => kind,
        };
        Err(PyErr::from_value(thrown.into_any()))
    }

    fn close(&mut self) {
        if let State::Waiting { work, .. } = std::mem::replace(&mut self.state, State::Over) {
            work.stop();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.close();
    }
}

static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The event loop that runs on this thread.
fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let get =
        RUNNING_LOOP.get_or_try_init(py, || py.import("asyncio")?.getattr("get_running_loop").map(Bound::unbind))?;
    get.bind(py).call0()
}

fn finish(py: Python<'_>, answer: Result<Finish>) -> PyResult<Py<PyAny>> {
    match answer {
        Ok(finish) => finish(py),
        Err(error) => Err(exception(py, &error)),
    }
}

/// What a first poll came to.
enum Begun {
    Complete(Result<Finish>),
    /// With what wakes it.
    Pending(Work, Arc<Sleeper>),
}

/// Polls work once, without the GIL.
fn poll_once(py: Python<'_>, mut work: Work) -> PyResult<Begun> {
    let runtime = runtime()?;
    Ok(py.detach(move || {
        let _inside = runtime.enter();
        let sleeper = Sleeper::polled();
        match work.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&sleeper)))) {
            Poll::Ready(answer) => Begun::Complete(answer),
            Poll::Pending => Begun::Pending(work, sleeper),
        }
    }))
}

/// How often a thread that waits looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// Runs work to its end while this thread waits; Ctrl-C ends it.
pub(crate) fn block_on(py: Python<'_>, work: Work) -> PyResult<Py<PyAny>> {
    let work = match poll_once(py, work)? {
        Begun::Complete(answer) => return finish(py, answer),
        Begun::Pending(work, _) => work,
    };
    let place: Arc<(Mutex<Option<Result<Finish>>>, Condvar)> = Arc::default();
    let other = Arc::clone(&place);
    let task = runtime()?.spawn(async move {
        let answer = work.await;
        *other.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        other.1.notify_one();
    });
    loop {
        let answer = py.detach(|| {
            let answer = place.0.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = place.1.wait_timeout_while(answer, LOOK, |answer| answer.is_none());
            waited.unwrap_or_else(PoisonError::into_inner).0.take()
        });
        if let Some(answer) = answer {
            return finish(py, answer);
        }
        if task.is_finished() {
            return Err(PyRuntimeError::new_err("the operation ended without an answer: a fault of Ommi"));
        }
        if let Err(signal) = py.check_signals() {
            task.abort();
            return Err(signal);
        }
    }
}
