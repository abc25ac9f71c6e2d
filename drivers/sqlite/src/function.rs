//! The functions and the collation that queries use and SQLite lacks.
//!
//! They are the core's own, lent to SQLite, so that a pushed-down operation means the same as the
//! evaluator's. All are deterministic. Their errors reach the caller as the core made them: see
//! [`crate::error::from_function`].

mod aggregate;
mod json;
mod number;
mod text;

use std::sync::Arc;

use ommi_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::error::from_function;

/// Registers all of them on a connection.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<()> {
    text::register(connection)?;
    number::register(connection)?;
    json::register(connection)?;
    aggregate::register(connection)
}

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS
}

/// A text argument; `None` for null.
fn text<'a>(context: &'a Context<'_>, index: usize) -> rusqlite::Result<Option<&'a str>> {
    match context.get_raw(index) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| from_function(Error::decode("a text in the database is not UTF-8: another program wrote it"))),
        other => Err(from_function(Error::query(format!("expected text, found {}", other.data_type())))),
    }
}

/// What is made of an argument, kept while the argument stays the same.
fn remembered<T: Send + Sync + 'static>(
    context: &Context<'_>,
    index: usize,
    make: impl FnOnce(&str) -> Result<T>,
) -> rusqlite::Result<Arc<T>> {
    let position = i32::try_from(index).unwrap_or(i32::MAX);
    if let Some(made) = context.get_aux(position)? {
        return Ok(made);
    }
    let made = make(text(context, index)?.unwrap_or_default()).map_err(from_function)?;
    context.set_aux(position, made)
}
