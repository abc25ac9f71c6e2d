//! Assignments of updates.

use std::marker::PhantomData;

use super::expr::Expr;
use crate::model::Model;

/// An assignment to a field of `M`: `User::AGE.set(18)`.
#[must_use = "an assignment does nothing until it is given to `update`"]
#[derive(Clone, Debug)]
pub struct Assignment<M> {
    field: u16,
    value: Expr,
    model: PhantomData<fn() -> M>,
}

impl<M> Assignment<M> {
    pub(crate) fn new(field: u16, value: Expr) -> Self {
        Assignment { field, value, model: PhantomData }
    }
}

/// One assignment to a field of `M`, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "this is not an assignment to a field of `{M}`",
    label = "`{Self}` where `{M}::FIELD.set(..)` is wanted, or a tuple of them"
)]
pub trait AssignmentOf<M> {
    /// The assignments as data: the field's index and its new value.
    fn into_assignments(self) -> Vec<(u16, Expr)>;
}

impl<M: Model> AssignmentOf<M> for Assignment<M> {
    fn into_assignments(self) -> Vec<(u16, Expr)> {
        vec![(self.field, self.value)]
    }
}

impl<M: Model> AssignmentOf<M> for Vec<Assignment<M>> {
    fn into_assignments(self) -> Vec<(u16, Expr)> {
        self.into_iter().map(|assignment| (assignment.field, assignment.value)).collect()
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))*) => { $(
        impl<M: Model, $($t: AssignmentOf<M>),+> AssignmentOf<M> for ($($t,)+) {
            fn into_assignments(self) -> Vec<(u16, Expr)> {
                let mut all = Vec::new();
                $(all.extend(self.$i.into_assignments());)+
                all
            }
        }
    )* };
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}
