//! The database: committed tables, and the line of those who write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use ommi_core::driver::Holder;
use ommi_core::{Error, Result};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{DRIVER, closed};
use crate::overlay::Overlay;
use crate::table::Tables;

/// The right to write, which one transaction has at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Who has it is forgotten before the next one gets it.
    holder: Arc<StdMutex<Option<Holder>>>,
    _right: OwnedMutexGuard<()>,
}

impl Writer {
    /// Says who has the right, for the errors of those who wait for it.
    pub(crate) fn set_holder(&self, holder: Holder) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A database in memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    committed: RwLock<Tables>,
    writer: Arc<Mutex<()>>,
    holder: Arc<StdMutex<Option<Holder>>>,
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
        if let Ok(right) = Arc::clone(&self.writer).try_lock_owned() {
            return Ok(self.give(right));
        }
        let waiting = Arc::clone(&self.writer).lock_owned();
        let right = match timeout.or(self.acquire_timeout) {
            None => waiting.await,
            Some(timeout) => tokio::time::timeout(timeout, waiting).await.map_err(|_| self.still_writing(timeout))?,
        };
        Ok(self.give(right))
    }

    fn give(&self, right: OwnedMutexGuard<()>) -> Writer {
        Writer { holder: Arc::clone(&self.holder), _right: right }
    }

    #[cold]
    fn still_writing(&self, timeout: Duration) -> Error {
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = holder.as_ref().map_or_else(|| "another write".to_owned(), Holder::to_string);
        Error::timeout(format!(
            "the database was still being written after {timeout:?}, by {holder}: end transactions sooner, or raise `acquire_timeout` in the URL"
        ))
        .with_driver(DRIVER)
    }

    /// Commits the changes of a transaction.
    pub(crate) fn commit(&self, overlay: Overlay, writer: &Writer) {
        overlay.apply(&mut self.write(writer));
    }

    /// Closes the database after the transaction that writes.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let writer = self.give(Arc::clone(&self.writer).lock_owned().await);
        *self.write(&writer) = Tables::default();
    }
}
