//! A case in words.

use std::fmt::Write;

use super::models::{Cell, SHAPES};
use super::tree::{Cond, Data, Load, Quantifier, Tree, shape};

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(value) => format!("{value:?}"),
    }
}

fn field(model: usize, field: usize) -> &'static str {
    shape(model).fields.get(field).map_or("?", |(name, _)| name)
}

fn condition(model: usize, of: &Cond) -> String {
    match of {
        Cond::All => "all".to_owned(),
        Cond::Compare(of, operator, value) => format!("{}.{operator:?}({})", field(model, *of), cell(value)),
        Cond::And(both) => format!("({} & {})", condition(model, &both.0), condition(model, &both.1)),
        Cond::Or(both) => format!("({} | {})", condition(model, &both.0), condition(model, &both.1)),
        Cond::Not(of) => format!("!{}", condition(model, of)),
        Cond::Related(related) => {
            let Some(leads) = shape(model).relations.get(related.relation) else { return "?".to_owned() };
            let own = related
                .own
                .as_ref()
                .map_or_else(String::new, |own| format!(".filter({})", condition(leads.target, own)));
            let quantifier = match related.quantifier {
                Quantifier::Any => "any".to_owned(),
                Quantifier::None => "none".to_owned(),
                Quantifier::All => "all".to_owned(),
                Quantifier::Count(operator, number) => format!("count {operator:?} {number} of"),
            };
            format!("{}{own}.{quantifier}({})", leads.name, condition(leads.target, &related.condition))
        }
    }
}

fn rest(model: usize, order: &[(usize, bool)], limit: Option<u64>) -> String {
    let mut text = String::new();
    for (of, descending) in order {
        let _ = write!(text, " order by {}{}", field(model, *of), if *descending { " descending" } else { "" });
    }
    if let Some(limit) = limit {
        let _ = write!(text, " limit {limit}");
    }
    text
}

fn loads(model: usize, of: &[Load], depth: usize, text: &mut String) {
    for load in of {
        let Some(leads) = shape(model).relations.get(load.relation) else { continue };
        let how = if load.is_lazy { "get" } else { "with" };
        let _ = writeln!(
            text,
            "{}{how} {} where {}{}",
            "  ".repeat(depth),
            leads.name,
            condition(leads.target, &load.condition),
            rest(leads.target, &load.order, load.limit)
        );
        loads(leads.target, &load.with, depth + 1, text);
    }
}

/// The rows, and what is asked of them.
pub(super) fn case(data: &Data, tree: &Tree) -> String {
    let mut text = String::new();
    for (shape, rows) in SHAPES.iter().zip(&data.0) {
        for row in rows {
            let values = shape.fields.iter().zip(row).map(|((name, _), value)| format!("{name}: {}", cell(value)));
            let _ = writeln!(text, "{} {{ {} }}", shape.name, values.collect::<Vec<_>>().join(", "));
        }
    }
    let offset = tree.offset.map_or_else(String::new, |offset| format!(" offset {offset}"));
    let _ = writeln!(
        text,
        "find {} where {}{}{offset}",
        shape(tree.model).name,
        condition(tree.model, &tree.condition),
        rest(tree.model, &tree.order, tree.limit)
    );
    loads(tree.model, &tree.with, 1, &mut text);
    text
}
