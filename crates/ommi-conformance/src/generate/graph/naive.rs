//! The answers that trees have by plain loops over the rows.

use std::cmp::Ordering;

use super::answer::{Branch, Row};
use super::models::{Cell, Leads};
use super::tree::{Cond, Data, Load, Operator, Quantifier, Related, Tree, shape};

type Rows<'a> = Vec<&'a Vec<Cell>>;

fn is_linked(pairs: &[(usize, usize)], from: &[Cell], to: &[Cell]) -> bool {
    pairs.iter().all(|(source, target)| match (from.get(*source), to.get(*target)) {
        (Some(from), Some(to)) => from.compare(to) == Some(Ordering::Equal),
        _ => false,
    })
}

/// The rows that a relation leads to from a row.
fn related<'a>(data: &'a Data, leads: &Leads, row: &[Cell]) -> Rows<'a> {
    match leads.through {
        None => data.rows(leads.target).iter().filter(|to| is_linked(leads.pairs, row, to)).collect(),
        Some((link, second)) => data
            .rows(link)
            .iter()
            .filter(|link| is_linked(leads.pairs, row, link))
            .flat_map(|link| data.rows(leads.target).iter().filter(move |to| is_linked(second, link, to)))
            .collect(),
    }
}

fn compare(operator: Operator, ordering: Option<Ordering>) -> Option<bool> {
    ordering.map(|ordering| match operator {
        Operator::Eq | Operator::IsNull => ordering == Ordering::Equal,
        Operator::Ne => ordering != Ordering::Equal,
        Operator::Lt => ordering == Ordering::Less,
        Operator::Ge => ordering != Ordering::Less,
    })
}

/// Whether a row passes; `None` where that is unknown.
fn passes(data: &Data, model: usize, condition: &Cond, row: &[Cell]) -> Option<bool> {
    match condition {
        Cond::All => Some(true),
        Cond::Compare(field, operator, value) => {
            let cell = row.get(*field).unwrap_or(&Cell::Null);
            match operator {
                Operator::IsNull if matches!(shape(model).fields.get(*field), Some((_, of)) if of.is_optional()) => {
                    Some(*cell == Cell::Null)
                }
                operator => compare(*operator, cell.compare(value)),
            }
        }
        Cond::Related(of) => Some(related_passes(data, model, of, row)),
        Cond::And(both) => match (passes(data, model, &both.0, row), passes(data, model, &both.1, row)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Cond::Or(both) => match (passes(data, model, &both.0, row), passes(data, model, &both.1, row)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Cond::Not(condition) => passes(data, model, condition, row).map(|passes| !passes),
    }
}

fn related_passes(data: &Data, model: usize, of: &Related, row: &[Cell]) -> bool {
    let Some(leads) = shape(model).relations.get(of.relation) else { return true };
    let is_true = |condition: &Cond, row: &[Cell]| passes(data, leads.target, condition, row) == Some(true);
    let mut rows = related(data, leads, row);
    if let Some(own) = &of.own {
        rows.retain(|row| is_true(own, row));
    }
    let passing = rows.iter().filter(|row| is_true(&of.condition, row)).count();
    match of.quantifier {
        Quantifier::Any => passing > 0,
        Quantifier::None => passing == 0,
        Quantifier::All => passing == rows.len(),
        Quantifier::Count(operator, number) => {
            let passing = i64::try_from(passing).unwrap_or(i64::MAX);
            compare(operator, Some(passing.cmp(&number))) == Some(true)
        }
    }
}

fn arrange(rows: &mut [&Vec<Cell>], order: &[(usize, bool)]) {
    rows.sort_by(|one, other| {
        order.iter().fold(Ordering::Equal, |so_far, (field, descending)| {
            let ordering = one.get(*field).cmp(&other.get(*field));
            so_far.then(if *descending { ordering.reverse() } else { ordering })
        })
    });
}

fn number(of: u64) -> usize {
    usize::try_from(of).unwrap_or(usize::MAX)
}

fn branch(data: &Data, model: usize, load: &Load, row: &[Cell]) -> Branch {
    let Some(leads) = shape(model).relations.get(load.relation) else { return Vec::new() };
    let mut rows = related(data, leads, row);
    rows.retain(|row| passes(data, leads.target, &load.condition, row) == Some(true));
    arrange(&mut rows, &load.order);
    rows.truncate(load.limit.map_or(usize::MAX, number));
    branches(data, leads.target, &load.with, &rows)
}

fn branches(data: &Data, model: usize, with: &[Load], rows: &[&Vec<Cell>]) -> Branch {
    rows.iter()
        .map(|row| Row {
            cells: (*row).clone(),
            with: with.iter().map(|load| branch(data, model, load, row)).collect(),
        })
        .collect()
}

/// The answer of a tree.
pub(super) fn naive(data: &Data, tree: &Tree) -> Branch {
    let mut rows: Rows<'_> = data.rows(tree.model).iter().collect();
    rows.retain(|row| passes(data, tree.model, &tree.condition, row) == Some(true));
    arrange(&mut rows, &tree.order);
    let offset = tree.offset.map_or(0, number).min(rows.len());
    rows.drain(..offset);
    rows.truncate(tree.limit.map_or(usize::MAX, number));
    branches(data, tree.model, &tree.with, &rows)
}
