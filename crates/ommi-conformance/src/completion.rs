//! Listening for what the engine completes: the planner warns once for each shape of a query.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The reasons of the planner's warnings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Completions(Arc<Mutex<Vec<String>>>);

impl Completions {
    /// The reasons that were heard, each once.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut reasons = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        reasons.sort();
        reasons.dedup();
        reasons
    }
}

impl Subscriber for Completions {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::WARN && metadata.target().starts_with("ommi_core::plan")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut reason = Reason(None);
        event.record(&mut reason);
        if let Some(reason) = reason.0 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Reason(Option<String>);

impl Visit for Reason {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "reason" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "reason" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}
