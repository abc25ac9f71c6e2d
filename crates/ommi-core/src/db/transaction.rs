//! Transactions: a closure that is committed or rolled back as a whole.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::{Db, Scope, Shared};
use crate::driver::{Driver, Session, Transaction, TransactionOptions};
use crate::error::{Error, ErrorKind, Result};

/// An open transaction. It can do all that a [`Db`] can.
#[derive(Debug)]
pub struct Tx(Db);

impl Deref for Tx {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.0
    }
}

/// One level of an open transaction: the transaction itself, or a savepoint in it.
pub(super) struct TransactionScope {
    /// Held by the future of [`Db::transaction`] alone: when that is dropped the transaction is
    /// rolled back, whatever handles on it are left.
    transaction: Weak<dyn Transaction>,
    /// The level of this scope, 0 for the transaction itself.
    level: u32,
    /// The innermost open level of the transaction.
    innermost: Arc<AtomicU32>,
    /// Whether a write failed on this level, or the level is over.
    broken: AtomicBool,
    /// The level around this one.
    outer: Option<Arc<TransactionScope>>,
    /// Whether the level was committed, or released into the one around it.
    committed: AtomicBool,
}

/// Where the rows stand that a transaction has read.
pub(super) enum Standing {
    /// In the transaction, which is open: at the level that they now belong to.
    Open(Arc<TransactionScope>),
    /// In the database.
    Committed,
    /// Nowhere.
    RolledBack,
}

#[cold]
fn is_over() -> Error {
    Error::transaction(
        "the transaction is over: it ended, or a statement in it failed or was cancelled; roll back, and use a nested transaction around writes that may fail",
    )
}

#[cold]
fn is_nested() -> Error {
    Error::transaction("a nested transaction is open: use the handle that its closure was given")
}

impl TransactionScope {
    /// A level of a transaction, inside those that `innermost` knows.
    fn new(
        transaction: &Arc<dyn Transaction>,
        level: u32,
        innermost: Arc<AtomicU32>,
        outer: Option<Arc<TransactionScope>>,
    ) -> Arc<Self> {
        Arc::new(TransactionScope {
            transaction: Arc::downgrade(transaction),
            level,
            innermost,
            broken: AtomicBool::new(false),
            outer,
            committed: AtomicBool::new(false),
        })
    }

    /// Where the rows stand that were read on this level.
    pub(super) fn standing(self: &Arc<Self>) -> Standing {
        match (self.committed.load(Ordering::Acquire), &self.outer) {
            (true, None) => Standing::Committed,
            (true, Some(outer)) => outer.standing(),
            (false, _) if self.broken.load(Ordering::Acquire) => Standing::RolledBack,
            (false, _) => Standing::Open(Arc::clone(self)),
        }
    }

    /// The transaction, if this is its innermost open level.
    pub(super) fn transaction(&self) -> Result<Arc<dyn Transaction>> {
        if self.broken.load(Ordering::Acquire) {
            return Err(is_over());
        }
        if self.innermost.load(Ordering::Acquire) != self.level {
            return Err(is_nested());
        }
        self.transaction.upgrade().ok_or_else(is_over)
    }

    /// Notes the error of a statement: a fault of the database ends the transaction on every driver.
    pub(super) fn note(&self, error: &Error) {
        if matches!(
            error.kind(),
            ErrorKind::Connection
                | ErrorKind::Conflict
                | ErrorKind::Unknown
                | ErrorKind::Timeout
                | ErrorKind::Schema
                | ErrorKind::Query
        ) {
            self.broken.store(true, Ordering::Release);
        }
    }
}

/// What runs the statements of a handle.
pub(super) enum Running<'a> {
    Driver(&'a dyn Driver),
    Transaction(Arc<dyn Transaction>),
}

impl<'a> Deref for Running<'a> {
    type Target = dyn Session + 'a;

    #[inline]
    fn deref(&self) -> &Self::Target {
        match self {
            Running::Driver(driver) => *driver,
            Running::Transaction(transaction) => &**transaction,
        }
    }
}

/// Marks the level as broken if the write that it stands for does not come to a good end.
pub(super) struct InFlight<'a>(Option<&'a TransactionScope>);

impl InFlight<'_> {
    pub(super) fn succeeded(mut self) {
        self.0 = None;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(scope) = self.0 {
            scope.broken.store(true, Ordering::Release);
        }
    }
}

thread_local! {
    /// The databases whose transaction closures are being polled on this thread, innermost last.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn address(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}

/// Refuses the use of the database itself inside its transaction's closure.
#[inline]
pub(super) fn check_outside(shared: &Arc<Shared>) -> Result<()> {
    if INSIDE.with_borrow(|inside| inside.is_empty() || !inside.contains(&address(shared))) {
        return Ok(());
    }
    Err(Error::transaction(
        "`db` was used inside the closure of its transaction, which would not be part of it: use the closure's own handle, or `db.outside()` if that is meant",
    ))
}

/// A closure's future: while it is polled, the thread knows that it is inside a transaction.
struct Inside<F> {
    work: Pin<Box<F>>,
    database: usize,
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                INSIDE.with_borrow_mut(|inside| inside.pop());
            }
        }
        INSIDE.with_borrow_mut(|inside| inside.push(self.database));
        let _leave = Leave;
        self.work.as_mut().poll(context)
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
    /// The work's own; `Transaction` if a statement failed and the work went on; `Unsupported` where
    /// the driver has no transactions (or no savepoints, for a nested one); what the commit gives.
    pub async fn transaction<T>(&self, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
        match &self.scope {
            Scope::Database | Scope::Outside => {
                let transaction = self.begin(&TransactionOptions::default()).await?;
                let scope = TransactionScope::new(&transaction, 0, Arc::default(), None);
                let answer = self.run(&scope, work).await;
                match self.verdict(&scope, answer) {
                    Ok(value) => {
                        let committed = transaction.commit().await;
                        scope.committed.store(committed.is_ok(), Ordering::Release);
                        committed.map(|()| value).map_err(|error| error.with_operation("commit"))
                    }
                    Err(error) => {
                        // the error that ended the work says more than one of the rollback
                        let _ = transaction.rollback().await;
                        Err(error)
                    }
                }
            }
            Scope::Transaction(outer) => {
                let transaction = outer.transaction()?;
                if !self.shared.driver.capabilities().transaction.savepoints {
                    return Err(Error::unsupported("the driver has no savepoints, and so no nested transactions")
                        .with_driver(self.shared.driver.name()));
                }
                self.nested(outer, &transaction, work).await
            }
        }
    }

    async fn nested<T>(
        &self,
        outer: &Arc<TransactionScope>,
        transaction: &Arc<dyn Transaction>,
        work: impl AsyncFnOnce(&Tx) -> Result<T>,
    ) -> Result<T> {
        let level = outer.level + 1;
        // the level is taken before the savepoint is set, so that of two at once only one is
        if outer.innermost.compare_exchange(outer.level, level, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Err(is_nested());
        }
        let in_flight = InFlight(Some(outer));
        transaction.savepoint(level).await?;
        let scope = TransactionScope::new(transaction, level, Arc::clone(&outer.innermost), Some(Arc::clone(outer)));
        let answer = self.run(&scope, work).await;
        let answer = self.verdict(&scope, answer);
        match answer {
            Ok(_) => transaction.release(level).await?,
            Err(_) => transaction.rollback_to(level).await?,
        }
        outer.innermost.store(outer.level, Ordering::Release);
        scope.committed.store(answer.is_ok(), Ordering::Release);
        // a dropped future gets here no more: the outer level stays broken and is rolled back
        in_flight.succeeded();
        answer
    }

    pub(super) async fn begin(&self, options: &TransactionOptions) -> Result<Arc<dyn Transaction>> {
        if !self.has_transactions() {
            return Err(Error::unsupported("the database has no transactions").with_driver(self.shared.driver.name()));
        }
        if matches!(self.scope, Scope::Database) {
            check_outside(&self.shared)?;
        }
        self.shared.driver.begin(options).await
    }

    async fn run<T>(&self, scope: &Arc<TransactionScope>, work: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
        let tx = Tx(Db {
            shared: Arc::clone(&self.shared),
            scope: Scope::Transaction(Arc::clone(scope)),
            strict: self.strict,
        });
        Inside { work: Box::pin(work(&tx)), database: address(&self.shared) }.await
    }

    /// The end of a level: work that went on after a failed write does not succeed.
    fn verdict<T>(&self, scope: &TransactionScope, answer: Result<T>) -> Result<T> {
        let broken = scope.broken.swap(true, Ordering::AcqRel);
        match answer {
            Ok(_) if broken => Err(Error::transaction(
                "a statement in the transaction failed or a write was cancelled, so it was rolled back: use a nested transaction around writes that may fail",
            )),
            answer => answer,
        }
    }

    /// Notes a statement that must come to a good end, or the transaction is over.
    pub(super) fn in_flight(&self) -> InFlight<'_> {
        match &self.scope {
            Scope::Transaction(scope) => InFlight(Some(scope)),
            Scope::Database | Scope::Outside => InFlight(None),
        }
    }

    /// Notes the end of a statement in the transaction that the handle is in.
    pub(super) fn note<T>(&self, answer: Result<T>) -> Result<T> {
        if let (Scope::Transaction(scope), Err(error)) = (&self.scope, &answer) {
            scope.note(error);
        }
        answer
    }
}
