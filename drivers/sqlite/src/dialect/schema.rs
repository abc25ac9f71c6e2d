//! Tables and columns.

use ommi_core::Result;
use ommi_core::model::{FieldDef, ModelDef, OnChange};
use ommi_core::value::ValueType;
use ommi_sql::{Dialect, SchemaDialect};

use super::{RULES, SQLITE, SqliteDialect};

impl SchemaDialect for SqliteDialect {
    fn queries(&self) -> &dyn Dialect {
        &SQLITE
    }

    fn rules(&self) -> &dyn Dialect {
        &RULES
    }

    fn column_type(&self, _model: &ModelDef, field: &FieldDef) -> Result<String> {
        Ok(match field.value_type {
            // SQLite assigns numbers only to an INTEGER; it gives none above `i64::MAX`
            ValueType::U64 if field.auto => "INTEGER",
            ValueType::U64 => "ANY",
            ValueType::Bool | ValueType::Duration => "INTEGER",
            ValueType::F32 | ValueType::F64 => "REAL",
            ValueType::Bytes | ValueType::Uuid => "BLOB",
            ref other if other.is_integer() => "INTEGER",
            _ => "TEXT",
        }
        .into())
    }

    fn key_clause(&self, field: &FieldDef) -> String {
        // AUTOINCREMENT: the number of a deleted row is not given again
        let assigned = field.auto && field.value_type.is_integer();
        if assigned { "PRIMARY KEY AUTOINCREMENT" } else { "PRIMARY KEY" }.into()
    }

    fn max_length(&self, column: &str, characters: u32) -> Option<String> {
        Some(format!("length({column}) <= {characters}"))
    }

    fn table_options(&self) -> &str {
        " STRICT"
    }

    /// To refuse a change is the default, asked when the statement is over: rows that go together
    /// with what they reference do not hinder it.
    fn on_change(&self, change: OnChange) -> Option<&'static str> {
        match change {
            OnChange::Restrict => None,
            change => Some(change.sql()),
        }
    }

    fn reads(&self, declared: &str, _model: &ModelDef, field: &FieldDef) -> bool {
        let declared = declared.trim().to_ascii_uppercase();
        let affinity = Affinity::of(&declared);
        if affinity == Affinity::None {
            return true;
        }
        match field.value_type {
            // a column of numbers would take 20 digits for an inexact REAL
            ValueType::U64 => field.auto && affinity == Affinity::Integer,
            ValueType::Bool | ValueType::Duration => matches!(affinity, Affinity::Integer | Affinity::Numeric),
            ValueType::F32 | ValueType::F64 => affinity == Affinity::Real,
            ValueType::Bytes | ValueType::Uuid => affinity == Affinity::Blob,
            // text that is not a number stays as it is in a column of numbers
            ValueType::Date | ValueType::Time | ValueType::DateTime | ValueType::Timestamp => {
                affinity == Affinity::Text || ["DATE", "TIME"].iter().any(|word| declared.starts_with(word))
            }
            ValueType::List(_) => affinity == Affinity::Text || declared == "JSON",
            ref other if other.is_integer() => matches!(affinity, Affinity::Integer | Affinity::Numeric),
            _ => affinity == Affinity::Text,
        }
    }

    fn same_name(&self, left: &str, right: &str) -> bool {
        left.eq_ignore_ascii_case(right)
    }

    fn redefine_column(&self, table: &str, column: &str, definition: &str) -> String {
        let old = format!("{}_old\"", column.strip_suffix('"').unwrap_or(column));
        format!(
            "ALTER TABLE {table} RENAME COLUMN {column} TO {old}; ALTER TABLE {table} ADD COLUMN {definition}; \
             UPDATE {table} SET {column} = {old} WHERE {old} IS NOT NULL; ALTER TABLE {table} DROP COLUMN {old}"
        )
    }
}

/// What a column makes of values, by its declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    Integer,
    Real,
    Numeric,
    Text,
    Blob,
    /// It leaves them as they are, and a STRICT table takes any.
    None,
}

impl Affinity {
    /// SQLite's rules for declared types, in their order.
    fn of(declared: &str) -> Affinity {
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match declared {
            "" | "ANY" => Affinity::None,
            _ if has(&["INT"]) => Affinity::Integer,
            _ if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
            _ if has(&["BLOB"]) => Affinity::Blob,
            _ if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
            _ => Affinity::Numeric,
        }
    }
}
