//! Models to write statements about.

use std::sync::Arc;

use ommi_core::model::{FieldDef, IndexDef, ModelBuilder, ModelDef, ReferenceDef, ReferenceTarget};
use ommi_core::query::statement::{SelectStatement, Statement};
use ommi_core::query::{Comparison, Condition, Expr, ListOperator, TextOperator};
use ommi_core::value::{Datum, DecimalSize, EnumType, ValueType};
use ommi_sql::{RenderedSql, Slot, render};

use crate::dialect::SQLITE;

pub(super) fn price() -> ValueType {
    ValueType::Decimal(Some(DecimalSize { precision: 10, scale: 2 }))
}

pub(super) fn list_of(element: ValueType) -> ValueType {
    ValueType::List(Box::new(element))
}

fn genre() -> ValueType {
    let variants = vec!["novel".into(), "essay".into()];
    ValueType::Enum(Arc::new(EnumType { name: "Genre".into(), variants }))
}

pub(super) fn author() -> Arc<ModelDef> {
    ModelBuilder::new("Author")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("born", ValueType::Date).nullable(true))
        .key(["id"])
        .unique(["name"])
        .build()
        .unwrap()
}

/// A model with a field of every family; `f` gives their indexes by name.
pub(super) fn book() -> Arc<ModelDef> {
    ModelBuilder::new("Book")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("title", ValueType::Text))
        .field(FieldDef::new("subtitle", ValueType::Text).nullable(true))
        .field(FieldDef::new("price", price()).nullable(true))
        .field(FieldDef::new("cost", ValueType::DECIMAL).nullable(true))
        .field(FieldDef::new("pages", ValueType::I32).nullable(true))
        .field(FieldDef::new("sold", ValueType::U64))
        .field(FieldDef::new("weight", ValueType::F64).nullable(true))
        .field(FieldDef::new("printed", ValueType::DateTime).nullable(true))
        .field(FieldDef::new("tags", list_of(ValueType::Text)).nullable(true))
        .field(FieldDef::new("extra", ValueType::Json).nullable(true))
        .field(FieldDef::new("genre", genre()))
        .field(FieldDef::new("mark", ValueType::Bytes).nullable(true))
        .field(FieldDef::new("author_id", ValueType::I64))
        .key(["id"])
        .index(IndexDef::new([1]))
        .reference(ReferenceDef::new([13], ReferenceTarget::Name("Author".into())))
        .build()
        .unwrap()
}

/// A field of `Book`.
pub(super) fn f(name: &str) -> Expr {
    Expr::Field(book().index_of(name).unwrap())
}

/// A parameter.
pub(super) fn p(index: u16) -> Expr {
    Expr::Parameter(index)
}

pub(super) fn text(value: &str) -> Expr {
    Expr::Literal(Datum::Text(value.into()))
}

pub(super) fn compare(left: Expr, operator: Comparison, right: Expr) -> Condition {
    Condition::Compare { operator, left, right }
}

pub(super) fn eq(left: Expr, right: Expr) -> Condition {
    compare(left, Comparison::Eq, right)
}

pub(super) fn lt(left: Expr, right: Expr) -> Condition {
    compare(left, Comparison::Lt, right)
}

pub(super) fn is_null(expr: Expr) -> Condition {
    Condition::IsNull { expr, negated: false }
}

pub(super) fn matches(operator: TextOperator, expr: Expr, pattern: Expr) -> Condition {
    Condition::Text { operator, expr, pattern, negated: false }
}

pub(super) fn in_list(operator: ListOperator, expr: Expr, argument: Expr) -> Condition {
    Condition::List { operator, expr, argument, negated: false }
}

pub(super) fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// The title of the books that pass a condition.
pub(super) fn titles(condition: Condition) -> SelectStatement {
    SelectStatement { output: vec![f("title")], ..SelectStatement::new(book(), condition) }
}

pub(super) fn sql(statement: &Statement, parameters: &[ValueType]) -> RenderedSql {
    render(statement, parameters, &SQLITE).unwrap()
}

/// What stands behind `WHERE`, and the slots.
pub(super) fn where_of(condition: Condition, parameters: &[ValueType]) -> (String, Vec<Slot>) {
    let rendered = sql(&Statement::Select(titles(condition)), parameters);
    let text = rendered.text.strip_prefix("SELECT \"title\" FROM \"Book\" WHERE ").expect("a condition").to_owned();
    (text, rendered.parameters)
}
