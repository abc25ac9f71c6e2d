//! Errors on their way to Python.

use ommi::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The function of `ommi.errors` that makes an exception of an error's parts.
static RAISER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The name of an error's kind, which is that of its class's `kind`.
fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "NotFound",
        ErrorKind::NotUnique => "NotUnique",
        ErrorKind::Constraint => "Constraint",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Timeout => "Timeout",
        ErrorKind::Connection => "Connection",
        ErrorKind::Unknown => "Unknown",
        ErrorKind::Transaction => "Transaction",
        ErrorKind::Schema => "Schema",
        ErrorKind::Query => "Query",
        ErrorKind::Decode => "Decode",
        ErrorKind::Unsupported => "Unsupported",
        ErrorKind::Config => "Config",
        ErrorKind::Detached => "Detached",
        _ => "Query",
    }
}

/// The exception of an error, with its fields as attributes.
#[cold]
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failed| failed)
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let raiser = RAISER.get_or_try_init(py, || py.import("ommi.errors")?.getattr("_build").map(Bound::unbind))?;
    let parts = PyDict::new(py);
    parts.set_item("message", error.to_string())?;
    parts.set_item("reason", error.message())?;
    parts.set_item("driver", error.driver())?;
    parts.set_item("model", error.model())?;
    parts.set_item("operation", error.operation())?;
    parts.set_item("constraint", error.constraint_kind().map(|kind| kind.name()))?;
    parts.set_item("fields", error.fields())?;
    parts.set_item("code", error.code())?;
    parts.set_item("is_retryable", error.is_retryable())?;
    parts.set_item("is_stale", error.is_stale())?;
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        causes.push(source.to_string());
        cause = source.source();
    }
    parts.set_item("causes", causes)?;
    Ok(PyErr::from_value(raiser.bind(py).call1((kind_name(error.kind()), parts))?))
}

/// The exception of an error, where it is at hand.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}

/// A `TypeError` for a value that is not of the type that is wanted.
#[cold]
pub(crate) fn wrong_type(wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let shown = value.repr().map_or_else(|_| "a value".to_owned(), |shown| shown.to_string());
    let shown: String = shown.chars().take(80).collect();
    let of = value.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{wanted} is wanted, not {shown} of type {of}"))
}
