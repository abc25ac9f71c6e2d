//! The in-memory evaluator: the reference for what queries mean.
//!
//! It completes what a driver cannot do, and it is the memory driver. Every other driver is tested
//! against it. Its parts are public, so that a driver can lend them to its database where that
//! lacks an exact operation: [`arithmetic`], [`compare()`], the accumulators of aggregates.
//!
//! Conditions are evaluated in three-valued logic: `None` is unknown. `And` and `Or` stop at the
//! first part that decides them, so an error in a later part (an overflow, say) may not come up.

mod aggregate;
mod arithmetic;
mod compare;
mod condition;
mod constants;
mod expr;
mod group_key;
mod groups;
mod related;
mod select;
mod sort;
mod sum;
mod write;

pub use self::aggregate::Accumulator;
pub use self::arithmetic::arithmetic;
pub use self::compare::{compare, equal, order};
pub use self::expr::{Evaluator, date_part, json_value};
pub use self::group_key::GroupKey;
pub use self::related::Related;
pub use self::select::{Selection, select, select_related};
pub use self::sum::{AvgDecimal, AvgFloat, AvgInt, SumDecimal, SumFloat, SumInt};
pub use self::write::{assign, check_row, fit};
