//! The owner of an open transaction, or of a savepoint in one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Tx;
use super::callbacks::End;
use super::deadline::Deadline;
use super::inside::check_outside;
use super::scope::{InFlight, TransactionScope, is_nested};
use super::timed::Timed;
use crate::db::{Db, Scope};
use crate::driver::{Isolation, Transaction, TransactionOptions};
use crate::error::{Error, Result};

/// How long the rollback of a transaction that took too long is waited for. It goes on after.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(1);

/// The owner of a transaction, or of a savepoint in one: rolls back when it is dropped.
pub(super) struct Open {
    pub(super) tx: Tx,
    scope: Arc<TransactionScope>,
    level: Level,
    deadline: Deadline,
    /// How a drop ends it; `None` once it has ended.
    if_dropped: Option<End>,
}

enum Level {
    /// The transaction itself.
    Outermost(Option<Arc<dyn Transaction>>),
    /// A savepoint in the transaction of another level.
    Nested(Arc<TransactionScope>),
}

impl Open {
    /// Begins a transaction; inside one, a nested one. A lasting one has an owner who may do nothing
    /// for long, and is to end at its deadline by itself.
    pub(super) async fn begin(
        db: &Db,
        options: &TransactionOptions,
        deadline: Deadline,
        is_lasting: bool,
    ) -> Result<Self> {
        match &db.scope {
            Scope::Transaction(outer) => Open::nested(db, outer, options).await,
            Scope::Database | Scope::Outside => {
                check(db, options)?;
                if matches!(db.scope, Scope::Database) {
                    check_outside(&db.shared)?;
                }
                let begin = db.shared.driver.begin(options);
                let begun = deadline.limit(begin, Deadline::passed).await;
                let mut transaction = begun.map_err(|error| error.with_operation("begin"))?;
                if is_lasting && deadline.at().is_some() {
                    transaction = Timed::watched(transaction, deadline);
                }
                let scope =
                    TransactionScope::new(Arc::downgrade(&transaction), 0, Arc::default(), options.read_only, None);
                Ok(Open::new(db, scope, Level::Outermost(Some(transaction)), deadline))
            }
        }
    }

    async fn nested(db: &Db, outer: &Arc<TransactionScope>, options: &TransactionOptions) -> Result<Self> {
        let transaction = outer.transaction()?;
        if !db.shared.driver.capabilities().transaction.savepoints {
            return Err(lacks(db, "nested transactions", "savepoints", "write what belongs together in one"));
        }
        let is_plain = options.isolation.is_none() && options.timeout.is_none() && options.begin_timeout.is_none();
        if !is_plain || options.read_only || options.deferrable {
            return Err(Error::transaction(
                "a nested transaction runs as the one around it does: give the options to the outermost",
            ));
        }
        let level = outer.level + 1;
        // the level is taken before the savepoint is set, so that of two at once only one is
        if outer.innermost.compare_exchange(outer.level, level, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Err(is_nested());
        }
        let in_flight = InFlight(Some(outer));
        if let Err(error) = transaction.savepoint(level).await {
            outer.fail(&error);
            return Err(error.with_operation("begin"));
        }
        in_flight.succeeded();
        let scope = TransactionScope::new(
            outer.transaction.clone(),
            level,
            Arc::clone(&outer.innermost),
            outer.is_read_only,
            Some(Arc::clone(outer)),
        );
        Ok(Open::new(db, scope, Level::Nested(Arc::clone(outer)), Deadline::default()))
    }

    fn new(db: &Db, scope: Arc<TransactionScope>, level: Level, deadline: Deadline) -> Self {
        let tx = Tx::new(db, &scope);
        Open { tx, scope, level, deadline, if_dropped: Some(End::RolledBack) }
    }

    /// The error of the statement that ended the transaction, if one did.
    pub(super) fn cause(&self) -> Option<&Error> {
        self.scope.cause()
    }

    /// Commits if the work gave `Ok` and nothing in it failed, and rolls back otherwise.
    pub(super) async fn finish<T>(mut self, answer: Result<T>) -> Result<T> {
        let is_broken = self.scope.close();
        let is_nested_open = self.scope.innermost.load(Ordering::Acquire) != self.scope.level;
        match answer {
            Ok(_) if is_broken || is_nested_open => {
                let error = match is_broken {
                    true => self.scope.not_committed(),
                    false => Error::transaction(
                        "a nested transaction was still open at the commit of the one around it, so both were rolled back: end it first",
                    ),
                };
                // the error that ended the work says more than one of the rollback
                let _ = self.roll_back().await;
                Err(error)
            }
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => {
                let _ = self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn commit(&mut self) -> Result<()> {
        let committed = match &self.level {
            Level::Outermost(transaction) => {
                let Some(transaction) = transaction else { return Ok(()) };
                // a commit that is dropped may have been sent
                self.if_dropped = Some(End::Unknown);
                self.deadline.limit(transaction.commit(), Deadline::unanswered).await
            }
            Level::Nested(outer) => match self.scope.transaction.upgrade() {
                Some(transaction) => transaction.release(self.scope.level).await,
                None => outer.transaction().map(drop),
            },
        };
        self.note_outside(&committed);
        let end = match &committed {
            Ok(()) => End::Committed,
            Err(error) if error.is_unknown() => End::Unknown,
            Err(_) => End::RolledBack,
        };
        self.end(end, committed.is_ok());
        committed.map_err(|error| error.with_operation("commit"))
    }

    /// Rolls back, and waits until that is done.
    pub(super) async fn roll_back(&mut self) -> Result<()> {
        self.scope.close();
        let rolled_back = match &self.level {
            Level::Outermost(None) => return Ok(()),
            Level::Outermost(Some(transaction)) => self.in_time(transaction.rollback()).await,
            Level::Nested(outer) => match self.scope.transaction.upgrade() {
                Some(transaction) => self.in_time(transaction.rollback_to(self.scope.level)).await,
                None => outer.transaction().map(drop),
            },
        };
        self.note_outside(&rolled_back);
        self.end(End::RolledBack, rolled_back.is_ok());
        rolled_back.map_err(|error| error.with_operation("rollback"))
    }

    /// Notes that a nested transaction did not end as it should, which ends the one around it.
    fn note_outside(&self, ended: &Result<()>) {
        if let (Level::Nested(outer), Err(error)) = (&self.level, ended) {
            outer.fail(error);
        }
    }

    /// Waits for a rollback, not for ever where the transaction has a timeout.
    async fn in_time(&self, rollback: impl Future<Output = Result<()>>) -> Result<()> {
        match self.deadline.at() {
            None => rollback.await,
            Some(_) => tokio::time::timeout(ROLLBACK_PATIENCE, rollback)
                .await
                .unwrap_or_else(|_| Err(Error::timeout("the rollback was not answered"))),
        }
    }

    /// Lets go of the transaction, and runs what waits for its end.
    fn end(&mut self, end: End, is_whole: bool) {
        self.if_dropped = None;
        self.scope.close();
        match &mut self.level {
            Level::Outermost(transaction) => drop(transaction.take()),
            Level::Nested(outer) => {
                if is_whole {
                    outer.innermost.store(outer.level, Ordering::Release);
                } else {
                    // what of the level is left in the transaction is not known
                    outer.close();
                }
                if end == End::Committed {
                    self.scope.callbacks.merge_into(&outer.callbacks);
                }
            }
        }
        self.scope.callbacks.run(end);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(end) = self.if_dropped {
            self.end(end, false);
        }
    }
}

/// Refuses what the driver lacks, before anything is sent.
fn check(db: &Db, options: &TransactionOptions) -> Result<()> {
    let can = db.shared.driver.capabilities().transaction;
    if !can.transactions {
        return Err(lacks(db, "transactions", "transactions", "do without, or use another database"));
    }
    if options.read_only && !can.read_only {
        return Err(lacks(db, "read-only transactions", "read_only", "leave `read_only` out"));
    }
    match options.isolation {
        Some(Isolation::RepeatableRead) if !can.repeatable_read => {
            return Err(lacks(db, "the isolation `RepeatableRead`", "repeatable_read", "choose another"));
        }
        Some(Isolation::Serializable) if !can.serializable => {
            return Err(lacks(db, "the isolation `Serializable`", "serializable", "choose another"));
        }
        _ => {}
    }
    if options.deferrable {
        if !options.read_only || options.isolation != Some(Isolation::Serializable) {
            return Err(Error::transaction(
                "`deferrable` is for transactions that are `read_only` and of the isolation `Serializable`: ask for these too",
            ));
        }
        if !can.deferrable {
            return Err(lacks(db, "deferrable transactions", "deferrable", "leave `deferrable` out"));
        }
    }
    Ok(())
}

#[cold]
fn lacks(db: &Db, what: &str, capability: &str, mend: &str) -> Error {
    Error::unsupported(format!(
        "the driver has no {what} (its capability `transaction.{capability}` is absent): {mend}"
    ))
    .with_driver(db.shared.driver.name())
    .with_operation("begin")
}
