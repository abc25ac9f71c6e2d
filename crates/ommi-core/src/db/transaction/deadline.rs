//! The time that a transaction may take.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Result};

/// When a transaction has to be over, if ever.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deadline(Option<(Instant, Duration)>);

impl Deadline {
    /// The end of a time that begins now.
    ///
    /// # Errors
    ///
    /// `Config` if there is no Tokio runtime, whose clock it needs.
    pub(super) fn after(time: Option<Duration>) -> Result<Self> {
        let Some(time) = time else { return Ok(Deadline(None)) };
        if Handle::try_current().is_err() {
            return Err(Error::config("the `timeout` of a transaction needs a Tokio runtime with a timer"));
        }
        // a time that ends after the end of time never does
        Ok(Deadline(Instant::now().checked_add(time).map(|at| (at, time))))
    }

    /// The moment, if there is one.
    pub(super) fn at(self) -> Option<Instant> {
        self.0.map(|(at, _)| at)
    }

    /// The answer to work, if it comes in time; where it does not, the work is dropped and the
    /// answer is the error that `late` makes.
    pub(super) async fn limit<T>(
        self,
        work: impl Future<Output = Result<T>>,
        late: impl FnOnce(Self) -> Error,
    ) -> Result<T> {
        match self.0 {
            None => work.await,
            Some((at, _)) => timeout_at(at, work).await.unwrap_or_else(|_| Err(late(self))),
        }
    }

    /// The time that is left, if it is bounded.
    pub(super) fn left(self) -> Option<Duration> {
        self.at().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether a wait from now on would end too late.
    pub(super) fn is_before(self, wait: Duration) -> bool {
        self.left().is_some_and(|left| left <= wait)
    }

    fn time(self) -> Duration {
        self.0.map(|(_, time)| time).unwrap_or_default()
    }

    /// The error of a transaction that took too long.
    #[cold]
    pub(super) fn passed(self) -> Error {
        Error::timeout(format!(
            "the transaction took longer than its `timeout` of {:?} and was rolled back: do less in it, or give it more time",
            self.time()
        ))
    }

    /// The error of a commit that was sent and not answered in time.
    #[cold]
    pub(super) fn unanswered(self) -> Error {
        Error::unknown(format!(
            "the commit was sent, and not answered before the transaction's `timeout` of {:?}: look whether its writes are there before they are made again",
            self.time()
        ))
        .with_operation("commit")
    }
}
