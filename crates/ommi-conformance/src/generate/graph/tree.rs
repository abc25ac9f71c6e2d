//! Random data for the models, and random trees of what is asked of them.

use std::collections::HashSet;

use fastrand::Rng;

use super::models::{Cell, FieldType, Leads, SHAPES, Shape};
use crate::generate::value::percent;

/// The most rows of a model.
const MOST_ROWS: usize = 9;

/// The rows of each model.
#[derive(Clone, Debug)]
pub(super) struct Data(pub(super) Vec<Vec<Vec<Cell>>>);

/// How a field or a number is compared with a constant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operator {
    Eq,
    Ne,
    Lt,
    Ge,
    IsNull,
}

/// Which of the related rows have to pass.
#[derive(Clone, Copy, Debug)]
pub(super) enum Quantifier {
    /// For a relation to one row: that it is there and passes.
    Any,
    None,
    All,
    Count(Operator, i64),
}

/// A condition on related rows.
#[derive(Clone, Debug)]
pub(super) struct Related {
    pub(super) relation: usize,
    pub(super) quantifier: Quantifier,
    /// The relation's own filter.
    pub(super) own: Option<Cond>,
    pub(super) condition: Cond,
}

/// A condition on the rows of a model.
#[derive(Clone, Debug)]
pub(super) enum Cond {
    All,
    Compare(usize, Operator, Cell),
    Related(Box<Related>),
    And(Box<(Cond, Cond)>),
    Or(Box<(Cond, Cond)>),
    Not(Box<Cond>),
}

/// A relation whose rows are loaded.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) relation: usize,
    /// Asked for by `get`, in place of being loaded with its owners; then it has no filter, order or
    /// limit.
    pub(super) is_lazy: bool,
    pub(super) condition: Cond,
    /// Fields, and whether they descend; the whole key at the end, where there is a limit.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) limit: Option<u64>,
    pub(super) with: Vec<Load>,
}

/// What is asked: rows of a model, and what is loaded with them.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) model: usize,
    pub(super) condition: Cond,
    pub(super) order: Vec<(usize, bool)>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) with: Vec<Load>,
}

pub(super) fn shape(model: usize) -> &'static Shape {
    SHAPES.get(model).unwrap_or(&SHAPES[0])
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> Option<&'a T> {
    from.get(rng.usize(..from.len().max(1)))
}

/// A value of a field: few of them, so that they meet; some at the ends of their range.
fn cell(rng: &mut Rng, field: FieldType) -> Cell {
    let is_null = percent(rng, 20);
    match field {
        FieldType::OptionalInt | FieldType::OptionalText if is_null => Cell::Null,
        FieldType::Int | FieldType::OptionalInt => Cell::Int(match rng.u8(..40) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => -1,
            _ => rng.i64(0..7),
        }),
        FieldType::Text | FieldType::OptionalText => {
            Cell::Text(pick(rng, &["a", "b", "A", "", "é", "a ", "\"", "[1]"]).copied().unwrap_or_default().to_owned())
        }
    }
}

impl Data {
    /// Random rows that keep the rules of their models; references may be null and may dangle.
    pub(super) fn random(rng: &mut Rng) -> Data {
        Data(SHAPES.iter().map(|shape| rows(rng, shape)).collect())
    }

    pub(super) fn rows(&self, model: usize) -> &[Vec<Cell>] {
        self.0.get(model).map_or(&[], Vec::as_slice)
    }
}

fn rows(rng: &mut Rng, shape: &Shape) -> Vec<Vec<Cell>> {
    let (mut keys, mut unique) = (HashSet::new(), HashSet::new());
    let mut rows = Vec::new();
    for _ in 0..rng.usize(..=MOST_ROWS) {
        let row: Vec<Cell> = shape.fields.iter().map(|(_, field)| cell(rng, *field)).collect();
        let key: Vec<Cell> = row.iter().take(shape.key).cloned().collect();
        let other = shape.unique.and_then(|field| row.get(field)).filter(|value| **value != Cell::Null);
        if keys.contains(&key) || other.is_some_and(|other| unique.contains(other)) {
            continue;
        }
        keys.insert(key);
        unique.extend(other.cloned());
        rows.push(row);
    }
    rows
}

fn operator(rng: &mut Rng) -> Operator {
    pick(rng, &[Operator::Eq, Operator::Eq, Operator::Ne, Operator::Lt, Operator::Ge, Operator::IsNull])
        .copied()
        .unwrap_or(Operator::Eq)
}

fn relation(rng: &mut Rng, shape: &Shape) -> Option<(usize, Leads)> {
    let place = rng.usize(..shape.relations.len().max(1));
    Some((place, *shape.relations.get(place)?))
}

fn condition(rng: &mut Rng, model: usize, depth: u8) -> Cond {
    let shape = shape(model);
    let both = |rng: &mut Rng| Box::new((condition(rng, model, depth - 1), condition(rng, model, depth - 1)));
    match rng.u8(..if depth == 0 { 4 } else { 12 }) {
        0 => Cond::All,
        1..=3 => {
            let field = rng.usize(..shape.fields.len());
            let of = shape.fields.get(field).map_or(FieldType::Int, |(_, of)| *of);
            let operator = match (operator(rng), of) {
                (Operator::IsNull, FieldType::Int | FieldType::Text) => Operator::Ne,
                (operator, _) => operator,
            };
            let value = match cell(rng, of) {
                // constants are values: null is asked for by its own operator
                Cell::Null if matches!(of, FieldType::OptionalText) => Cell::Text(String::new()),
                Cell::Null => Cell::Int(1),
                value => value,
            };
            Cond::Compare(field, operator, value)
        }
        4 => Cond::And(both(rng)),
        5 => Cond::Or(both(rng)),
        6 => Cond::Not(Box::new(condition(rng, model, depth - 1))),
        _ => {
            let Some((relation, leads)) = relation(rng, shape) else { return Cond::All };
            let quantifier = match rng.u8(..5) {
                0 if leads.is_plural => Quantifier::None,
                1 if leads.is_plural => Quantifier::All,
                2 if leads.is_plural => {
                    let operator = match operator(rng) {
                        Operator::IsNull => Operator::Eq,
                        operator => operator,
                    };
                    Quantifier::Count(operator, rng.i64(0..4))
                }
                _ => Quantifier::Any,
            };
            let own = percent(rng, 25).then(|| condition(rng, leads.target, depth - 1));
            let condition = condition(rng, leads.target, depth - 1);
            Cond::Related(Box::new(Related { relation, quantifier, own, condition }))
        }
    }
}

/// An order; by the whole key in the end, if it has to be total.
fn order(rng: &mut Rng, shape: &Shape, is_total: bool) -> Vec<(usize, bool)> {
    let mut order: Vec<(usize, bool)> = Vec::new();
    for _ in 0..rng.usize(..3) {
        let field = rng.usize(..shape.fields.len());
        if !order.iter().any(|(of, _)| *of == field) {
            order.push((field, rng.bool()));
        }
    }
    if is_total {
        for field in 0..shape.key {
            if !order.iter().any(|(of, _)| *of == field) {
                order.push((field, rng.bool()));
            }
        }
    }
    order
}

fn loads(rng: &mut Rng, model: usize, depth: u8, is_lazy: bool) -> Vec<Load> {
    if depth == 0 {
        return Vec::new();
    }
    let shape = shape(model);
    let mut chosen: Vec<Load> = Vec::new();
    for _ in 0..rng.usize(..3) {
        let Some((relation, leads)) = relation(rng, shape) else { break };
        if chosen.iter().any(|load| load.relation == relation) {
            continue;
        }
        let is_lazy = is_lazy || percent(rng, 35);
        let limit = (!is_lazy && percent(rng, 30)).then(|| rng.u64(..4));
        chosen.push(Load {
            relation,
            is_lazy,
            condition: if is_lazy || percent(rng, 50) { Cond::All } else { condition(rng, leads.target, 2) },
            order: if is_lazy { Vec::new() } else { order(rng, self::shape(leads.target), limit.is_some()) },
            limit,
            with: loads(rng, leads.target, depth - 1, is_lazy),
        });
    }
    chosen
}

impl Tree {
    pub(super) fn random(rng: &mut Rng) -> Tree {
        let model = rng.usize(..SHAPES.len());
        let limit = percent(rng, 20).then(|| rng.u64(..6));
        let offset = (limit.is_some() && percent(rng, 40)).then(|| rng.u64(..3));
        Tree {
            model,
            condition: if percent(rng, 25) { Cond::All } else { condition(rng, model, 4) },
            order: order(rng, shape(model), limit.is_some()),
            limit,
            offset,
            with: loads(rng, model, 4, false),
        }
    }
}
