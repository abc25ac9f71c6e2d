//! A connection that is ours for a while, wherever it comes from.

use ommi_core::Result;
use ommi_core::driver::Holder;

use crate::connection::{Connection, StatementKey};
use crate::pool::Lease;

/// A connection that is ours for a while: leased, or that of a transaction.
pub(crate) trait Held: Send + 'static {
    /// The connection.
    ///
    /// # Errors
    ///
    /// `Connection` or `Transaction` if there is none any more.
    fn connection(&mut self) -> Result<&mut Connection>;

    /// Whether a transaction is open around what is done.
    fn is_transaction(&self) -> bool;

    /// Says that a transaction may be open that is to be rolled back when the connection is given
    /// back, or that there is none.
    fn set_dirty(&mut self, is_dirty: bool);

    /// Says who has the connection, for the errors of those who wait for it.
    fn set_holder(&mut self, holder: impl FnOnce() -> Holder);

    /// Lends SQLite's own connection.
    fn lend<R>(&mut self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> Result<R>;
}

impl Held for Lease {
    #[inline]
    fn connection(&mut self) -> Result<&mut Connection> {
        Lease::connection(self)
    }

    fn is_transaction(&self) -> bool {
        false
    }

    fn set_dirty(&mut self, is_dirty: bool) {
        Lease::set_dirty(self, is_dirty);
    }

    fn set_holder(&mut self, holder: impl FnOnce() -> Holder) {
        Lease::set_holder(self, holder());
    }

    fn lend<R>(&mut self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> Result<R> {
        Lease::lend(self, work)
    }
}

/// A connection with a statement that stands at a row. Whoever drops it before the statement was
/// ended, because nobody wants the rest of the rows, ends it.
pub(crate) struct Midway<H: Held> {
    held: H,
    key: Option<StatementKey>,
}

impl<H: Held> Midway<H> {
    pub(crate) fn new(held: H, key: StatementKey) -> Self {
        Midway { held, key: Some(key) }
    }

    /// Says that the statement has ended.
    pub(crate) fn ended(&mut self) {
        self.key = None;
    }
}

impl<H: Held> Held for Midway<H> {
    fn connection(&mut self) -> Result<&mut Connection> {
        self.held.connection()
    }

    fn is_transaction(&self) -> bool {
        self.held.is_transaction()
    }

    fn set_dirty(&mut self, is_dirty: bool) {
        self.held.set_dirty(is_dirty);
    }

    fn set_holder(&mut self, holder: impl FnOnce() -> Holder) {
        self.held.set_holder(holder);
    }

    fn lend<R>(&mut self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> Result<R> {
        self.held.lend(work)
    }
}

impl<H: Held> Drop for Midway<H> {
    fn drop(&mut self) {
        if let (Some(key), Ok(connection)) = (self.key, self.held.connection()) {
            connection.forget(key);
        }
    }
}
