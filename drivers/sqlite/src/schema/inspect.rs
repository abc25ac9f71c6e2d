//! Reading the schema back.

use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, SchemaInfo, TableInfo};
use rusqlite::OptionalExtension;

use crate::connection::Connection;
use crate::error::Outcome;

/// All tables and views that are not SQLite's own.
pub(crate) fn inspect(connection: &Connection) -> Outcome<SchemaInfo> {
    let mut statement = connection.sqlite().prepare(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        tables.extend(table(connection, &name)?);
    }
    Ok(SchemaInfo { tables })
}

/// The table or view of a name, if there is one.
pub(super) fn table(connection: &Connection, name: &str) -> Outcome<Option<TableInfo>> {
    let found: Option<(String, String)> = connection
        .sqlite()
        .query_row(
            "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((name, kind)) = found else { return Ok(None) };
    let (columns, key) = columns(connection, &name)?;
    Ok(Some(TableInfo {
        schema: None,
        is_view: kind == "view",
        indexes: indexes(connection, &name)?,
        references: references(connection, &name)?,
        columns,
        key,
        name,
    }))
}

/// The columns, and those of the key in its order.
fn columns(connection: &Connection, table: &str) -> Outcome<(Vec<ColumnInfo>, Vec<String>)> {
    let mut statement = connection.sqlite().prepare(
        // hidden 1 are columns of virtual tables that have no storage
        r#"SELECT "name", "type", "notnull", "dflt_value", "pk", "hidden" FROM pragma_table_xinfo(?1) WHERE "hidden" <> 1"#,
    )?;
    let mut rows = statement.query([table])?;
    let mut columns = Vec::new();
    let mut key: Vec<(i64, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, position): (String, i64) = (row.get(0)?, row.get(4)?);
        // what is generated needs no value from a writer
        let is_generated = row.get::<_, i64>(5)? != 0;
        columns.push(ColumnInfo {
            name: name.clone(),
            column_type: row.get(1)?,
            nullable: row.get::<_, i64>(2)? == 0 || is_generated,
            default: row.get(3)?,
        });
        if position > 0 {
            key.push((position, name));
        }
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

fn indexes(connection: &Connection, table: &str) -> Outcome<Vec<IndexInfo>> {
    let mut statement = connection.sqlite().prepare(
        r#"SELECT "name", "unique", "partial" FROM pragma_index_list(?1) WHERE "origin" <> 'pk' ORDER BY "name""#,
    )?;
    let indexes = statement
        .query_map([table], |row| {
            Ok(IndexInfo { name: row.get(0)?, columns: Vec::new(), unique: row.get(1)?, partial: row.get(2)? })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut columns = connection.sqlite().prepare(r#"SELECT "name" FROM pragma_index_info(?1) ORDER BY "seqno""#)?;
    indexes
        .into_iter()
        .map(|mut index| {
            index.columns = columns.query_map([&index.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(index)
        })
        .collect()
}

fn references(connection: &Connection, table: &str) -> Outcome<Vec<ReferenceInfo>> {
    let mut statement = connection.sqlite().prepare(
        r#"SELECT "id", "table", "from", "to", "on_delete", "on_update" FROM pragma_foreign_key_list(?1) ORDER BY "id", "seq""#,
    )?;
    let mut rows = statement.query([table])?;
    let mut references: Vec<(i64, ReferenceInfo)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if references.last().is_none_or(|(last, _)| *last != id) {
            references.push((
                id,
                ReferenceInfo {
                    table: row.get(1)?,
                    on_delete: row.get(4)?,
                    on_update: row.get(5)?,
                    ..ReferenceInfo::default()
                },
            ));
        }
        if let Some((_, reference)) = references.last_mut() {
            reference.columns.push(row.get(2)?);
            reference.target_columns.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    // a reference without columns is to the key
    references
        .into_iter()
        .map(|(_, mut reference)| {
            if reference.target_columns.is_empty() {
                reference.target_columns = columns(connection, &reference.table)?.1;
            }
            Ok(reference)
        })
        .collect()
}
