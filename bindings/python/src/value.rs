//! Values both ways: which Python type a field has, and how its values cross.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil;
use ommi::value::{Cell, Datum, ValueType, decimal, iso};
use ommi::value::{DecimalSize, EnumType};
use ommi::{Date, DateTime, Decimal, Duration, Time, Timestamp, Uuid};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt, intern};

use crate::error::wrong_type;
use crate::json;

/// The Python type of a field's values.
#[derive(Debug)]
pub(crate) enum Codec {
    Bool,
    Int(ValueType),
    Float,
    Text,
    Bytes,
    Decimal(Option<DecimalSize>),
    Uuid,
    Date,
    Time,
    /// A datetime without a time zone.
    DateTime,
    /// A datetime with one, read back in UTC.
    Timestamp,
    Duration,
    /// A JSON document; what `dump` and `load` make of it in Python, where the type needs that.
    Json {
        dump: Option<Py<PyAny>>,
        load: Option<Py<PyAny>>,
    },
    /// Members of an enum or a `Literal`, by what is stored of each.
    Choice(Choice),
    List(Box<Codec>),
}

/// Members, and what is stored of each.
#[derive(Debug)]
pub(crate) struct Choice {
    stored_type: ValueType,
    /// The name, for messages.
    name: String,
    /// From a member to what is stored.
    stored: Py<PyDict>,
    texts: HashMap<Box<str>, Py<PyAny>>,
    numbers: HashMap<i64, Py<PyAny>>,
}

/// Classes of the standard library that values are made of.
pub(crate) struct Classes {
    datetime: Py<PyType>,
    date: Py<PyType>,
    time: Py<PyType>,
    timedelta: Py<PyType>,
    utc: Py<PyAny>,
    decimal: Py<PyType>,
    uuid: Py<PyType>,
    safe_unknown: Py<PyAny>,
    int_from_bytes: Py<PyAny>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    CLASSES.get_or_try_init(py, || {
        let datetime = py.import("datetime")?;
        let class = |module: &Bound<'_, PyModule>, name: &str| -> PyResult<Py<PyType>> {
            Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let uuid = py.import("uuid")?;
        Ok(Classes {
            datetime: class(&datetime, "datetime")?,
            date: class(&datetime, "date")?,
            time: class(&datetime, "time")?,
            timedelta: class(&datetime, "timedelta")?,
            utc: datetime.getattr("timezone")?.getattr("utc")?.unbind(),
            decimal: class(&py.import("decimal")?, "Decimal")?,
            uuid: class(&uuid, "UUID")?,
            safe_unknown: uuid.getattr("SafeUUID")?.getattr("unknown")?.unbind(),
            int_from_bytes: py.get_type::<PyInt>().getattr("from_bytes")?.unbind(),
        })
    })
}

impl Codec {
    /// The codec of a description: a tuple of a kind and what the kind needs.
    pub(crate) fn parse(description: &Bound<'_, PyTuple>) -> PyResult<Codec> {
        let kind: String = description.get_item(0)?.extract()?;
        let argument = |index: usize| description.get_item(index);
        Ok(match kind.as_str() {
            "bool" => Codec::Bool,
            "int" => Codec::Int(integer_type(&argument(1)?.extract::<String>()?)?),
            "float" => Codec::Float,
            "text" => Codec::Text,
            "bytes" => Codec::Bytes,
            "decimal" => Codec::Decimal(match argument(1)?.is_none() {
                true => None,
                false => Some(DecimalSize { precision: argument(1)?.extract()?, scale: argument(2)?.extract()? }),
            }),
            "uuid" => Codec::Uuid,
            "date" => Codec::Date,
            "time" => Codec::Time,
            "datetime" => Codec::DateTime,
            "timestamp" => Codec::Timestamp,
            "duration" => Codec::Duration,
            "json" => {
                let hook = |index| -> PyResult<Option<Py<PyAny>>> {
                    let hook = argument(index)?;
                    Ok((!hook.is_none()).then(|| hook.unbind()))
                };
                Codec::Json { dump: hook(1)?, load: hook(2)? }
            }
            "choice" => Codec::Choice(Choice::parse(&argument(1)?.extract::<String>()?, &argument(2)?)?),
            "list" => Codec::List(Box::new(Codec::parse(argument(1)?.cast::<PyTuple>()?)?)),
            other => return Err(PyValueError::new_err(format!("no such kind of value: {other}"))),
        })
    }

    /// The codec of an expression's values.
    pub(crate) fn of_type(value_type: &ValueType) -> Codec {
        match value_type {
            ValueType::Bool => Codec::Bool,
            ValueType::F32 | ValueType::F64 => Codec::Float,
            ValueType::Decimal(_) => Codec::Decimal(None),
            ValueType::Bytes => Codec::Bytes,
            ValueType::Uuid => Codec::Uuid,
            ValueType::Date => Codec::Date,
            ValueType::Time => Codec::Time,
            ValueType::DateTime => Codec::DateTime,
            ValueType::Timestamp => Codec::Timestamp,
            ValueType::Duration => Codec::Duration,
            ValueType::Json => Codec::Json { dump: None, load: None },
            ValueType::Text | ValueType::Enum(_) => Codec::Text,
            ValueType::List(item) => Codec::List(Box::new(Codec::of_type(item))),
            integer => Codec::Int(integer.clone()),
        }
    }

    /// The type as the core knows it.
    pub(crate) fn value_type(&self) -> ValueType {
        match self {
            Codec::Bool => ValueType::Bool,
            Codec::Int(of) => of.clone(),
            Codec::Float => ValueType::F64,
            Codec::Text => ValueType::Text,
            Codec::Bytes => ValueType::Bytes,
            Codec::Decimal(size) => ValueType::Decimal(*size),
            Codec::Uuid => ValueType::Uuid,
            Codec::Date => ValueType::Date,
            Codec::Time => ValueType::Time,
            Codec::DateTime => ValueType::DateTime,
            Codec::Timestamp => ValueType::Timestamp,
            Codec::Duration => ValueType::Duration,
            Codec::Json { .. } => ValueType::Json,
            Codec::Choice(choice) => choice.stored_type.clone(),
            Codec::List(item) => ValueType::List(Box::new(item.value_type())),
        }
    }

    /// The value of a Python object, which is not `None`.
    pub(crate) fn encode(&self, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        let py = value.py();
        Ok(match self {
            Codec::Bool => match value.cast_exact::<PyBool>() {
                Ok(value) => Datum::Bool(value.is_true()),
                Err(_) => return Err(wrong_type("a bool", value)),
            },
            Codec::Int(of) => integer(value, of)?,
            Codec::Float => Datum::Float(float(value)?),
            Codec::Text => match value.cast::<PyString>() {
                Ok(text) => Datum::Text(plain_text(text.to_str()?)?.into()),
                Err(_) => return Err(wrong_type("a str", value)),
            },
            Codec::Bytes => match value.cast::<PyBytes>() {
                Ok(bytes) => Datum::Bytes(bytes.as_bytes().into()),
                Err(_) => match value.extract::<Vec<u8>>() {
                    Ok(bytes) if !value.is_instance_of::<PyList>() => Datum::Bytes(bytes.into()),
                    _ => return Err(wrong_type("bytes", value)),
                },
            },
            Codec::Decimal(_) => Datum::Decimal(decimal_of(value)?),
            Codec::Uuid => {
                if !value.is_instance(classes(py)?.uuid.bind(py))? {
                    return Err(wrong_type("a uuid.UUID", value));
                }
                let bytes = value.getattr(intern!(py, "bytes"))?;
                let bytes = bytes.cast::<PyBytes>()?.as_bytes();
                Datum::Uuid(Uuid::from_slice(bytes).map_err(|error| PyValueError::new_err(error.to_string()))?)
            }
            Codec::Date => {
                let all = classes(py)?;
                if !value.is_instance(all.date.bind(py))? || value.is_instance(all.datetime.bind(py))? {
                    return Err(wrong_type("a datetime.date", value));
                }
                Datum::Date(date_of(value)?)
            }
            Codec::Time => {
                if !value.is_instance(classes(py)?.time.bind(py))? {
                    return Err(wrong_type("a datetime.time", value));
                }
                if !value.getattr(intern!(py, "tzinfo"))?.is_none() {
                    return Err(PyTypeError::new_err("a time of day is kept without a time zone: remove its `tzinfo`"));
                }
                Datum::Time(time_of(value)?)
            }
            Codec::DateTime => {
                if !value.is_instance(classes(py)?.datetime.bind(py))? {
                    return Err(wrong_type("a datetime.datetime", value));
                }
                if !value.getattr(intern!(py, "tzinfo"))?.is_none() {
                    return Err(PyTypeError::new_err(format!(
                        "{} has a time zone, and a bare `datetime` field is naive: declare the field `Annotated[datetime, UTC]` to keep instants, or remove the zone with `.replace(tzinfo=None)`",
                        value.repr()?
                    )));
                }
                Datum::DateTime(date_of(value)?.to_datetime(time_of(value)?))
            }
            Codec::Timestamp => Datum::Timestamp(timestamp_of(value)?),
            Codec::Duration => {
                if !value.is_instance(classes(py)?.timedelta.bind(py))? {
                    return Err(wrong_type("a datetime.timedelta", value));
                }
                let part = |name: &Bound<'_, PyString>| value.getattr(name)?.extract::<i64>();
                let seconds = part(intern!(py, "days"))? * 86_400 + part(intern!(py, "seconds"))?;
                let micros: i32 = value.getattr(intern!(py, "microseconds"))?.extract()?;
                Datum::Duration(Duration::from_secs(seconds) + Duration::from_micros(micros.into()))
            }
            Codec::Json { dump: Some(dump), .. } => {
                Datum::Json(Box::new(json::from_python(&dump.bind(py).call1((value,))?)?))
            }
            Codec::Json { dump: None, .. } => Datum::Json(Box::new(json::from_python(value)?)),
            Codec::Choice(choice) => choice.encode(value)?,
            Codec::List(item) => {
                let mut items = Vec::new();
                if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
                    return Err(wrong_type("a list", value));
                }
                for element in value.try_iter().map_err(|_| wrong_type("a list", value))? {
                    let element = element?;
                    if element.is_none() {
                        return Err(PyTypeError::new_err("a list field cannot hold None"));
                    }
                    items.push(item.encode(&element)?);
                }
                Datum::List(items)
            }
        })
    }

    /// The value of a Python object; null for `None`.
    pub(crate) fn encode_optional(&self, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        match value.is_none() {
            true => Ok(Datum::Null),
            false => self.encode(value),
        }
    }

    /// What a query compares with: more kinds of numbers than the field itself takes.
    pub(crate) fn encode_operand(&self, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        match self {
            _ if value.is_none() => Ok(Datum::Null),
            // a number beyond the field's range still compares
            Codec::Int(of) if !value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() => {
                match value.extract::<f64>() {
                    Ok(number) if value.is_instance_of::<PyFloat>() && number.fract() == 0.0 && number.abs() < 9e15 => {
                        Ok(Datum::Int(number as i64))
                    }
                    Ok(_) if value.is_instance(classes(value.py())?.decimal.bind(value.py()))? => {
                        Ok(Datum::Decimal(decimal_of(value)?))
                    }
                    _ => integer(value, of),
                }
            }
            Codec::Int(_) => integer(value, &ValueType::I64).or_else(|_| integer(value, &ValueType::U64)),
            _ => self.encode(value),
        }
    }

    /// The Python object of a value.
    pub(crate) fn decode<'py>(&self, py: Python<'py>, cell: Cell<'_>) -> PyResult<Bound<'py, PyAny>> {
        match (self, cell) {
            (_, Cell::Null) => Ok(py.None().into_bound(py)),
            (Codec::Choice(choice), cell) => choice.decode(py, cell),
            (Codec::Json { load: Some(load), .. }, Cell::Json(document)) => {
                load.bind(py).call1((json::to_python(py, document)?,))
            }
            (Codec::List(item), Cell::List(items)) => {
                let list = PyList::empty(py);
                for index in 0..items.len() {
                    list.append(item.decode(py, items.cell(index))?)?;
                }
                Ok(list.into_any())
            }
            (_, cell) => to_python(py, cell),
        }
    }
}

/// A text without the NUL character, which no database keeps.
pub(crate) fn plain_text(text: &str) -> PyResult<&str> {
    match text.as_bytes().contains(&0) {
        true => Err(PyValueError::new_err("text with a NUL character cannot be stored: use bytes")),
        false => Ok(text),
    }
}

/// The integer type of a name.
fn integer_type(name: &str) -> PyResult<ValueType> {
    Ok(match name {
        "i8" => ValueType::I8,
        "i16" => ValueType::I16,
        "i32" => ValueType::I32,
        "i64" => ValueType::I64,
        "u8" => ValueType::U8,
        "u16" => ValueType::U16,
        "u32" => ValueType::U32,
        "u64" => ValueType::U64,
        other => return Err(PyValueError::new_err(format!("no such integer type: {other}"))),
    })
}

fn integer(value: &Bound<'_, PyAny>, of: &ValueType) -> PyResult<Datum> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        return Err(wrong_type("an int", value));
    }
    let outside = || {
        let (least, greatest) = of.integer_range().unwrap_or((0, 0));
        PyOverflowError::new_err(format!("{value} is outside the field's range, {least} to {greatest}"))
    };
    let number = match value.extract::<i64>() {
        Ok(number) => Datum::Int(number),
        Err(_) => Datum::UInt(value.extract::<u64>().map_err(|_| outside())?),
    };
    let wide = match number {
        Datum::Int(number) => i128::from(number),
        Datum::UInt(number) => i128::from(number),
        _ => 0,
    };
    match of.integer_range() {
        Some((least, greatest)) if (least..=greatest).contains(&wide) => Ok(number),
        _ => Err(outside()),
    }
}

fn float(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let is_number = value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>()
        || value.getattr(intern!(value.py(), "__float__")).is_ok() && !value.is_instance_of::<PyBool>();
    match value.extract::<f64>() {
        Ok(number) if is_number && number.is_nan() => {
            Err(PyValueError::new_err("NaN can be neither stored nor compared: use None for a number that is absent"))
        }
        // -0.0 is stored as 0.0
        Ok(number) if is_number => Ok(number + 0.0),
        _ => Err(wrong_type("a float", value)),
    }
}

fn decimal_of(value: &Bound<'_, PyAny>) -> PyResult<Decimal> {
    let py = value.py();
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        let text = value.str()?;
        return decimal::parse(text.to_str()?).map_err(|_| too_many_digits(value));
    }
    if !value.is_instance(classes(py)?.decimal.bind(py))? {
        if value.is_instance_of::<PyFloat>() {
            return Err(PyTypeError::new_err(format!(
                "{value} is a float, which is not exact: write Decimal(\"{value}\")"
            )));
        }
        return Err(wrong_type("a decimal.Decimal", value));
    }
    let text = value.str()?;
    let text = text.to_str()?;
    let parsed = match text.contains(['E', 'e']) {
        true => Decimal::from_scientific(text).ok(),
        false => decimal::parse(text).ok(),
    };
    match parsed {
        Some(parsed) => Ok(parsed),
        None if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'E') => {
            Err(PyValueError::new_err(format!("{text} is not a number that can be stored: use None")))
        }
        None => Err(too_many_digits(value)),
    }
}

#[cold]
fn too_many_digits(value: &Bound<'_, PyAny>) -> PyErr {
    PyValueError::new_err(format!("{value} has more than {} significant digits", decimal::MAX_DIGITS))
}

fn wrong_date(error: jiff::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn date_of(value: &Bound<'_, PyAny>) -> PyResult<Date> {
    let py = value.py();
    let year = value.getattr(intern!(py, "year"))?.extract()?;
    let month = value.getattr(intern!(py, "month"))?.extract()?;
    let day = value.getattr(intern!(py, "day"))?.extract()?;
    civil::Date::new(year, month, day).map_err(wrong_date)
}

fn time_of(value: &Bound<'_, PyAny>) -> PyResult<Time> {
    let py = value.py();
    let hour = value.getattr(intern!(py, "hour"))?.extract()?;
    let minute = value.getattr(intern!(py, "minute"))?.extract()?;
    let second = value.getattr(intern!(py, "second"))?.extract()?;
    let micros: i32 = value.getattr(intern!(py, "microsecond"))?.extract()?;
    civil::Time::new(hour, minute, second, micros * 1_000).map_err(wrong_date)
}

fn timestamp_of(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    let all = classes(py)?;
    if !value.is_instance(all.datetime.bind(py))? {
        return Err(wrong_type("a datetime.datetime with a time zone", value));
    }
    let zone = value.getattr(intern!(py, "tzinfo"))?;
    if zone.is_none() {
        return Err(PyTypeError::new_err(format!(
            "{} has no time zone, and the field keeps instants: give it one, such as `datetime.now(timezone.utc)`, or declare the field a bare `datetime`",
            value.repr()?
        )));
    }
    let naive = date_of(value)?.to_datetime(time_of(value)?);
    let mut instant = iso::from_utc(naive).map_err(|error| PyValueError::new_err(error.message().to_owned()))?;
    if !zone.is(&all.utc) {
        let offset = value.call_method0(intern!(py, "utcoffset"))?;
        if let Datum::Duration(offset) = Codec::Duration.encode(&offset)? {
            instant = instant.checked_sub(offset).map_err(wrong_date)?;
        }
    }
    Ok(instant)
}

/// The Python object of a cell that is in its type's own form.
pub(crate) fn to_python<'py>(py: Python<'py>, cell: Cell<'_>) -> PyResult<Bound<'py, PyAny>> {
    match cell {
        Cell::Null => Ok(py.None().into_bound(py)),
        Cell::Bool(value) => value.into_bound_py_any(py),
        Cell::Int(value) => value.into_bound_py_any(py),
        Cell::UInt(value) => value.into_bound_py_any(py),
        Cell::Float(value) => value.into_bound_py_any(py),
        Cell::Text(value) => Ok(PyString::new(py, value).into_any()),
        Cell::Bytes(value) => Ok(PyBytes::new(py, value).into_any()),
        Cell::Decimal(value) => classes(py)?.decimal.bind(py).call1((decimal::text(value, None),)),
        Cell::Uuid(value) => uuid_of(py, value),
        Cell::Date(value) => classes(py)?.date.bind(py).call1((PyBytes::new(py, &date_state(value)),)),
        Cell::Time(value) => classes(py)?.time.bind(py).call1((PyBytes::new(py, &time_state(value)),)),
        Cell::DateTime(value) => datetime_of(py, value, None),
        Cell::Timestamp(value) => datetime_of(py, iso::utc(value), Some(classes(py)?.utc.bind(py))),
        Cell::Duration(value) => {
            let micros =
                iso::duration_micros(value).map_err(|error| PyValueError::new_err(error.message().to_owned()))?;
            classes(py)?.timedelta.bind(py).call1((0, micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000)))
        }
        Cell::Json(document) => json::to_python(py, document),
        Cell::List(items) => {
            let list = PyList::empty(py);
            for index in 0..items.len() {
                list.append(to_python(py, items.cell(index))?)?;
            }
            Ok(list.into_any())
        }
    }
}

fn datetime_of<'py>(py: Python<'py>, value: DateTime, zone: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    let mut state = [0; 10];
    let (date, time) = state.split_at_mut(4);
    date.copy_from_slice(&date_state(value.date()));
    time.copy_from_slice(&time_state(value.time()));
    let (class, state) = (classes(py)?.datetime.bind(py), PyBytes::new(py, &state));
    match zone {
        Some(zone) => class.call1((state, zone)),
        None => class.call1((state,)),
    }
}

/// What a date is pickled as, of which its class makes one in a third of the time that it takes with
/// numbers.
fn date_state(value: Date) -> [u8; 4] {
    // years are 1 to 9999
    let [century, year] = value.year().to_be_bytes();
    [century, year, value.month().unsigned_abs(), value.day().unsigned_abs()]
}

/// What a time of day is pickled as.
fn time_state(value: Time) -> [u8; 6] {
    let [_, high, middle, low] = (value.subsec_nanosecond() / 1_000).to_be_bytes();
    let (hour, minute, second) = (value.hour(), value.minute(), value.second());
    [hour.unsigned_abs(), minute.unsigned_abs(), second.unsigned_abs(), high, middle, low]
}

fn uuid_of(py: Python<'_>, value: Uuid) -> PyResult<Bound<'_, PyAny>> {
    let all = classes(py)?;
    // as `UUID(int=..)` does, whose checks are for what comes from outside
    let object = py.import("builtins")?.getattr("object")?;
    let instance = object.call_method1(intern!(py, "__new__"), (&all.uuid,))?;
    let number = all.int_from_bytes.bind(py).call1((PyBytes::new(py, value.as_bytes()), "big"))?;
    let set = object.getattr(intern!(py, "__setattr__"))?;
    set.call1((&instance, intern!(py, "int"), number))?;
    set.call1((&instance, intern!(py, "is_safe"), &all.safe_unknown))?;
    Ok(instance)
}

impl Choice {
    fn parse(name: &str, members: &Bound<'_, PyAny>) -> PyResult<Choice> {
        let py = members.py();
        let stored = PyDict::new(py);
        let (mut texts, mut numbers, mut variants) = (HashMap::new(), HashMap::new(), Vec::new());
        for member in members.try_iter()? {
            let (member, value): (Py<PyAny>, Bound<'_, PyAny>) = member?.extract()?;
            stored.set_item(&member, &value)?;
            if let Ok(text) = value.extract::<String>() {
                variants.push(text.clone());
                texts.insert(text.into(), member);
            } else {
                numbers.insert(value.extract()?, member);
            }
        }
        let stored_type = match variants.is_empty() {
            true => ValueType::I64,
            false => ValueType::Enum(Arc::new(EnumType { name: name.to_owned(), variants })),
        };
        Ok(Choice { stored_type, name: name.to_owned(), stored: stored.unbind(), texts, numbers })
    }

    fn encode(&self, value: &Bound<'_, PyAny>) -> PyResult<Datum> {
        let py = value.py();
        let stored = match self.stored.bind(py).get_item(value) {
            Ok(Some(stored)) => stored,
            _ => return Err(wrong_type(&format!("a member of {}", self.name), value)),
        };
        match stored.cast::<PyString>() {
            Ok(text) => Ok(Datum::Text(text.to_str()?.into())),
            Err(_) => Ok(Datum::Int(stored.extract()?)),
        }
    }

    fn decode<'py>(&self, py: Python<'py>, cell: Cell<'_>) -> PyResult<Bound<'py, PyAny>> {
        let member = match cell {
            Cell::Text(text) => self.texts.get(text),
            Cell::Int(number) => self.numbers.get(&number),
            _ => None,
        };
        match member {
            Some(member) => Ok(member.bind(py).clone()),
            None => Err(crate::error::exception(
                py,
                &ommi::Error::decode(format!("a stored value is not a member of {}", self.name)),
            )),
        }
    }
}

/// The value of a Python object by its own type, for parameters of raw statements.
pub(crate) fn infer(value: &Bound<'_, PyAny>) -> PyResult<Datum> {
    let py = value.py();
    let all = classes(py)?;
    if value.is_none() {
        return Ok(Datum::Null);
    }
    let codec = if value.is_instance_of::<PyBool>() {
        Codec::Bool
    } else if value.is_instance_of::<PyInt>() {
        return integer(value, &ValueType::I64).or_else(|_| integer(value, &ValueType::U64));
    } else if value.is_instance_of::<PyFloat>() {
        Codec::Float
    } else if value.is_instance_of::<PyString>() {
        Codec::Text
    } else if value.is_instance_of::<PyBytes>() {
        Codec::Bytes
    } else if value.is_instance(all.decimal.bind(py))? {
        Codec::Decimal(None)
    } else if value.is_instance(all.uuid.bind(py))? {
        Codec::Uuid
    } else if value.is_instance(all.datetime.bind(py))? {
        match value.getattr(intern!(py, "tzinfo"))?.is_none() {
            true => Codec::DateTime,
            false => Codec::Timestamp,
        }
    } else if value.is_instance(all.date.bind(py))? {
        Codec::Date
    } else if value.is_instance(all.time.bind(py))? {
        Codec::Time
    } else if value.is_instance(all.timedelta.bind(py))? {
        Codec::Duration
    } else if value.is_instance_of::<PyDict>() || value.is_instance_of::<PyList>() {
        Codec::Json { dump: None, load: None }
    } else {
        return Err(wrong_type("a value that can be bound to a parameter", value));
    };
    codec.encode(value)
}
