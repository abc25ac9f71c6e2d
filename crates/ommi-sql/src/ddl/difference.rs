//! Comparing a model with a table that is there.

use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, TableInfo};
use ommi_core::model::{FieldDef, ModelDef, OnChange, ReferenceDef};
use ommi_core::value::{Date, DateTime, Datum, Decimal, Duration, Json, Time, Timestamp, Uuid, ValueType};

use super::index::{IndexSql, create_indexes};
use super::table::{allows_null, column_definition, is_whole_key, table_of, target_of};
use crate::dialect::SchemaDialect;

/// What keeps a table from fitting a model, each with the statements that would mend it; empty if
/// it fits.
///
/// A table fits if it has a column for every field, of a type that holds the field's values and
/// gives them back; if null is allowed in just those columns whose fields are optional; if its
/// other columns may be left out; if it has the same key and the same enforced references. Columns
/// of the key count as never null. Of a view only the columns and their types are compared.
/// Indexes that are missing are no difference (see [`missing_indexes`]), but one of the same name
/// over other columns is.
///
/// # Errors
///
/// As for [`super::create_table`].
pub fn differences(
    model: &ModelDef,
    models: &[Arc<ModelDef>],
    table: &TableInfo,
    dialect: &dyn SchemaDialect,
) -> Result<Vec<String>> {
    let comparison = Comparison { model, table, dialect, name: table_of(model, dialect)? };
    let mut found = Vec::new();
    for field in model.fields() {
        found.extend(comparison.field(field)?);
    }
    if table.is_view {
        if !model.key().is_empty() {
            found.push(format!(
                "`{}` is a view, and a model with a key needs a table: leave the key out of the model, which then can only be read",
                table.name
            ));
        }
        return Ok(found);
    }
    for column in &table.columns {
        found.extend(comparison.extra_column(column));
    }
    found.extend(comparison.key());
    for reference in model.references().iter().filter(|reference| reference.enforced) {
        found.extend(comparison.reference(reference, models)?);
    }
    for index in create_indexes(model, dialect)? {
        found.extend(comparison.index(&index));
    }
    Ok(found)
}

/// The indexes of a model that a table lacks: those to be created.
///
/// An index of the table stands for one of the model if it has the same columns in the same order
/// and is as unique and as partial. After their creation nothing is missing, unless the name of
/// one belongs to another table's index: a driver looks again, and refuses.
///
/// # Errors
///
/// As for [`super::create_indexes`].
pub fn missing_indexes(model: &ModelDef, table: &TableInfo, dialect: &dyn SchemaDialect) -> Result<Vec<IndexSql>> {
    let mut indexes = create_indexes(model, dialect)?;
    indexes.retain(|wanted| !table.indexes.iter().any(|there| serves(there, wanted, dialect)));
    Ok(indexes)
}

fn serves(there: &IndexInfo, wanted: &IndexSql, dialect: &dyn SchemaDialect) -> bool {
    there.unique == wanted.unique
        && there.partial == wanted.partial
        && there.columns.len() == wanted.columns.len()
        && there
            .columns
            .iter()
            .zip(&wanted.columns)
            .all(|(there, wanted)| there.as_ref().is_some_and(|there| dialect.same_name(there, wanted)))
}

struct Comparison<'a> {
    model: &'a ModelDef,
    table: &'a TableInfo,
    dialect: &'a dyn SchemaDialect,
    /// The quoted table.
    name: String,
}

impl Comparison<'_> {
    fn field(&self, field: &FieldDef) -> Result<Option<String>> {
        let Comparison { model, table, dialect, name } = self;
        let label = format!("`{}.{}`", table.name, field.column);
        let column = table.columns.iter().find(|column| dialect.same_name(&column.name, &field.column));
        let Some(column) = column else {
            let definition = self.with_default(field)?;
            return Ok(Some(if is_whole_key(model, field) {
                format!("{label} is missing: {}", self.rebuild())
            } else {
                format!("{label} is missing: ALTER TABLE {name} ADD COLUMN {definition}")
            }));
        };
        let untyped_view = table.is_view && column.column_type.is_empty();
        if !untyped_view && !dialect.reads(&column.column_type, model, field) {
            return Ok(Some(format!(
                "{label} is of type {}, and {} values need {}: {}",
                if column.column_type.is_empty() { "(none)" } else { &column.column_type },
                field.value_type,
                dialect.column_type(model, field)?,
                self.redefine(field)?
            )));
        }
        let in_key = table.key.iter().any(|key| dialect.same_name(key, &column.name));
        if table.is_view || in_key || column.nullable == allows_null(model, field) {
            return Ok(None);
        }
        let what = if column.nullable {
            "allows null, and the field is required"
        } else {
            "is not null, and the field is optional"
        };
        Ok(Some(format!("{label} {what}: {}", self.redefine(field)?)))
    }

    fn extra_column(&self, column: &ColumnInfo) -> Option<String> {
        let known = |name: &str| self.dialect.same_name(&column.name, name);
        let may_be_absent = column.nullable || column.default.is_some();
        let in_key = self.table.key.iter().any(|key| known(key));
        if may_be_absent || in_key || self.model.fields().iter().any(|field| known(&field.column)) {
            return None;
        }
        let quoted = self.dialect.quote(&column.name);
        let definition = format!("{quoted} {}", column.column_type);
        Some(format!(
            "`{}.{}` is not null, has no default, and {} has no field for it: add the field, or {}",
            self.table.name,
            column.name,
            self.model.name(),
            self.dialect.redefine_column(&self.name, &quoted, &definition)
        ))
    }

    fn key(&self) -> Option<String> {
        let wanted: Vec<&str> =
            self.model.key().iter().filter_map(|key| self.model.field(*key)).map(|field| &*field.column).collect();
        let same = wanted.len() == self.table.key.len()
            && wanted.iter().all(|name| self.table.key.iter().any(|key| self.dialect.same_name(key, name)));
        if same || wanted.is_empty() {
            return None;
        }
        let there = match self.table.key.as_slice() {
            [] => "missing".to_owned(),
            key => format!("({})", key.join(", ")),
        };
        Some(format!(
            "the key of `{}` is {there}, and ({}) is needed: {}",
            self.table.name,
            wanted.join(", "),
            self.rebuild()
        ))
    }

    fn reference(&self, reference: &ReferenceDef, models: &[Arc<ModelDef>]) -> Result<Option<String>> {
        let (target, target_fields) = target_of(self.model, reference, models)?;
        let column = |model: &ModelDef, field: &u16| model.field(*field).map(|field| field.column.to_string());
        let pairs: Vec<(String, String)> = reference
            .fields
            .iter()
            .zip(&target_fields)
            .filter_map(|(own, other)| Some((column(self.model, own)?, column(target, other)?)))
            .collect();
        let there = self.table.references.iter().find(|there| self.is_same(there, target, &pairs));
        let own: Vec<&str> = pairs.iter().map(|(own, _)| own.as_str()).collect();
        let label = format!("the reference of `{}` from ({}) to `{}`", self.table.name, own.join(", "), target.table());
        Ok(match there {
            None => Some(format!("{label} is missing: mark it `unenforced`, or {}", self.rebuild())),
            Some(there) => {
                [("delete", reference.on_delete, &there.on_delete), ("update", reference.on_update, &there.on_update)]
                    .into_iter()
                    .find(|(_, wanted, there)| !acts_as(there, *wanted))
                    .map(|(event, wanted, there)| {
                        format!("{label} does {there} on {event}, and {} is needed: {}", wanted.sql(), self.rebuild())
                    })
            }
        })
    }

    fn is_same(&self, there: &ReferenceInfo, target: &ModelDef, pairs: &[(String, String)]) -> bool {
        self.dialect.same_name(&there.table, &target.table().name)
            && there.columns.len() == pairs.len()
            && pairs.iter().all(|(own, other)| {
                there
                    .columns
                    .iter()
                    .zip(&there.target_columns)
                    .any(|(column, of)| self.dialect.same_name(column, own) && self.dialect.same_name(of, other))
            })
    }

    fn index(&self, wanted: &IndexSql) -> Option<String> {
        let there = self.table.indexes.iter().find(|there| self.dialect.same_name(&there.name, &wanted.name))?;
        if serves(there, wanted, self.dialect) {
            return None;
        }
        Some(format!(
            "the index `{}` is there and is not the one that {} needs: DROP INDEX {}; {}",
            there.name,
            self.model.name(),
            self.dialect.quote(&there.name),
            wanted.text
        ))
    }

    fn redefine(&self, field: &FieldDef) -> Result<String> {
        if is_whole_key(self.model, field) {
            return Ok(self.rebuild());
        }
        let column = self.dialect.quote(&field.column);
        Ok(self.dialect.redefine_column(&self.name, &column, &self.with_default(field)?))
    }

    /// The column's definition, with a default that rows which are there already can have.
    fn with_default(&self, field: &FieldDef) -> Result<String> {
        let mut definition = column_definition(self.model, field, self.dialect)?;
        if field.default.is_none() && !allows_null(self.model, field) {
            let default = self.dialect.literal(&least(&field.value_type), &field.value_type)?;
            definition.push_str(&format!(" DEFAULT {}", default.text()));
        }
        Ok(definition)
    }

    fn rebuild(&self) -> String {
        let old = self.dialect.quote(&format!("{}_old", self.table.name));
        let columns: Vec<String> = self
            .model
            .fields()
            .iter()
            .filter(|field| self.table.columns.iter().any(|there| self.dialect.same_name(&there.name, &field.column)))
            .map(|field| self.dialect.quote(&field.column))
            .collect();
        let columns = columns.join(", ");
        let name = &self.name;
        format!(
            "ALTER TABLE {name} RENAME TO {old}; create {} anew; INSERT INTO {name} ({columns}) SELECT {columns} FROM {old}",
            self.model.name()
        )
    }
}

/// Whether an action, in the database's words, is that of a rule. To refuse a change at once and
/// at the end of the statement are the same here.
fn acts_as(there: &str, wanted: OnChange) -> bool {
    match wanted {
        OnChange::Restrict => matches!(there.to_ascii_uppercase().as_str(), "" | "RESTRICT" | "NO ACTION"),
        wanted => there.eq_ignore_ascii_case(wanted.sql()),
    }
}

/// A plain value of a type, for rows that were written before the column was there.
fn least(value_type: &ValueType) -> Datum {
    match value_type {
        ValueType::Bool => Datum::Bool(false),
        ValueType::F32 | ValueType::F64 => Datum::Float(0.0),
        ValueType::Decimal(_) => Datum::Decimal(Decimal::ZERO),
        ValueType::Text => Datum::Text("".into()),
        ValueType::Bytes => Datum::Bytes([].into()),
        ValueType::Uuid => Datum::Uuid(Uuid::nil()),
        ValueType::Date => Datum::Date(Date::constant(1970, 1, 1)),
        ValueType::Time => Datum::Time(Time::midnight()),
        ValueType::DateTime => Datum::DateTime(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)),
        ValueType::Timestamp => Datum::Timestamp(Timestamp::UNIX_EPOCH),
        ValueType::Duration => Datum::Duration(Duration::ZERO),
        ValueType::Json => Datum::Json(Box::new(Json::Null)),
        ValueType::Enum(of) => Datum::Text(of.variants.first().map(String::as_str).unwrap_or_default().into()),
        ValueType::List(_) => Datum::List(Vec::new()),
        _ => Datum::Int(0),
    }
}
