//! What passes between the core and a driver.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Holder, RowSource};
use crate::value::{Datum, ValueType};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A statement in the form in which a driver runs it.
#[derive(Clone)]
pub struct Prepared {
    id: u64,
    text: Arc<str>,
    native: Arc<dyn Any + Send + Sync>,
    parameters: Arc<[ValueType]>,
    is_short: bool,
}

impl Prepared {
    /// A statement's native form: its text as `explain` shows it, and whatever the driver wants to
    /// find again.
    pub fn new(text: impl Into<Arc<str>>, native: impl Any + Send + Sync, parameters: &[ValueType]) -> Self {
        Prepared {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            text: text.into(),
            native: Arc::new(native),
            parameters: parameters.into(),
            is_short: false,
        }
    }

    /// Says that the statement touches one row, found by its key or a unique group.
    pub fn short(mut self, is_short: bool) -> Self {
        self.is_short = is_short;
        self
    }

    /// A number that no other prepared statement in the process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The native text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What the driver left to be found again.
    pub fn native<T: 'static>(&self) -> Option<&T> {
        self.native.downcast_ref()
    }

    /// The types of the parameters.
    pub fn parameters(&self) -> &Arc<[ValueType]> {
        &self.parameters
    }

    /// Whether the statement touches one row, found by its key or a unique group.
    pub fn is_short(&self) -> bool {
        self.is_short
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("id", &self.id).field("text", &self.text).finish_non_exhaustive()
    }
}

/// A prepared statement with the values of its parameters.
///
/// `Debug` leaves the values out: they may be secret.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The statement.
    pub prepared: &'a Prepared,
    /// The parameters' values.
    pub parameters: &'a [Datum],
    /// The model's name, for errors and logs.
    pub model: &'a Arc<str>,
    /// The operation, for errors and logs.
    pub operation: &'static str,
}

impl Call<'_> {
    /// The call as the holder of its connection, from now on.
    pub fn holder(&self) -> Holder {
        Holder::call(self.operation, self.model)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("model", &self.model)
            .field("text", self.prepared.text())
            .finish_non_exhaustive()
    }
}

/// A statement in the database's own language, with bound parameters.
///
/// `Debug` leaves the parameters out: they may be secret.
#[derive(Clone)]
pub struct Raw {
    /// The text.
    pub text: Arc<str>,
    /// The parameters' values, in the order of their numbers.
    pub parameters: Vec<Datum>,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("text", &self.text).finish_non_exhaustive()
    }
}

/// How many rows an update or a delete matched.
pub type RowsMatched = u64;

/// The automatic integer keys of inserted rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssignedKeys {
    /// None were assigned, or an upsert does not tell which.
    None,
    /// One for each row that had none, in the order of the rows.
    List(Vec<i64>),
}

/// The answer to an insert.
pub struct Inserted {
    /// How many rows were written; fewer than were given where conflicts are ignored.
    pub rows: u64,
    /// The keys that the database assigned.
    pub keys: AssignedKeys,
    /// The rows that were given.
    pub source: Box<dyn RowSource>,
}

/// How transactions see each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// A transaction reads what is committed when each of its statements begins.
    ReadCommitted,
    /// A transaction reads what was committed when it began.
    RepeatableRead,
    /// The outcome is that of some order in which the transactions run one after the other.
    Serializable,
}

/// How a transaction is to run. The core has checked that the driver's capabilities allow it.
#[derive(Clone, Debug, Default)]
pub struct TransactionOptions {
    /// The isolation; the driver's default where absent, at least read committed.
    pub isolation: Option<Isolation>,
    /// Whether writes are refused.
    pub read_only: bool,
    /// Whether a transaction that is read-only and serializable waits at its beginning until it
    /// can run without conflicts.
    pub deferrable: bool,
    /// The longest time to wait for the transaction to begin.
    pub begin_timeout: Option<Duration>,
    /// The longest time that the transaction may take from its beginning to the end of its commit.
    /// The core keeps to it; a driver may tell the server, so that it does too.
    pub timeout: Option<Duration>,
    /// What the program calls the transaction.
    pub name: Option<Arc<str>>,
    /// Where in the program it begins.
    pub place: Option<&'static Location<'static>>,
}

impl TransactionOptions {
    /// The transaction as the holder of its connection, from now on.
    pub fn holder(&self) -> Holder {
        Holder::transaction(self.name.clone(), self.place)
    }
}
