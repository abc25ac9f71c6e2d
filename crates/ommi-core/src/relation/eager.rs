//! Relations that are loaded together with the rows that have them.

use std::fmt;
use std::sync::Arc;

use super::group::Group;
use crate::driver::BoxFuture;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::query::{Condition, OrderBy};

/// Which of the related rows are loaded, in which order, and what of theirs.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// The rows' own filter.
    pub(crate) condition: Condition,
    /// The order of the rows of each owner.
    pub(crate) order_by: Vec<OrderBy>,
    /// How many rows each owner gets at most.
    pub(crate) limit: Option<u64>,
    /// The rows' relations that are loaded too.
    pub(crate) with: Vec<Eager>,
}

impl Default for Spec {
    fn default() -> Self {
        Spec { condition: Condition::Const(true), order_by: Vec::new(), limit: None, with: Vec::new() }
    }
}

/// A relation that a query loads with its rows.
#[derive(Clone)]
pub struct Eager {
    relation: u16,
    pub(crate) spec: Spec,
    load: for<'a> fn(&'a Group, u16, &'a Spec) -> BoxFuture<'a, Result<()>>,
}

impl fmt::Debug for Eager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eager").field("relation", &self.relation).field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl Eager {
    /// The relation at an index, which leads to rows of `T`.
    pub(crate) fn new<T: Model>(relation: u16, spec: Spec) -> Self {
        Eager { relation, spec, load: load_with::<T> }
    }

    /// A relation that no field of the rows holds.
    pub(crate) fn without_field() -> Self {
        Eager {
            relation: 0,
            spec: Spec::default(),
            load: |_, _, _| {
                Box::pin(async {
                    Err(Error::query(
                        "the rows have no field for this relation, so it cannot be loaded with them: read it by `.of(&db, &rows)`, or declare a field",
                    ))
                })
            },
        }
    }
}

fn load_with<'a, T: Model>(group: &'a Group, relation: u16, spec: &'a Spec) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let loaded = group.load::<T>(relation, spec, None).await?;
        match &loaded.related.group {
            Some(group) => load_all(group, &spec.with).await,
            None => Ok(()),
        }
    })
}

/// Loads relations of all rows of a group, one after the other.
pub(crate) async fn load_all(group: &Arc<Group>, relations: &[Eager]) -> Result<()> {
    for eager in relations {
        (eager.load)(group, eager.relation, &eager.spec).await?;
    }
    Ok(())
}

/// What a query of rows of `M` can load with them: a relation of `M`, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "this is not a relation of `{M}` that can be loaded with its rows",
    label = "`{Self}` where a relation field of `{M}` is wanted, or a tuple of them"
)]
pub trait With<M> {
    /// The relations as data.
    #[doc(hidden)]
    fn eager(self) -> Vec<Eager>;
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))*) => { $(
        impl<M: Model, $($t: With<M>),+> With<M> for ($($t,)+) {
            fn eager(self) -> Vec<Eager> {
                let mut all = Vec::new();
                $(all.extend(self.$i.eager());)+
                all
            }
        }
    )* };
}

tuples! { (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5) }
