//! Models, rows and queries in a form that people read.

use std::fmt::Write;

use ommi::model::{Link, ModelDef};
use ommi::query::{Condition, Direction, Expr, InList, LimitBy, Nulls};
use ommi::value::{Datum, list};

use super::action::{Action, Selection};
use super::reference::Row;
use super::table::Table;

/// A value.
pub(super) fn datum(value: &Datum) -> String {
    match value {
        Datum::Null => "null".into(),
        Datum::Bool(value) => value.to_string(),
        Datum::Int(value) => value.to_string(),
        Datum::UInt(value) => value.to_string(),
        Datum::Float(value) => format!("{value:?}"),
        Datum::Decimal(value) => format!("{value}d"),
        Datum::Text(value) => format!("{value:?}"),
        Datum::Bytes(value) => format!("x{}", list::hex(value)),
        Datum::Uuid(value) => value.to_string(),
        Datum::Date(value) => value.to_string(),
        Datum::Time(value) => value.to_string(),
        Datum::DateTime(value) => value.to_string(),
        Datum::Timestamp(value) => value.to_string(),
        Datum::Duration(value) => format!("{}us", value.as_micros()),
        Datum::Json(value) => format!("json {value}"),
        Datum::List(items) => format!("[{}]", items.iter().map(datum).collect::<Vec<_>>().join(", ")),
    }
}

fn row(row: &Row) -> String {
    format!("({})", row.iter().map(datum).collect::<Vec<_>>().join(", "))
}

/// Rows, the first of many.
pub(super) fn rows(rows: &[Row]) -> String {
    let shown: Vec<String> = rows.iter().take(12).map(row).collect();
    match rows.len() {
        0 => "no rows".into(),
        1..=12 => shown.join(" "),
        count => format!("{} .. ({count} rows)", shown.join(" ")),
    }
}

/// A table: its fields, its rules and its rows.
pub(super) fn table(table: &Table) -> String {
    let mut text = String::new();
    // writing to a text cannot fail
    for (at, column) in table.columns.iter().enumerate() {
        let null = if column.nullable { " or null" } else { "" };
        let key = if table.key.contains(&at) { ", key" } else { "" };
        let _ = writeln!(text, "  `{}`: {}{null}{key}", column.name, column.value_type);
    }
    let names = |fields: &[usize]| fields.iter().map(|at| name(table, *at)).collect::<Vec<_>>().join(", ");
    if let Some(unique) = &table.unique {
        let _ = writeln!(text, "  unique({})", names(unique));
    }
    if let Some(index) = &table.index {
        let _ = writeln!(text, "  index({})", names(index));
    }
    for values in &table.rows {
        let _ = writeln!(text, "  {}", row(values));
    }
    let Some(family) = &table.family else { return text };
    for ((of, definition), rows) in family.tables.iter().zip(&family.definitions).skip(1).zip(&table.others) {
        let other = Table { rows: rows.clone(), family: None, others: Vec::new(), ..of.clone() };
        let _ = write!(text, "{}\n{}", definition.name(), self::table(&other));
    }
    text
}

fn name(table: &Table, at: usize) -> String {
    table.columns.get(at).map_or_else(|| format!("field {at}"), |column| format!("`{}`", column.name))
}

/// Where the names of fields come from.
#[derive(Clone, Copy)]
enum Names<'a> {
    Table(&'a Table),
    Model(&'a ModelDef),
}

impl Names<'_> {
    fn of(self, field: u16) -> String {
        match self {
            Names::Table(table) => name(table, usize::from(field)),
            Names::Model(model) => format!("`{}`", model.field_name(field)),
        }
    }
}

fn expr(names: Names<'_>, of: &Expr) -> String {
    match of {
        Expr::Field(at) => names.of(*at),
        Expr::Inserted(at) => format!("inserted {}", names.of(*at)),
        Expr::Literal(value) => datum(value),
        Expr::Parameter(index) => format!("?{index}"),
        Expr::Arithmetic { operator, left, right, value_type } => {
            format!("({} {} {} as {value_type})", expr(names, left), operator.sign(), expr(names, right))
        }
        Expr::DatePart { part, of } => format!("{part:?}({})", expr(names, of)),
        Expr::JsonPath { of, path, cast } => {
            let path: String = path.iter().map(ToString::to_string).collect();
            format!("{}{path} as {cast:?}", expr(names, of))
        }
        Expr::Length(of) => format!("len({})", expr(names, of)),
        Expr::Aggregate { function, of, distinct } => {
            let of = of.as_ref().map_or_else(|| "*".into(), |of| expr(names, of));
            format!("{}({}{of})", function.name(), if *distinct { "distinct " } else { "" })
        }
        Expr::Joined { join, field, .. } => format!("join {join}.{field}"),
        Expr::Related { link, condition: of_rows, of } => {
            let target = Names::Model(link.target());
            format!("{} of {}", expr(target, of), related(names, link, of_rows))
        }
    }
}

fn condition(names: Names<'_>, of: &Condition) -> String {
    let not = |negated: &bool| if *negated { "not " } else { "" };
    let join = |parts: &[Condition], with: &str| {
        format!("({})", parts.iter().map(|part| condition(names, part)).collect::<Vec<_>>().join(with))
    };
    match of {
        Condition::Const(value) => value.to_string(),
        Condition::Compare { operator, left, right } => {
            format!("{} {} {}", expr(names, left), operator.sign(), expr(names, right))
        }
        Condition::In { expr: of, list, negated } => {
            let list = match list {
                InList::Values(values) => values.iter().map(|value| expr(names, value)).collect::<Vec<_>>().join(", "),
                InList::Whole(list) => expr(names, list),
            };
            format!("{} {}in ({list})", expr(names, of), not(negated))
        }
        Condition::IsNull { expr: of, negated } => format!("{} is {}null", expr(names, of), not(negated)),
        Condition::Text { operator, expr: of, pattern, negated } => {
            format!("{} {}{} {}", expr(names, of), not(negated), operator.name(), expr(names, pattern))
        }
        Condition::List { operator, expr: of, argument, negated } => {
            format!("{} {}{operator:?} {}", expr(names, of), not(negated), expr(names, argument))
        }
        Condition::And(parts) => join(parts, " and "),
        Condition::Or(parts) => join(parts, " or "),
        Condition::Not(part) => format!("not ({})", condition(names, part)),
        Condition::IsTrue { condition: part, negated } => {
            format!("({}) is {}true", condition(names, part), not(negated))
        }
        Condition::Related { link, condition } => format!("any {}", related(names, link, condition)),
    }
}

/// Rows that a link leads to.
fn related(names: Names<'_>, link: &Link, of_rows: &Condition) -> String {
    let target = Names::Model(link.target());
    let pairs = link.pairs().map(|(from, to)| format!("{} = {}", target.of(to), names.of(from)));
    let pairs = pairs.collect::<Vec<_>>().join(" and ");
    format!("[{} with {pairs} where {}]", link.target().name(), condition(target, of_rows))
}

fn exprs(table: &Table, of: &[Expr]) -> String {
    of.iter().map(|of| expr(Names::Table(table), of)).collect::<Vec<_>>().join(", ")
}

fn selection(table: &Table, of: &Selection) -> String {
    let mut text = format!("find {}", condition(Names::Table(table), &of.condition));
    // writing to a text cannot fail
    if !of.group_by.is_empty() {
        let _ = write!(text, "\n  group by {}", exprs(table, &of.group_by));
    }
    if !of.output.is_empty() {
        let _ = write!(text, "\n  select {}{}", if of.distinct { "distinct " } else { "" }, exprs(table, &of.output));
    }
    if of.having != Condition::Const(true) {
        let _ = write!(text, "\n  having {}", condition(Names::Table(table), &of.having));
    }
    if !of.order_by.is_empty() {
        let order = of.order_by.iter().map(|by| {
            let direction = if by.direction == Direction::Descending { " desc" } else { "" };
            let nulls = match by.nulls {
                None => "",
                Some(Nulls::First) => " nulls first",
                Some(Nulls::Last) => " nulls last",
            };
            format!("{}{direction}{nulls}", expr(Names::Table(table), &by.expr))
        });
        let _ = write!(text, "\n  order by {}", order.collect::<Vec<_>>().join(", "));
    }
    if let Some(LimitBy { by, limit, offset }) = of.limit_by.as_deref() {
        let offset = offset.as_ref().map(|offset| format!(" without the first {}", expr(Names::Table(table), offset)));
        let limit = expr(Names::Table(table), limit);
        let _ = write!(text, "\n  limit {limit}{} by {}", offset.unwrap_or_default(), exprs(table, by));
    }
    if let Some(limit) = of.limit {
        let _ = write!(text, "\n  limit {limit}");
    }
    if let Some(offset) = of.offset {
        let _ = write!(text, "\n  offset {offset}");
    }
    text
}

/// An action on a table.
pub(super) fn action(table: &Table, of: &Action) -> String {
    match of {
        Action::Select(of) => selection(table, of),
        Action::Count(of) => format!("count {}", condition(Names::Table(table), of)),
        Action::Delete(of) => format!("delete {}", condition(Names::Table(table), of)),
        Action::Update(of, assignments) => {
            let assignments = assignments
                .iter()
                .map(|(at, value)| format!("{} = {}", name(table, usize::from(*at)), expr(Names::Table(table), value)));
            format!(
                "update {}\n  set {}",
                condition(Names::Table(table), of),
                assignments.collect::<Vec<_>>().join(", ")
            )
        }
    }
}
