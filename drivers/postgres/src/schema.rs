//! Tables: creating, dropping and reading them back.

mod inspect;

use std::sync::Arc;

use ommi_core::driver::TableInfo;
use ommi_core::value::ValueType;
use ommi_core::{Error, ModelDef, Result};
use ommi_sql::{Dialect, ddl, identifier};

use crate::connection::Connection;
use crate::dialect::{IDENTIFIER_BYTES, POSTGRES};
use crate::error::Outcome;

pub(crate) use self::inspect::inspect;

/// Keeps two programs from creating tables at the same time: `IF NOT EXISTS` does not.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1869835625, 0)";

/// The quoted table of a model, behind its schema.
fn quoted(model: &ModelDef) -> String {
    let table = model.table();
    let name = POSTGRES.quote(&table.name);
    match &table.schema {
        Some(schema) => format!("{}.{name}", POSTGRES.quote(schema)),
        None => name,
    }
}

/// Creates what is missing, in one transaction.
pub(crate) async fn create(connection: &Connection, models: &[Arc<ModelDef>]) -> Outcome<()> {
    ddl::check_index_names(models, &POSTGRES)?;
    in_transaction(connection, async {
        connection.batch(LOCK).await?;
        let mut created = Vec::new();
        let order = ddl::creation_order(models);
        for model in &order {
            if create_table(connection, model, models).await? {
                created.push(model);
            }
        }
        // a reference may lead to what is unique
        for model in &created {
            for index in ddl::create_indexes(model, &POSTGRES)?.into_iter().filter(|index| index.unique) {
                connection.batch(&index.text).await?;
            }
        }
        for model in created {
            for text in ddl::add_references(model, models, &POSTGRES)? {
                connection.batch(&text).await?;
            }
        }
        let mut problems = Vec::new();
        for model in &order {
            complete(connection, model, models, &mut problems).await?;
        }
        match problems.is_empty() {
            true => Ok(()),
            false => {
                Err(Error::schema(format!("tables that are there do not fit their models: {}", problems.join("; ")))
                    .into())
            }
        }
    })
    .await
}

/// Creates the table of a model if it is not there; says whether it was not.
async fn create_table(connection: &Connection, model: &Arc<ModelDef>, models: &[Arc<ModelDef>]) -> Outcome<bool> {
    ddl::check_names(model, &POSTGRES)?;
    let table = quoted(model);
    if inspect::oid(connection, &table).await?.is_some() {
        return Ok(false);
    }
    let text = ddl::create_table(model, models, &POSTGRES)?;
    if let Some(schema) = &model.table().schema {
        connection.batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", POSTGRES.quote(schema))).await?;
    }
    connection.batch(&text).await?;
    if let Some(text) = sequence_of(model, &table)? {
        connection.batch(&text).await?;
    }
    Ok(true)
}

/// What makes the sequence of an automatic key that no identity can be of.
fn sequence_of(model: &ModelDef, table: &str) -> Result<Option<String>> {
    let Some(field) = model.auto().and_then(|auto| model.field(auto)) else { return Ok(None) };
    if field.value_type != ValueType::U64 {
        return Ok(None);
    }
    let name = identifier::joined([&*model.table().name, &*field.column, "seq"], IDENTIFIER_BYTES);
    let mut sequence = POSTGRES.quote(&name);
    if let Some(schema) = &model.table().schema {
        sequence = format!("{}.{sequence}", POSTGRES.quote(schema));
    }
    let column = POSTGRES.quote(&field.column);
    let named = POSTGRES.literal(&ommi_core::value::Datum::Text(sequence.as_str().into()), &ValueType::Text)?;
    Ok(Some(format!(
        "CREATE SEQUENCE {sequence} OWNED BY {table}.{column}; \
         ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({})",
        named.text()
    )))
}

/// Checks the table of a model, and creates the indexes that it lacks.
async fn complete(
    connection: &Connection,
    model: &Arc<ModelDef>,
    models: &[Arc<ModelDef>],
    problems: &mut Vec<String>,
) -> Outcome<()> {
    let table = table(connection, model).await?;
    let differences = ddl::differences(model, models, &table, &POSTGRES)?;
    if !differences.is_empty() {
        problems.extend(differences.into_iter().map(|difference| format!("{}: {difference}", model.name())));
        return Ok(());
    }
    if table.is_view {
        return Ok(());
    }
    let mut refused = Vec::new();
    for index in ddl::missing_indexes(model, &table, &POSTGRES)? {
        connection.batch("SAVEPOINT ommi_index").await?;
        match connection.batch(&index.text).await {
            Ok(()) => connection.batch("RELEASE ommi_index").await?,
            Err(failure) if failure.is_unique_violation() => {
                connection.batch("ROLLBACK TO ommi_index").await?;
                problems.push(format!(
                    "{}: rows that are there have the same {}, which is to be unique: change them, then create `{}`",
                    model.name(),
                    index.columns.join(", "),
                    index.name
                ));
                refused.push(index.name);
            }
            Err(failure) => return Err(failure),
        }
    }
    let after = self::table(connection, model).await?;
    for index in ddl::missing_indexes(model, &after, &POSTGRES)? {
        if !refused.contains(&index.name) {
            problems.push(format!(
                "{}: the index `{}` has a name that another table's index has: give it another with `name = \"..\"`",
                model.name(),
                index.name
            ));
        }
    }
    Ok(())
}

async fn table(connection: &Connection, model: &ModelDef) -> Outcome<TableInfo> {
    match inspect::oid(connection, &quoted(model)).await? {
        Some(oid) => inspect::table(connection, oid).await,
        None => Ok(TableInfo::default()),
    }
}

/// Drops the tables of models that have a key; a model without one is a view, which it did not make.
pub(crate) async fn drop_models(connection: &Connection, models: &[Arc<ModelDef>]) -> Outcome<()> {
    let tables: Vec<String> =
        models.iter().filter(|model| !model.key().is_empty()).map(|model| quoted(model)).collect();
    if tables.is_empty() {
        return Ok(());
    }
    // all at once: tables that reference each other go together
    connection.batch(&format!("DROP TABLE IF EXISTS {}", tables.join(", "))).await
}

/// Runs work in a transaction of its own.
async fn in_transaction<T>(connection: &Connection, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    connection.set_dirty(true);
    connection.batch("BEGIN").await?;
    match work.await {
        Ok(answer) => {
            connection.batch("COMMIT").await?;
            connection.set_dirty(false);
            Ok(answer)
        }
        Err(failure) => {
            if connection.batch("ROLLBACK").await.is_ok() {
                connection.set_dirty(false);
            }
            Err(failure)
        }
    }
}
