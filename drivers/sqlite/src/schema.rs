//! Tables: creating, dropping and reading them back.

mod inspect;

use std::sync::Arc;

use ommi_core::driver::TableInfo;
use ommi_core::{ConstraintKind, Error, ModelDef};
use ommi_sql::Dialect;
use ommi_sql::ddl;

use crate::connection::{Command, Connection};
use crate::dialect::SQLITE;
use crate::error::{DRIVER, Failure, Outcome};
use crate::pool::Lease;

pub(crate) use self::inspect::inspect;

/// Creates what is missing, in one transaction.
pub(crate) fn create(lease: &mut Lease, models: &[Arc<ModelDef>]) -> Outcome<()> {
    refuse_schemas(models)?;
    ddl::check_index_names(models, &SQLITE)?;
    in_transaction(lease, |connection| {
        let mut problems = Vec::new();
        for model in ddl::creation_order(models) {
            create_model(connection, &model, models, &mut problems)?;
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::schema(format!("tables that are there do not fit their models: {}", problems.join("; "))).into())
    })
}

fn create_model(
    connection: &Connection,
    model: &Arc<ModelDef>,
    models: &[Arc<ModelDef>],
    problems: &mut Vec<String>,
) -> Outcome<()> {
    let mut table = inspect::table(connection, &model.table().name)?;
    if table.is_none() {
        connection.sqlite().execute_batch(&ddl::create_table(model, models, &SQLITE)?)?;
        table = inspect::table(connection, &model.table().name)?;
    }
    let table = table.unwrap_or_default();
    let differences = ddl::differences(model, models, &table, &SQLITE)?;
    if !differences.is_empty() {
        problems.extend(differences.into_iter().map(|difference| format!("{}: {difference}", model.name())));
        return Ok(());
    }
    if table.is_view {
        return Ok(());
    }
    for index in ddl::missing_indexes(model, &table, &SQLITE)? {
        match connection.sqlite().execute_batch(&index.text).map_err(Failure::from) {
            Ok(()) => {}
            Err(failure) if failure.is_unique_violation() => problems.push(format!(
                "{}: rows that are there have the same {}, which is to be unique: change them, then create `{}`",
                model.name(),
                index.columns.join(", "),
                index.name
            )),
            Err(failure) => return Err(failure),
        }
    }
    let after = inspect::table(connection, &model.table().name)?.unwrap_or_default();
    for index in ddl::missing_indexes(model, &after, &SQLITE)? {
        let is_reported = problems.iter().any(|problem| problem.ends_with(&format!("create `{}`", index.name)));
        if !is_reported {
            problems.push(format!(
                "{}: the index `{}` has a name that another table's index has: give it another with `name = \"..\"`",
                model.name(),
                index.name
            ));
        }
    }
    Ok(())
}

/// Drops the tables of models that have a key; a model without one is a view, which it did not make.
pub(crate) fn drop_models(lease: &mut Lease, models: &[Arc<ModelDef>]) -> Outcome<()> {
    refuse_schemas(models)?;
    // dropping a table with references on deletes its rows one by one first, and tables that
    // reference each other could not go at all
    let has_foreign_keys: bool =
        lease.connection()?.sqlite().query_row("SELECT foreign_keys FROM pragma_foreign_keys", [], |row| row.get(0))?;
    lease.connection()?.batch("PRAGMA foreign_keys = OFF")?;
    let dropped = in_transaction(lease, |connection| {
        let mut order = ddl::creation_order(models);
        order.retain(|model| !model.key().is_empty());
        let tables = inspect(connection)?.tables;
        if has_foreign_keys {
            refuse_referenced(connection, &order, &tables)?;
        }
        for model in order.iter().rev() {
            connection.sqlite().execute_batch(&ddl::drop_table(model, &SQLITE)?)?;
        }
        Ok(())
    });
    if has_foreign_keys {
        lease.connection()?.batch("PRAGMA foreign_keys = ON")?;
    }
    dropped
}

/// Refuses to drop tables that rows of others reference.
fn refuse_referenced(connection: &Connection, dropped: &[Arc<ModelDef>], tables: &[TableInfo]) -> Outcome<()> {
    let is_dropped = |name: &str| dropped.iter().find(|model| model.table().name.eq_ignore_ascii_case(name));
    for table in tables.iter().filter(|table| is_dropped(&table.name).is_none()) {
        for reference in &table.references {
            let Some(model) = is_dropped(&reference.table) else { continue };
            let tests: Vec<String> =
                reference.columns.iter().map(|column| format!("{} IS NOT NULL", SQLITE.quote(column))).collect();
            let text =
                format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {})", SQLITE.quote(&table.name), tests.join(" AND "));
            if connection.sqlite().query_row(&text, [], |row| row.get::<_, bool>(0))? {
                return Err(Error::constraint(
                    ConstraintKind::Reference,
                    format!(
                        "rows of `{}` reference `{}`: drop both, or delete those rows first",
                        table.name,
                        model.table()
                    ),
                )
                .with_model(model.name())
                .into());
            }
        }
    }
    Ok(())
}

fn refuse_schemas(models: &[Arc<ModelDef>]) -> Outcome<()> {
    match models.iter().find(|model| model.table().schema.is_some()) {
        None => Ok(()),
        Some(model) => Err(Error::unsupported(format!(
            "SQLite has no schemas, and the model is stored as `{}`: leave out what stands before the point",
            model.table()
        ))
        .with_driver(DRIVER)
        .with_model(model.name())
        .into()),
    }
}

/// Runs work in a transaction of its own.
fn in_transaction<T>(lease: &mut Lease, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    lease.set_dirty(true);
    let connection = lease.connection()?;
    connection.command(Command::Begin("BEGIN IMMEDIATE"))?;
    let answer = work(connection);
    let ended = match answer {
        Ok(_) => connection.command(Command::Commit),
        Err(_) => {
            connection.clean();
            Ok(())
        }
    };
    if ended.is_ok() {
        lease.set_dirty(false);
    }
    answer.and_then(|answer| ended.map(|()| answer))
}
