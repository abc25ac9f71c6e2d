//! Broken rules: which rule, which model, which fields.

use ommi_core::model::ReferenceDef;
use ommi_core::{ConstraintKind, Error, ModelDef};
use rusqlite::ffi;

use super::names;

pub(super) fn describe(code: i32, text: &str, model: Option<&ModelDef>) -> Error {
    let rest = text.split_once(" constraint failed: ").map(|(_, rest)| rest);
    match (code, rest) {
        (
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID,
            Some(rest),
        ) => unique(rest, model),
        (ffi::SQLITE_CONSTRAINT_NOTNULL, Some(rest)) => not_null(rest, model),
        (ffi::SQLITE_CONSTRAINT_CHECK, Some(rest)) => check(rest, model),
        (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, _) => {
            Error::constraint(ConstraintKind::Reference, "a row that is referenced would be absent")
        }
        (ffi::SQLITE_CONSTRAINT_DATATYPE, _) => {
            Error::schema(format!("{text}: the table does not fit the model; `db.create` lists the differences"))
        }
        // what a trigger of the table raises
        (ffi::SQLITE_CONSTRAINT_TRIGGER, _) => Error::constraint(ConstraintKind::Check, text),
        _ => Error::constraint(ConstraintKind::Check, text),
    }
}

/// How SQLite names columns in messages.
fn columns(model: &ModelDef, fields: &[u16]) -> String {
    let table = &model.table().name;
    let columns = fields.iter().filter_map(|field| model.field(*field));
    columns.map(|field| format!("{table}.{}", field.column)).collect::<Vec<_>>().join(", ")
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
}

fn unique(rest: &str, model: Option<&ModelDef>) -> Error {
    let indexes = model.into_iter().flat_map(|model| {
        let groups = model.unique_groups().map(|group| group.fields.iter().map(|(field, _)| *field).collect());
        let by_name = model.unique_groups().filter_map(|group| {
            let name = group.name.as_deref()?;
            (rest == format!("index '{}'", name.replace('\'', "''")))
                .then(|| group.fields.iter().map(|(field, _)| *field).collect())
        });
        std::iter::once(model.key().to_vec())
            .chain(groups)
            .filter(|fields: &Vec<u16>| columns(model, fields) == rest)
            .chain(by_name)
            .map(|fields| names(model, &fields))
    });
    let found = indexes.into_iter().next();
    match found {
        Some(fields) => {
            Error::constraint(ConstraintKind::Unique, format!("another row has the same {}", quoted(&fields)))
                .with_fields(fields)
        }
        None => Error::constraint(ConstraintKind::Unique, format!("another row has the same {rest}")),
    }
}

fn not_null(rest: &str, model: Option<&ModelDef>) -> Error {
    let field = model.and_then(|model| {
        let table = &model.table().name;
        model.fields().iter().find(|field| format!("{table}.{}", field.column) == rest)
    });
    match field {
        Some(field) => {
            Error::constraint(ConstraintKind::NotNull, format!("`{}` is required and cannot be null", field.name))
                .with_fields([&*field.name])
        }
        None => Error::constraint(ConstraintKind::NotNull, format!("`{rest}` is required and cannot be null")),
    }
}

fn check(rest: &str, model: Option<&ModelDef>) -> Error {
    let mut fields = Vec::new();
    if let Some((model, check)) =
        model.and_then(|model| Some((model, model.checks().iter().find(|check| &*check.name == rest)?)))
    {
        check.condition.each_expr(&mut |expr| expr.each_field(&mut |field| fields.push(field)));
        fields.sort_unstable();
        fields.dedup();
        return Error::constraint(ConstraintKind::Check, format!("the check `{rest}` does not hold"))
            .with_fields(names(model, &fields));
    }
    Error::constraint(ConstraintKind::Check, format!("the check `{rest}` does not hold"))
}

/// The references that a write of fields may have broken.
pub(crate) fn reference_candidates<'a>(model: &'a ModelDef, written: &[u16]) -> Vec<&'a ReferenceDef> {
    let is_written = |reference: &&ReferenceDef| reference.fields.iter().any(|field| written.contains(field));
    model.references().iter().filter(|reference| reference.enforced).filter(is_written).collect()
}

/// The error of a broken reference, which is one of some.
pub(crate) fn reference(candidates: &[&ReferenceDef], model: &ModelDef) -> Error {
    let mut fields: Vec<u16> = candidates.iter().flat_map(|reference| reference.fields.iter().copied()).collect();
    fields.sort_unstable();
    fields.dedup();
    let fields = names(model, &fields);
    let message = match candidates {
        [] => "other rows reference the row".to_owned(),
        [only] => format!("there is no {} that {} could reference", only.target.name(), quoted(&fields)),
        _ => format!("one of {} references a row that does not exist", quoted(&fields)),
    };
    Error::constraint(ConstraintKind::Reference, message).with_fields(fields).with_code("SQLITE_CONSTRAINT_FOREIGNKEY")
}
