//! What may interrupt a running statement: the budget of work on the executor's thread, the
//! cancellation of a dropped future, the limit of waiting for a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a statement may run on the executor's thread before a worker takes it over: enough for
/// some 10,000 rows, which a worker gives a tenth later because they cross to another core.
pub(crate) const INLINE_BUDGET: Duration = Duration::from_millis(4);
/// From when on work on the executor's thread is followed by a turn of the others.
pub(crate) const LONG: Duration = Duration::from_micros(500);
/// The longest sleep between two looks at a lock.
const LONGEST_NAP: Duration = Duration::from_millis(10);

/// Reads on the executor's thread: interrupted when the budget is spent, never waiting.
const INLINE: u8 = 0;
/// Short writes on the executor's thread: never interrupted, never waiting.
const SHORT: u8 = 1;
/// Work on a thread that may block: interrupted when cancelled, waiting for locks.
const WORKER: u8 = 2;

/// The state that a connection shares with its progress and busy handlers.
#[derive(Debug)]
pub(crate) struct Watch {
    origin: Instant,
    mode: AtomicU8,
    /// When the running inline work was first looked at; 0 before.
    noted: AtomicU64,
    busy_timeout: AtomicU64,
    busy_until: AtomicU64,
    /// The number of the run that a worker does, or did last.
    run: AtomicU64,
    /// The number of the last run that was cancelled.
    cancelled: AtomicU64,
}

impl Watch {
    pub(crate) fn new(busy_timeout: Duration) -> Arc<Self> {
        Arc::new(Watch {
            origin: Instant::now(),
            mode: AtomicU8::new(WORKER),
            noted: AtomicU64::new(0),
            busy_timeout: AtomicU64::new(nanos(busy_timeout)),
            busy_until: AtomicU64::new(0),
            run: AtomicU64::new(1),
            cancelled: AtomicU64::new(0),
        })
    }

    /// Nanoseconds since the connection was opened; never 0.
    fn now(&self) -> u64 {
        nanos(self.origin.elapsed()).max(1)
    }

    /// Begins a read on the executor's thread.
    #[inline]
    pub(crate) fn begin_inline(&self) {
        self.mode.store(INLINE, Ordering::Relaxed);
        self.noted.store(0, Ordering::Relaxed);
    }

    /// Begins a short write on the executor's thread.
    #[inline]
    pub(crate) fn begin_short(&self) {
        self.mode.store(SHORT, Ordering::Relaxed);
        self.noted.store(0, Ordering::Relaxed);
    }

    /// Begins a run of a worker. When the answer is dropped, the run is cancelled.
    pub(crate) fn begin_worker(self: &Arc<Self>) -> Cancel {
        self.mode.store(WORKER, Ordering::Relaxed);
        let run = self.run.fetch_add(1, Ordering::SeqCst) + 1;
        Cancel { watch: Arc::clone(self), run }
    }

    /// The number of the run that a worker does, or did last.
    pub(crate) fn run(&self) -> u64 {
        self.run.load(Ordering::SeqCst)
    }

    /// Cancels a run of a worker; if it has ended, nothing happens.
    pub(crate) fn cancel(&self, run: u64) {
        self.cancelled.fetch_max(run, Ordering::Relaxed);
    }

    /// Whether the running work of a worker is not wanted any more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) == self.run.load(Ordering::Relaxed)
    }

    /// Whether the budget of inline work is spent. The first look only notes the time.
    pub(crate) fn is_spent(&self) -> bool {
        if self.mode.load(Ordering::Relaxed) != INLINE {
            return false;
        }
        let now = self.now();
        match self.noted.load(Ordering::Relaxed) {
            0 => {
                self.noted.store(now, Ordering::Relaxed);
                false
            }
            noted => now.saturating_sub(noted) >= nanos(INLINE_BUDGET),
        }
    }

    /// Whether the inline work that was done took so long that others should have a turn.
    #[inline]
    pub(crate) fn was_long(&self) -> bool {
        match self.noted.load(Ordering::Relaxed) {
            0 => false,
            noted => self.now().saturating_sub(noted) >= nanos(LONG),
        }
    }

    /// Whether a worker has the connection.
    pub(crate) fn is_worker(&self) -> bool {
        self.mode.load(Ordering::Relaxed) == WORKER
    }

    /// The progress handler: whether the statement is to be interrupted.
    pub(crate) fn tick(&self) -> bool {
        match self.mode.load(Ordering::Relaxed) {
            INLINE => self.is_spent(),
            WORKER => self.is_cancelled(),
            _ => false,
        }
    }

    /// Says how long locks are waited for; gives how long it was before.
    pub(crate) fn set_busy_timeout(&self, timeout: Duration) -> Duration {
        Duration::from_nanos(self.busy_timeout.swap(nanos(timeout), Ordering::Relaxed))
    }

    /// Says that locks are waited for no longer than a time; gives how long it was before.
    pub(crate) fn limit_busy_timeout(&self, timeout: Duration) -> Duration {
        Duration::from_nanos(self.busy_timeout.fetch_min(nanos(timeout), Ordering::Relaxed))
    }

    /// The busy handler: sleeps, and says whether to look at the lock again.
    pub(crate) fn wait(&self, times: i32) -> bool {
        if self.mode.load(Ordering::Relaxed) != WORKER || self.is_cancelled() {
            return false;
        }
        let now = self.now();
        if times == 0 {
            self.busy_until.store(now.saturating_add(self.busy_timeout.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
        let left = self.busy_until.load(Ordering::Relaxed).saturating_sub(now);
        if left == 0 {
            return false;
        }
        let nap = Duration::from_micros(100 << times.clamp(0, 7)).min(LONGEST_NAP);
        std::thread::sleep(nap.min(Duration::from_nanos(left)));
        true
    }
}

/// Cancels the run of a worker when it is dropped; after the run has ended, nothing happens.
#[derive(Debug)]
pub(crate) struct Cancel {
    watch: Arc<Watch>,
    run: u64,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        self.watch.cancel(self.run);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
