//! The pool.

mod share;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ommi_core::driver::Holder;
use ommi_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use self::share::Either;
use crate::backoff::Backoff;
use crate::holder::Holders;
use crate::kept::Kept;
use crate::lane::{Lane, Requests};
use crate::lease::{Lease, Place};
use crate::metrics::Metrics;
use crate::opener::Opener;
use crate::settings::Settings;

/// How many connections are opened at a time.
const OPENING: usize = 8;
/// How often connections that nobody uses are looked for, at least.
const ROUND: Duration = Duration::from_secs(30);

/// A connection that nobody has.
struct Idle<C> {
    connection: Arc<Kept<C>>,
    since: Instant,
}

struct State<C> {
    /// The last used stands last.
    idle: Vec<Idle<C>>,
    lanes: Vec<Lane<C>>,
    /// Lists of requests of lanes that were, for those that will be.
    requests: Vec<Requests>,
    next_lane: u64,
    holders: Holders,
    open: usize,
    /// When a connection was last found broken: those that were idle then are suspect.
    fault: Option<Instant>,
    backoff: Backoff,
}

/// Connections to a server, lent out and taken back.
pub struct Pool<O: Opener> {
    opener: O,
    settings: Settings,
    /// One for each connection that may be lent.
    permits: Semaphore,
    opening: Semaphore,
    state: Mutex<State<O::Connection>>,
    /// Set while the state is held, so that it does not change for those who hold it.
    is_closed: AtomicBool,
    /// Told when a connection comes back to a closed pool.
    returned: Notify,
    /// Told when the pool is closed or dropped.
    ended: Arc<Notify>,
    waiting: AtomicUsize,
    /// How many of those wait that may share a connection.
    sharing: AtomicUsize,
    /// Told to them, one after the other, when there is a place in a lane.
    places: Notify,
    acquired: AtomicU64,
    waited_micros: AtomicU64,
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// Work that has the connection to itself.
    Exclusive,
    /// A short request, which others may join.
    Shared,
}

/// The right to a connection, while there is none yet.
struct Permit<'a, O: Opener>(Option<&'a Pool<O>>);

impl<O: Opener> Drop for Permit<'_, O> {
    fn drop(&mut self) {
        if let Some(pool) = self.0 {
            pool.give_permit_back();
        }
    }
}

/// Counts a connection while it is opened.
struct Counted<'a, O: Opener>(Option<&'a Pool<O>>);

impl<O: Opener> Drop for Counted<'_, O> {
    fn drop(&mut self) {
        if let Some(pool) = self.0 {
            pool.state().open -= 1;
        }
    }
}

/// What was found for an exclusive lease.
enum Found<C> {
    /// A connection that works, as far as is known.
    Ready(Arc<Kept<C>>),
    /// One that has to be asked first, and since when nobody has it.
    Suspect(Arc<Kept<C>>, Instant),
    Nothing,
}

impl<O: Opener> Pool<O> {
    /// A pool without connections: they are opened when they are wanted.
    pub fn new(opener: O, settings: Settings) -> Arc<Self> {
        let pool = Arc::new(Pool {
            permits: Semaphore::new(settings.size),
            opening: Semaphore::new(OPENING),
            state: Mutex::new(State {
                idle: Vec::with_capacity(settings.size),
                lanes: Vec::with_capacity(settings.lanes()),
                requests: Vec::with_capacity(settings.lanes()),
                next_lane: 0,
                holders: Holders::default(),
                open: 0,
                fault: None,
                backoff: Backoff::default(),
            }),
            is_closed: AtomicBool::new(false),
            returned: Notify::new(),
            ended: Arc::default(),
            waiting: AtomicUsize::new(0),
            sharing: AtomicUsize::new(0),
            places: Notify::new(),
            acquired: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
            opener,
            settings,
        });
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(close_unused(Arc::downgrade(&pool), Arc::clone(&pool.ended), settings.idle_timeout));
        }
        pool
    }

    /// What looks after the connections.
    pub fn opener(&self) -> &O {
        &self.opener
    }

    fn state(&self) -> MutexGuard<'_, State<O::Connection>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(is_closed()) } else { Ok(()) }
    }

    /// What the pool is doing.
    pub fn metrics(&self) -> Metrics {
        let state = self.state();
        Metrics {
            open: state.open,
            idle: state.idle.len(),
            waiting: self.waiting.load(Ordering::Relaxed),
            acquired: self.acquired.load(Ordering::Relaxed),
            acquire_time: Duration::from_micros(self.waited_micros.load(Ordering::Relaxed)),
        }
    }

    /// Lends a connection that is the caller's own, in the order in which callers ask.
    ///
    /// # Errors
    ///
    /// `Timeout`, with those who hold the connections, if none comes free in time; the opener's;
    /// `Connection` if the pool is closed.
    pub async fn lease(self: &Arc<Self>, holder: Holder) -> Result<Lease<O>> {
        self.lease_within(holder, None).await
    }

    /// The same, with a limit of the caller's own instead of `acquire_timeout`.
    ///
    /// # Errors
    ///
    /// As [`Pool::lease`].
    pub async fn lease_within(self: &Arc<Self>, holder: Holder, limit: Option<Duration>) -> Result<Lease<O>> {
        let begun = match self.permits.try_acquire() {
            Ok(permit) => {
                permit.forget();
                let permit = Permit(Some(&**self));
                match self.next_idle()? {
                    Found::Ready(connection) => return Ok(self.lend(permit, connection, holder, Want::Exclusive)),
                    found => Some((permit, found)),
                }
            }
            Err(_) => None,
        };
        Box::pin(self.lease_slowly(holder, limit, begun, Want::Exclusive)).await
    }

    /// The right to a connection, in the order in which callers ask.
    async fn permit(&self) -> Result<Permit<'_, O>> {
        let permit = self.permits.acquire().await.map_err(|_| is_closed())?;
        permit.forget();
        Ok(Permit(Some(self)))
    }

    /// A connection that nobody has.
    fn next_idle(&self) -> Result<Found<O::Connection>> {
        let mut gone = Vec::new();
        let mut state = self.state();
        self.check_open()?;
        let found = self.take_idle(&mut state, Instant::now(), &mut gone);
        drop(state);
        Ok(found)
    }

    /// Lends a connection for which there is a permit.
    fn lend(
        self: &Arc<Self>,
        mut permit: Permit<'_, O>,
        connection: Arc<Kept<O::Connection>>,
        holder: Holder,
        want: Want,
    ) -> Lease<O> {
        let mut state = self.state();
        permit.0 = None;
        if want == Want::Shared && state.lanes.len() < self.settings.lanes() {
            let lease = self.open_lane(&mut state, connection, holder, Instant::now());
            drop(state);
            self.tell_of_places(self.settings.lane_depth.saturating_sub(1));
            return lease;
        }
        let holder = state.holders.enter(holder);
        drop(state);
        self.acquired.fetch_add(1, Ordering::Relaxed);
        Lease::new(Arc::clone(self), connection, Place::Exclusive(holder))
    }

    async fn lease_slowly(
        self: &Arc<Self>,
        holder: Holder,
        limit: Option<Duration>,
        begun: Option<(Permit<'_, O>, Found<O::Connection>)>,
        want: Want,
    ) -> Result<Lease<O>> {
        struct Waiting<'a>(&'a AtomicUsize, &'a AtomicU64, Instant);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
                let micros = u64::try_from(self.2.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.1.fetch_add(micros, Ordering::Relaxed);
            }
        }
        let limit = limit.unwrap_or(self.settings.acquire_timeout);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting, &self.waited_micros, Instant::now());
        let is_opening = AtomicBool::new(false);
        let work = async {
            let (permit, mut found) = match begun {
                Some(begun) => begun,
                None if want == Want::Shared => match self.permit_or_place().await? {
                    Either::Permit(permit) => (permit, Found::Nothing),
                    Either::Place(lease) => return Ok(lease),
                },
                None => (self.permit().await?, Found::Nothing),
            };
            is_opening.store(true, Ordering::Relaxed);
            let connection = loop {
                match found {
                    Found::Ready(connection) => break connection,
                    Found::Suspect(connection, _) => {
                        let mut counted = Counted(Some(&**self));
                        let works = timeout(self.settings.restore_timeout, self.opener.check(&connection)).await;
                        counted.0 = None;
                        if works == Ok(true) {
                            break connection;
                        }
                        self.discard(connection);
                    }
                    Found::Nothing => {}
                }
                found = self.next_idle()?;
                if matches!(found, Found::Nothing) {
                    break self.open().await?;
                }
            };
            Ok(self.lend(permit, connection, holder, want))
        };
        let lease = timeout(limit, work).await;
        drop(waiting);
        match lease {
            Ok(lease) => lease,
            Err(_) => Err(self.too_late(limit, is_opening.load(Ordering::Relaxed))),
        }
    }

    #[cold]
    fn too_late(&self, limit: Duration, was_opening: bool) -> Error {
        let limit = limit.as_secs_f64();
        if was_opening {
            return Error::timeout(format!("no connection could be opened within {limit} s: is the server up?"));
        }
        let holders = self.state().holders.shown();
        Error::timeout(format!(
            "no connection came free within {limit} s: all {} of the pool are held by {holders}: keep transactions and streams short, or raise `pool` or `acquire_timeout`",
            self.settings.size
        ))
    }

    /// Takes a connection that nobody has. Those that are of no use go into `gone`, to be dropped
    /// when the state is free again.
    fn take_idle(
        &self,
        state: &mut State<O::Connection>,
        now: Instant,
        gone: &mut Vec<Arc<Kept<O::Connection>>>,
    ) -> Found<O::Connection> {
        while let Some(Idle { connection, since }) = state.idle.pop() {
            if !self.opener.is_open(&connection) {
                state.fault = Some(now);
            } else if !connection.is_old(now) {
                let idled = now.saturating_duration_since(since);
                let is_suspect = idled >= self.settings.check_after || state.fault.is_some_and(|fault| since <= fault);
                return if is_suspect { Found::Suspect(connection, since) } else { Found::Ready(connection) };
            }
            state.open -= 1;
            gone.push(connection);
        }
        Found::Nothing
    }

    /// Opens a connection, when it is time for an attempt.
    async fn open(&self) -> Result<Arc<Kept<O::Connection>>> {
        let begun = Instant::now();
        let _turn = self.opening.acquire().await.map_err(|_| is_closed())?;
        loop {
            let (failure, wait) = {
                let state = self.state();
                (state.backoff.failure_since(begun), state.backoff.wait())
            };
            match (failure, wait) {
                (Some(error), _) => return Err(error),
                (None, Some(wait)) => sleep(wait).await,
                (None, None) => break,
            }
        }
        self.state().open += 1;
        let mut counted = Counted(Some(self));
        match self.opener.open().await {
            Ok(connection) => {
                counted.0 = None;
                self.state().backoff.succeeded();
                Ok(Arc::new(Kept::new(connection, self.settings.max_lifetime)))
            }
            Err(error) => {
                self.state().backoff.failed(&error);
                Err(error)
            }
        }
    }

    /// Forgets a connection that broke.
    fn discard(&self, connection: Arc<Kept<O::Connection>>) {
        let mut state = self.state();
        state.open -= 1;
        state.fault = Some(Instant::now());
        drop(state);
        drop(connection);
    }

    /// Takes a lent connection back.
    pub(crate) fn take_back(self: &Arc<Self>, connection: Arc<Kept<O::Connection>>, place: Place) {
        let mut state = self.state();
        let since = match place {
            Place::Exclusive(holder) => {
                state.holders.leave(holder);
                Instant::now()
            }
            Place::Lane(id, request) => {
                let Some(at) = state.lanes.iter().position(|lane| lane.id == id) else { return };
                let Some(since) = state.lanes.get_mut(at).and_then(|lane| lane.leave(request)) else {
                    drop(state);
                    self.tell_of_places(1);
                    return;
                };
                let lane = state.lanes.swap_remove(at);
                state.holders.leave(lane.holder);
                state.requests.push(lane.requests);
                // a request that shares is a short one: the clock need not be read again
                since
            }
        };
        if self.opener.is_open(&connection) && self.opener.is_unclean(&connection) {
            drop(state);
            self.restore(connection);
            return;
        }
        self.settle(state, connection, since);
    }

    /// Puts a connection that nobody has any more, since a while or now, where it belongs.
    fn settle(
        &self,
        mut state: MutexGuard<'_, State<O::Connection>>,
        connection: Arc<Kept<O::Connection>>,
        since: Instant,
    ) {
        let is_open = self.opener.is_open(&connection);
        if is_open && !self.is_closed() && !connection.is_old(since) {
            state.idle.push(Idle { connection, since });
            drop(state);
        } else {
            state.open -= 1;
            if !is_open {
                state.fault = Some(Instant::now());
            }
            drop(state);
            drop(connection);
        }
        self.give_permit_back();
    }

    /// Restores a connection in the background; its permit stays taken meanwhile.
    fn restore(self: &Arc<Self>, connection: Arc<Kept<O::Connection>>) {
        let Ok(runtime) = Handle::try_current() else {
            self.discard(connection);
            self.give_permit_back();
            return;
        };
        /// Keeps the books right if the runtime ends before the work does.
        struct Restoring<O: Opener>(Arc<Pool<O>>, Option<Arc<Kept<O::Connection>>>);
        impl<O: Opener> Restoring<O> {
            fn is_done(&mut self) {
                self.1 = None;
            }
        }
        impl<O: Opener> Drop for Restoring<O> {
            fn drop(&mut self) {
                if let Some(connection) = self.1.take() {
                    self.0.discard(connection);
                    self.0.give_permit_back();
                }
            }
        }
        let mut restoring = Restoring(Arc::clone(self), Some(connection));
        runtime.spawn(async move {
            let Some(connection) = restoring.1.clone() else { return };
            let pool = Arc::clone(&restoring.0);
            let restored = timeout(pool.settings.restore_timeout, pool.opener.restore(&connection)).await;
            if restored == Ok(true) {
                restoring.is_done();
                pool.settle(pool.state(), connection, Instant::now());
            }
        });
    }

    fn give_permit_back(&self) {
        self.permits.add_permits(1);
        if self.is_closed() {
            self.returned.notify_waiters();
        }
    }

    /// Refuses new leases, waits until all connections have come back, and closes them.
    pub async fn close(&self) {
        let state = self.state();
        self.is_closed.store(true, Ordering::SeqCst);
        drop(state);
        self.ended.notify_one();
        loop {
            let returned = self.returned.notified();
            // those that wait for a connection get one, and are told that the pool is closed
            if self.permits.available_permits() == self.settings.size {
                break;
            }
            let _ = timeout(Duration::from_secs(1), returned).await;
        }
        let idle: Vec<Idle<O::Connection>> = std::mem::take(&mut self.state().idle);
        self.state().open -= idle.len();
        let closed: Vec<_> = idle.iter().map(|idle| self.opener.closed(&idle.connection)).collect();
        drop(idle);
        for connection in closed {
            let _ = timeout(self.settings.restore_timeout, connection).await;
        }
    }
}

#[cold]
fn is_closed() -> Error {
    Error::connection("the database handle was closed")
}

/// Closes connections that nobody used for a while, as long as the pool lives.
async fn close_unused<O: Opener>(pool: Weak<Pool<O>>, ended: Arc<Notify>, idle_timeout: Duration) {
    let round = (idle_timeout / 2).clamp(Duration::from_millis(10), ROUND);
    while timeout(round, ended.notified()).await.is_err() {
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        let mut gone = Vec::new();
        let mut state = pool.state();
        if pool.is_closed() {
            return;
        }
        let kept = std::mem::take(&mut state.idle);
        for idle in kept {
            let is_unused = now.saturating_duration_since(idle.since) >= idle_timeout;
            match is_unused || idle.connection.is_old(now) {
                true => gone.push(idle.connection),
                false => state.idle.push(idle),
            }
        }
        state.open -= gone.len();
        drop(state);
        drop(gone);
    }
}

impl<O: Opener> Drop for Pool<O> {
    fn drop(&mut self) {
        self.ended.notify_one();
    }
}

impl<O: Opener> std::fmt::Debug for Pool<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("settings", &self.settings).field("metrics", &self.metrics()).finish()
    }
}
