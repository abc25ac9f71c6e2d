//! Broken rules: which rule, which model, which fields.

use ommi_core::value::ValueType;
use ommi_core::{ConstraintKind, Error, ModelDef};
use ommi_sql::identifier;
use tokio_postgres::error::{DbError, SqlState};

use super::Context;
use crate::dialect::{IDENTIFIER_BYTES, POSTGRES};

pub(super) fn describe(db: &DbError, context: Context<'_>) -> Error {
    // a rule of another table may be broken on the way, by what goes together with the row
    let model = context.model.filter(|model| db.table().is_none_or(|table| table == &*model.table().name));
    let name = db.constraint().unwrap_or_default();
    match *db.code() {
        SqlState::UNIQUE_VIOLATION => unique(db, name, model),
        SqlState::EXCLUSION_VIOLATION => Error::constraint(ConstraintKind::Unique, db.message()),
        SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION => reference(db, name, model, context.written),
        SqlState::NOT_NULL_VIOLATION => not_null(db.column().unwrap_or_default(), model),
        SqlState::CHECK_VIOLATION => check(db, name, model),
        _ => Error::constraint(ConstraintKind::Check, db.message()),
    }
}

/// A decimal that does not fit its column, `numeric(p, s)`: the server tells the size alone.
pub(super) fn too_large(db: &DbError, context: Context<'_>) -> Option<Error> {
    if *db.code() != SqlState::NUMERIC_VALUE_OUT_OF_RANGE || db.routine() != Some("apply_typmod") {
        return None;
    }
    let model = context.model?;
    let numbers: Vec<u8> = db.detail()?.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let (precision, scale) = (*numbers.first()?, *numbers.get(1)?);
    let is_of_size = |field: &&u16| {
        let of = model.field(**field).map(|field| &field.value_type);
        matches!(of, Some(ValueType::Decimal(Some(size))) if size.precision == precision && size.scale == scale)
    };
    let fields = names(model, context.written.iter().filter(is_of_size).copied());
    let message = format!("the value does not fit decimal({precision}, {scale})");
    let error = Error::constraint(ConstraintKind::Check, message);
    Some(if fields.len() == 1 { error.with_fields(fields) } else { error })
}

/// The names of fields by their indexes.
fn names(model: &ModelDef, fields: impl IntoIterator<Item = u16>) -> Vec<String> {
    fields.into_iter().map(|field| model.field_name(field).to_owned()).collect()
}

/// The names of the fields that are stored in columns.
fn of_columns<'a>(model: &ModelDef, columns: impl IntoIterator<Item = &'a str>) -> Option<Vec<String>> {
    columns
        .into_iter()
        .map(|column| model.fields().iter().find(|field| *field.column == *column).map(|field| field.name.to_string()))
        .collect()
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
}

/// The name of a rule that PostgreSQL makes up from the names of a table and of columns.
fn made_up(model: &ModelDef, columns: &[&str], ending: &str) -> String {
    let parts = std::iter::once(&*model.table().name).chain(columns.iter().copied()).chain([ending]);
    identifier::joined(parts, IDENTIFIER_BYTES)
}

/// The columns that the server names: `Key (a, "b c")=(..) already exists.`
fn columns_of_detail(detail: &str) -> Option<Vec<String>> {
    let list = detail.split_once('(')?.1.split_once(")=(")?.0;
    let columns = list.split(", ").map(|column| {
        let bare = column.strip_prefix('"').and_then(|column| column.strip_suffix('"'));
        bare.map_or_else(|| column.to_owned(), |bare| bare.replace("\"\"", "\""))
    });
    Some(columns.collect())
}

fn unique(db: &DbError, name: &str, model: Option<&ModelDef>) -> Error {
    let fields = model.and_then(|model| {
        let index = ommi_sql::ddl::create_indexes(model, &POSTGRES).unwrap_or_default();
        let index = index.into_iter().find(|index| index.unique && index.name == name);
        let by_name = index.and_then(|index| of_columns(model, index.columns.iter().map(String::as_str)));
        by_name.or_else(|| {
            let columns = columns_of_detail(db.detail()?)?;
            of_columns(model, columns.iter().map(String::as_str))
        })
    });
    match fields {
        Some(fields) => {
            Error::constraint(ConstraintKind::Unique, format!("another row has the same {}", quoted(&fields)))
                .with_fields(fields)
        }
        None => Error::constraint(ConstraintKind::Unique, db.message()),
    }
}

fn not_null(column: &str, model: Option<&ModelDef>) -> Error {
    let field = model.and_then(|model| of_columns(model, [column])).and_then(|fields| fields.into_iter().next());
    let shown = field.as_deref().unwrap_or(column);
    let error = Error::constraint(ConstraintKind::NotNull, format!("`{shown}` is required and cannot be null"));
    match field {
        Some(field) => error.with_fields([field]),
        None => error,
    }
}

fn check(db: &DbError, name: &str, model: Option<&ModelDef>) -> Error {
    let error = Error::constraint(ConstraintKind::Check, format!("the check `{name}` does not hold"));
    let Some(model) = model else { return Error::constraint(ConstraintKind::Check, db.message()) };
    let too_long = model.fields().iter().find(|field| {
        field.max_length.is_some() && ommi_sql::ddl::max_length_check_name(model, field, &POSTGRES) == name
    });
    if let Some(field) = too_long {
        return error.with_fields([&*field.name]);
    }
    let Some(check) = model.checks().iter().find(|check| *check.name == *name) else { return error };
    let mut fields = Vec::new();
    check.condition.each_expr(&mut |expr| expr.each_field(&mut |field| fields.push(field)));
    fields.sort_unstable();
    fields.dedup();
    error.with_fields(names(model, fields))
}

fn reference(db: &DbError, name: &str, model: Option<&ModelDef>, written: &[u16]) -> Error {
    let own = model.and_then(|model| {
        let found = model.references().iter().filter(|reference| reference.enforced).find(|reference| {
            let fields = reference.fields.iter().filter_map(|field| model.field(*field));
            let columns: Vec<&str> = fields.map(|field| &*field.column).collect();
            made_up(model, &columns, "fkey") == name && reference.fields.iter().any(|field| written.contains(field))
        });
        found.map(|reference| (model, reference))
    });
    if let Some((model, reference)) = own {
        let fields = names(model, reference.fields.iter().copied());
        let message = format!("there is no {} that {} could reference", reference.target.name(), quoted(&fields));
        return Error::constraint(ConstraintKind::Reference, message).with_fields(fields);
    }
    // the table of a foreign key is always the referencing one
    match db.table() {
        Some(table) if model.is_none() || written.is_empty() => {
            Error::constraint(ConstraintKind::Reference, format!("rows of `{table}` reference the row"))
        }
        _ => Error::constraint(ConstraintKind::Reference, db.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_from_the_detail_of_a_collision() {
        assert_eq!(columns_of_detail("Key (a)=(1) already exists.").unwrap(), ["a"]);
        assert_eq!(columns_of_detail(r#"Key (id, "b ""c")=(1, x) already exists."#).unwrap(), ["id", "b \"c"]);
        assert_eq!(columns_of_detail("something else"), None);
    }
}
