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
