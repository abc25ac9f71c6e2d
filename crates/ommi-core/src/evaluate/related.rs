//! What is known of related rows: a value for each of their keys.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::constants;
use super::expr::Evaluator;
use super::group_key::GroupKey;
use crate::error::{Error, Result};
use crate::model::{Link, LinkKind};
use crate::query::statement::SelectStatement;
use crate::query::{AggregateFunction, Comparison, Condition, Expr, RelatedNode};
use crate::value::Datum;

/// What a statement asks of related rows, answered before its own rows are looked at.
///
/// For each [`RelatedNode`] of the statement, [`Related::select`] gives a select over the link's
/// target that answers it for all rows at once; whoever has the target's rows runs it, and
/// [`Related::insert`] takes its rows.
#[derive(Debug, Default)]
pub struct Related {
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    link: Arc<Link>,
    /// Condition and value as the statement has them, and with the parameters' values in place.
    asked: [(Condition, Option<Expr>); 2],
    /// The values by the values of the link's fields.
    found: HashMap<Key, Datum>,
    /// The value for rows that find none.
    absent: Datum,
}

type Key = SmallVec<[GroupKey; 1]>;

impl Related {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Whether a part of a statement is answered already.
    pub fn knows(&self, node: &RelatedNode<'_>) -> bool {
        self.answer(node).is_some()
    }

    /// The select over the link's target that answers a part of a statement with these parameters. It
    /// has none itself; its rows hold the values of the link's fields, then the value asked for.
    pub fn select(node: &RelatedNode<'_>, parameters: &[Datum]) -> SelectStatement {
        let mut condition = constants::in_condition(node.condition, parameters);
        if let Some(LinkKind { of_target: true, field, value }) = node.link.kind() {
            condition = kind_is(*field, value).and(condition);
        }
        let mut select = SelectStatement::new(Arc::clone(node.link.target()), condition);
        select.output.extend(node.link.to().iter().copied().map(Expr::Field));
        match node.of.map(|of| constants::in_expr(of, parameters)) {
            None => select.distinct = true,
            Some(of) => {
                if of.has_aggregate() {
                    // no row is related to a null, and an aggregate of those that have one may fail
                    let nullable =
                        node.link.to().iter().copied().filter(|field| {
                            node.link.target().field(*field).is_some_and(|definition| definition.nullable)
                        });
                    let known = nullable.map(|field| Condition::IsNull { expr: Expr::Field(field), negated: true });
                    select.condition = known.fold(select.condition, Condition::and);
                    select.group_by.clone_from(&select.output);
                }
                select.output.push(of);
            }
        }
        select
    }

    /// Takes the answer of the select that [`Related::select`] gives.
    ///
    /// # Errors
    ///
    /// `Query` if the rows are not of that select.
    pub fn insert(&mut self, node: &RelatedNode<'_>, parameters: &[Datum], rows: Vec<Vec<Datum>>) -> Result<()> {
        let width = node.link.to().len();
        let mut found = HashMap::with_capacity(rows.len());
        for mut row in rows {
            let value = match node.of {
                None => Datum::Bool(true),
                Some(_) => row.pop().unwrap_or_default(),
            };
            if row.len() != width {
                return Err(Error::query("the rows of a select of related rows have other fields: a fault of Ommi"));
            }
            if !row.iter().any(Datum::is_null) {
                found.insert(row.iter().map(GroupKey::new).collect(), value);
            }
        }
        let absent = match node.of {
            None => Datum::Bool(false),
            Some(Expr::Aggregate { function: AggregateFunction::Count, .. }) => Datum::Int(0),
            Some(_) => Datum::Null,
        };
        let asked = [
            (node.condition.clone(), node.of.cloned()),
            (constants::in_condition(node.condition, parameters), node.of.map(|of| constants::in_expr(of, parameters))),
        ];
        self.answers.push(Answer { link: Arc::clone(node.link), asked, found, absent });
        Ok(())
    }

    fn answer(&self, node: &RelatedNode<'_>) -> Option<&Answer> {
        let is_asked = |asked: &(Condition, Option<Expr>)| asked.0 == *node.condition && asked.1.as_ref() == node.of;
        self.answers.iter().find(|answer| {
            (Arc::ptr_eq(&answer.link, node.link) || answer.link == *node.link) && answer.asked.iter().any(is_asked)
        })
    }
}

/// The condition that a field names the link's model.
fn kind_is(field: u16, value: &str) -> Condition {
    Condition::Compare {
        operator: Comparison::Eq,
        left: Expr::Field(field),
        right: Expr::Literal(Datum::Text(value.into())),
    }
}

impl Answer {
    fn value(&self, row: &[Datum]) -> &Datum {
        if let Some(LinkKind { of_target: false, field, value }) = self.link.kind()
            && !matches!(row.get(usize::from(*field)), Some(Datum::Text(text)) if text == value)
        {
            return &self.absent;
        }
        let key: Option<Key> = self
            .link
            .from()
            .iter()
            .map(|field| row.get(usize::from(*field)).filter(|value| !value.is_null()).map(GroupKey::new))
            .collect();
        key.and_then(|key| self.found.get(&key)).unwrap_or(&self.absent)
    }
}

impl<'a> Evaluator<'a> {
    /// The value of a part about related rows.
    pub(super) fn related_value<'v>(&self, node: &RelatedNode<'_>, row: &'v [Datum]) -> Result<Cow<'v, Datum>>
    where
        'a: 'v,
    {
        match self.related.and_then(|related| related.answer(node)) {
            Some(answer) => Ok(Cow::Borrowed(answer.value(row))),
            None => Err(unknown(node)),
        }
    }
}

#[cold]
fn unknown(node: &RelatedNode<'_>) -> Error {
    Error::query(format!("related rows of {} cannot be looked for here", node.link.target().name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::select_related;
    use crate::model::{FieldDef, ModelBuilder, ModelDef};
    use crate::value::ValueType;

    /// A node of a tree, with its parent and a number.
    fn node() -> Arc<ModelDef> {
        ModelBuilder::new("Node")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("parent", ValueType::I64).nullable(true))
            .field(FieldDef::new("number", ValueType::I64).nullable(true))
            .key(["id"])
            .build()
            .unwrap()
    }

    fn int(value: impl Into<Option<i64>>) -> Datum {
        value.into().map_or(Datum::Null, Datum::Int)
    }

    fn rows() -> Vec<Vec<Datum>> {
        let rows =
            [(1, None, Some(5)), (2, Some(1), None), (3, Some(1), Some(7)), (4, Some(3), Some(7)), (5, Some(9), None)];
        rows.into_iter().map(|(id, parent, number)| vec![int(id), int(parent), int(number)]).collect()
    }

    /// The answers to all that a select asks of related rows, those to nested parts first.
    fn answers(select: &SelectStatement, parameters: &[Datum]) -> Related {
        let mut related = Related::default();
        let mut nodes = Vec::new();
        select.each_related(&mut |node| nodes.push(node));
        for node in nodes {
            let of_node = Related::select(&node, parameters);
            let inner = answers(&of_node, &[]);
            related.insert(&node, parameters, select_related(&of_node, &[], &inner, rows()).unwrap()).unwrap();
        }
        related
    }

    fn answer(select: &SelectStatement, parameters: &[Datum]) -> Vec<Vec<Datum>> {
        let related = answers(select, parameters);
        select_related(select, parameters, &related, rows()).unwrap()
    }

    fn parent() -> Arc<Link> {
        let node = node();
        Arc::new(Link::new(&node, &node, [1], [0]).unwrap())
    }

    fn number_is(parameter: u16) -> Condition {
        Condition::Compare { operator: Comparison::Eq, left: Expr::Field(2), right: Expr::Parameter(parameter) }
    }

    fn related(link: &Arc<Link>, condition: Condition) -> Condition {
        Condition::Related { link: link.clone(), condition: Box::new(condition) }
    }

    #[test]
    fn rows_are_found_by_those_that_a_link_leads_to() {
        let link = parent();
        let mut select = SelectStatement::new(link.source().clone(), related(&link, number_is(0)));
        select.output = vec![Expr::Field(0)];
        assert_eq!(answer(&select, &[int(5)]), [[int(2)], [int(3)]]);
        // of an unknown condition and of a parent that is not there nothing is found
        assert!(answer(&select, &[Datum::Null]).is_empty());
        select.condition = Condition::Not(Box::new(select.condition));
        assert_eq!(answer(&select, &[int(5)]), [[int(1)], [int(4)], [int(5)]]);
        select.condition = related(&link, related(&link, number_is(0)));
        assert_eq!(answer(&select, &[int(5)]), [[int(4)]]);
    }

    #[test]
    fn aggregates_of_none_are_zero_or_null() {
        let link = parent();
        let children = Arc::new(link.reversed());
        let of = |function, of: Option<u16>| Expr::Related {
            link: children.clone(),
            condition: Box::new(Condition::Const(true)),
            of: Box::new(Expr::Aggregate { function, of: of.map(|of| Box::new(Expr::Field(of))), distinct: false }),
        };
        let mut select = SelectStatement::new(link.source().clone(), Condition::Const(true));
        select.output = vec![of(AggregateFunction::Count, None), of(AggregateFunction::Sum, Some(2))];
        let pair = |count: i64, sum: Option<i64>| [int(count), int(sum)];
        assert_eq!(
            answer(&select, &[]),
            [pair(2, Some(7)), pair(0, None), pair(1, Some(7)), pair(0, None), pair(0, None)]
        );
    }

    #[test]
    fn groups_may_be_made_and_aggregated_by_related_values() {
        let link = parent();
        let number = Expr::Related {
            link: link.clone(),
            condition: Box::new(Condition::Const(true)),
            of: Box::new(Expr::Arithmetic {
                operator: crate::query::ArithmeticOperator::Add,
                left: Box::new(Expr::Field(2)),
                right: Box::new(Expr::Parameter(0)),
                value_type: ValueType::I64,
            }),
        };
        let mut select = SelectStatement::new(link.source().clone(), Condition::Const(true));
        select.group_by = vec![number.clone()];
        let greatest =
            Expr::Aggregate { function: AggregateFunction::Max, of: Some(Box::new(number.clone())), distinct: false };
        select.output = vec![number, greatest];
        assert_eq!(answer(&select, &[int(10)]), [[int(None), int(None)], [int(15), int(15)], [int(17), int(17)]]);
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let link = parent();
        let select = SelectStatement::new(link.source().clone(), related(&link, Condition::Const(true)));
        assert!(select_related(&select, &[], &Related::default(), rows()).unwrap_err().is_query());
    }

    #[test]
    fn joined_fields_lie_behind_those_of_the_row() {
        let link = parent();
        let mut select = SelectStatement::new(link.source().clone(), Condition::Const(true));
        let place = select.join(link);
        let field = |select: &SelectStatement, field| select.joins()[0].field(place, field);
        select.condition = Condition::compare(field(&select, 2), Comparison::Eq, Expr::Parameter(0));
        select.output = vec![Expr::Field(0), field(&select, 0)];
        let pairs =
            [[int(2), int(1), int(None), int(1), int(None), int(5)], [int(4), int(3), int(7), int(3), int(1), int(7)]];
        assert_eq!(crate::evaluate::select(&select, &[int(7)], pairs.clone()).unwrap(), [[int(4), int(3)]]);
        // without a selection the row is that of the model
        select.output.clear();
        assert_eq!(crate::evaluate::select(&select, &[int(5)], pairs).unwrap(), [[int(2), int(1), int(None)]]);
    }

    #[test]
    fn groups_of_rows_are_limited_in_the_order_of_all() {
        let mut select = SelectStatement::new(node(), Condition::Const(true));
        select.output = vec![Expr::Field(0)];
        let by = vec![Expr::Field(1)];
        select.set_limit_by(crate::query::LimitBy { by, limit: Expr::Parameter(0), offset: None });
        let direction = crate::query::Direction::Descending;
        select.order_by = vec![crate::query::OrderBy { expr: Expr::Field(0), direction, nulls: None }];
        assert_eq!(answer(&select, &[int(1)]), [[int(5)], [int(4)], [int(3)], [int(1)]]);
        select.limit = Some(Expr::Literal(int(2)));
        select.offset = Some(Expr::Literal(int(1)));
        assert_eq!(answer(&select, &[int(1)]), [[int(4)], [int(3)]]);
        assert!(answer(&select, &[int(0)]).is_empty());
    }
}
