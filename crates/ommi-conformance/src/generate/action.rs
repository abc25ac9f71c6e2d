//! Random queries and writes.

use fastrand::Rng;
use ommi::query::{AggregateFunction, Comparison, Condition, Direction, Expr, LimitBy, Nulls, OrderBy};
use ommi::value::Datum;

use super::expression::{Maker, Typed};
use super::table::Table;
use super::value::{literal, one, percent, pick, value};

/// What is asked of a driver, and of the reference.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Rows are read.
    Select(Selection),
    /// Rows are counted.
    Count(Condition),
    /// Rows are changed.
    Update(Condition, Vec<(u16, Expr)>),
    /// Rows are deleted.
    Delete(Condition),
}

/// A select without its model.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) condition: Condition,
    pub(super) output: Vec<Expr>,
    pub(super) distinct: bool,
    pub(super) group_by: Vec<Expr>,
    pub(super) having: Condition,
    pub(super) order_by: Vec<OrderBy>,
    pub(super) limit: Option<u32>,
    pub(super) offset: Option<u32>,
    pub(super) limit_by: Option<Box<LimitBy>>,
}

impl Action {
    /// A random action on a table.
    pub(super) fn random(rng: &mut Rng, table: &Table) -> Action {
        let mut maker = Maker::new(table, rng);
        match maker.rng.u8(..100) {
            0..60 => Action::Select(maker.rows()),
            60..82 => Action::Select(maker.groups()),
            82..88 => Action::Count(maker.filter()),
            88..96 => {
                let condition = maker.filter();
                match maker.assignments() {
                    assignments if assignments.is_empty() => Action::Count(condition),
                    assignments => Action::Update(condition, assignments),
                }
            }
            _ => Action::Delete(maker.filter()),
        }
    }
}

impl Maker<'_> {
    fn filter(&mut self) -> Condition {
        match percent(self.rng, 8) {
            true => Condition::Const(true),
            false => {
                let depth = self.rng.u8(..5);
                self.condition(depth)
            }
        }
    }

    fn order(&mut self, expr: Expr) -> OrderBy {
        OrderBy {
            expr,
            direction: if self.rng.bool() { Direction::Ascending } else { Direction::Descending },
            nulls: one(self.rng, &[None, None, Some(Nulls::First), Some(Nulls::Last)]),
        }
    }

    /// A select of rows: whole, projected or distinct.
    fn rows(&mut self) -> Selection {
        let mut selection = Selection {
            condition: self.filter(),
            output: Vec::new(),
            distinct: false,
            group_by: Vec::new(),
            having: Condition::Const(true),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            limit_by: None,
        };
        let mut is_total = false;
        if percent(self.rng, 40) {
            let width = self.rng.usize(1..5);
            let chosen: Vec<Typed> = (0..width).filter_map(|_| self.any()).collect();
            selection.distinct = percent(self.rng, 40) && chosen.iter().all(|of| of.value_type.is_groupable());
            selection.output = chosen.into_iter().map(|of| of.expr).collect();
        }
        if selection.distinct {
            let mut order = selection.output.clone();
            self.rng.shuffle(&mut order);
            order.truncate(self.rng.usize(..=order.len()));
            is_total = selection.output.iter().all(|expr| order.contains(expr));
            selection.order_by = order.into_iter().map(|expr| self.order(expr)).collect();
        } else if percent(self.rng, 60) {
            let orders = self.rng.usize(..4);
            for _ in 0..orders {
                if let Some(by) = self.ordered() {
                    let by = self.order(by.expr);
                    selection.order_by.push(by);
                }
            }
            if percent(self.rng, 60) {
                is_total = true;
                for at in &self.table.key {
                    let by = self.order(Expr::Field(u16::try_from(*at).unwrap_or(u16::MAX)));
                    selection.order_by.push(by);
                }
            }
        }
        if is_total && !selection.distinct && percent(self.rng, 25) {
            let number = |number: u32| literal(Datum::Int(number.into()));
            selection.limit_by = Some(Box::new(LimitBy {
                by: (0..self.rng.usize(..3)).filter_map(|_| Some(self.ordered()?.expr)).collect(),
                limit: number(self.rng.u32(..4)),
                offset: percent(self.rng, 30).then(|| number(self.rng.u32(..3))),
            }));
        }
        self.bound(&mut selection, is_total);
        selection
    }

    fn bound(&mut self, selection: &mut Selection, is_total: bool) {
        if is_total && percent(self.rng, 60) {
            selection.limit = percent(self.rng, 80).then(|| self.rng.u32(..12));
            selection.offset = percent(self.rng, 40).then(|| self.rng.u32(..8));
        }
    }

    pub(super) fn aggregate(&mut self) -> Expr {
        let count = Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false };
        let Some(of) = self.any() else { return count };
        let aggregate =
            |function, distinct| Expr::Aggregate { function, of: Some(Box::new(of.expr.clone())), distinct };
        match self.rng.u8(..8) {
            0 => count,
            1 => aggregate(AggregateFunction::Count, false),
            2 if of.value_type.is_groupable() => aggregate(AggregateFunction::Count, true),
            3 | 4 if self.sums(&of.value_type) => aggregate(AggregateFunction::Sum, false),
            5 if self.sums(&of.value_type) => aggregate(AggregateFunction::Avg, false),
            6 if of.value_type.is_ordered() => aggregate(AggregateFunction::Min, false),
            7 if of.value_type.is_ordered() => aggregate(AggregateFunction::Max, false),
            _ => count,
        }
    }

    /// A select of groups, or of aggregates over all rows.
    fn groups(&mut self) -> Selection {
        let groups = if percent(self.rng, 25) { 0 } else { self.rng.usize(1..3) };
        let group_by: Vec<Expr> = (0..groups).filter_map(|_| Some(self.ordered()?.expr)).collect();
        let mut output: Vec<Expr> = group_by.clone();
        if percent(self.rng, 20) {
            output.pop();
        }
        let aggregates = self.rng.usize(1..4);
        output.extend((0..aggregates).map(|_| self.aggregate()));
        let mut having = Condition::Const(true);
        if !group_by.is_empty() && percent(self.rng, 40) {
            having = self.having(&output);
        }
        let mut order: Vec<Expr> = group_by.clone();
        self.rng.shuffle(&mut order);
        order.truncate(self.rng.usize(..=order.len()));
        let is_total = group_by.iter().all(|expr| order.contains(expr)) && !group_by.is_empty();
        if percent(self.rng, 30) && !group_by.is_empty() {
            let count = Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false };
            order.insert(0, count);
        }
        let mut selection = Selection {
            condition: self.filter(),
            output,
            distinct: false,
            group_by,
            having,
            order_by: order.into_iter().map(|expr| self.order(expr)).collect(),
            limit: None,
            offset: None,
            limit_by: None,
        };
        self.bound(&mut selection, is_total);
        selection
    }

    fn having(&mut self, output: &[Expr]) -> Condition {
        let counts: Vec<&Expr> = output
            .iter()
            .filter(|expr| matches!(expr, Expr::Aggregate { function: AggregateFunction::Count, .. }))
            .collect();
        let count = match pick(self.rng, &counts) {
            Some(count) => (*count).clone(),
            None => Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false },
        };
        let operator = one_of(self.rng, &[Comparison::Gt, Comparison::Le, Comparison::Eq, Comparison::Ne]);
        let condition = Condition::compare(count, operator, literal(Datum::Int(self.rng.i64(..4))));
        let extreme = self.ordered().filter(|_| self.rng.bool());
        let condition = match extreme {
            Some(of) => {
                let constant = self.constant(&of);
                let extreme =
                    Expr::Aggregate { function: AggregateFunction::Max, of: Some(Box::new(of.expr)), distinct: false };
                let other = Condition::compare(extreme, Comparison::Ge, literal(constant));
                if self.rng.bool() { condition.and(other) } else { condition.or(other) }
            }
            None => condition,
        };
        if percent(self.rng, 20) { condition.negate() } else { condition }
    }

    fn assignments(&mut self) -> Vec<(u16, Expr)> {
        let mut free: Vec<usize> = (0..self.table.columns.len()).filter(|at| self.table.is_free(*at)).collect();
        self.rng.shuffle(&mut free);
        free.truncate(self.rng.usize(1..4));
        let mut assignments = Vec::new();
        for at in free {
            let Some(column) = self.table.columns.get(at) else { continue };
            let value_type = column.value_type.clone();
            let same = self.field(|other| other.value_type == value_type);
            let assigned = match (same, self.rng.u8(..6)) {
                (Some(same), 0) => same.expr,
                (Some(same), 1 | 2) if value_type.is_number() => Expr::Arithmetic {
                    operator: one_of(
                        self.rng,
                        &[
                            ommi::query::ArithmeticOperator::Add,
                            ommi::query::ArithmeticOperator::Subtract,
                            ommi::query::ArithmeticOperator::Multiply,
                            ommi::query::ArithmeticOperator::Divide,
                        ],
                    ),
                    right: Box::new(literal(self.constant(&same))),
                    left: Box::new(same.expr),
                    value_type,
                },
                _ if column.nullable && percent(self.rng, 15) => literal(Datum::Null),
                _ => match percent(self.rng, 50) {
                    true => literal(one(self.rng, &column.pool)),
                    false => literal(value(self.rng, &value_type)),
                },
            };
            assignments.extend(u16::try_from(at).ok().map(|at| (at, assigned)));
        }
        assignments
    }
}

fn one_of<T: Copy>(rng: &mut Rng, of: &[T; 4]) -> T {
    let [first, second, third, fourth] = *of;
    match rng.u8(..4) {
        0 => first,
        1 => second,
        2 => third,
        _ => fourth,
    }
}
