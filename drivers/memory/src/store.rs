//! The database: committed tables, and the line of those who write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use ommi_core::{Error, Result};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{DRIVER, closed};
use crate::overlay::Overlay;
use crate::table::Tables;

/// The right to write, which one transaction has at a time.
pub(crate) type Writer = OwnedMutexGuard<()>;

/// A database in memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    committed: RwLock<Tables>,
    writer: Arc<Mutex<()>>,
    is_closed: AtomicBool,
    /// How long to wait for the right to write, if not for ever.
    pub(crate) acquire_timeout: Option<Duration>,
}

impl Store {
    /// Refuses work once the database is closed.
    pub(crate) fn check_open(&self) -> Result<()> {
        match self.is_closed.load(Ordering::Acquire) {
            true => Err(closed()),
            false => Ok(()),
        }
    }

    /// The committed tables.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.committed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The committed tables, to be changed by who has the right to write.
    pub(crate) fn write(&self, _: &Writer) -> RwLockWriteGuard<'_, Tables> {
        self.committed.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits in line for the right to write; at once, if nobody has it.
    ///
    /// # Errors
    ///
    /// `Timeout` if it takes longer than allowed.
    pub(crate) async fn writer(&self, timeout: Option<Duration>) -> Result<Writer> {
        if let Ok(writer) = Arc::clone(&self.writer).try_lock_owned() {
            return Ok(writer);
        }
        let waiting = Arc::clone(&self.writer).lock_owned();
        match timeout.or(self.acquire_timeout) {
            None => Ok(waiting.await),
            Some(timeout) => tokio::time::timeout(timeout, waiting).await.map_err(|_| {
                Error::timeout(format!("another transaction was still writing after {timeout:?}")).with_driver(DRIVER)
            }),
        }
    }

    /// Commits the changes of a transaction.
    pub(crate) fn commit(&self, overlay: Overlay, writer: &Writer) {
        overlay.apply(&mut self.write(writer));
    }

    /// Closes the database after the transaction that writes.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let writer = Arc::clone(&self.writer).lock_owned().await;
        *self.write(&writer) = Tables::default();
    }
}
