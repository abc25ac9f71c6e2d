//! New rows.

use ommi_core::query::statement::{InsertStatement, OnConflict};
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

use super::{RenderedSql, Renderer, number, row_mark};
use crate::dialect::Dialect;

/// An insert as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedInsert {
    /// The text, and what its placeholders are bound to but for the rows' values.
    pub sql: RenderedSql,
    /// The number of the placeholder of the first row's first value; all others follow, field by
    /// field and row by row.
    ///
    /// Where placeholders have numbers, those of `sql.parameters` come before it. Where they have
    /// none, it is 1 and those of `sql.parameters` come after the rows.
    pub first_row: usize,
}

/// Renders an insert of a number of rows, which gives back the values of some fields; of none, if
/// `returning` is empty.
///
/// # Errors
///
/// As for [`super::render`]; `Query` if there are no rows.
pub fn render_insert(
    statement: &InsertStatement,
    parameters: &[ValueType],
    rows: usize,
    returning: &[u16],
    dialect: &dyn Dialect,
) -> Result<RenderedInsert> {
    let all: Vec<u16> = (0u16..).take(statement.model.fields().len()).collect();
    render_insert_of(statement, parameters, &all, InsertRows::Values(rows), returning, dialect)
}

/// The rows of an insert.
#[derive(Clone, Copy)]
pub enum InsertRows<'a> {
    /// A number of rows, each value behind a placeholder of its own.
    Values(usize),
    /// The rows that a query gives; it is written from the placeholders of its arguments, one for
    /// each field.
    Query(&'a dyn Fn(&[String]) -> String),
}

/// Renders an insert of some fields; the others get their defaults.
///
/// # Errors
///
/// As for [`render_insert`].
pub fn render_insert_of(
    statement: &InsertStatement,
    parameters: &[ValueType],
    fields: &[u16],
    rows: InsertRows<'_>,
    returning: &[u16],
    dialect: &dyn Dialect,
) -> Result<RenderedInsert> {
    let renderer = Renderer::new(&statement.model, parameters, dialect);
    let text = renderer.insert(statement, fields, rows, returning)?;
    let (sql, first_row) = number(&text, dialect)?;
    Ok(RenderedInsert { sql, first_row })
}

impl Renderer<'_> {
    fn insert(
        &self,
        statement: &InsertStatement,
        fields: &[u16],
        rows: InsertRows<'_>,
        returning: &[u16],
    ) -> Result<String> {
        let marks = |row: usize| -> Vec<String> {
            (0..fields.len()).map(|field| row_mark(row * fields.len() + field)).collect()
        };
        let mut text = format!("INSERT INTO {}", self.table()?);
        match rows {
            InsertRows::Values(0) => {
                return Err(Error::query("an insert needs at least one row").with_model(self.model.name()));
            }
            InsertRows::Values(_) if fields.is_empty() => text.push_str(" DEFAULT VALUES"),
            InsertRows::Values(rows) => {
                let rows: Vec<String> = (0..rows).map(|row| format!("({})", marks(row).join(", "))).collect();
                text.push_str(&format!(" ({}) VALUES {}", self.columns(fields)?.join(", "), rows.join(", ")));
            }
            InsertRows::Query(query) => {
                text.push_str(&format!(" ({}) {}", self.columns(fields)?.join(", "), query(&marks(0))));
            }
        }
        text.push_str(&self.conflict(&statement.on_conflict)?);
        if !returning.is_empty() {
            text.push_str(&self.dialect.returning(&self.columns(returning)?)?);
        }
        Ok(text)
    }

    /// The indexes of all fields.
    pub(super) fn all_fields(&self) -> Vec<u16> {
        (0u16..).take(self.model.fields().len()).collect()
    }

    fn conflict(&self, on_conflict: &OnConflict) -> Result<String> {
        let (fields, assignments) = match on_conflict {
            OnConflict::Fail => return Ok(String::new()),
            OnConflict::Ignore(fields) => (fields, &[][..]),
            OnConflict::Update(fields, assignments) => (fields, assignments.as_slice()),
        };
        let columns = self.columns(if fields.is_empty() { self.model.key() } else { fields })?;
        if assignments.is_empty() {
            return self.dialect.on_conflict(&columns, None);
        }
        // a bare column could be the old row's or the new one's
        let assignments = self.qualified().assignments(assignments)?;
        self.dialect.on_conflict(&columns, Some(&assignments))
    }
}
