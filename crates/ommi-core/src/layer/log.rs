//! Tracing, and the log of slow queries.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;
use tracing::field::Empty;

use super::Layer;
use super::observe::{Observation, Observer};
use crate::driver::Driver;

/// Runs every operation in a `tracing` span of its own, `ommi`, with the operation, the model, the
/// rows and the time; an event in it has the statement's text (level `debug`) or the error (level
/// `warn`), and values only when asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceLog {
    values: bool,
}

impl TraceLog {
    /// A log without values.
    pub fn new() -> Self {
        TraceLog::default()
    }

    /// Shows the parameters' values too, which may be secret.
    pub fn with_values(mut self) -> Self {
        self.values = true;
        self
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Observer for TraceLog {
    fn span(&self, operation: &'static str, model: &str) -> Span {
        tracing::info_span!("ommi", operation, model, rows = Empty, milliseconds = Empty)
    }

    fn observe(&self, observation: &Observation<'_>) {
        let span = Span::current();
        span.record("rows", observation.rows);
        span.record("milliseconds", millis(observation.time));
        match observation.error {
            Some(error) => tracing::warn!(error = %error, text = observation.text, "failed"),
            None if self.values => {
                tracing::debug!(text = observation.text, parameters = ?observation.parameters, "done");
            }
            None => tracing::debug!(text = observation.text, "done"),
        }
    }
}

impl Layer for TraceLog {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(*self).wrap(driver)
    }
}

/// Emits a `tracing` warning for every operation that took at least a time.
#[derive(Clone, Copy, Debug)]
pub struct SlowLog {
    threshold: Duration,
}

impl SlowLog {
    /// A log of operations that took at least a time.
    pub fn new(threshold: Duration) -> Self {
        SlowLog { threshold }
    }
}

impl Observer for SlowLog {
    fn span(&self, _: &'static str, _: &str) -> Span {
        Span::none()
    }

    fn observe(&self, observation: &Observation<'_>) {
        if observation.time >= self.threshold {
            tracing::warn!(
                model = observation.model,
                operation = observation.operation,
                rows = observation.rows,
                milliseconds = millis(observation.time),
                text = observation.text,
                "slow query"
            );
        }
    }
}

impl Layer for SlowLog {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(*self).wrap(driver)
    }
}
