//! One level of an open transaction, as the handles that work in it see it.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::callbacks::{Callbacks, End};
use crate::driver::{Driver, Session, Transaction};
use crate::error::{Error, ErrorKind, Result};

/// One level of an open transaction: the transaction itself, or a savepoint in it.
pub(in crate::db) struct TransactionScope {
    /// Held by the owner of the transaction alone: when that is dropped the transaction is rolled
    /// back, whatever handles on it are left.
    pub(super) transaction: Weak<dyn Transaction>,
    /// The level of this scope, 0 for the transaction itself.
    pub(super) level: u32,
    /// The innermost open level of the transaction.
    pub(super) innermost: Arc<AtomicU32>,
    /// Whether writes are refused.
    pub(super) is_read_only: bool,
    /// Whether a write failed on this level, or the level is over.
    broken: AtomicBool,
    /// The error of the statement that ended the level, if one did.
    cause: OnceLock<Error>,
    pub(super) callbacks: Arc<Callbacks>,
    /// The level around this one.
    outer: Option<Arc<TransactionScope>>,
}

/// Where the rows stand that a transaction has read.
pub(in crate::db) enum Standing {
    /// In the transaction, which is open: at the level that they now belong to.
    Open(Arc<TransactionScope>),
    /// In the database.
    Committed,
    /// Nowhere, or nobody knows.
    Lost,
}

#[cold]
pub(super) fn is_nested() -> Error {
    Error::transaction("a nested transaction is open: use its own handle until it ends")
}

const MEND: &str = "use a nested transaction around writes that may fail";

impl TransactionScope {
    /// A level of a transaction, inside those that `innermost` knows.
    pub(super) fn new(
        transaction: Weak<dyn Transaction>,
        level: u32,
        innermost: Arc<AtomicU32>,
        is_read_only: bool,
        outer: Option<Arc<TransactionScope>>,
    ) -> Arc<Self> {
        Arc::new(TransactionScope {
            transaction,
            level,
            innermost,
            is_read_only,
            broken: AtomicBool::new(false),
            cause: OnceLock::new(),
            callbacks: Arc::default(),
            outer,
        })
    }

    /// The transaction, if this is its innermost open level.
    pub(in crate::db) fn transaction(&self) -> Result<Arc<dyn Transaction>> {
        if self.broken.load(Ordering::Acquire) {
            return Err(self.is_over());
        }
        if self.innermost.load(Ordering::Acquire) != self.level {
            return Err(is_nested());
        }
        self.transaction.upgrade().ok_or_else(|| self.is_over())
    }

    /// Where the rows stand that were read on this level.
    pub(in crate::db) fn standing(self: &Arc<Self>) -> Standing {
        match (self.end(), &self.outer) {
            (Some(End::Committed), _) => Standing::Committed,
            (Some(End::RolledBack | End::Unknown), _) => Standing::Lost,
            (None, Some(outer)) if self.callbacks.is_merged() => outer.standing(),
            (None, _) => Standing::Open(Arc::clone(self)),
        }
    }

    /// How the level ended, if it has.
    pub(in crate::db) fn end(&self) -> Option<End> {
        self.callbacks.end()
    }

    #[cold]
    fn is_over(&self) -> Error {
        let ended = match (self.end(), self.cause.get()) {
            (Some(End::Committed), _) => "it was committed".to_owned(),
            (Some(End::Unknown), _) => "its commit was sent and not answered".to_owned(),
            (None | Some(End::RolledBack), Some(cause)) => format!("a statement in it failed ({cause}); {MEND}"),
            (Some(End::RolledBack), None) => "it was rolled back".to_owned(),
            (None, None) => format!("a statement in it failed or was cancelled; {MEND}"),
        };
        self.with_cause(Error::transaction(format!("the transaction is over: {ended}")))
    }

    /// The error of work that went on after a failed write, and so does not succeed.
    #[cold]
    pub(super) fn not_committed(&self) -> Error {
        let failed = match self.cause.get() {
            Some(cause) => format!("a statement in the transaction failed ({cause})"),
            None => "a statement in the transaction failed or a write was cancelled".to_owned(),
        };
        self.with_cause(Error::transaction(format!("{failed}, so it was rolled back: {MEND}")))
    }

    fn with_cause(&self, error: Error) -> Error {
        match self.cause.get() {
            Some(cause) => error.with_source(cause.clone()),
            None => error,
        }
    }

    /// The error of the statement that ended the level, if one did.
    pub(super) fn cause(&self) -> Option<&Error> {
        self.cause.get()
    }

    /// Ends the level: nothing more can be done in it. Gives whether it was over already.
    pub(super) fn close(&self) -> bool {
        self.broken.swap(true, Ordering::AcqRel)
    }

    /// Notes the error of a read: a fault of the database ends the transaction on every driver.
    pub(in crate::db) fn note(&self, error: &Error) {
        if matches!(
            error.kind(),
            ErrorKind::Connection
                | ErrorKind::Conflict
                | ErrorKind::Unknown
                | ErrorKind::Timeout
                | ErrorKind::Schema
                | ErrorKind::Query
        ) {
            self.fail(error);
        }
    }

    /// Notes the error of a write, which ends the transaction whatever it is.
    pub(in crate::db) fn fail(&self, error: &Error) {
        if !self.close() {
            let _ = self.cause.set(error.clone());
        }
    }
}

/// What runs the statements of a handle.
pub(in crate::db) enum Running<'a> {
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
pub(in crate::db) struct InFlight<'a>(pub(super) Option<&'a TransactionScope>);

impl InFlight<'_> {
    pub(in crate::db) fn succeeded(mut self) {
        self.0 = None;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(scope) = self.0 {
            scope.close();
        }
    }
}
