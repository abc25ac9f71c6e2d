//! `ommi._core`: the part of the Python package that is Rust.
//!
//! Python introspects classes and says what it found (`model.rs`); all else is here: expressions and
//! predicates as values, queries, the road to the core, and the building of instances. Values cross
//! in whole batches (`arena.rs`): filled while the database works and the GIL is free, read with it.

mod arena;
mod company;
mod database;
mod error;
mod expression;
mod handle;
mod json;
mod lazy;
mod model;
mod operation;
mod parts;
mod port;
mod predicate;
mod query;
mod raw;
mod related;
mod route;
mod runtime;
mod sleeper;
mod stream;
mod value;
mod waiter;

use pyo3::prelude::*;

/// The private module of the package `ommi`.
#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use crate::database::Database;
    #[pymodule_export]
    use crate::expression::{Expression, count, field};
    #[pymodule_export]
    use crate::handle::has_open;
    #[pymodule_export]
    use crate::lazy::{Lazy, LazyField};
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::operation::{Operation, Running};
    #[pymodule_export]
    use crate::predicate::{Compared, Group, when};
    #[pymodule_export]
    use crate::query::Query;
    #[pymodule_export]
    use crate::raw::RawQuery;
    #[pymodule_export]
    use crate::related::Siblings;
    #[pymodule_export]
    use crate::route::Route;
    #[pymodule_export]
    use crate::runtime::after_fork_in_child;
    #[pymodule_export]
    use crate::stream::Batches;
}
