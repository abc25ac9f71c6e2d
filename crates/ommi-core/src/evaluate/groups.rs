//! Groups of rows, and what is asked of them.

use std::collections::HashMap;

use super::aggregate::Accumulator;
use super::constants;
use super::expr::Evaluator;
use super::group_key::GroupKey;
use crate::error::{Error, Result};
use crate::query::statement::SelectStatement;
use crate::query::{Condition, Expr, InList, OrderBy};
use crate::value::Datum;

/// Groups of rows, and the statement that reads them: its rows are the values that were grouped
/// by, then the aggregates.
#[derive(Debug)]
pub(super) struct Groups {
    output: Vec<Expr>,
    having: Condition,
    order_by: Vec<OrderBy>,
    aggregates: Vec<Expr>,
    places: HashMap<Vec<GroupKey>, usize>,
    groups: Vec<(Vec<Datum>, Vec<Accumulator>)>,
}

impl Groups {
    pub(super) fn new(statement: &SelectStatement, parameters: &[Datum]) -> Result<Self> {
        if statement.output.is_empty() {
            return Err(Error::query("a select with groups says what it selects: add `select(..)`"));
        }
        let mut rewrite = Rewrite {
            group_by: statement.group_by.iter().map(|expr| constants::in_expr(expr, parameters)).collect(),
            parameters,
            aggregates: Vec::new(),
        };
        let output = statement.output.iter().map(|expr| rewrite.expr(expr)).collect::<Result<_>>()?;
        let having = rewrite.condition(&statement.having)?;
        let order_by = statement
            .order_by
            .iter()
            .map(|by| Ok(OrderBy { expr: rewrite.expr(&by.expr)?, ..by.clone() }))
            .collect::<Result<_>>()?;
        let mut groups = Groups {
            output,
            having,
            order_by,
            aggregates: rewrite.aggregates,
            places: HashMap::new(),
            groups: Vec::new(),
        };
        if statement.group_by.is_empty() {
            // all rows are one group, even if there are none
            groups.groups.push((Vec::new(), groups.accumulators()));
            groups.places.insert(Vec::new(), 0);
        }
        Ok(groups)
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        let accumulators = self.aggregates.iter().filter_map(|aggregate| match aggregate {
            Expr::Aggregate { function, distinct, .. } => Some(Accumulator::new(*function, *distinct)),
            _ => None,
        });
        accumulators.collect()
    }

    pub(super) fn add<'a>(&mut self, group_by: &'a [Expr], evaluator: &Evaluator<'a>, row: &[Datum]) -> Result<()> {
        let key =
            group_by.iter().map(|expr| Ok(GroupKey::new(&*evaluator.value(expr, row)?))).collect::<Result<Vec<_>>>()?;
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let values =
                    group_by.iter().map(|expr| Ok(evaluator.value(expr, row)?.into_owned())).collect::<Result<_>>()?;
                self.groups.push((values, self.accumulators()));
                self.places.insert(key, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        let Some((_, accumulators)) = self.groups.get_mut(place) else { return Ok(()) };
        for (aggregate, accumulator) in self.aggregates.iter().zip(accumulators) {
            match aggregate {
                Expr::Aggregate { of: Some(of), .. } => accumulator.add(&*evaluator.value(of, row)?)?,
                _ => accumulator.add_row(),
            }
        }
        Ok(())
    }

    /// The statement over the groups, and the groups as rows.
    pub(super) fn finish(self, statement: &SelectStatement) -> Result<(SelectStatement, Vec<Vec<Datum>>)> {
        let over_groups = SelectStatement {
            model: statement.model.clone(),
            output: self.output,
            distinct: statement.distinct,
            condition: self.having,
            group_by: Vec::new(),
            having: Condition::Const(true),
            order_by: self.order_by,
            limit: statement.limit.clone(),
            offset: statement.offset.clone(),
            extras: None,
        };
        let rows = self.groups.into_iter().map(|(mut row, accumulators)| {
            for accumulator in accumulators {
                row.push(accumulator.finish()?);
            }
            Ok(row)
        });
        Ok((over_groups, rows.collect::<Result<_>>()?))
    }
}

/// Turns expressions over rows into expressions over groups.
struct Rewrite<'a> {
    group_by: Vec<Expr>,
    parameters: &'a [Datum],
    aggregates: Vec<Expr>,
}

impl Rewrite<'_> {
    fn expr(&mut self, expr: &Expr) -> Result<Expr> {
        let plain = constants::in_expr(expr, self.parameters);
        self.rewrite(&plain)
    }

    fn rewrite(&mut self, expr: &Expr) -> Result<Expr> {
        let field = |place: usize| u16::try_from(place).map(Expr::Field).map_err(|_| Error::query("too many groups"));
        if let Some(place) = self.group_by.iter().position(|by| by == expr) {
            return field(place);
        }
        Ok(match expr {
            Expr::Aggregate { .. } => {
                let place = self.aggregates.iter().position(|known| known == expr).unwrap_or_else(|| {
                    self.aggregates.push(expr.clone());
                    self.aggregates.len() - 1
                });
                field(self.group_by.len() + place)?
            }
            Expr::Literal(_) | Expr::Parameter(_) => expr.clone(),
            Expr::Field(_) | Expr::Inserted(_) | Expr::Joined { .. } | Expr::Related { .. } => {
                return Err(Error::query(
                    "a field is selected that is neither grouped by nor in an aggregate: it has no single value in a group",
                ));
            }
            Expr::Arithmetic { operator, left, right, value_type } => Expr::Arithmetic {
                operator: *operator,
                left: Box::new(self.rewrite(left)?),
                right: Box::new(self.rewrite(right)?),
                value_type: value_type.clone(),
            },
            Expr::DatePart { part, of } => Expr::DatePart { part: *part, of: Box::new(self.rewrite(of)?) },
            Expr::JsonPath { of, path, cast } => {
                Expr::JsonPath { of: Box::new(self.rewrite(of)?), path: path.clone(), cast: *cast }
            }
            Expr::Length(of) => Expr::Length(Box::new(self.rewrite(of)?)),
        })
    }

    fn condition(&mut self, condition: &Condition) -> Result<Condition> {
        Ok(match condition {
            Condition::Const(value) => Condition::Const(*value),
            Condition::Compare { operator, left, right } => {
                Condition::Compare { operator: *operator, left: self.expr(left)?, right: self.expr(right)? }
            }
            Condition::In { expr, list, negated } => Condition::In {
                expr: self.expr(expr)?,
                list: match list {
                    InList::Values(values) => {
                        InList::Values(values.iter().map(|value| self.expr(value)).collect::<Result<_>>()?)
                    }
                    InList::Whole(list) => InList::Whole(self.expr(list)?),
                },
                negated: *negated,
            },
            Condition::IsNull { expr, negated } => Condition::IsNull { expr: self.expr(expr)?, negated: *negated },
            Condition::Text { operator, expr, pattern, negated } => Condition::Text {
                operator: *operator,
                expr: self.expr(expr)?,
                pattern: self.expr(pattern)?,
                negated: *negated,
            },
            Condition::List { operator, expr, argument, negated } => Condition::List {
                operator: *operator,
                expr: self.expr(expr)?,
                argument: self.expr(argument)?,
                negated: *negated,
            },
            Condition::And(parts) => Condition::And(self.conditions(parts)?),
            Condition::Or(parts) => Condition::Or(self.conditions(parts)?),
            Condition::Not(condition) => Condition::Not(Box::new(self.condition(condition)?)),
            Condition::IsTrue { condition, negated } => {
                Condition::IsTrue { condition: Box::new(self.condition(condition)?), negated: *negated }
            }
            Condition::Related { .. } => {
                return Err(Error::query("groups are filtered by related rows, which are those of a row"));
            }
        })
    }

    fn conditions(&mut self, parts: &[Condition]) -> Result<Vec<Condition>> {
        parts.iter().map(|part| self.condition(part)).collect()
    }
}
