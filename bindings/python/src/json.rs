//! JSON documents both ways.

use ommi::Json;
use ommi::value::json::MAX_DEPTH;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number};

/// The document of a Python object: dicts with text keys, lists, tuples, text, numbers, booleans
/// and `None`.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    convert(value, 0)
}

fn convert(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Json> {
    if depth > MAX_DEPTH {
        return Err(PyValueError::new_err(format!("the JSON document nests deeper than {MAX_DEPTH} levels")));
    }
    if value.is_none() {
        return Ok(Json::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Json::String(text.to_str()?.to_owned()));
    }
    if let Ok(flag) = value.cast_exact::<PyBool>() {
        return Ok(Json::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        if let Ok(number) = value.extract::<i64>() {
            return Ok(number.into());
        }
        return match value.extract::<u64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err(PyValueError::new_err(format!("{value} is too large for JSON numbers of 64 bits"))),
        };
    }
    if value.is_instance_of::<PyFloat>() {
        let number = Number::from_f64(value.extract()?);
        return number
            .map(Json::Number)
            .ok_or_else(|| PyValueError::new_err("JSON has neither NaN nor infinity: use None"));
    }
    if let Ok(members) = value.cast::<PyDict>() {
        let mut object = Map::with_capacity(members.len());
        for (key, item) in members.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!("the keys of a JSON object are text, not {}", key.repr()?)));
            };
            object.insert(key.to_str()?.to_owned(), convert(&item, depth + 1)?);
        }
        return Ok(Json::Object(object));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items: PyResult<Vec<Json>> = value.try_iter()?.map(|item| convert(&item?, depth + 1)).collect();
        return Ok(Json::Array(items?));
    }
    Err(PyTypeError::new_err(format!(
        "a value of type {} cannot be stored as JSON: use dicts, lists, text, numbers, booleans and None, or a dataclass with types",
        value.get_type().name()?
    )))
}

/// The Python object of a document.
pub(crate) fn to_python<'py>(py: Python<'py>, document: &Json) -> PyResult<Bound<'py, PyAny>> {
    match document {
        Json::Null => Ok(py.None().into_bound(py)),
        Json::Bool(value) => value.into_bound_py_any(py),
        Json::String(value) => Ok(PyString::new(py, value).into_any()),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into_bound_py_any(py),
            (None, Some(number)) => number.into_bound_py_any(py),
            (None, None) => number.as_f64().unwrap_or_default().into_bound_py_any(py),
        },
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            Ok(list.into_any())
        }
        Json::Object(members) => {
            let dict = PyDict::new(py);
            for (key, item) in members {
                dict.set_item(key, to_python(py, item)?)?;
            }
            Ok(dict.into_any())
        }
    }
}
