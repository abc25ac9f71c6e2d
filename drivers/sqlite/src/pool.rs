//! The connections of a handle, and the lease of one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ommi_core::driver::Holder;
use ommi_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::connection::{Command, Connection, Opener};
use crate::error::Outcome;
use crate::standing::{MANY, Standing};
use crate::worker;

/// Connections for one purpose, opened when they are first needed.
pub(crate) struct Pool {
    /// What the connections are for, as messages call it.
    purpose: Purpose,
    size: u32,
    /// One for each connection that is not leased. Fair: who waits longest is served first.
    permits: Semaphore,
    /// The last one used is the next: its caches are warm.
    idle: Mutex<Idle>,
    opener: Arc<Opener>,
    acquire_timeout: Duration,
    /// Saves readers their locks, where there are some.
    standing: Option<Arc<Standing>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// How often one was leased at once.
    leases: u64,
    is_closed: bool,
    /// Who has a connection for longer than a short statement takes.
    holders: Vec<(u64, Holder)>,
    next_holder: u64,
}

/// What the connections of a pool are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
    /// Everything, with exclusive locking.
    All,
}

impl Pool {
    pub(crate) fn new(
        purpose: Purpose,
        size: u32,
        opener: Arc<Opener>,
        acquire_timeout: Duration,
        standing: Option<Arc<Standing>>,
    ) -> Arc<Self> {
        Arc::new(Pool {
            standing,
            purpose,
            size,
            permits: Semaphore::new(usize::try_from(size).unwrap_or(1)),
            idle: Mutex::default(),
            opener,
            acquire_timeout,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is open and free at once.
    #[inline]
    pub(crate) fn try_lease(self: &Arc<Self>) -> Option<Lease> {
        self.permits.try_acquire().ok()?.forget();
        // the lease gives the permit back where there is no connection
        let mut lease = Lease::new(self);
        let mut idle = self.idle();
        lease.connection = idle.connections.pop();
        idle.leases += 1;
        let leases = idle.leases;
        drop(idle);
        if let Some(standing) = self.standing.as_ref().filter(|_| leases.is_multiple_of(MANY) && !self.writes()) {
            standing.look();
        }
        lease.connection.is_some().then_some(lease)
    }

    /// A connection: one that is free at once, or one that is waited for.
    ///
    /// # Errors
    ///
    /// As for [`Pool::lease`].
    #[inline]
    pub(crate) async fn lease_within(self: &Arc<Self>, timeout: Option<Duration>) -> Result<Lease> {
        match self.try_lease() {
            Some(lease) => Ok(lease),
            None => Box::pin(self.lease(timeout)).await,
        }
    }

    /// A connection, waited for and opened if need be.
    ///
    /// # Errors
    ///
    /// `Timeout` if none becomes free in time, `Connection` if it can't be opened or the handle
    /// was closed.
    pub(crate) async fn lease(self: &Arc<Self>, timeout: Option<Duration>) -> Result<Lease> {
        let timeout = timeout.unwrap_or(self.acquire_timeout).min(self.acquire_timeout);
        self.wait(1, timeout).await?;
        let mut lease = Lease::new(self);
        let idle = self.idle().connections.pop();
        lease.connection = Some(match idle {
            Some(connection) => connection,
            None => {
                let opener = Arc::clone(&self.opener);
                let writes = self.writes();
                worker::block(move || opener.open(writes)).await?
            }
        });
        Ok(lease)
    }

    /// Whether the connections write.
    fn writes(&self) -> bool {
        !matches!(self.purpose, Purpose::Read)
    }

    /// Takes permits, of which the caller is the owner from then on.
    async fn wait(&self, permits: u32, timeout: Duration) -> Result<()> {
        if let Ok(permits) = self.permits.try_acquire_many(permits) {
            permits.forget();
            return Ok(());
        }
        let acquire = self.permits.acquire_many(permits);
        // without a runtime there is no clock to wake the task
        if Handle::try_current().is_err() {
            acquire.await.map_err(|_| closed())?.forget();
            return Ok(());
        }
        match tokio::time::timeout(timeout, acquire).await {
            Ok(Ok(permits)) => {
                permits.forget();
                Ok(())
            }
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(self.exhausted(timeout)),
        }
    }

    #[cold]
    fn exhausted(&self, timeout: Duration) -> Error {
        let holders = self.holders();
        Error::timeout(match self.purpose {
            Purpose::Read => format!(
                "none of the {} reading connections became free within {timeout:?}, {holders}: raise `readers` or `acquire_timeout` in the URL, and end streams and read-only transactions sooner",
                self.size
            ),
            Purpose::Write => format!(
                "the writing connection did not become free within {timeout:?}, {holders}: end transactions sooner, or raise `acquire_timeout` in the URL"
            ),
            Purpose::All => format!(
                "the only connection, which `locking=exclusive` leaves, did not become free within {timeout:?}, {holders}: end transactions and streams sooner, raise `acquire_timeout`, or leave `locking` out"
            ),
        })
    }

    /// Who has the connections, the longest first, as messages tell it.
    #[cold]
    fn holders(&self) -> String {
        let idle = self.idle();
        // they come in the order of their beginnings
        let named: Vec<String> = idle.holders.iter().take(5).map(|(_, holder)| holder.to_string()).collect();
        match (named.as_slice(), idle.holders.len()) {
            ([], _) => "which short statements of others held".to_owned(),
            (named, all) if all > named.len() => {
                format!("held by {} and {} more", named.join("; by "), all - named.len())
            }
            (named, _) => format!("held by {}", named.join("; by ")),
        }
    }

    /// Opens connections until a number of them is open. May block.
    pub(crate) fn fill(&self, count: u32) -> Result<()> {
        let mut opened = Vec::new();
        for _ in 0..count.min(self.size) {
            opened.push(self.opener.open(self.writes())?);
        }
        self.idle().connections.append(&mut opened);
        Ok(())
    }

    /// Waits until no connection is leased, and keeps it so.
    pub(crate) async fn quiet(self: &Arc<Self>, timeout: Option<Duration>) -> Result<Quiet> {
        let timeout = timeout.unwrap_or(self.acquire_timeout).min(self.acquire_timeout);
        match self.wait(self.size, timeout).await {
            Ok(()) => Ok(Quiet { pool: Arc::clone(self) }),
            Err(error) if error.is_timeout() => Err(Error::timeout(format!(
                "the database in memory could not be written for {timeout:?}, because its readers were {}: end them sooner, or use a file, where readers and a writer don't wait for each other",
                self.holders()
            ))),
            Err(error) => Err(error),
        }
    }

    /// [`Pool::quiet`], if it is so at once.
    pub(crate) fn try_quiet(self: &Arc<Self>) -> Option<Quiet> {
        self.permits.try_acquire_many(self.size).ok()?.forget();
        Some(Quiet { pool: Arc::clone(self) })
    }

    /// Waits for leases to end and gives out the connections, to be closed where that may block.
    ///
    /// # Errors
    ///
    /// `Timeout` if a lease does not end in time; its connection is closed when it does.
    pub(crate) async fn close(&self) -> Result<Vec<Connection>> {
        let waited = self.wait(self.size, self.acquire_timeout).await;
        self.permits.close();
        let mut idle = self.idle();
        idle.is_closed = true;
        let connections = std::mem::take(&mut idle.connections);
        drop(idle);
        match waited {
            Err(error) if error.is_timeout() => Err(Error::timeout(format!(
                "closed, but connections are still in use after {:?}, {}; they close when that ends",
                self.acquire_timeout,
                self.holders()
            ))),
            _ => Ok(connections),
        }
    }
}

/// The error of all calls after `close`.
#[cold]
pub(crate) fn closed() -> Error {
    Error::connection("the database was closed by this program: connect anew")
}

/// A connection that is this owner's until it is dropped.
pub(crate) struct Lease {
    connection: Option<Connection>,
    pool: Arc<Pool>,
    /// Whether a transaction may be open.
    is_dirty: bool,
    /// Keeps readers of a database in memory away while it is written.
    quiet: Option<Quiet>,
    /// The number of the holder that others are told of.
    holder: Option<u64>,
}

impl Lease {
    /// A lease that has a permit, and no connection yet.
    #[inline]
    fn new(pool: &Arc<Pool>) -> Self {
        if let Some(standing) = pool.standing.as_ref().filter(|_| pool.writes()) {
            standing.make_way();
        }
        Lease { connection: None, pool: Arc::clone(pool), is_dirty: false, quiet: None, holder: None }
    }

    /// Says who has the connection, for the errors of those who wait for it.
    pub(crate) fn set_holder(&mut self, holder: Holder) {
        let mut idle = self.pool.idle();
        let number = idle.next_holder;
        idle.next_holder += 1;
        idle.holders.push((number, holder));
        let before = self.holder.replace(number);
        if before.is_some() {
            idle.holders.retain(|(number, _)| Some(*number) != before);
        }
    }

    /// The connection.
    ///
    /// # Errors
    ///
    /// `Connection` if it got lost.
    #[inline]
    pub(crate) fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or_else(closed)
    }

    /// Says that a transaction may be open, which is to be rolled back when the lease ends.
    pub(crate) fn set_dirty(&mut self, is_dirty: bool) {
        self.is_dirty = is_dirty;
    }

    /// Keeps readers away until the lease ends, or lets them in.
    pub(crate) fn set_quiet(&mut self, quiet: Option<Quiet>) {
        self.quiet = quiet;
    }

    /// Lends SQLite's own connection.
    pub(crate) fn lend<R>(&mut self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> Result<R> {
        let (connection, answer) = self.connection.take().ok_or_else(closed)?.lend(work);
        self.connection = Some(connection);
        Ok(answer)
    }
}

impl Drop for Lease {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            if self.is_dirty {
                connection.clean();
                drop(connection.batch("PRAGMA query_only = OFF"));
            }
            let mut idle = self.pool.idle();
            if !idle.is_closed {
                idle.connections.push(connection);
            }
            if self.holder.is_some() {
                idle.holders.retain(|(number, _)| Some(*number) != self.holder);
            }
        }
        self.pool.permits.add_permits(1);
    }
}

/// While it lives, no connection of a pool is leased.
pub(crate) struct Quiet {
    pool: Arc<Pool>,
}

impl Quiet {
    /// Lets every reader hold on to what is committed now, so that it can be read while a
    /// transaction writes: a database in memory has no WAL that would do it.
    pub(crate) fn begin_snapshots(&self) -> Outcome<()> {
        for connection in &mut self.pool.idle().connections {
            if connection.is_autocommit() {
                connection.watch().begin_short();
                connection.command(Command::Begin("BEGIN DEFERRED"))?;
                connection.command(Command::Snapshot)?;
            }
        }
        Ok(())
    }

    /// Lets the readers see what is committed next.
    pub(crate) fn end_snapshots(&self) {
        for connection in &mut self.pool.idle().connections {
            connection.clean();
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.pool.permits.add_permits(usize::try_from(self.pool.size).unwrap_or(1));
    }
}
