//! Running a transaction anew after a conflict.

use std::panic::Location;
use std::time::Duration;

use tokio::runtime::Handle;

use super::deadline::Deadline;
use super::inside::Inside;
use super::open::Open;
use super::{TransactionBuilder, Tx};
use crate::db::Scope;
use crate::error::{Error, Result};

/// The longest wait before the second run.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// The longest wait before any run.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A transaction that is run anew when the database ends it with a conflict.
///
/// [`TransactionBuilder::retry`] makes one.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `transaction(..)` is awaited"]
pub struct Retrying {
    pub(super) builder: TransactionBuilder,
    pub(super) times: u32,
}

impl Retrying {
    /// Runs work in a transaction, and anew in another one each time that the database ends it with
    /// a `Conflict` that is retryable: a serialization failure or a deadlock. Nothing else is
    /// repeated, least of all a commit whose outcome is `Unknown`.
    ///
    /// The closure is called once for each run, with a transaction of its own: what it has to do
    /// but once (sending a letter) belongs in [`Db::after_commit`](crate::Db::after_commit). Before
    /// each further run a random time passes, on average twice as long as the time before: up to
    /// 10 ms at first, up to a second in the end.
    ///
    /// # Errors
    ///
    /// Those of [`TransactionBuilder::transaction`]; the last `Conflict` if no run was without one;
    /// `Transaction` inside another transaction, only the whole of which can be run anew.
    #[track_caller]
    pub fn transaction<T, F>(self, mut work: impl FnMut(Tx) -> F) -> impl Future<Output = Result<T>>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let builder = self.builder.at(Location::caller());
        async move {
            if matches!(builder.db.scope, Scope::Transaction(_)) {
                return Err(Error::transaction(
                    "a nested transaction cannot be run anew after a conflict, which ends the one around it: retry the outermost",
                ));
            }
            let deadline = Deadline::after(builder.options.timeout)?;
            let mut runs = 0;
            loop {
                let options = builder.limited(deadline);
                let open = Open::begin(&builder.db, &options, deadline, false).await?;
                let run = Inside::new(work(open.tx.again()), &builder.db.shared);
                let answer = deadline.limit(run, Deadline::passed).await;
                // work that passed over a conflict fails for another reason
                let was_conflict = open.cause().is_some_and(Error::is_retryable);
                let answer = open.finish(answer).await;
                runs += 1;
                let error = match answer {
                    Err(error) if error.is_retryable() || was_conflict && error.is_transaction() => error,
                    answer => return answer,
                };
                let wait = wait_before(runs);
                if runs > self.times || deadline.is_before(wait) {
                    return Err(error.with_addition(&format!("the transaction was run {runs} times")));
                }
                pause(wait).await;
            }
        }
    }
}

/// A random time to wait after a number of runs.
fn wait_before(runs: u32) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << (runs - 1).min(16)).min(LONGEST_WAIT);
    longest.mul_f64(fastrand::f64())
}

async fn pause(time: Duration) {
    // without a runtime there is no clock to wake the task
    match Handle::try_current() {
        Ok(_) => tokio::time::sleep(time).await,
        Err(_) => tokio::task::yield_now().await,
    }
}
