//! Filters of a model.

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use super::condition::Condition;
use crate::model::Model;

/// A filter of the rows of `M`. Filters are combined with `&`, `|` and `!`.
#[must_use = "a filter does nothing until it is given to a query"]
#[derive(Clone, Debug)]
pub struct Filter<M> {
    condition: Condition,
    model: PhantomData<fn() -> M>,
}

impl<M> Filter<M> {
    /// A filter of a condition, whose field indexes are those of the model.
    pub fn from_condition(condition: Condition) -> Self {
        Filter { condition, model: PhantomData }
    }

    /// The filter as data.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }
}

/// What can stand where a filter of `M` is wanted.
#[diagnostic::on_unimplemented(
    message = "this is not a filter of `{M}`",
    label = "`{Self}` where a filter of `{M}` is wanted",
    note = "a filter compares a field of `{M}`: `{M}::FIELD.eq(value)`; a filter on another model goes through a relation"
)]
pub trait FilterOf<M> {
    /// The filter as data.
    fn into_condition(self) -> Condition;
}

impl<M: Model> FilterOf<M> for Filter<M> {
    #[inline]
    fn into_condition(self) -> Condition {
        self.condition
    }
}

impl<M: Model, F: FilterOf<M>> BitAnd<F> for Filter<M> {
    type Output = Filter<M>;

    fn bitand(self, other: F) -> Filter<M> {
        Filter::from_condition(self.condition.and(other.into_condition()))
    }
}

impl<M: Model, F: FilterOf<M>> BitOr<F> for Filter<M> {
    type Output = Filter<M>;

    fn bitor(self, other: F) -> Filter<M> {
        Filter::from_condition(self.condition.or(other.into_condition()))
    }
}

impl<M: Model> Not for Filter<M> {
    type Output = Filter<M>;

    fn not(self) -> Filter<M> {
        Filter::from_condition(self.condition.negate())
    }
}

/// A filter of groups: comparisons of aggregates, combined with `&`, `|` and `!`.
#[must_use = "a filter does nothing until it is given to `having`"]
#[derive(Clone, Debug)]
pub struct Having<M> {
    pub(crate) condition: Condition,
    model: PhantomData<fn() -> M>,
}

impl<M> Having<M> {
    pub(crate) fn new(condition: Condition) -> Self {
        Having { condition, model: PhantomData }
    }
}

impl<M: Model> BitAnd for Having<M> {
    type Output = Having<M>;

    fn bitand(self, other: Self) -> Having<M> {
        Having::new(self.condition.and(other.condition))
    }
}

impl<M: Model> BitOr for Having<M> {
    type Output = Having<M>;

    fn bitor(self, other: Self) -> Having<M> {
        Having::new(self.condition.or(other.condition))
    }
}

impl<M: Model> Not for Having<M> {
    type Output = Having<M>;

    fn not(self) -> Having<M> {
        Having::new(self.condition.negate())
    }
}
