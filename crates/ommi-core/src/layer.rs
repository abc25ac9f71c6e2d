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

/// What layers do alike, in the implementations of their drivers: `driver` is what the driver `inside` says of
/// itself, and `bounds` the ends of a transaction, each by its name and what the transaction `inside` does.
#[doc(hidden)]
#[macro_export]
macro_rules! as_inside {
    (driver) => {
        fn name(&self) -> &'static str {
            self.inside.name()
        }

        fn capabilities(&self) -> &$crate::driver::Capabilities {
            self.inside.capabilities()
        }

        fn prepare(
            &self,
            statement: &$crate::query::statement::Statement,
            parameters: &[$crate::value::ValueType],
        ) -> $crate::Result<$crate::driver::Prepared> {
            self.inside.prepare(statement, parameters)
        }
    };
    (bounds of $layer:ident: $run:expr) => {
        $crate::as_inside! { @bounds $layer, $run;
            savepoint(level) = "savepoint";
            release(level) = "release";
            rollback_to(level) = "rollback to";
            commit() = "commit";
            rollback() = "rollback";
        }
    };
    (@bounds $layer:ident, $run:expr; $($method:ident($($level:ident)?) = $operation:literal;)*) => { $(
        fn $method(&self $(, $level: u32)?) -> $crate::driver::BoxFuture<'_, $crate::Result<()>> {
            let $layer = self;
            $run($operation, $layer.inside.$method($($level)?))
        }
    )* };
}

/// Wraps a driver in one that does more.
pub trait Layer: Send + Sync {
    /// The wrapped driver.
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver>;
}
