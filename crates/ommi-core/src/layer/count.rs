//! Counting statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Span;

use super::Layer;
use super::observe::{Observation, Observer};
use crate::driver::Driver;

/// How many statements were sent since the count began.
#[derive(Debug, Default)]
pub struct StatementCount(AtomicU64);

impl StatementCount {
    /// The number of statements. The bounds of transactions do not count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Begins anew, and gives the number until now.
    pub fn reset(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Observer for StatementCount {
    fn span(&self, _: &'static str, _: &str) -> Span {
        Span::none()
    }

    fn observe(&self, observation: &Observation<'_>) {
        if observation.is_statement() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A layer that counts the statements that are sent.
#[derive(Clone, Debug, Default)]
pub struct CountStatements(Arc<StatementCount>);

impl CountStatements {
    /// The count.
    pub fn count(&self) -> &StatementCount {
        &self.0
    }
}

impl Layer for CountStatements {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        self.0.wrap(driver)
    }
}
