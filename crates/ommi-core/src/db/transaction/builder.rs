//! How a transaction is to run, told before it begins.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::deadline::Deadline;
use super::open::Open;
use super::{Retrying, Transaction, Tx};
use crate::db::Db;
use crate::driver::{Isolation, TransactionOptions};
use crate::error::Result;

/// How a transaction is to run: `db.options().isolation(Isolation::Serializable).transaction(..)`.
///
/// [`Db::options`] makes one.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `transaction(..)` or `begin()` is awaited"]
pub struct TransactionBuilder {
    pub(super) db: Db,
    pub(super) options: TransactionOptions,
}

impl TransactionBuilder {
    /// Asks for an isolation. A database may give a stricter one, never a weaker one; one that it
    /// does not have is an `Unsupported` error.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.options.isolation = Some(isolation);
        self
    }

    /// Refuses writes.
    pub fn read_only(mut self) -> Self {
        self.options.read_only = true;
        self
    }

    /// Lets a read-only serializable transaction wait at its beginning until no conflict can meet
    /// it.
    pub fn deferrable(mut self) -> Self {
        self.options.deferrable = true;
        self
    }

    /// The longest time from the beginning of the transaction to the end of its commit. When it is
    /// up, the transaction is rolled back with a `Timeout` error; a commit that was sent already and
    /// is not answered is `Unknown`. With [`retry`](TransactionBuilder::retry), all runs and the
    /// waits between them share the time.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// The longest time to wait for the transaction to begin, before a `Timeout` error.
    pub fn begin_timeout(mut self, time: Duration) -> Self {
        self.options.begin_timeout = Some(time);
        self
    }

    /// Names the transaction, for the errors of those who wait for its connection in vain. Without
    /// a name they show the place in the program where it began.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// Runs the work anew, up to a number of times, when the database ends it with a conflict.
    pub fn retry(self, times: u32) -> Retrying {
        Retrying { builder: self, times }
    }

    /// [`Db::transaction`] with these options.
    ///
    /// # Errors
    ///
    /// Those of [`Db::transaction`]; `Timeout` if the time is up; `Unsupported` for an option that
    /// the driver does not have; `Transaction` for options of a nested transaction, which runs as
    /// the one around it does.
    #[track_caller]
    pub fn transaction<T>(self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> impl Future<Output = Result<T>> {
        let builder = self.at(Location::caller());
        builder.run(work)
    }

    /// [`Db::begin`] with these options.
    ///
    /// # Errors
    ///
    /// Those of [`TransactionBuilder::transaction`] that its beginning can have.
    #[track_caller]
    pub fn begin(self) -> impl Future<Output = Result<Transaction>> {
        let builder = self.at(Location::caller());
        async move {
            let deadline = Deadline::after(builder.options.timeout)?;
            let options = builder.limited(deadline);
            Ok(Transaction(Open::begin(&builder.db, &options, deadline, true).await?))
        }
    }

    pub(super) fn at(mut self, place: &'static Location<'static>) -> Self {
        self.options.place = Some(place);
        self
    }

    pub(in crate::db) async fn run<T>(self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
        let deadline = Deadline::after(self.options.timeout)?;
        let options = self.limited(deadline);
        let open = Open::begin(&self.db, &options, deadline, false).await?;
        let answer = deadline.limit(open.tx.inside(work), Deadline::passed).await;
        open.finish(answer).await
    }

    /// The options, in which the wait for the beginning does not outlast the deadline.
    pub(super) fn limited(&self, deadline: Deadline) -> TransactionOptions {
        let mut options = TransactionOptions { timeout: deadline.left(), ..self.options.clone() };
        if let Some(left) = options.timeout {
            options.begin_timeout = Some(options.begin_timeout.map_or(left, |time| time.min(left)));
        }
        options
    }
}
