//! Reading the schema back.

use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, SchemaInfo, TableInfo};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::connection::{Connection, StatementKey};
use crate::error::Outcome;

const OID: &str = "SELECT CAST(to_regclass($1) AS oid)";

const ALL: &str = "\
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition \
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY c.relname, n.nspname";

const TABLE: &str = "\
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN NULL ELSE CAST(n.nspname AS text) END, \
    CAST(c.relname AS text), c.relkind IN ('v', 'm') \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = $1";

/// A collation in which text does not sort by code point stands behind the type.
const COLUMNS: &str = "\
    SELECT CAST(a.attname AS text), format_type(a.atttypid, a.atttypmod) || CASE \
    WHEN a.attcollation = 0 OR l.collname IN ('C', 'POSIX', 'ucs_basic') OR l.collname LIKE 'C.%' THEN '' \
    WHEN l.collname = 'default' AND d.datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') THEN '' \
    WHEN l.collname = 'default' THEN ' COLLATE ' || quote_ident(d.datcollate) \
    ELSE ' COLLATE ' || quote_ident(l.collname) END, \
    NOT a.attnotnull, \
    CASE WHEN a.attidentity <> '' THEN 'GENERATED AS IDENTITY' ELSE pg_get_expr(v.adbin, v.adrelid) END \
    FROM pg_attribute AS a JOIN pg_database AS d ON d.datname = current_database() \
    LEFT JOIN pg_collation AS l ON l.oid = a.attcollation \
    LEFT JOIN pg_attrdef AS v ON v.adrelid = a.attrelid AND v.adnum = a.attnum \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const INDEXES: &str = "\
    SELECT CAST(c.relname AS text), i.indisprimary, i.indisunique, i.indpred IS NOT NULL, \
    ARRAY(SELECT CAST(a.attname AS text) FROM unnest(i.indkey) WITH ORDINALITY AS k(number, at) \
    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0 \
    WHERE k.at <= i.indnkeyatts ORDER BY k.at) \
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = $1 ORDER BY c.relname";

const REFERENCES: &str = "\
    SELECT CAST(t.relname AS text), CAST(r.confdeltype AS text), CAST(r.confupdtype AS text), \
    ARRAY(SELECT CAST(a.attname AS text) FROM unnest(r.conkey) WITH ORDINALITY AS k(number, at) \
    JOIN pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = k.number ORDER BY k.at), \
    ARRAY(SELECT CAST(a.attname AS text) FROM unnest(r.confkey) WITH ORDINALITY AS k(number, at) \
    JOIN pg_attribute AS a ON a.attrelid = r.confrelid AND a.attnum = k.number ORDER BY k.at) \
    FROM pg_constraint AS r JOIN pg_class AS t ON t.oid = r.confrelid \
    WHERE r.conrelid = $1 AND r.contype = 'f' ORDER BY r.conname";

/// The statements of this file among those of no shape.
fn key(number: u8) -> StatementKey {
    StatementKey::new(0, 16 + number)
}

/// The number of the table of a quoted name, if there is one.
pub(super) async fn oid(connection: &Connection, table: &str) -> Outcome<Option<u32>> {
    let rows = connection.query(key(0), OID, &[Type::TEXT], &[&table]).await?;
    match rows.first() {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(None),
    }
}

/// All tables and views that are not the server's own.
pub(crate) async fn inspect(connection: &Connection) -> Outcome<SchemaInfo> {
    let rows = connection.query(key(1), ALL, &[], &[]).await?;
    let mut tables = Vec::with_capacity(rows.len());
    for row in rows {
        tables.push(table(connection, row.try_get(0)?).await?);
    }
    Ok(SchemaInfo { tables })
}

/// The table of a number.
pub(super) async fn table(connection: &Connection, oid: u32) -> Outcome<TableInfo> {
    let about = async |number, text| connection.query(key(number), text, &[Type::OID], &[&oid]).await;
    let mut table = TableInfo::default();
    if let Some(row) = about(2, TABLE).await?.first() {
        (table.schema, table.name, table.is_view) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    }
    for row in about(3, COLUMNS).await? {
        table.columns.push(column(&row)?);
    }
    for row in about(4, INDEXES).await? {
        let columns: Vec<Option<String>> = row.try_get(4)?;
        match row.try_get(1)? {
            true => table.key = columns.into_iter().flatten().collect(),
            false => table.indexes.push(IndexInfo {
                name: row.try_get(0)?,
                columns,
                unique: row.try_get(2)?,
                partial: row.try_get(3)?,
            }),
        }
    }
    for row in about(5, REFERENCES).await? {
        table.references.push(ReferenceInfo {
            table: row.try_get(0)?,
            on_delete: action(row.try_get(1)?),
            on_update: action(row.try_get(2)?),
            columns: row.try_get(3)?,
            target_columns: row.try_get(4)?,
        });
    }
    Ok(table)
}

fn column(row: &Row) -> Outcome<ColumnInfo> {
    Ok(ColumnInfo {
        name: row.try_get(0)?,
        column_type: row.try_get(1)?,
        nullable: row.try_get(2)?,
        default: row.try_get(3)?,
    })
}

/// What a reference does, in SQL's words.
fn action(letter: &str) -> String {
    match letter {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    }
    .into()
}
