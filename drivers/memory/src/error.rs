//! The driver's errors.

use ommi_core::driver::Call;
use ommi_core::model::{ModelDef, TableName};
use ommi_core::{ConstraintKind, Error};

/// The driver's name.
pub(crate) const DRIVER: &str = "memory";

/// Adds the driver to an error, and the call that it comes from.
#[cold]
pub(crate) fn about(error: Error, call: Call<'_>) -> Error {
    error.with_driver(DRIVER).with_model(call.model).with_operation(call.operation)
}

/// The names of fields.
pub(crate) fn names(model: &ModelDef, fields: &[u16]) -> Vec<String> {
    fields.iter().map(|field| model.field_name(*field).to_owned()).collect()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A table that was never created.
#[cold]
pub(crate) fn no_table(name: &TableName) -> Error {
    Error::schema(format!("there is no table `{name}`: call `create` for the model first"))
}

/// Another row has the values of a key or a unique group.
#[cold]
pub(crate) fn not_unique(model: &ModelDef, fields: &[u16]) -> Error {
    let names = names(model, fields);
    Error::constraint(ConstraintKind::Unique, format!("another row has the same {}", quoted(&names)))
        .with_model(model.name())
        .with_fields(names)
}

/// A part of the key, or another required field, is null.
#[cold]
pub(crate) fn null(model: &ModelDef, field: u16) -> Error {
    let name = model.field_name(field);
    Error::constraint(ConstraintKind::NotNull, format!("`{name}` is required and cannot be null"))
        .with_model(model.name())
        .with_fields([name])
}

/// A row references one that is not there.
#[cold]
pub(crate) fn no_target(model: &ModelDef, fields: &[u16], target: &ModelDef) -> Error {
    let names = names(model, fields);
    Error::constraint(
        ConstraintKind::Reference,
        format!("{} references a row of {} that is not there", quoted(&names), target.name()),
    )
    .with_model(model.name())
    .with_fields(names)
}

/// A row that goes, or whose key changes, is referenced.
#[cold]
pub(crate) fn still_referenced(target: &ModelDef, target_fields: &[u16], model: &ModelDef, fields: &[u16]) -> Error {
    Error::constraint(
        ConstraintKind::Reference,
        format!("rows of {} still reference the row by {}", model.name(), quoted(&names(model, fields))),
    )
    .with_model(target.name())
    .with_fields(names(target, target_fields))
}

/// The planner asked for more than the capabilities promise.
#[cold]
pub(crate) fn beyond(what: &str) -> Error {
    Error::unsupported(format!(
        "{what} is beyond the capabilities that the driver declares, and should not have been asked of it: a fault of Ommi"
    ))
    .with_driver(DRIVER)
}

/// A statement was prepared by another driver, or for another use.
#[cold]
pub(crate) fn foreign() -> Error {
    Error::query("the statement was not prepared for this use by this driver: a fault of Ommi")
}

/// The database is closed.
#[cold]
pub(crate) fn closed() -> Error {
    Error::connection("the database was closed").with_driver(DRIVER)
}

/// The transaction ended.
#[cold]
pub(crate) fn ended() -> Error {
    Error::transaction("the transaction was committed or rolled back and cannot be used any more").with_driver(DRIVER)
}
