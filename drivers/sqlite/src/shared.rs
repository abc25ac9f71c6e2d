//! What a driver and its transactions share.

use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::Call;

use crate::error::Outcome;
use crate::native::Native;
use crate::options::Options;
use crate::pool::{Lease, Pool};
use crate::standing::Standing;

/// The connections of a handle.
pub(crate) struct Shared {
    pub(crate) options: Arc<Options>,
    pub(crate) readers: Arc<Pool>,
    /// The one connection that writes; with exclusive locking, the one that reads too.
    pub(crate) writer: Arc<Pool>,
    /// Saves readers their locks, where they take some.
    pub(crate) standing: Option<Arc<Standing>>,
}

impl Shared {
    /// The writing connection, for a write of its own. Readers of a database in memory are kept
    /// away meanwhile.
    pub(crate) async fn lease_writer(&self) -> Result<Lease> {
        let mut lease = self.writer.lease_within(None).await?;
        if self.options.is_memory() {
            let quiet = match self.readers.try_quiet() {
                Some(quiet) => quiet,
                None => self.readers.quiet(None).await?,
            };
            quiet.end_snapshots();
            lease.set_quiet(Some(quiet));
        }
        Ok(lease)
    }

    /// Whether an open read would keep writers away.
    pub(crate) fn readers_block_writers(&self) -> bool {
        self.options.is_memory() || self.options.exclusive
    }

    /// The answer to a call, or what failed in words.
    #[inline]
    pub(crate) fn in_words<T>(&self, outcome: Outcome<T>, call: &Call<'_>) -> Result<T> {
        match outcome {
            Ok(answer) => Ok(answer),
            failed => self.explain_failure(failed, Native::of(call.prepared)?, call.model, call.operation),
        }
    }

    /// The answer, or what failed in words.
    pub(crate) fn explain_failure<T>(
        &self,
        outcome: Outcome<T>,
        native: &Native,
        model: &Arc<str>,
        operation: &'static str,
    ) -> Result<T> {
        outcome.map_err(|failure| {
            let error = failure.into_error(&self.options.shown(), Some(&native.model));
            error.with_model(model).with_operation(operation)
        })
    }
}
