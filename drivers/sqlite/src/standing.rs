//! A read that stays open while a file is read again and again.
//!
//! In WAL mode every read takes a lock of the file and gives it back, and these two calls of the system
//! take more time than a look-up by key. Where another connection of the process has the lock already,
//! SQLite only counts. So one connection of a handle that reads often stays inside a read transaction of
//! its own. What the others see does not change: each of their reads begins anew, with the last commit.
//!
//! As long as somebody reads, the WAL can't begin anew, and grows where others write. The standing read
//! therefore lasts only while nobody does: it ends before this handle writes, begins anew every few
//! milliseconds, pauses when another has written, and is over soon after the last read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::{Command, Connection, Opener};
use crate::error::Outcome;

/// How many reads pass between two looks at whether there are many.
pub(crate) const MANY: u64 = 64;
/// How soon that many reads have to follow each other.
const SOON: Duration = Duration::from_millis(10);
/// How long the file is left alone after another has written.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a thread without work is kept.
const LINGER: Duration = Duration::from_secs(2);

/// The standing read of a handle.
pub(crate) struct Standing(Arc<Shared>);

struct Shared {
    opener: Arc<Opener>,
    state: Mutex<State>,
    /// Wakes the thread.
    changed: Condvar,
    /// Whether the read is open.
    is_open: AtomicBool,
    /// Whether the handle has written since the last look.
    has_written: AtomicBool,
    /// How often there were many reads.
    looks: AtomicU64,
    /// Whether it is closed, or the file allows no standing read.
    is_over: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Opened when it is first needed.
    connection: Option<Connection>,
    /// Whether a thread is there.
    has_thread: bool,
    /// Whether the read is wanted, and the thread has yet to begin it.
    is_wanted: bool,
    last_look: Option<Instant>,
    /// Until when the file is left alone.
    paused_until: Option<Instant>,
    /// The version of the data that the open read sees.
    version: i64,
}

impl Standing {
    pub(crate) fn new(opener: &Arc<Opener>) -> Self {
        Standing(Arc::new(Shared {
            opener: Arc::clone(opener),
            state: Mutex::default(),
            changed: Condvar::new(),
            is_open: AtomicBool::new(false),
            has_written: AtomicBool::new(false),
            looks: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }))
    }

    /// Notes that there were [`MANY`] reads since the last time.
    #[cold]
    pub(crate) fn look(&self) {
        let shared = &self.0;
        shared.looks.fetch_add(1, Ordering::Relaxed);
        if shared.is_open.load(Ordering::Relaxed) {
            return;
        }
        // the thread has it: it looks by itself
        let Ok(mut state) = shared.state.try_lock() else { return };
        let now = Instant::now();
        let is_soon = state.last_look.replace(now).is_some_and(|last| now.duration_since(last) < SOON);
        let has_written = shared.has_written.swap(false, Ordering::SeqCst);
        let is_paused = state.paused_until.is_some_and(|until| now < until);
        if !is_soon || has_written || is_paused || state.is_wanted || shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        state.is_wanted = true;
        if state.has_thread {
            drop(state);
            shared.changed.notify_one();
            return;
        }
        let thread = Arc::clone(shared);
        let spawned = std::thread::Builder::new().name("ommi-sqlite".to_owned()).spawn(move || thread.keep());
        // without a thread, reads take their locks themselves
        state.has_thread = spawned.is_ok();
        shared.is_over.store(spawned.is_err(), Ordering::Relaxed);
    }

    /// Ends the read, because the handle is about to write.
    #[inline]
    pub(crate) fn make_way(&self) {
        if !self.0.has_written.load(Ordering::SeqCst) {
            self.0.has_written.store(true, Ordering::SeqCst);
        }
        if self.0.is_open.load(Ordering::SeqCst) {
            self.end();
        }
    }

    #[cold]
    fn end(&self) {
        // whoever has it begins the read anew this moment, and ends it soon
        if let Ok(mut state) = self.0.state.try_lock() {
            self.0.end(&mut state);
        }
    }

    /// Ends the read for good and closes its connection. May block.
    pub(crate) fn close(&self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.changed.notify_one();
        let connection = self.0.state().connection.take();
        drop(connection);
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.changed.notify_one();
        // else the thread does it, which may also be one that a fork has left behind
        if let Ok(mut state) = self.0.state.try_lock() {
            state.connection = None;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, state: &mut State) {
        if let Some(connection) = &mut state.connection {
            connection.clean();
        }
        self.is_open.store(false, Ordering::SeqCst);
    }

    /// What the thread does: begins the read when it is wanted, and looks after it while it is open.
    fn keep(&self) {
        let mut state = self.state();
        while !self.is_over.load(Ordering::SeqCst) {
            let was_open = self.is_open.load(Ordering::SeqCst);
            let looks = self.looks.load(Ordering::Relaxed);
            let wait = if was_open { SOON } else { LINGER };
            let waits = |state: &mut State| !state.is_wanted && !self.is_over.load(Ordering::SeqCst);
            let waited = self.changed.wait_timeout_while(state, wait, waits);
            let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && !was_open {
                break;
            }
            let is_wanted = std::mem::take(&mut state.is_wanted);
            let is_open = self.is_open.load(Ordering::SeqCst);
            let is_read = is_wanted || is_open && self.looks.load(Ordering::Relaxed) != looks;
            if is_read && !self.is_over.load(Ordering::SeqCst) {
                self.begin(&mut state, is_open);
            } else {
                self.end(&mut state);
            }
        }
        state.has_thread = false;
        if self.is_over.load(Ordering::SeqCst) {
            state.connection = None;
        }
    }

    /// Begins the read anew. It pauses where a lock is in the way, or another has written since it began.
    fn begin(&self, state: &mut State, is_open: bool) {
        let version = match self.version(state) {
            Ok(Some(version)) => version,
            Ok(None) => {
                self.is_over.store(true, Ordering::SeqCst);
                return;
            }
            Err(_) => {
                state.paused_until = Some(Instant::now() + PAUSE);
                return self.end(state);
            }
        };
        if is_open && version != state.version {
            state.paused_until = Some(Instant::now() + PAUSE);
            return self.end(state);
        }
        state.version = version;
        self.is_open.store(true, Ordering::SeqCst);
        // who began to write meanwhile has not seen that it is open
        if self.has_written.load(Ordering::SeqCst) {
            self.end(state);
        }
    }

    /// The version of the data that a read sees which begins now; `None` if the file has no WAL.
    fn version(&self, state: &mut State) -> Outcome<Option<i64>> {
        let connection = match &mut state.connection {
            Some(connection) => connection,
            none => match self.opener.open_beside()? {
                Some(connection) => none.insert(connection),
                None => return Ok(None),
            },
        };
        connection.clean();
        // never waits for a lock
        connection.watch().begin_short();
        connection.command(Command::Begin("BEGIN DEFERRED"))?;
        connection.data_version().map(Some)
    }
}
