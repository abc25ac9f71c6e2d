//! Whole selects over rows in memory.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::expr::Evaluator;
use super::group_key::GroupKey;
use super::groups::Groups;
use super::related::Related;
use super::sort::{SortKeys, Sorter};
use crate::driver::Flow;
use crate::error::{Error, Result};
use crate::query::statement::SelectStatement;
use crate::query::{Expr, LimitBy};
use crate::value::Datum;

/// Runs a select over rows, each of which holds all fields of the model and behind them those of the
/// rows that it is joined with.
///
/// Without an order it may stop reading once the limit is reached.
///
/// # Errors
///
/// `Query` if a value is outside its type, or the statement does not fit the rows.
pub fn select(
    statement: &SelectStatement,
    parameters: &[Datum],
    rows: impl IntoIterator<Item = impl AsRef<[Datum]>>,
) -> Result<Vec<Vec<Datum>>> {
    run(Selection::new(statement, parameters)?, rows)
}

/// [`select()`], with what is known of related rows.
///
/// # Errors
///
/// As [`select()`]; and `Query` if the statement asks for related rows of which nothing is known.
pub fn select_related(
    statement: &SelectStatement,
    parameters: &[Datum],
    related: &Related,
    rows: impl IntoIterator<Item = impl AsRef<[Datum]>>,
) -> Result<Vec<Vec<Datum>>> {
    run(Selection::with_related(statement, parameters, related)?, rows)
}

fn run<R: AsRef<[Datum]>>(
    mut selection: Selection<'_, R>,
    rows: impl IntoIterator<Item = R>,
) -> Result<Vec<Vec<Datum>>> {
    for row in rows {
        if selection.push(row)? == Flow::Stop {
            break;
        }
    }
    selection.finish()
}

/// A select at work: rows go in one by one, the answer comes out at the end.
///
/// It keeps no more rows than the answer needs: groups rather than their rows, and no more than a
/// few times the limit of an ordered select.
#[derive(Debug)]
pub struct Selection<'a, R> {
    statement: &'a SelectStatement,
    parameters: &'a [Datum],
    evaluator: Evaluator<'a>,
    offset: usize,
    /// How many rows are needed, those that the offset leaves out among them.
    needed: usize,
    work: Work<R>,
}

#[derive(Debug)]
enum Work<R> {
    /// Rows as they come.
    Plain { rows: Vec<Held<R>>, seen: HashSet<Vec<GroupKey>> },
    /// The first rows of each group of rows.
    Limited(Limited<R>),
    /// Rows in an order.
    Sorted { rows: Sorter<Held<R>>, seen: HashSet<Vec<GroupKey>> },
    /// Groups of rows.
    Grouped(Groups),
}

/// The first rows of each group of rows that have equal values, in the select's order.
#[derive(Debug)]
struct Limited<R> {
    offset: usize,
    needed: usize,
    places: HashMap<Vec<GroupKey>, usize>,
    groups: Vec<Sorter<R>>,
}

/// A row of the answer.
#[derive(Debug)]
enum Held<R> {
    /// Still to be projected.
    Row(R),
    /// Projected, to see whether it is distinct.
    Output(Vec<Datum>),
}

impl<'a, R: AsRef<[Datum]>> Selection<'a, R> {
    /// Begins a select.
    ///
    /// # Errors
    ///
    /// `Query` if the limit or the offset is wrong, or the groups do not fit the output.
    pub fn new(statement: &'a SelectStatement, parameters: &'a [Datum]) -> Result<Self> {
        Selection::begin(statement, parameters, Evaluator::of_select(statement, parameters))
    }

    /// Begins a select, with what is known of related rows.
    ///
    /// # Errors
    ///
    /// As [`Selection::new`].
    pub fn with_related(statement: &'a SelectStatement, parameters: &'a [Datum], related: &'a Related) -> Result<Self> {
        Selection::begin(statement, parameters, Evaluator::of_select(statement, parameters).with_related(related))
    }

    fn begin(statement: &'a SelectStatement, parameters: &'a [Datum], evaluator: Evaluator<'a>) -> Result<Self> {
        let count = |expr: Option<&Expr>, what: &str| match expr {
            None => Ok(None),
            Some(expr) => match &*evaluator.value(expr, &[])? {
                Datum::Int(number) if *number >= 0 => Ok(Some(usize::try_from(*number).unwrap_or(usize::MAX))),
                Datum::UInt(_) => Ok(Some(usize::MAX)),
                Datum::Int(number) => Err(Error::query(format!("the {what} is {number}: it cannot be negative"))),
                other => {
                    Err(Error::query(format!("the {what} is {}: it must be an integer", other.cell().type_name())))
                }
            },
        };
        let offset = count(statement.offset.as_ref(), "offset")?.unwrap_or(0);
        let needed = count(statement.limit.as_ref(), "limit")?.map_or(usize::MAX, |limit| limit.saturating_add(offset));
        let work = if statement.is_grouped() {
            Work::Grouped(Groups::new(statement, parameters)?)
        } else if let Some(LimitBy { limit, offset, .. }) = statement.limit_by() {
            let offset = count(offset.as_ref(), "offset of a group")?.unwrap_or(0);
            let needed =
                count(Some(limit), "limit of a group")?.map_or(usize::MAX, |limit| limit.saturating_add(offset));
            Work::Limited(Limited { offset, needed, places: HashMap::new(), groups: Vec::new() })
        } else if statement.order_by.is_empty() {
            Work::Plain { rows: Vec::new(), seen: HashSet::new() }
        } else {
            Work::Sorted { rows: Sorter::new(&statement.order_by, needed), seen: HashSet::new() }
        };
        Ok(Selection { statement, parameters, evaluator, offset, needed, work })
    }

    /// Takes a row, and says whether more are wanted.
    ///
    /// # Errors
    ///
    /// `Query` if a value is outside its type, or the row does not fit.
    pub fn push(&mut self, row: R) -> Result<Flow> {
        let fields = row.as_ref();
        if !self.evaluator.is_true(&self.statement.condition, fields)? {
            return Ok(Flow::Continue);
        }
        match &mut self.work {
            Work::Grouped(groups) => groups.add(&self.statement.group_by, &self.evaluator, fields)?,
            Work::Plain { rows, seen } => {
                if rows.len() < self.needed
                    && let Some(held) = hold(self.statement, &self.evaluator, seen, row)?
                {
                    rows.push(held);
                }
                if rows.len() >= self.needed {
                    return Ok(Flow::Stop);
                }
            }
            Work::Limited(limited) => {
                let keys = sort_keys(self.statement, &self.evaluator, fields)?;
                let by = self.statement.limit_by().map_or(&[][..], |limit_by| &limit_by.by);
                let group: Result<Vec<GroupKey>> =
                    by.iter().map(|expr| Ok(GroupKey::new(&*self.evaluator.value(expr, fields)?))).collect();
                let next = limited.groups.len();
                let place = *limited.places.entry(group?).or_insert(next);
                if place == next {
                    limited.groups.push(Sorter::new(&self.statement.order_by, limited.needed));
                }
                if let Some(group) = limited.groups.get_mut(place) {
                    group.push(keys, row);
                }
            }
            Work::Sorted { rows, seen } => {
                let keys = sort_keys(self.statement, &self.evaluator, fields)?;
                if let Some(held) = hold(self.statement, &self.evaluator, seen, row)? {
                    rows.push(keys, held);
                }
            }
        }
        Ok(Flow::Continue)
    }

    /// The rows of the answer.
    ///
    /// # Errors
    ///
    /// `Query` if a value of the answer is outside its type.
    pub fn finish(self) -> Result<Vec<Vec<Datum>>> {
        let mut answer = Vec::new();
        self.finish_into(|row| {
            answer.push(row.into_owned());
            Ok(Flow::Continue)
        })?;
        Ok(answer)
    }

    /// Gives the rows of the answer one by one, borrowed where they are rows that went in, until
    /// they are no longer wanted.
    ///
    /// # Errors
    ///
    /// `Query` if a value of the answer is outside its type; and what the taker gives.
    pub fn finish_into(self, mut take: impl FnMut(Cow<'_, [Datum]>) -> Result<Flow>) -> Result<()> {
        let (statement, evaluator, offset) = (self.statement, self.evaluator, self.offset);
        let give = |held: Held<R>| match held {
            Held::Row(row) if statement.output.is_empty() => take(Cow::Borrowed(own_fields(statement, row.as_ref()))),
            Held::Row(row) => take(Cow::Owned(project(statement, &evaluator, row.as_ref())?)),
            Held::Output(output) => take(Cow::Owned(output)),
        };
        match self.work {
            Work::Plain { rows, .. } => give_all(rows.into_iter().skip(offset), give),
            Work::Sorted { rows, .. } => give_all(rows.finish().skip(offset), give),
            Work::Limited(limited) => {
                let mut all = Sorter::new(&statement.order_by, self.needed);
                for group in limited.groups {
                    for row in group.finish().skip(limited.offset) {
                        all.push(sort_keys(statement, &evaluator, row.as_ref())?, Held::Row(row));
                    }
                }
                give_all(all.finish().skip(offset), give)
            }
            Work::Grouped(groups) => {
                let (over_groups, rows) = groups.finish(statement)?;
                let rows = select(&over_groups, self.parameters, rows)?;
                give_all(rows.into_iter().map(Held::Output), give)
            }
        }
    }
}

fn sort_keys<'a>(statement: &'a SelectStatement, evaluator: &Evaluator<'a>, row: &[Datum]) -> Result<SortKeys> {
    statement.order_by.iter().map(|by| Ok(evaluator.value(&by.expr, row)?.into_owned())).collect()
}

/// The fields of the select's own model in a row, which those of joined rows follow.
fn own_fields<'r>(statement: &SelectStatement, row: &'r [Datum]) -> &'r [Datum] {
    row.get(..statement.model.fields().len()).unwrap_or(row)
}

fn give_all<T>(items: impl Iterator<Item = T>, mut give: impl FnMut(T) -> Result<Flow>) -> Result<()> {
    for item in items {
        if give(item)? == Flow::Stop {
            break;
        }
    }
    Ok(())
}

/// Keeps a row for the answer, unless an equal one is there that makes it superfluous.
fn hold<'a, R: AsRef<[Datum]>>(
    statement: &'a SelectStatement,
    evaluator: &Evaluator<'a>,
    seen: &mut HashSet<Vec<GroupKey>>,
    row: R,
) -> Result<Option<Held<R>>> {
    if !statement.distinct {
        return Ok(Some(Held::Row(row)));
    }
    let output = project(statement, evaluator, row.as_ref())?;
    let is_new = seen.insert(output.iter().map(GroupKey::new).collect());
    Ok(is_new.then_some(Held::Output(output)))
}

fn project<'a>(statement: &'a SelectStatement, evaluator: &Evaluator<'a>, row: &[Datum]) -> Result<Vec<Datum>> {
    if statement.output.is_empty() {
        return Ok(own_fields(statement, row).to_vec());
    }
    statement.output.iter().map(|expr| Ok(evaluator.value(expr, row)?.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FieldDef, ModelBuilder};
    use crate::query::{AggregateFunction, ArithmeticOperator, Comparison, Condition, Direction, OrderBy};
    use crate::value::ValueType;

    fn statement() -> SelectStatement {
        let model = ModelBuilder::new("Item")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("kind", ValueType::Text).nullable(true))
            .field(FieldDef::new("size", ValueType::I64).nullable(true))
            .key(["id"])
            .build()
            .unwrap();
        SelectStatement::new(model, Condition::Const(true))
    }

    fn rows() -> Vec<Vec<Datum>> {
        let row = |id, kind: Option<&str>, size: Option<i64>| {
            vec![
                Datum::Int(id),
                kind.map_or(Datum::Null, |kind| Datum::Text(kind.into())),
                size.map_or(Datum::Null, Datum::Int),
            ]
        };
        vec![
            row(1, Some("b"), Some(3)),
            row(2, Some("a"), None),
            row(3, None, Some(5)),
            row(4, Some("b"), Some(4)),
            row(5, None, None),
            row(6, Some("a"), Some(3)),
        ]
    }

    fn by(expr: Expr, direction: Direction) -> OrderBy {
        OrderBy { expr, direction, nulls: None }
    }

    fn int(value: i64) -> Option<Expr> {
        Some(Expr::Literal(Datum::Int(value)))
    }

    fn ids(statement: &SelectStatement) -> Vec<i64> {
        let rows = select(statement, &[], rows()).unwrap();
        rows.iter().map(|row| if let Datum::Int(id) = row[0] { id } else { panic!("{row:?}") }).collect()
    }

    fn aggregate(function: AggregateFunction, of: Option<u16>) -> Expr {
        Expr::Aggregate { function, of: of.map(|index| Box::new(Expr::Field(index))), distinct: false }
    }

    #[test]
    fn only_rows_that_pass_are_selected() {
        let mut statement = statement();
        statement.condition =
            Condition::Compare { operator: Comparison::Ge, left: Expr::Field(2), right: Expr::Literal(Datum::Int(4)) };
        assert_eq!(ids(&statement), [3, 4]);
    }

    #[test]
    fn rows_are_ordered_stably_with_nulls_lowest() {
        let mut statement = statement();
        statement.order_by = vec![by(Expr::Field(1), Direction::Ascending)];
        assert_eq!(ids(&statement), [3, 5, 2, 6, 1, 4]);
        statement.order_by = vec![by(Expr::Field(1), Direction::Descending), by(Expr::Field(2), Direction::Descending)];
        assert_eq!(ids(&statement), [4, 1, 6, 2, 3, 5]);
    }

    #[test]
    fn limit_and_offset_cut_the_ordered_rows() {
        let mut statement = statement();
        statement.order_by = vec![by(Expr::Field(0), Direction::Descending)];
        statement.limit = int(2);
        statement.offset = int(1);
        assert_eq!(ids(&statement), [5, 4]);
        statement.limit = int(0);
        assert!(ids(&statement).is_empty());
        statement.limit = None;
        statement.offset = int(10);
        assert!(ids(&statement).is_empty());
        statement.limit = int(-1);
        assert!(select(&statement, &[], rows()).unwrap_err().is_query());
    }

    #[test]
    fn without_an_order_the_limit_ends_the_reading() {
        let mut statement = statement();
        statement.limit = int(2);
        let mut read = 0;
        let rows = select(&statement, &[], rows().into_iter().inspect(|_| read += 1)).unwrap();
        assert_eq!((rows.len(), read), (2, 2));
    }

    #[test]
    fn the_output_may_be_expressions_and_is_distinct_on_demand() {
        let mut statement = statement();
        statement.output = vec![Expr::Field(2)];
        statement.distinct = true;
        statement.order_by = vec![by(Expr::Field(2), Direction::Descending)];
        let values = |statement: &SelectStatement| select(statement, &[], rows()).unwrap().concat();
        assert_eq!(values(&statement), [Datum::Int(5), Datum::Int(4), Datum::Int(3), Datum::Null]);
        statement.limit = int(1);
        statement.offset = int(2);
        assert_eq!(values(&statement), [Datum::Int(3)]);
    }

    #[test]
    fn groups_have_aggregates_and_nulls_are_a_group() {
        let mut statement = statement();
        statement.group_by = vec![Expr::Field(1)];
        statement.output =
            vec![Expr::Field(1), aggregate(AggregateFunction::Count, None), aggregate(AggregateFunction::Sum, Some(2))];
        statement.order_by = vec![by(aggregate(AggregateFunction::Sum, Some(2)), Direction::Descending)];
        let text = |text: &str| Datum::Text(text.into());
        let expected = [
            vec![text("b"), Datum::Int(2), Datum::Int(7)],
            vec![Datum::Null, Datum::Int(2), Datum::Int(5)],
            vec![text("a"), Datum::Int(2), Datum::Int(3)],
        ];
        assert_eq!(select(&statement, &[], rows()).unwrap(), expected);
        statement.having = Condition::Compare {
            operator: Comparison::Gt,
            left: aggregate(AggregateFunction::Max, Some(2)),
            right: Expr::Parameter(0),
        };
        statement.limit = Some(Expr::Parameter(1));
        let parameters = [Datum::Int(3), Datum::Int(1)];
        assert_eq!(select(&statement, &parameters, rows()).unwrap(), expected[..1]);
    }

    #[test]
    fn aggregates_without_groups_give_one_row_even_over_none() {
        let mut statement = statement();
        statement.output = vec![
            aggregate(AggregateFunction::Count, None),
            aggregate(AggregateFunction::Count, Some(2)),
            aggregate(AggregateFunction::Avg, Some(2)),
        ];
        let avg = Datum::Decimal(crate::value::decimal::parse("3.75").unwrap());
        assert_eq!(select(&statement, &[], rows()).unwrap(), [[Datum::Int(6), Datum::Int(4), avg]]);
        statement.condition = Condition::Const(false);
        assert_eq!(select(&statement, &[], rows()).unwrap(), [[Datum::Int(0), Datum::Int(0), Datum::Null]]);
        statement.having = Condition::Const(false);
        assert!(select(&statement, &[], rows()).unwrap().is_empty());
    }

    #[test]
    fn groups_without_rows_are_none() {
        let mut statement = statement();
        statement.group_by = vec![Expr::Field(1)];
        statement.output = vec![aggregate(AggregateFunction::Count, None)];
        statement.condition = Condition::Const(false);
        assert!(select(&statement, &[], rows()).unwrap().is_empty());
    }

    #[test]
    fn a_grouped_expression_is_found_again_whatever_its_parameters_numbers() {
        let doubled = |parameter| Expr::Arithmetic {
            operator: ArithmeticOperator::Multiply,
            left: Box::new(Expr::Field(2)),
            right: Box::new(Expr::Parameter(parameter)),
            value_type: ValueType::I64,
        };
        let mut statement = statement();
        statement.group_by = vec![doubled(0)];
        statement.output = vec![doubled(1), aggregate(AggregateFunction::Count, None)];
        statement.order_by = vec![by(doubled(0), Direction::Ascending)];
        let found = select(&statement, &[Datum::Int(2), Datum::Int(2)], rows()).unwrap();
        assert_eq!(found[0], [Datum::Null, Datum::Int(2)]);
        assert_eq!(found[1], [Datum::Int(6), Datum::Int(2)]);
    }

    #[test]
    fn a_field_without_a_single_value_in_its_group_is_refused() {
        let mut statement = statement();
        statement.group_by = vec![Expr::Field(1)];
        statement.output = vec![Expr::Field(0)];
        assert!(select(&statement, &[], rows()).unwrap_err().message().contains("neither grouped"));
    }

    #[test]
    fn an_overflow_in_a_row_is_an_error() {
        let mut statement = statement();
        statement.output = vec![Expr::Arithmetic {
            operator: ArithmeticOperator::Add,
            left: Box::new(Expr::Field(0)),
            right: Box::new(Expr::Literal(Datum::Int(i64::MAX))),
            value_type: ValueType::I64,
        }];
        assert!(select(&statement, &[], rows()).unwrap_err().is_query());
    }
}
