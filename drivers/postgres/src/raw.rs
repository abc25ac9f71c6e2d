//! Statements in PostgreSQL's own language.

use std::pin::pin;

use futures_util::TryStreamExt;
use ommi_core::Error;
use ommi_core::driver::{Flow, Raw, RowSink, RowsMatched};
use ommi_core::value::{Datum, ValueType};
use tokio_postgres::RowStream;
use tokio_postgres::types::Type;

use crate::connection::Connection;
use crate::decode::{Column, PostgresRow, columns};
use crate::encode::{Parameter, array_of_elements, type_of};
use crate::error::Outcome;

/// The most parameters that the protocol can count.
const PARAMETERS: usize = 65_535;

/// What a statement does with the session, by its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It leaves it as it is.
    Harmless,
    /// It may change settings, or leave something behind.
    Changing,
    /// It begins or ends a transaction.
    Transaction,
}

/// Runs a statement; rows, if it gives any, go into the sink.
pub(crate) async fn run(
    connection: &Connection,
    raw: &Raw,
    sink: Box<dyn RowSink>,
) -> Outcome<(Box<dyn RowSink>, RowsMatched)> {
    if raw.parameters.len() > PARAMETERS {
        return Err(Error::query(format!(
            "{} values were given, and a statement of PostgreSQL has at most {PARAMETERS} parameters: bind an array, as in `= ANY ($1)`",
            raw.parameters.len()
        ))
        .into());
    }
    match use_of(&raw.text) {
        Use::Transaction => {
            return Err(Error::transaction("the text begins or ends a transaction: use `db.transaction`").into());
        }
        // what it leaves behind is undone before the next user gets the connection
        Use::Changing if !connection.is_in_transaction() => connection.lend(),
        _ => {}
    }
    let request = connection.request();
    let answer = answer(connection, raw, sink).await;
    request.answered();
    answer
}

async fn answer(
    connection: &Connection,
    raw: &Raw,
    mut sink: Box<dyn RowSink>,
) -> Outcome<(Box<dyn RowSink>, RowsMatched)> {
    let client = connection.client();
    let parameters: Vec<Parameter<'_>> = raw.parameters.iter().map(|value| Parameter::Cell(value.cell())).collect();
    if !connection.prepares() {
        let types = raw.parameters.iter().map(type_of_datum);
        let rows = client.query_typed_raw(&raw.text, parameters.into_iter().zip(types)).await?;
        return read(rows, None, sink).await;
    }
    let statement = client.prepare(&raw.text).await?;
    let wanted = statement.params().len();
    if wanted != parameters.len() {
        return Err(Error::query(format!(
            "the statement has {wanted} parameters and {} values were given",
            parameters.len()
        ))
        .into());
    }
    let names: Vec<&str> = statement.columns().iter().map(tokio_postgres::Column::name).collect();
    if !names.is_empty() {
        sink.columns(&names)?;
    }
    let columns = columns(statement.columns(), &[]);
    let rows = client.query_raw(&statement, parameters).await?;
    read(rows, Some(columns), sink).await
}

/// Reads rows into a sink. Columns that are not known before come with the first row.
async fn read(
    rows: RowStream,
    mut known: Option<Box<[Column]>>,
    mut sink: Box<dyn RowSink>,
) -> Outcome<(Box<dyn RowSink>, RowsMatched)> {
    let mut rows = pin!(rows);
    let mut is_wanted = true;
    // to the end, where the number of rows is told and an error may stand yet
    while let Some(row) = rows.try_next().await? {
        let columns = match &mut known {
            Some(columns) => columns,
            None => {
                let names: Vec<&str> = row.columns().iter().map(tokio_postgres::Column::name).collect();
                sink.columns(&names)?;
                known.insert(columns(row.columns(), &[]))
            }
        };
        if is_wanted {
            is_wanted = sink.row(&PostgresRow::new(&row, columns))? == Flow::Continue;
        }
    }
    Ok((sink, rows.rows_affected().unwrap_or_default()))
}

/// The type as which a value is bound where the server is not asked for it before.
fn type_of_datum(value: &Datum) -> Type {
    type_of(&match value {
        Datum::Null => return Type::UNKNOWN,
        Datum::Bool(_) => ValueType::Bool,
        Datum::Int(_) => ValueType::I64,
        Datum::UInt(_) => ValueType::U64,
        Datum::Float(_) => ValueType::F64,
        Datum::Decimal(_) => ValueType::DECIMAL,
        Datum::Text(_) => ValueType::Text,
        Datum::Bytes(_) => ValueType::Bytes,
        Datum::Uuid(_) => ValueType::Uuid,
        Datum::Date(_) => ValueType::Date,
        Datum::Time(_) => ValueType::Time,
        Datum::DateTime(_) => ValueType::DateTime,
        Datum::Timestamp(_) => ValueType::Timestamp,
        Datum::Duration(_) => ValueType::Duration,
        Datum::Json(_) => ValueType::Json,
        Datum::List(items) => match items.first() {
            Some(first) => return array_of_elements(&type_of_datum(first)),
            None => return Type::UNKNOWN,
        },
    })
}

fn use_of(text: &str) -> Use {
    let word: String = without_comments(text).chars().take_while(|character| character.is_ascii_alphabetic()).collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "VALUES" | "TABLE" | "EXPLAIN" | "SHOW"
            if !text.to_ascii_lowercase().contains("set_config") && !text.contains("pg_advisory_lock") =>
        {
            Use::Harmless
        }
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" => Use::Transaction,
        _ => Use::Changing,
    }
}

/// The text behind the white space and the comments that it begins with.
fn without_comments(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, behind)| behind);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
        } else if let Some(inner) = rest.strip_prefix('(') {
            rest = inner;
        } else {
            return rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_says_what_becomes_of_the_session() {
        assert_eq!(use_of("select 1"), Use::Harmless);
        assert_eq!(use_of(" -- a\n/* b */ (SELECT 1)"), Use::Harmless);
        assert_eq!(use_of("SELECT set_config('a.b', '1', false)"), Use::Changing);
        assert_eq!(use_of("SET search_path TO x"), Use::Changing);
        assert_eq!(use_of("CREATE TABLE x ()"), Use::Changing);
        assert_eq!(use_of("Commit"), Use::Transaction);
        assert_eq!(use_of(""), Use::Changing);
    }
}
