//! What a query gives in place of whole models: fields, expressions and aggregates, as tuples.

use super::aggregate::Aggregate;
use super::expr::Expr;
use super::expression::Expression;
use super::field::Field;
use crate::driver::Row;
use crate::error::Result;
use crate::model::Model;
use crate::value::Value;

/// Selection from rows.
#[derive(Debug)]
pub enum Rows {}

/// Selection from groups.
#[derive(Debug)]
pub enum Groups {}

/// Selection from all rows of a query at once.
#[derive(Debug)]
pub enum Whole {}

/// A field, an expression or, where rows are put together, an aggregate; or a tuple of up to
/// twelve.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from `{M}` here",
    label = "not selectable",
    note = "fields and expressions of `{M}` can; aggregates such as `count()` can after `group_by`, and in `aggregate(..)`"
)]
pub trait Select<M, K> {
    /// What a row of the answer becomes.
    type Out: Send + 'static;

    /// Adds the expressions to those of the answer.
    fn expressions(self, all: &mut Vec<Expr>);

    /// Reads a row of the answer.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit its type.
    fn decode(row: &mut Row<'_>) -> Result<Self::Out>;
}

macro_rules! values {
    ($($t:ident: $($kind:ident)*;)*) => { $($(
        impl<M: Model, V: Value> Select<M, $kind> for $t<M, V> {
            type Out = V;

            fn expressions(self, all: &mut Vec<Expr>) {
                all.push(self.into_expr());
            }

            fn decode(row: &mut Row<'_>) -> Result<V> {
                row.take()
            }
        }
    )*)* };
}

values! {
    Field: Rows Groups;
    Expression: Rows Groups;
}

impl<M: Model, G: Value, W> Select<M, Groups> for Aggregate<M, G, W> {
    type Out = G;

    fn expressions(self, all: &mut Vec<Expr>) {
        all.push(self.into_expr());
    }

    fn decode(row: &mut Row<'_>) -> Result<G> {
        row.take()
    }
}

impl<M: Model, G, W: Value> Select<M, Whole> for Aggregate<M, G, W> {
    type Out = W;

    fn expressions(self, all: &mut Vec<Expr>) {
        all.push(self.into_expr());
    }

    fn decode(row: &mut Row<'_>) -> Result<W> {
        row.take()
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))*) => { $(
        impl<M: Model, K, $($t: Select<M, K>),+> Select<M, K> for ($($t,)+) {
            type Out = ($($t::Out,)+);

            fn expressions(self, all: &mut Vec<Expr>) {
                $(self.$i.expressions(all);)+
            }

            fn decode(row: &mut Row<'_>) -> Result<Self::Out> {
                Ok(($($t::decode(row)?,)+))
            }
        }
    )* };
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 L 10) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 L 10 N 11)
}
