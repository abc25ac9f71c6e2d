//! On which terms a statement runs: what stands between the planner and the driver.
//!
//! A [`Layer`] wraps a driver in another that sees every operation. [`observe`] does the wrapping
//! for layers that only look on, the [`Observer`]s; a layer that changes operations implements the traits of
//! [`crate::driver`] itself. They have no default methods, so that no layer drops an operation.

pub mod count;
pub mod log;
pub mod observe;

use std::sync::Arc;

pub use tracing::Span;

pub use self::count::{CountStatements, StatementCount};
pub use self::log::{SlowLog, TraceLog};
pub use self::observe::{Observation, Observer};

use crate::driver::Driver;

/// Wraps a driver in one that does more.
pub trait Layer: Send + Sync {
    /// The wrapped driver.
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver>;
}
