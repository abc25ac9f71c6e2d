//! The operations whose futures are dropped.

mod reads;
mod schema;
mod transactions;
mod writes;

use ommi::driver::BoxFuture;
use ommi::prelude::*;

use super::cut::Cut;
use crate::capability::Capability;
use crate::models::{Item, item};

/// How many rows there are that no operation changes.
pub(super) const KEPT: i64 = 1200;
/// How many keys an operation has for itself, from its first on.
pub(super) const KEYS: i64 = 1000;

/// A row that no operation changes.
pub(super) fn kept(id: i64) -> Item {
    Item { quantity: i32::try_from(id % 7).ok(), ..item(id, &format!("kept {id}")) }
}

/// Does an operation anew, whatever a drop has left of it.
type Again = fn(Db, i64) -> BoxFuture<'static, Result<()>>;

/// An operation whose future is dropped.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) needs: &'static [Capability],
    /// The rows that are there before it, from its first key on.
    pub(super) before: fn(i64) -> Vec<Item>,
    /// The rows that are there after it.
    pub(super) after: fn(i64) -> Vec<Item>,
    /// Its rows as they are.
    pub(super) rows: fn(Db, i64) -> BoxFuture<'static, Result<Vec<Item>>>,
    /// Runs it up to a point; gives whether it came to its end before.
    pub(super) run: fn(Db, i64, Cut) -> BoxFuture<'static, Result<bool>>,
    /// Whether its rows are those after it wherever it is dropped.
    pub(super) goes_on: bool,
    /// Shows that it can be done anew after a drop.
    pub(super) again: Option<Again>,
}

/// The rows of the keys that an operation has for itself.
fn own_rows(db: Db, first: i64) -> BoxFuture<'static, Result<Vec<Item>>> {
    Box::pin(async move { db.find(Item::ID.between(first, first + KEYS - 1)).order_by(Item::ID.asc()).all().await })
}

fn none(_: i64) -> Vec<Item> {
    Vec::new()
}

/// An operation that changes nothing.
const READ: Operation = Operation {
    name: "",
    needs: &[],
    before: none,
    after: none,
    rows: own_rows,
    run: |_, _, _| Box::pin(async { Ok(true) }),
    goes_on: false,
    again: None,
};

/// All operations.
pub(super) fn all() -> impl Iterator<Item = Operation> {
    [reads::OPERATIONS, writes::OPERATIONS, transactions::OPERATIONS, schema::OPERATIONS].into_iter().flatten().copied()
}

/// Lists operations: a name, what it needs, its rows before and after if it writes, and its run.
macro_rules! operations {
    ($($name:literal $(needs $($capability:ident)+)? $(, before $before:expr)? $(, after $after:expr)?
       $(, rows $rows:expr)? $(, goes_on $goes_on:literal)? $(, again $again:expr)? => |$db:pat_param, $first:pat_param, $cut:pat_param| $run:block)+) => {
        pub(super) const OPERATIONS: &[super::Operation] = &[$(
            super::Operation {
                name: $name,
                $(needs: &[$($crate::capability::$capability),+],)?
                $(before: $before,)?
                $(after: $after,)?
                $(rows: $rows,)?
                $(goes_on: $goes_on,)?
                $(again: Some($again),)?
                run: |$db, $first, $cut| Box::pin(async move $run),
                ..super::READ
            }
        ),+];
    };
}
use operations;
