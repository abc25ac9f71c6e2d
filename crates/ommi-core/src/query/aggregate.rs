//! Aggregates over rows and groups.

use std::marker::PhantomData;

use super::condition::{Comparison, Condition};
use super::expr::{AggregateFunction, Expr};
use super::filter::Having;
use super::operand::Operand;
use super::order::{Direction, Order};
use crate::model::Model;
use crate::value::{Value, kind};

/// The types that an aggregate is of, none of which it holds.
type Types<M, G, W> = PhantomData<fn() -> (M, G, W)>;

/// An aggregate over the rows of `M`: a `G` in a group, which has rows; a `W` over all rows of a
/// query, which may have none.
#[must_use = "an aggregate does nothing until it is selected or compared"]
#[derive(Clone, Debug)]
pub struct Aggregate<M, G, W> {
    expr: Expr,
    types: Types<M, G, W>,
}

/// The number of rows.
pub fn count<M: Model>() -> Aggregate<M, i64, i64> {
    Aggregate::new(AggregateFunction::Count, None, false)
}

impl<M, G, W> Aggregate<M, G, W> {
    pub(crate) fn new(function: AggregateFunction, of: Option<Expr>, distinct: bool) -> Self {
        Aggregate { expr: Expr::Aggregate { function, of: of.map(Box::new), distinct }, types: PhantomData }
    }

    pub(crate) fn into_expr(self) -> Expr {
        self.expr
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident = $operator:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(self, value: impl Operand<M, G>) -> Having<M> {
            Having::new(Condition::compare(self.expr, Comparison::$operator, value.into_operand()))
        }
    )* };
}

impl<M: Model, G: Value, W> Aggregate<M, G, W>
where
    G::Kind: kind::IsOrdered,
{
    comparisons! {
        /// The aggregate is equal to a value.
        eq = Eq;
        /// The aggregate differs from a value.
        ne = Ne;
        /// The aggregate is less than a value.
        lt = Lt;
        /// The aggregate is at most a value.
        le = Le;
        /// The aggregate is greater than a value.
        gt = Gt;
        /// The aggregate is at least a value.
        ge = Ge;
    }

    /// Groups from the least aggregate to the greatest, null lowest.
    pub fn asc(self) -> Order<M> {
        Order::new(self.expr, Direction::Ascending)
    }

    /// Groups from the greatest aggregate to the least, null lowest.
    pub fn desc(self) -> Order<M> {
        Order::new(self.expr, Direction::Descending)
    }
}
