//! Values on their way into SQLite: the form in which each type is stored.

use ommi_core::driver::Encoder;
use ommi_core::model::FieldDef;
use ommi_core::value::{Cell, Datum, ValueType, decimal, iso, list};
use ommi_core::{Error, Result};
use ommi_sql::{Bound, Slot};
use rusqlite::Statement;
use rusqlite::types::Null;

use crate::error::{Failure, Outcome};

/// Binds larger than this are not kept until the statement runs again.
const LARGE: usize = 1 << 16;

/// Binds a value in the form in which its type is stored.
#[inline]
pub(crate) fn bind(
    statement: &mut Statement<'_>,
    position: usize,
    cell: Cell<'_>,
    value_type: &ValueType,
) -> Outcome<()> {
    let bound = match cell {
        Cell::Int(value) => match value_type {
            ValueType::Decimal(_) | ValueType::F32 | ValueType::F64 => {
                return bind_number(statement, position, value, value_type);
            }
            _ => statement.raw_bind_parameter(position, value),
        },
        Cell::Text(value) => statement.raw_bind_parameter(position, value),
        Cell::Null => statement.raw_bind_parameter(position, Null),
        // -0.0 becomes 0.0
        Cell::Float(value) => statement.raw_bind_parameter(position, value + 0.0),
        Cell::Bool(value) => statement.raw_bind_parameter(position, i64::from(value)),
        Cell::Bytes(value) => statement.raw_bind_parameter(position, value),
        other => return bind_made(statement, position, other, value_type),
    };
    Ok(bound?)
}

/// An integer that is compared with decimals or floats.
#[cold]
fn bind_number(statement: &mut Statement<'_>, position: usize, value: i64, value_type: &ValueType) -> Outcome<()> {
    let bound = match value_type {
        ValueType::Decimal(size) => statement.raw_bind_parameter(position, decimal::text(value.into(), *size)),
        // the nearest float is what the type has for the number
        _ => statement.raw_bind_parameter(position, value as f64),
    };
    Ok(bound?)
}

/// Values whose stored form is made for the call.
fn bind_made(statement: &mut Statement<'_>, position: usize, cell: Cell<'_>, value_type: &ValueType) -> Outcome<()> {
    let bound = match cell {
        // sorts behind the integers, and among its like as numbers do
        Cell::UInt(value) => statement.raw_bind_parameter(position, format!("{value:020}")),
        Cell::Decimal(value) => {
            let size = match value_type {
                ValueType::Decimal(size) => *size,
                _ => None,
            };
            statement.raw_bind_parameter(position, decimal::text(value, size))
        }
        Cell::Uuid(value) => statement.raw_bind_parameter(position, value.as_bytes().as_slice()),
        Cell::Date(value) => statement.raw_bind_parameter(position, iso::date_text(value).as_str()),
        Cell::Time(value) => statement.raw_bind_parameter(position, iso::time_text(value).as_str()),
        Cell::DateTime(value) => statement.raw_bind_parameter(position, iso::date_time_text(value).as_str()),
        Cell::Timestamp(value) => statement.raw_bind_parameter(position, iso::timestamp_text(value).as_str()),
        Cell::Duration(value) => statement.raw_bind_parameter(position, iso::duration_micros(value)?),
        Cell::Json(value) => statement.raw_bind_parameter(position, value.to_string()),
        Cell::List(items) => statement.raw_bind_parameter(position, list::text(items)?),
        Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Text(_) | Cell::Bytes(_) => {
            return bind(statement, position, cell, value_type);
        }
    };
    Ok(bound?)
}

/// Binds the placeholders of a statement. Gives whether a value is so large that it should not
/// stay bound.
#[inline]
pub(crate) fn bind_slots(
    statement: &mut Statement<'_>,
    slots: &[Slot],
    values: &[Datum],
    types: &[ValueType],
) -> Outcome<bool> {
    let mut is_large = false;
    for (index, slot) in slots.iter().enumerate() {
        match slot.bind(values, types)? {
            Bound::Value(value, value_type) => {
                is_large |= matches!(value, Datum::Text(text) if text.len() > LARGE)
                    || matches!(value, Datum::Bytes(bytes) if bytes.len() > LARGE);
                bind(statement, index + 1, value.cell(), value_type)?;
            }
            Bound::Text(text) => {
                is_large |= text.len() > LARGE;
                statement.raw_bind_parameter(index + 1, text)?;
            }
            // bytes sort above all texts
            Bound::AboveText => statement.raw_bind_parameter(index + 1, [].as_slice() as &[u8])?,
        }
    }
    Ok(is_large)
}

/// Binds the values of a raw statement, whose types are their own.
pub(crate) fn bind_raw(statement: &mut Statement<'_>, values: &[Datum]) -> Outcome<()> {
    let wanted = statement.parameter_count();
    if wanted != values.len() {
        return Err(Failure::Ommi(Error::query(format!(
            "the statement has {wanted} parameters and {} values were given",
            values.len()
        ))));
    }
    for (index, value) in values.iter().enumerate() {
        // the type says nothing that the value does not say itself, save for the digits of a decimal
        bind(statement, index + 1, value.cell(), &ValueType::Text)?;
    }
    Ok(())
}

/// Binds rows to the placeholders of an insert, one cell after the other.
pub(crate) struct RowBinder<'a, 'c> {
    statement: &'a mut Statement<'c>,
    fields: &'a [FieldDef],
    /// The index of the automatic key.
    auto: Option<usize>,
    /// The key that the next row gets, if it has none.
    key: Option<i64>,
    field: usize,
    /// The number of the placeholder that was bound last.
    position: usize,
    is_large: bool,
}

impl<'a, 'c> RowBinder<'a, 'c> {
    /// A binder whose first placeholder is the one behind a number.
    pub(crate) fn new(
        statement: &'a mut Statement<'c>,
        fields: &'a [FieldDef],
        auto: Option<u16>,
        behind: usize,
    ) -> Self {
        let auto = auto.map(usize::from);
        RowBinder { statement, fields, auto, key: None, field: 0, position: behind, is_large: false }
    }

    /// Whether a value is so large that writing it takes long.
    pub(crate) fn is_large(&self) -> bool {
        self.is_large
    }

    /// Begins a row, which gets a key if it has none.
    pub(crate) fn begin_row(&mut self, key: Option<i64>) {
        self.field = 0;
        self.key = key;
    }
}

impl Encoder for RowBinder<'_, '_> {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let Some(field) = self.fields.get(self.field) else {
            return Err(Error::query("the row has more values than its model has fields"));
        };
        let cell = match (cell, self.key) {
            (Cell::Null, Some(key)) if self.auto == Some(self.field) => Cell::Int(key),
            (cell, _) => cell,
        };
        self.field += 1;
        self.position += 1;
        self.is_large |= match cell {
            Cell::Text(text) => text.len() > LARGE,
            Cell::Bytes(bytes) => bytes.len() > LARGE,
            _ => false,
        };
        bind(self.statement, self.position, cell, &field.value_type).map_err(|failure| match failure {
            Failure::Ommi(error) => error,
            failure => failure.into_error("the database", None),
        })
    }
}
