//! Creating, checking, dropping and reading back tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, SchemaInfo, TableInfo};
use ommi_core::model::{FieldDef, IndexDef, ModelDef, ReferenceDef, TableName};
use ommi_core::value::{Cell, Datum, ValueType, decimal, iso};
use ommi_core::{ConstraintKind, Error, Result};

use crate::access::Layout;
use crate::error::not_unique;
use crate::table::{Index, Key, Reference, Row, Table, TableId, Tables};

/// Creates the tables that are missing, and checks those that are there: what they lack of indexes
/// and unique groups is added, everything else is a difference.
///
/// # Errors
///
/// `Schema` with each difference, or if a reference leads to a table that is not there;
/// `Constraint` if rows break a unique group that is to be added.
pub(crate) fn create(tables: &mut Tables, models: &[Arc<ModelDef>]) -> Result<()> {
    let mut differences = Vec::new();
    let mut new: Vec<(TableId, &Arc<ModelDef>)> = Vec::new();
    for model in models {
        match tables.find(model.table()).cloned() {
            Some(table) => {
                let found = differences_of(tables, models, model, &table);
                if found.is_empty() {
                    add_indexes(tables, model, &table)?;
                }
                differences.extend(found.into_iter().map(|found| format!("{}: {found}", model.name())));
            }
            None if model.key().is_empty() => differences.push(format!(
                "{}: there is no table `{}`, and a model without a key can only read one that another model made",
                model.name(),
                model.table()
            )),
            None if new.iter().any(|(_, other)| other.table() == model.table()) => {}
            None => new.push((tables.reserve(), model)),
        }
    }
    // The tables come first and their references after, so that cycles find their targets.
    for (id, model) in &new {
        tables.insert(Table {
            id: *id,
            model: Arc::clone(model),
            rows: std::collections::BTreeMap::new(),
            indexes: model.indexes().iter().map(|index| empty_index(model, index)).collect(),
            references: Vec::new(),
            next_number: 1,
        });
    }
    for (id, model) in &new {
        for reference in model.references().iter().filter(|reference| reference.enforced) {
            match resolve(tables, models, model, reference) {
                Ok((target, target_fields)) => add_reference(tables, *id, reference, target, target_fields),
                Err(problem) => differences.push(format!("{}: {problem}", model.name())),
            }
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::schema(format!("{}; drop the tables and create them anew", differences.join("; "))))
}

/// The table that a reference leads to, and the fields there.
fn resolve(
    tables: &Tables,
    models: &[Arc<ModelDef>],
    model: &ModelDef,
    reference: &ReferenceDef,
) -> Result<(TableId, Vec<u16>), String> {
    let name = reference.target.name();
    let by_name = || tables.iter().map(|table| &table.model).find(|model| *model.name() == name);
    let target = reference.target.resolve(models).or_else(by_name);
    let table = target.and_then(|target| tables.find(target.table()));
    let (Some(target), Some(table)) = (target, table) else {
        return Err(format!("it references {name}, which has no table: create both together"));
    };
    let fields = reference.target_indexes(target).and_then(|fields| {
        let layout = Layout::new(target, table).ok()?;
        fields.iter().map(|field| layout.field(*field)).collect::<Option<Vec<_>>>()
    });
    match fields {
        Some(fields) if fields.len() == reference.fields.len() => Ok((table.id, fields)),
        _ => Err(format!(
            "its reference from {} does not fit the fields of {name}",
            columns(model, &reference.fields).join(", ")
        )),
    }
}

fn add_reference(tables: &mut Tables, id: TableId, of: &ReferenceDef, target: TableId, target_fields: Vec<u16>) {
    let Some(table) = tables.get_mut(id) else { return };
    let index = table.indexes.len();
    table.indexes.push(Index {
        name: String::new(),
        fields: of.fields.clone(),
        condition: None,
        unique: false,
        internal: true,
        entries: BTreeSet::new(),
    });
    table.references.push(Reference {
        fields: of.fields.clone(),
        target,
        target_fields,
        on_delete: of.on_delete,
        on_update: of.on_update,
        index,
    });
}

fn columns(model: &ModelDef, fields: &[u16]) -> Vec<String> {
    fields.iter().filter_map(|field| model.field(*field)).map(|field| field.column.to_string()).collect()
}

fn empty_index(model: &ModelDef, index: &IndexDef) -> Index {
    let fields: Vec<u16> = index.fields.iter().map(|(field, _)| *field).collect();
    let name = match &index.name {
        Some(name) => name.to_string(),
        None => {
            let ending = if index.unique { "key" } else { "idx" };
            format!("{}_{}_{ending}", model.table().name, columns(model, &fields).join("_"))
        }
    };
    Index {
        name,
        fields,
        condition: index.condition.clone(),
        unique: index.unique,
        internal: false,
        entries: BTreeSet::new(),
    }
}

/// What keeps a model from using a table.
fn differences_of(tables: &Tables, models: &[Arc<ModelDef>], model: &ModelDef, table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let name = model.table();
    for field in model.fields() {
        let Some(column) = column(&table.model, &field.column) else {
            found.push(format!("the table `{name}` has no column `{}`", field.column));
            continue;
        };
        if !is_readable(&column.value_type, &field.value_type) {
            found.push(format!(
                "the column `{}` is of type {} where {} is wanted",
                field.column, column.value_type, field.value_type
            ));
        }
        if column.nullable != field.nullable {
            let (is, wanted) = if column.nullable { ("may be null", "must not") } else { ("cannot be null", "may") };
            found.push(format!("the column `{}` {is} and {wanted} be by the model", field.column));
        }
    }
    if model.key().is_empty() {
        return found;
    }
    let key = columns(model, model.key());
    let table_key = columns(&table.model, table.model.key());
    if key != table_key {
        found.push(format!("the key of `{name}` is {} where {} is wanted", table_key.join(", "), key.join(", ")));
    }
    for extra in table.model.fields() {
        let is_known = column(model, &extra.column).is_some();
        if !is_known && !extra.nullable && extra.default.is_none() {
            found.push(format!("the column `{}` is required and the model does not have it", extra.column));
        }
    }
    for reference in model.references().iter().filter(|reference| reference.enforced) {
        let own = columns(model, &reference.fields);
        let is_there = resolve(tables, models, model, reference).is_ok_and(|(target, target_fields)| {
            table.references.iter().any(|there| {
                there.target == target
                    && there.target_fields == target_fields
                    && columns(&table.model, &there.fields) == own
                    && (there.on_delete, there.on_update) == (reference.on_delete, reference.on_update)
            })
        });
        if !is_there {
            found.push(format!("the table lacks the reference from {} to {}", own.join(", "), reference.target.name()));
        }
    }
    for check in model.checks() {
        if !table.checks().iter().any(|there| there.name == check.name) {
            found.push(format!("the table lacks the check `{}`", check.name));
        }
    }
    found
}

fn column<'a>(model: &'a ModelDef, name: &str) -> Option<&'a FieldDef> {
    model.fields().iter().find(|field| *field.column == *name)
}

/// Whether values of a column can be read as those of a field.
fn is_readable(column: &ValueType, field: &ValueType) -> bool {
    column == field
        || column.is_integer() && field.is_integer()
        || column.is_float() && field.is_float()
        || column.is_decimal() && field.is_decimal()
        || column.is_text() && field.is_text()
}

/// Adds the indexes of a model that a table lacks.
fn add_indexes(tables: &mut Tables, model: &Arc<ModelDef>, table: &Table) -> Result<()> {
    let layout = Layout::new(model, table)?;
    for definition in model.indexes() {
        let mut index = empty_index(model, definition);
        if let Some(fields) = index.fields.iter().map(|field| layout.field(*field)).collect() {
            index.fields = fields;
        }
        let is_there = table.indexes.iter().any(|there| {
            !there.internal
                && there.unique == index.unique
                && there.fields == index.fields
                && there.condition.is_some() == index.condition.is_some()
        });
        if is_there {
            continue;
        }
        let mut seen: BTreeSet<Key> = BTreeSet::new();
        for (key, row) in &table.rows {
            let Some(values) = index_key(&index, &layout, row)? else { continue };
            if index.unique && !seen.insert(values.clone()) {
                return Err(not_unique(&table.model, &index.fields));
            }
            index.entries.insert((values, key.clone()));
        }
        if let Some(table) = tables.get_mut(table.id) {
            table.indexes.push(index);
        }
    }
    Ok(())
}

fn index_key(index: &Index, layout: &Layout, row: &Row) -> Result<Option<Key>> {
    match index.condition {
        // a condition's fields are those of the model that has it
        Some(_) if !layout.is_whole() => {
            Err(Error::schema("a partial index cannot be added by a model that has other fields than the table"))
        }
        _ => index.key_of(row),
    }
}

/// Drops the tables of models.
///
/// # Errors
///
/// `Constraint` if a table that stays references one of them.
pub(crate) fn drop_models(tables: &mut Tables, models: &[Arc<ModelDef>]) -> Result<()> {
    let names: Vec<&TableName> = models.iter().map(|model| model.table()).collect();
    let ids: Vec<TableId> = names.iter().filter_map(|name| tables.find(name)).map(|table| table.id).collect();
    for table in tables.iter().filter(|table| !ids.contains(&table.id)) {
        let Some(reference) = table.references.iter().find(|reference| ids.contains(&reference.target)) else {
            continue;
        };
        let Some(target) = tables.get(reference.target) else { continue };
        return Err(Error::constraint(
            ConstraintKind::Reference,
            format!(
                "{} references the table by `{}`: drop both together",
                table.model.name(),
                columns(&table.model, &reference.fields).join("`, `")
            ),
        )
        .with_model(target.model.name()));
    }
    names.into_iter().for_each(|name| tables.remove(name));
    Ok(())
}

/// Reads the schema back.
pub(crate) fn inspect(tables: &Tables) -> SchemaInfo {
    let mut found: Vec<TableInfo> = tables.iter().map(|table| table_info(tables, table)).collect();
    found.sort_by(|left, right| (&left.schema, &left.name).cmp(&(&right.schema, &right.name)));
    SchemaInfo { tables: found }
}

fn table_info(tables: &Tables, table: &Table) -> TableInfo {
    let model = &table.model;
    let name = model.table();
    let columns_info = model.fields().iter().map(|field| ColumnInfo {
        name: field.column.to_string(),
        column_type: field.value_type.to_string(),
        nullable: field.nullable,
        default: field.default.as_ref().map(shown),
    });
    let indexes = table.indexes.iter().filter(|index| !index.internal).map(|index| IndexInfo {
        name: index.name.clone(),
        columns: columns(model, &index.fields).into_iter().map(Some).collect(),
        unique: index.unique,
        partial: index.condition.is_some(),
    });
    let references = table.references.iter().filter_map(|reference| {
        let target = tables.get(reference.target)?;
        Some(ReferenceInfo {
            columns: columns(model, &reference.fields),
            table: target.model.table().name.to_string(),
            target_columns: columns(&target.model, &reference.target_fields),
            on_delete: reference.on_delete.sql().to_owned(),
            on_update: reference.on_update.sql().to_owned(),
        })
    });
    TableInfo {
        schema: name.schema.as_ref().map(|schema| schema.to_string()),
        name: name.name.to_string(),
        is_view: false,
        columns: columns_info.collect(),
        key: columns(model, model.key()),
        indexes: indexes.collect(),
        references: references.collect(),
    }
}

/// A default, as people read it.
fn shown(value: &Datum) -> String {
    match value.cell() {
        Cell::Null => "null".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Decimal(value) => decimal::text(value, None),
        Cell::Text(value) => format!("'{value}'"),
        Cell::Bytes(value) => format!("x'{}'", ommi_core::value::list::hex(value)),
        Cell::Uuid(value) => format!("'{value}'"),
        Cell::Date(value) => format!("'{}'", iso::date_text(value).as_str()),
        Cell::Time(value) => format!("'{}'", iso::time_text(value).as_str()),
        Cell::DateTime(value) => format!("'{}'", iso::date_time_text(value).as_str()),
        Cell::Timestamp(value) => format!("'{}'", iso::timestamp_text(value).as_str()),
        Cell::Duration(value) => format!("{value:?}"),
        Cell::Json(value) => value.to_string(),
        Cell::List(items) => ommi_core::value::list::text(items).unwrap_or_default(),
    }
}
