//! Unique groups and other indexes.

use std::sync::Arc;

use ommi_core::model::{IndexDef, ModelDef};
use ommi_core::{Error, Result};

use super::table::{allows_null, rule, table_of};
use crate::dialect::SchemaDialect;
use crate::identifier;

/// An index, and the statement that creates it if its name is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSql {
    /// The name.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it holds only some of the rows.
    pub partial: bool,
    /// The statement.
    pub text: String,
}

/// The indexes of a model, unique groups among them.
///
/// An index without a name of its own gets `table_field_field_idx`, a unique group
/// `table_field_field_key`, cut to the database's limit and told apart by a hash where longer.
///
/// # Errors
///
/// `Schema` if a name is wrong, `Unsupported` if the database cannot keep the condition of a
/// partial index.
pub fn create_indexes(model: &ModelDef, dialect: &dyn SchemaDialect) -> Result<Vec<IndexSql>> {
    let table = table_of(model, dialect)?;
    let mut made: Vec<IndexSql> = Vec::with_capacity(model.indexes().len());
    for index in model.indexes() {
        let columns = columns_of(model, index)?;
        let name = name_of(model, index, &columns, &made, dialect);
        identifier::check(&name, dialect.identifier_bytes()).map_err(|error| error.with_model(model.name()))?;
        let keys: Vec<String> = columns
            .iter()
            .zip(&index.fields)
            .map(|(column, (field, direction))| {
                let nullable = model.field(*field).is_some_and(|field| allows_null(model, field));
                dialect.index_key(&dialect.quote(column), *direction, nullable)
            })
            .collect();
        let kind = if index.unique { "UNIQUE INDEX" } else { "INDEX" };
        let mut text = format!("CREATE {kind} IF NOT EXISTS {} ON {table} ({})", dialect.quote(&name), keys.join(", "));
        if let Some(condition) = &index.condition {
            let subject = || format!("the index `{name}`");
            if let Some(condition) = rule(model, condition, dialect, &subject)? {
                text.push_str(" WHERE ");
                text.push_str(&condition);
            }
        }
        made.push(IndexSql { name, columns, unique: index.unique, partial: index.condition.is_some(), text });
    }
    Ok(made)
}

fn columns_of(model: &ModelDef, index: &IndexDef) -> Result<Vec<String>> {
    let column =
        |field: u16| match model.field(field) {
            Some(field) => Ok(field.column.to_string()),
            None => Err(Error::schema(format!("an index names the field {field}, which does not exist"))
                .with_model(model.name())),
        };
    index.fields.iter().map(|(field, _)| column(*field)).collect()
}

fn name_of(
    model: &ModelDef,
    index: &IndexDef,
    columns: &[String],
    made: &[IndexSql],
    dialect: &dyn SchemaDialect,
) -> String {
    if let Some(name) = &index.name {
        return name.to_string();
    }
    let ending = if index.unique { "key" } else { "idx" };
    let parts = || std::iter::once(&*model.table().name).chain(columns.iter().map(String::as_str)).chain([ending]);
    let limit = dialect.identifier_bytes();
    let mut name = identifier::joined(parts(), limit);
    let mut count = 1;
    // the same fields in another direction or under another condition
    while made.iter().any(|other| dialect.same_name(&other.name, &name)) {
        count += 1;
        name = identifier::joined(parts().chain([count.to_string().as_str()]), limit);
    }
    name
}

/// Refuses models whose indexes share a name, or have that of a table: the second of them would
/// be taken for the first, and its rule not be kept.
///
/// # Errors
///
/// `Schema`, with all such names.
pub fn check_index_names(models: &[Arc<ModelDef>], dialect: &dyn SchemaDialect) -> Result<()> {
    let mut problems = Vec::new();
    let mut taken: Vec<(String, &Arc<ModelDef>)> =
        models.iter().map(|model| (model.table().name.to_string(), model)).collect();
    for model in models {
        for index in create_indexes(model, dialect)? {
            if let Some((_, other)) = taken.iter().find(|(name, _)| dialect.same_name(name, &index.name)) {
                problems.push(format!(
                    "the index `{}` of {} has a name that {} uses already: give it another with `name = \"..\"`",
                    index.name,
                    model.name(),
                    other.name()
                ));
            }
            taken.push((index.name, model));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::schema(problems.join("; ")))
}
