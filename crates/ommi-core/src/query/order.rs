//! Orders of rows.

use std::marker::PhantomData;

use super::expr::Expr;
use crate::model::Model;

/// Upwards or downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the least to the greatest.
    #[default]
    Ascending,
    /// From the greatest to the least.
    Descending,
}

/// Where nulls stand. By default they sort lowest: first upwards, last downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Nulls {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

/// An expression to order by, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// What is compared.
    pub expr: Expr,
    /// Upwards or downwards.
    pub direction: Direction,
    /// Where nulls stand, if not lowest.
    pub nulls: Option<Nulls>,
}

impl OrderBy {
    /// Whether nulls come before all values.
    pub fn nulls_first(&self) -> bool {
        match self.nulls {
            Some(nulls) => nulls == Nulls::First,
            None => self.direction == Direction::Ascending,
        }
    }
}

/// An order of the rows of `M`: `User::NAME.asc()`, `User::AGE.desc().nulls_first()`.
#[must_use = "an order does nothing until it is given to `order_by`"]
#[derive(Clone, Debug)]
pub struct Order<M> {
    order_by: OrderBy,
    model: PhantomData<fn() -> M>,
}

impl<M> Order<M> {
    pub(crate) fn new(expr: Expr, direction: Direction) -> Self {
        Order { order_by: OrderBy { expr, direction, nulls: None }, model: PhantomData }
    }

    /// Nulls before all values.
    pub fn nulls_first(mut self) -> Self {
        self.order_by.nulls = Some(Nulls::First);
        self
    }

    /// Nulls after all values.
    pub fn nulls_last(mut self) -> Self {
        self.order_by.nulls = Some(Nulls::Last);
        self
    }
}

/// One order or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "this is not an order of `{M}`",
    label = "`{Self}` where an order of `{M}` is wanted: `.asc()` or `.desc()` of a field of `{M}`, or a tuple of them"
)]
pub trait OrderOf<M> {
    /// The orders as data, the most significant first.
    fn into_order(self) -> Vec<OrderBy>;
}

impl<M: Model> OrderOf<M> for Order<M> {
    fn into_order(self) -> Vec<OrderBy> {
        vec![self.order_by]
    }
}

impl<M: Model, O: OrderOf<M>> OrderOf<M> for Vec<O> {
    fn into_order(self) -> Vec<OrderBy> {
        self.into_iter().flat_map(OrderOf::into_order).collect()
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))*) => { $(
        impl<M: Model, $($t: OrderOf<M>),+> OrderOf<M> for ($($t,)+) {
            fn into_order(self) -> Vec<OrderBy> {
                let mut all = Vec::new();
                $(all.extend(self.$i.into_order());)+
                all
            }
        }
    )* };
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5)
}
