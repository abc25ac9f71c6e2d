//! Tables with their columns, keys, checks and references.

use std::sync::Arc;

use ommi_core::model::{FieldDef, ModelDef, ReferenceDef};
use ommi_core::query::Condition;
use ommi_core::{Error, Result};

use crate::dialect::SchemaDialect;
use crate::identifier;
use crate::render::{Renderer, Truth};

/// The statement that creates a model's table if it does not exist. `models` are those among
/// which references by name are looked up.
///
/// # Errors
///
/// `Schema` if a name is too long, a reference leads nowhere, or the model has no key;
/// `Unsupported` if the database cannot keep a type or a check.
pub fn create_table(model: &ModelDef, models: &[Arc<ModelDef>], dialect: &dyn SchemaDialect) -> Result<String> {
    check_names(model, dialect)?;
    if model.key().is_empty() {
        return Err(Error::schema(format!(
            "the model has no key and is only read, so that no table is made for it: make the view or table `{}` yourself",
            model.table()
        ))
        .with_model(model.name()));
    }
    let renderer = Renderer::new(model, &[], dialect.queries());
    let mut lines = Vec::new();
    for field in model.fields() {
        lines.push(column_definition(model, field, dialect)?);
    }
    if model.key().len() > 1 {
        lines.push(format!("PRIMARY KEY ({})", renderer.columns(model.key())?.join(", ")));
    }
    for field in model.fields() {
        if let Some(length) = field.max_length
            && let Some(condition) = dialect.max_length(&dialect.quote(&field.column), length)
        {
            let name = dialect.quote(&max_length_check_name(model, field, dialect));
            lines.push(format!("CONSTRAINT {name} CHECK ({condition})"));
        }
    }
    for check in model.checks() {
        let subject = || format!("the check `{}`", check.name);
        if let Some(condition) = rule(model, &check.condition, dialect, &subject)? {
            lines.push(format!("CONSTRAINT {} CHECK ({condition})", dialect.quote(&check.name)));
        }
    }
    if !dialect.alter_adds_references() {
        for reference in model.references().iter().filter(|reference| reference.enforced) {
            lines.push(foreign_key(model, reference, models, dialect)?);
        }
    }
    Ok(format!(
        "CREATE TABLE IF NOT EXISTS {} (\n  {}\n){}",
        renderer.table()?,
        lines.join(",\n  "),
        dialect.table_options()
    ))
}

/// The statements that add a model's references when all tables are there; none for databases
/// whose tables name them from the beginning.
///
/// # Errors
///
/// `Schema` if a reference leads nowhere.
pub fn add_references(model: &ModelDef, models: &[Arc<ModelDef>], dialect: &dyn SchemaDialect) -> Result<Vec<String>> {
    if !dialect.alter_adds_references() {
        return Ok(Vec::new());
    }
    let table = table_of(model, dialect)?;
    let enforced = model.references().iter().filter(|reference| reference.enforced);
    enforced
        .map(|reference| {
            let columns = reference.fields.iter().filter_map(|field| model.field(*field)).map(|field| &*field.column);
            let parts = std::iter::once(&*model.table().name).chain(columns).chain(["fkey"]);
            let name = dialect.quote(&identifier::joined(parts, dialect.identifier_bytes()));
            Ok(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}", foreign_key(model, reference, models, dialect)?))
        })
        .collect()
}

/// The statement that drops a model's table if it exists.
///
/// # Errors
///
/// `Schema` if its name is wrong.
pub fn drop_table(model: &ModelDef, dialect: &dyn SchemaDialect) -> Result<String> {
    Ok(format!("DROP TABLE IF EXISTS {}", table_of(model, dialect)?))
}

/// Refuses a model with names that the database cannot have.
///
/// # Errors
///
/// `Schema`, with the first such name.
pub fn check_names(model: &ModelDef, dialect: &dyn SchemaDialect) -> Result<()> {
    let table = std::iter::once(&*model.table().name).chain(model.table().schema.as_deref());
    let columns = model.fields().iter().map(|field| &*field.column);
    let checks = model.checks().iter().map(|check| &*check.name);
    let indexes = model.indexes().iter().filter_map(|index| index.name.as_deref());
    for name in table.chain(columns).chain(checks).chain(indexes) {
        identifier::check(name, dialect.identifier_bytes()).map_err(|error| error.with_model(model.name()))?;
    }
    Ok(())
}

/// The name of the check that a field's text is not too long.
pub fn max_length_check_name(model: &ModelDef, field: &FieldDef, dialect: &dyn SchemaDialect) -> String {
    identifier::joined([&*model.table().name, &*field.column, "max_length"], dialect.identifier_bytes())
}

/// The quoted table of a model.
pub(super) fn table_of(model: &ModelDef, dialect: &dyn SchemaDialect) -> Result<String> {
    Renderer::new(model, &[], dialect.queries()).table()
}

/// Whether null is allowed in a field's column.
pub(super) fn allows_null(model: &ModelDef, field: &FieldDef) -> bool {
    field.nullable && !model.key().iter().filter_map(|key| model.field(*key)).any(|key| key.column == field.column)
}

/// A column as `CREATE TABLE` has it.
pub(super) fn column_definition(model: &ModelDef, field: &FieldDef, dialect: &dyn SchemaDialect) -> Result<String> {
    let mut text = format!("{} {}", dialect.quote(&field.column), dialect.column_type(model, field)?);
    if !allows_null(model, field) {
        text.push_str(" NOT NULL");
    }
    if is_whole_key(model, field) {
        text.push(' ');
        text.push_str(&dialect.key_clause(field));
    }
    if let Some(default) = &field.default {
        text.push_str(" DEFAULT ");
        text.push_str(dialect.literal(default, &field.value_type)?.text());
    }
    Ok(text)
}

pub(super) fn is_whole_key(model: &ModelDef, field: &FieldDef) -> bool {
    matches!(model.key(), [key] if model.field(*key).is_some_and(|key| key.column == field.column))
}

/// A condition of the schema, with its constants in it; `None` for one that always holds.
pub(super) fn rule(
    model: &ModelDef,
    condition: &Condition,
    dialect: &dyn SchemaDialect,
    subject: &dyn Fn() -> String,
) -> Result<Option<String>> {
    let rules = dialect.rules();
    match Renderer::new(model, &[], rules).condition(condition) {
        Ok(Truth::Const(true)) => Ok(None),
        Ok(truth) => Ok(Some(truth.into_sql(rules).text().to_owned())),
        Err(error) if error.is_unsupported() => {
            Err(Error::unsupported(format!("{} cannot be kept by the database: {}", subject(), error.message()))
                .with_model(model.name()))
        }
        Err(error) => Err(error.with_model(model.name())),
    }
}

fn foreign_key(
    model: &ModelDef,
    reference: &ReferenceDef,
    models: &[Arc<ModelDef>],
    dialect: &dyn SchemaDialect,
) -> Result<String> {
    let (target, target_fields) = target_of(model, reference, models)?;
    let own = Renderer::new(model, &[], dialect.queries()).columns(&reference.fields)?;
    let other = Renderer::new(target, &[], dialect.queries());
    let mut text = format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        own.join(", "),
        other.table()?,
        other.columns(&target_fields)?.join(", ")
    );
    for (event, change) in [("DELETE", reference.on_delete), ("UPDATE", reference.on_update)] {
        if let Some(action) = dialect.on_change(change) {
            text.push_str(&format!(" ON {event} {action}"));
        }
    }
    Ok(text)
}

/// The model and the fields that a reference is to.
pub(super) fn target_of<'a>(
    model: &ModelDef,
    reference: &ReferenceDef,
    models: &'a [Arc<ModelDef>],
) -> Result<(&'a Arc<ModelDef>, Vec<u16>)> {
    let lost = |problem: &str| {
        Error::schema(format!("it references {}, {problem}", reference.target.name())).with_model(model.name())
    };
    let target = reference.target.resolve(models).ok_or_else(|| lost("which is not among the models"))?;
    let fields = reference.target_indexes(target).ok_or_else(|| lost("which lacks one of the fields"))?;
    Ok((target, fields))
}
