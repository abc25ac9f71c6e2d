//! Which reference a row breaks: SQLite does not say.

use std::collections::BTreeMap;

use ommi_core::driver::{Encoder, RowSource};
use ommi_core::model::ReferenceDef;
use ommi_core::value::{Cell, Datum};
use ommi_core::{Error, Result};
use ommi_sql::Dialect;

use crate::connection::Connection;
use crate::dialect::SQLITE;
use crate::encode::bind;
use crate::error::{Outcome, reference, reference_candidates};
use crate::native::Native;

/// The error for rows of which one breaks a reference.
pub(crate) fn find(connection: &Connection, native: &Native, rows: &dyn RowSource) -> Error {
    let candidates = reference_candidates(&native.model, &native.written);
    match broken(connection, native, &candidates, rows) {
        Ok(Some(only)) => reference(&[only], &native.model),
        // the search is a courtesy: where it fails, all of them are named
        _ => reference(&candidates, &native.model),
    }
}

/// A reference as the database has it.
struct ForeignKey<'a> {
    reference: &'a ReferenceDef,
    lookup: String,
    fields: Vec<u16>,
}

fn broken<'a>(
    connection: &Connection,
    native: &Native,
    candidates: &[&'a ReferenceDef],
    rows: &dyn RowSource,
) -> Outcome<Option<&'a ReferenceDef>> {
    if let [only] = candidates {
        return Ok(Some(only));
    }
    let keys = foreign_keys(connection, native, candidates)?;
    for row in 0..rows.len() {
        let mut values = Values(Vec::new());
        rows.encode(row, &mut values)?;
        for key in &keys {
            if !finds_row(connection, native, key, &values)? {
                return Ok(Some(key.reference));
            }
        }
    }
    // those to the table itself are the rest: rows of one insert may reference each other
    let own: Vec<&ReferenceDef> =
        candidates.iter().copied().filter(|reference| *reference.target.name() == **native.model.name()).collect();
    Ok(match own.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

fn foreign_keys<'a>(
    connection: &Connection,
    native: &Native,
    candidates: &[&'a ReferenceDef],
) -> Outcome<Vec<ForeignKey<'a>>> {
    let model = &*native.model;
    let table = &*model.table().name;
    let mut statement = connection
        .sqlite()
        .prepare(r#"SELECT "id", "table", "from", "to" FROM pragma_foreign_key_list(?1) ORDER BY "id", "seq""#)?;
    let mut rows = statement.query([table])?;
    let mut pairs: BTreeMap<i64, (String, Vec<u16>, Vec<String>)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (own, other): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        let own = model.fields().iter().position(|field| field.column.eq_ignore_ascii_case(&own));
        let (Some(own), Some(other)) = (own.and_then(|own| u16::try_from(own).ok()), other) else { continue };
        let entry = pairs.entry(row.get(0)?).or_insert_with(|| (String::new(), Vec::new(), Vec::new()));
        entry.0 = row.get(1)?;
        entry.1.push(own);
        entry.2.push(other);
    }
    let others = pairs.into_values().filter(|(target, ..)| !target.eq_ignore_ascii_case(table));
    Ok(others
        .filter_map(|(target, fields, columns)| {
            let reference = candidates.iter().find(|reference| {
                reference.fields.len() == fields.len() && reference.fields.iter().all(|field| fields.contains(field))
            })?;
            let tests: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(index, column)| format!("{} = ?{}", SQLITE.quote(column), index + 1))
                .collect();
            let lookup = format!("SELECT 1 FROM {} WHERE {}", SQLITE.quote(&target), tests.join(" AND "));
            Some(ForeignKey { reference, lookup, fields })
        })
        .collect())
}

fn finds_row(connection: &Connection, native: &Native, key: &ForeignKey<'_>, values: &Values) -> Outcome<bool> {
    let mut statement = connection.sqlite().prepare_cached(&key.lookup)?;
    for (index, field) in key.fields.iter().enumerate() {
        let value = values.0.get(usize::from(*field)).unwrap_or(&Datum::Null);
        let Some(field) = native.model.field(*field) else { return Ok(true) };
        if value.is_null() {
            return Ok(true);
        }
        bind(&mut statement, index + 1, value.cell(), &field.value_type)?;
    }
    Ok(statement.raw_query().next()?.is_some())
}

/// The values of a row.
struct Values(Vec<Datum>);

impl Encoder for Values {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        self.0.push(Datum::from_cell(cell));
        Ok(())
    }
}
