//! Transactions: work that is committed or rolled back as a whole.

mod builder;
mod callbacks;
mod deadline;
mod inside;
mod open;
mod retry;
mod scope;
mod timed;

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

pub use self::builder::TransactionBuilder;
use self::callbacks::End;
use self::inside::Inside;
pub(super) use self::inside::check_outside;
use self::open::Open;
pub use self::retry::Retrying;
pub(super) use self::scope::{InFlight, Running, Standing, TransactionScope};
use super::{Db, Scope};
use crate::driver::TransactionOptions;
use crate::error::{Error, Result};

/// An open transaction. It can do all that a [`Db`] can.
#[derive(Debug)]
pub struct Tx(Db);

impl Tx {
    fn new(db: &Db, scope: &Arc<TransactionScope>) -> Self {
        Tx(Db { shared: Arc::clone(&db.shared), scope: Scope::Transaction(Arc::clone(scope)), strict: db.strict })
    }

    /// Another handle on the same level.
    fn again(&self) -> Self {
        Tx(self.0.clone())
    }

    /// Runs a closure with this transaction.
    async fn inside<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
        Inside::new(work(self), &self.0.shared).await
    }
}

impl Deref for Tx {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.0
    }
}

/// An open transaction that belongs to this value, from [`Db::begin`]: it can be kept, moved and
/// passed on. It can do all that a [`Db`] can, and is rolled back when it is dropped.
///
/// A nested one that is dropped ends the transaction around it too, because it cannot wait for the
/// answer to its rollback: end it with [`rollback`](Transaction::rollback) to go on after it.
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction(Open);

impl Transaction {
    /// Commits; a nested transaction becomes part of the one around it.
    ///
    /// # Errors
    ///
    /// `Transaction` if a statement in it failed, after which it is rolled back; `Conflict` if the
    /// database refuses the commit; `Unknown` if it was sent and not answered; `Timeout` if the
    /// time that it was given was up.
    pub async fn commit(self) -> Result<()> {
        self.0.finish(Ok(())).await
    }

    /// Undoes what was written, and waits until that is done.
    ///
    /// # Errors
    ///
    /// The database's. The transaction is over all the same, and nothing of it is kept.
    pub async fn rollback(mut self) -> Result<()> {
        self.0.roll_back().await
    }
}

impl Deref for Transaction {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.0.tx
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transaction").field(&self.0.tx.0).finish()
    }
}

impl Db {
    /// Runs work in a transaction: commits if it gives `Ok`, rolls back if it gives `Err`, panics
    /// or is dropped. Inside a transaction, it is a nested one (a savepoint).
    ///
    /// Isolation is at least read committed. After a write has failed or was cancelled, or a read
    /// failed in the database, further calls in the transaction are `Transaction` errors and it
    /// cannot be committed; a nested transaction around the statement is the way to recover.
    ///
    /// ```ignore
    /// db.transaction(async |tx| {
    ///     tx.add(order).await?;
    ///     tx.find(Stock::ITEM.eq(item)).update(Stock::LEFT.set(Stock::LEFT - 1)).await?;
    ///     Ok(())
    /// }).await?;
    /// ```
    ///
    /// # Errors
    ///
    /// The work's own; `Transaction` if a statement failed and the work went on; `Unsupported`,
    /// before anything ran, where the driver has no transactions (or no savepoints, for a nested
    /// one); what the commit gives, which is `Unknown` if it was sent and not answered.
    #[track_caller]
    pub fn transaction<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> impl Future<Output = Result<T>> {
        let builder = self.options().at(Location::caller());
        builder.run(work)
    }

    /// Begins a transaction that belongs to the caller, who ends it with
    /// [`commit`](Transaction::commit) or [`rollback`](Transaction::rollback). Inside a
    /// transaction, it is a nested one.
    ///
    /// [`Db::transaction`] is the safer form: there the use of `db` by mistake is noticed. Here it
    /// is not part of the transaction, and may wait for its connection.
    ///
    /// ```ignore
    /// let tx = db.begin().await?;
    /// tx.add(order).await?;
    /// tx.commit().await?;
    /// ```
    ///
    /// # Errors
    ///
    /// `Unsupported`, before anything ran, where the driver has no transactions (or no savepoints,
    /// for a nested one); and the database's.
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Transaction>> + use<> {
        self.options().begin()
    }

    /// Options of a transaction: isolation, read-only, timeout, retries.
    ///
    /// ```ignore
    /// db.options()
    ///     .isolation(Isolation::Serializable)
    ///     .retry(5)
    ///     .transaction(|tx| async move { transfer(&tx, from, to, amount).await })
    ///     .await?;
    /// ```
    pub fn options(&self) -> TransactionBuilder {
        TransactionBuilder { db: self.clone(), options: TransactionOptions::default() }
    }

    /// Runs a callback when the transaction has been committed; outside a transaction, where each
    /// write is committed by itself, at once.
    ///
    /// That of a nested transaction waits for the commit of the outermost, and is dropped if one
    /// of those around it is rolled back. It is dropped as well where the outcome of the commit is
    /// `Unknown`. Callbacks run in the order of their registration, on the task that commits,
    /// before it gets its answer: longer work is for a task that they spawn. A callback that panics
    /// does not keep the others from running.
    pub fn after_commit(&self, callback: impl FnOnce() + Send + 'static) {
        match &self.scope {
            Scope::Transaction(scope) => scope.callbacks.add(End::Committed, Box::new(callback)),
            Scope::Database | Scope::Outside => callback(),
        }
    }

    /// Runs a callback when the transaction has been rolled back, be it by its closure, an error or
    /// a drop; outside a transaction, never.
    ///
    /// That of a nested transaction runs when this is rolled back, or, once it is part of the one
    /// around it, when that is. It is dropped at the commit of the outermost, and where the
    /// outcome of that is `Unknown`. A transaction that is run anew after a conflict has been
    /// rolled back before.
    pub fn after_rollback(&self, callback: impl FnOnce() + Send + 'static) {
        if let Scope::Transaction(scope) = &self.scope {
            scope.callbacks.add(End::RolledBack, Box::new(callback));
        }
    }

    /// Notes a statement that must come to a good end, or the transaction is over.
    pub(super) fn in_flight(&self) -> InFlight<'_> {
        match &self.scope {
            Scope::Transaction(scope) => InFlight(Some(scope)),
            Scope::Database | Scope::Outside => InFlight(None),
        }
    }

    /// Refuses to write in a transaction that only reads.
    pub(super) fn check_writable(&self) -> Result<()> {
        match &self.scope {
            Scope::Transaction(scope) if scope.is_read_only => {
                self.note_write(Err(Error::transaction("the transaction is read-only and was asked to write")))
            }
            _ => Ok(()),
        }
    }

    /// Notes the end of a read in the transaction that the handle is in.
    pub(super) fn note<T>(&self, answer: Result<T>) -> Result<T> {
        if let (Scope::Transaction(scope), Err(error)) = (&self.scope, &answer) {
            scope.note(error);
        }
        answer
    }

    /// Notes the end of a write in the transaction that the handle is in.
    pub(super) fn note_write<T>(&self, answer: Result<T>) -> Result<T> {
        if let (Scope::Transaction(scope), Err(error)) = (&self.scope, &answer) {
            scope.fail(error);
        }
        answer
    }
}
