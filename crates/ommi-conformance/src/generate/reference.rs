//! What the reference evaluator answers.

use std::cell::RefCell;
use std::sync::Arc;

use ommi::evaluate::{self, Evaluator, GroupKey};
use ommi::model::ModelDef;
use ommi::query::statement::SelectStatement;
use ommi::query::{AggregateFunction, ArithmeticOperator, Comparison, Condition, Expr, Extras, InList};
use ommi::value::{Datum, ValueType};
use ommi::{Error, Result};

use super::action::{Action, Selection};
use super::nested::Nested;
use super::table::Table;

/// A row.
pub(super) type Row = Vec<Datum>;

/// What a driver has to answer.
#[derive(Debug)]
pub(super) enum Expected {
    /// Rows: parts in an order, the rows of each part in any.
    Rows(Vec<Vec<Row>>),
    /// A number of rows.
    Count(u64),
    /// A number of rows that matched, and the table afterwards.
    Table(u64, Vec<Row>),
    /// An error.
    Failure,
    /// An error, or an answer that the reference does not know.
    Open,
}

/// What the reference says about an action.
#[derive(Debug)]
pub(super) struct Reference {
    /// What a driver has to answer.
    pub(super) expected: Expected,
    /// Whether it may answer with an error instead: some part of the action has none but an error for
    /// some row, and it is not said which parts are evaluated for which rows.
    pub(super) may_fail: bool,
    /// For each value of a row, how exact it has to be.
    pub(super) exactness: Vec<Exactness>,
}

/// How exact a value has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exactness {
    /// As it was stored, the scale of decimals included.
    Stored,
    /// The same value.
    Equal,
    /// A float to a relative 1e-12.
    Close,
}

/// Runs an action in the reference.
pub(super) fn reference(model: &Arc<ModelDef>, table: &Table, action: &Action) -> Reference {
    let failing = RefCell::default();
    let (nested, rows) = (Nested { table, failing: &failing }, &table.rows);
    let nothing = vec![Datum::Null; model.fields().len()];
    // related rows may be looked at even where there is no row that they could be related to
    let may_fail = rows.iter().chain([&nothing]).any(|row| fails_somewhere(nested, action, row))
        || rows
            .iter()
            .chain([&nothing])
            .any(|row| fails_with_constants(action.condition(), row, &mut |row| fails_somewhere(nested, action, row)))
        || fails_as_a_write(model, rows, action);
    let expected = match action {
        Action::Select(selection) => select(model, nested, selection),
        Action::Count(condition) => passing(nested, condition).map(|rows| Expected::Count(rows.len() as u64)),
        Action::Update(condition, assignments) => update(model, nested, condition, assignments),
        Action::Delete(condition) => delete(nested, condition),
    };
    let is_open = match action {
        Action::Select(selection) => selection.may_leave_parts_out(model, nested),
        _ => false,
    };
    let expected = match expected {
        Ok(expected) => expected,
        // of related rows only so many are looked at as it takes
        Err(_) if is_open || action.is_across() => Expected::Open,
        Err(_) => Expected::Failure,
    };
    Reference { expected, may_fail, exactness: exactness(model, action) }
}

impl Action {
    fn condition(&self) -> &Condition {
        match self {
            Action::Select(Selection { condition, .. })
            | Action::Count(condition)
            | Action::Update(condition, _)
            | Action::Delete(condition) => condition,
        }
    }

    fn is_across(&self) -> bool {
        let Action::Select(Selection { condition, output, group_by, order_by, limit_by, having, .. }) = self else {
            return self.condition().is_across();
        };
        let limited = limit_by.iter().flat_map(|limit_by| &limit_by.by);
        let exprs = output.iter().chain(group_by).chain(limited).chain(order_by.iter().map(|by| &by.expr));
        condition.is_across() || having.is_across() || exprs.into_iter().any(|expr| expr.is_across())
    }
}

fn exactness(model: &ModelDef, action: &Action) -> Vec<Exactness> {
    let Action::Select(Selection { output, .. }) = action else { return Vec::new() };
    output.iter().map(|expr| exactness_of(model, expr)).collect()
}

fn exactness_of(model: &ModelDef, expr: &Expr) -> Exactness {
    match expr {
        Expr::Field(_) => Exactness::Stored,
        Expr::Related { link, of, .. } => exactness_of(link.target(), of),
        Expr::Aggregate { function: AggregateFunction::Sum | AggregateFunction::Avg, .. }
            if expr.value_type(model) == Some(ValueType::F64) =>
        {
            Exactness::Close
        }
        _ => Exactness::Equal,
    }
}

/// The truth of a condition for a row where only what decides it is evaluated: an error comes up
/// only if no other part could have decided before.
pub(super) fn truth<'a>(evaluator: &Evaluator<'a>, condition: &'a Condition, row: &[Datum]) -> Result<Option<bool>> {
    let decided = |parts: &'a [Condition], decides: bool| {
        let (mut is_unknown, mut failure) = (false, None);
        for part in parts {
            match truth(evaluator, part, row) {
                Ok(Some(holds)) if holds == decides => return Ok(Some(decides)),
                Ok(Some(_)) => {}
                Ok(None) => is_unknown = true,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            _ if is_unknown => Ok(None),
            Some(error) => Err(error),
            None => Ok(Some(!decides)),
        }
    };
    match condition {
        Condition::And(parts) => decided(parts, false),
        Condition::Or(parts) => decided(parts, true),
        Condition::Not(part) => truth(evaluator, part, row).map(|holds| holds.map(|holds| !holds)),
        Condition::Compare { left, right, .. } if is_null(left) || is_null(right) => Ok(None),
        leaf => evaluator.condition(leaf, row),
    }
}

/// Whether an expression is null for every row, as its constants say.
fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value) => value.is_null(),
        Expr::Arithmetic { operator, left, right, .. } => {
            let divides = matches!(operator, ArithmeticOperator::Divide | ArithmeticOperator::Remainder);
            is_null(left) || is_null(right) || divides && is_zero(right)
        }
        _ => false,
    }
}

fn is_zero(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(Datum::Int(value)) => *value == 0,
        Expr::Literal(Datum::Float(value)) => *value == 0.0,
        Expr::Literal(Datum::Decimal(value)) => value.is_zero(),
        _ => false,
    }
}

/// The rows that pass a condition.
fn passing<'r>(nested: Nested<'r>, condition: &Condition) -> Result<Vec<&'r Row>> {
    let mut passed = Vec::new();
    for row in &nested.table.rows {
        if nested.truth(condition, row)? == Some(true) {
            passed.push(row);
        }
    }
    Ok(passed)
}

/// Whether some part of what is asked with a condition has no value for a row that has values which
/// fields are compared for equality with. A database may put these in place of the fields, and
/// evaluate what becomes constant by that even for no row.
pub(super) fn fails_with_constants(condition: &Condition, row: &Row, fails: &mut dyn FnMut(&[Datum]) -> bool) -> bool {
    let mut equalities = Vec::new();
    each_equality(condition, &mut |field, value| equalities.push((usize::from(field), value.clone())));
    // of several values for a field, each is the last once
    (0..equalities.len()).any(|_| {
        equalities.rotate_left(1);
        let mut row = row.clone();
        for (field, value) in &equalities {
            if let Some(slot) = row.get_mut(*field) {
                slot.clone_from(value);
            }
        }
        fails(&row)
    })
}

fn each_equality(condition: &Condition, found: &mut impl FnMut(u16, &Datum)) {
    match condition {
        // not unequal is equal
        Condition::Compare { operator: Comparison::Eq | Comparison::Ne, left, right } => match (left, right) {
            (Expr::Field(field), Expr::Literal(value)) | (Expr::Literal(value), Expr::Field(field)) => {
                found(*field, value)
            }
            _ => {}
        },
        Condition::In { expr: Expr::Field(field), list: InList::Values(values), .. } => {
            if let [Expr::Literal(value)] = values.as_slice() {
                found(*field, value);
            }
        }
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| each_equality(part, found)),
        Condition::Not(part) | Condition::IsTrue { condition: part, .. } => each_equality(part, found),
        _ => {}
    }
}

/// Whether some part of an action has no value for a row.
fn fails_somewhere(nested: Nested<'_>, action: &Action, row: &[Datum]) -> bool {
    let mut fails = nested.fails_for(action.condition(), row);
    let mut look = |expr: &Expr| fails = fails || nested.expr_fails_for(expr, row);
    match action {
        Action::Select(selection) => {
            selection.having.each_expr(&mut look);
            selection.output.iter().chain(&selection.group_by).for_each(&mut look);
            selection.limit_by.iter().flat_map(|limit_by| &limit_by.by).for_each(&mut look);
            selection.order_by.iter().for_each(|by| look(&by.expr));
        }
        Action::Count(_) | Action::Delete(_) => {}
        Action::Update(_, assignments) => assignments.iter().for_each(|(_, expr)| look(expr)),
    }
    fails
}

/// The parts of an expression that have a value for each row.
pub(super) fn each_row_part(expr: &Expr, found: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::Aggregate { of: Some(of), .. } => found(of),
        Expr::Aggregate { of: None, .. } => {}
        Expr::Arithmetic { left, right, .. } if expr.has_aggregate() => {
            each_row_part(left, found);
            each_row_part(right, found);
        }
        other => found(other),
    }
}

/// Whether a write makes some row of the table one that cannot be stored, even if it does not match.
fn fails_as_a_write(model: &ModelDef, rows: &[Row], action: &Action) -> bool {
    let Action::Update(_, assignments) = action else { return false };
    rows.iter().any(|row| changed(model, row, assignments).is_err())
}

fn changed(model: &ModelDef, row: &[Datum], assignments: &[(u16, Expr)]) -> Result<Row> {
    let new = evaluate::assign(model, assignments, row, &[], None)?;
    evaluate::check_row(model, &new)?;
    Ok(new)
}

fn update(
    model: &ModelDef,
    nested: Nested<'_>,
    condition: &Condition,
    assignments: &[(u16, Expr)],
) -> Result<Expected> {
    // constants are checked before any row is looked at
    for (field, value) in assignments {
        if let (Expr::Literal(value), Some(field)) = (value, model.field(*field)) {
            field.check(value.cell())?;
        }
    }
    let (mut matched, mut after) = (0, Vec::new());
    for row in &nested.table.rows {
        after.push(match nested.truth(condition, row)? {
            Some(true) => {
                matched += 1;
                changed(model, row, assignments)?
            }
            _ => row.clone(),
        });
    }
    Ok(Expected::Table(matched, after))
}

fn delete(nested: Nested<'_>, condition: &Condition) -> Result<Expected> {
    let rows = &nested.table.rows;
    let mut left = Vec::new();
    for row in rows {
        if nested.truth(condition, row)? != Some(true) {
            left.push(row.clone());
        }
    }
    Ok(Expected::Table((rows.len() - left.len()) as u64, left))
}

impl Selection {
    /// Whether a driver need not evaluate all that the reference does: the rows beyond a limit, the
    /// rows beyond the first of an order that gives a least or greatest value, the aggregates of
    /// groups that `having` leaves out, an order that is decided already.
    fn may_leave_parts_out(&self, model: &Arc<ModelDef>, nested: Nested<'_>) -> bool {
        let is_extreme = |expr: &Expr| {
            matches!(expr, Expr::Aggregate { function: AggregateFunction::Min | AggregateFunction::Max, .. })
        };
        let unordered = Selection { order_by: Vec::new(), ..self.clone() };
        self.limit.is_some()
            || self.offset.is_some()
            || self.limit_by.is_some()
            || self.having != Condition::Const(true)
            || self.group_by.is_empty() && self.output.iter().any(is_extreme)
            || !self.order_by.is_empty() && select(model, nested, &unordered).is_ok()
    }

    /// The statement over a model.
    pub(super) fn statement(&self, model: &Arc<ModelDef>) -> SelectStatement {
        let number = |number: &Option<u32>| number.map(|number| Expr::Literal(Datum::Int(number.into())));
        SelectStatement {
            model: Arc::clone(model),
            output: self.output.clone(),
            distinct: self.distinct,
            condition: self.condition.clone(),
            group_by: self.group_by.clone(),
            having: self.having.clone(),
            order_by: self.order_by.clone(),
            limit: number(&self.limit),
            offset: number(&self.offset),
            extras: self
                .limit_by
                .clone()
                .map(|limit_by| Box::new(Extras { joins: Vec::new(), limit_by: Some(*limit_by) })),
        }
    }
}

/// A select: its rows, cut where what they are ordered by changes.
fn select(model: &Arc<ModelDef>, nested: Nested<'_>, selection: &Selection) -> Result<Expected> {
    let passed = passing(nested, &selection.condition)?;
    let mut statement = selection.statement(model);
    statement.condition = Condition::Const(true);
    if statement.output.is_empty() {
        statement.output = (0..).take(model.fields().len()).map(Expr::Field).collect();
    }
    let width = statement.output.len();
    // what the rows are ordered by is selected too; of distinct rows it is selected already
    let places: Vec<usize> = selection
        .order_by
        .iter()
        .map(|by| match statement.output.iter().position(|expr| *expr == by.expr) {
            Some(place) => place,
            None => {
                statement.output.push(by.expr.clone());
                statement.output.len() - 1
            }
        })
        .collect();
    let passed = nested.widened(&mut statement, passed)?;
    let answer = evaluate::select(&statement, &[], passed)?;
    let mut parts: Vec<Vec<Row>> = Vec::new();
    let mut last: Option<Vec<GroupKey>> = None;
    for mut row in answer {
        let keys: Vec<GroupKey> = places.iter().filter_map(|place| row.get(*place)).map(GroupKey::new).collect();
        row.truncate(width);
        match parts.last_mut() {
            Some(part) if last.as_ref() == Some(&keys) => part.push(row),
            _ => parts.push(vec![row]),
        }
        last = Some(keys);
    }
    Ok(Expected::Rows(parts))
}

/// Whether an error is one that values of the wrong size give.
pub(super) fn is_about_a_value(error: &Error) -> bool {
    error.is_query() || error.is_constraint()
}
