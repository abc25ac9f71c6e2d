//! On which processor the runtime's thread runs.
//!
//! While one operation is waited for at a time, the loop's thread and the runtime's never have something to
//! do at once, and to wake a thread of another processor takes as long as the rest of a look-up. The runtime's
//! thread then keeps the loop's company. Where there are several, it runs wherever the system puts it.

#[cfg(target_os = "linux")]
pub(crate) use self::linux::Company;
#[cfg(not(target_os = "linux"))]
pub(crate) use self::others::Company;

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    use rustix::thread::{CpuSet, Pid, gettid, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// After how many operations that were alone the next one is taken to be, too.
    const ALONE: u32 = 8;
    /// After how many operations that begin on another processor the thread follows there: if it did at once,
    /// each could flee from the other.
    const ELSEWHERE: u32 = 64;
    /// Wherever the system puts it.
    const ANYWHERE: usize = usize::MAX;

    /// Where the runtime's thread runs.
    pub(crate) struct Company {
        /// The runtime's thread, which is the first that it starts.
        thread: Arc<OnceLock<Pid>>,
        /// The processors that the process may use; `None` if they are not known, or but one.
        allowed: Option<CpuSet>,
        /// The processor to which the thread is bound.
        bound: AtomicUsize,
        /// How many operations were alone, one after the other.
        alone: AtomicU32,
        /// How many of them began on another processor than the thread's.
        elsewhere: AtomicU32,
    }

    impl Company {
        pub(crate) fn new() -> Self {
            Company {
                thread: Arc::default(),
                allowed: sched_getaffinity(None).ok().filter(|allowed| allowed.count() > 1),
                bound: AtomicUsize::new(ANYWHERE),
                alone: AtomicU32::new(0),
                elsewhere: AtomicU32::new(0),
            }
        }

        /// What each thread of the runtime calls when it begins.
        pub(crate) fn begun(&self) -> impl Fn() + Send + Sync + 'static {
            let (thread, allowed) = (Arc::clone(&self.thread), self.allowed);
            move || {
                let is_first = thread.set(gettid()).is_ok();
                // it has the processors of the thread that started it
                if let Some(allowed) = allowed.filter(|_| !is_first) {
                    let _ = sched_setaffinity(None, &allowed);
                }
            }
        }

        /// Notes that an operation is waited for on this thread, and whether it is the only one.
        pub(crate) fn wait(&self, is_alone: bool) {
            if !is_alone {
                self.alone.store(0, Ordering::Relaxed);
                if self.bound.load(Ordering::Relaxed) != ANYWHERE {
                    self.bind(ANYWHERE);
                }
                return;
            }
            if self.alone.load(Ordering::Relaxed) < ALONE {
                self.alone.fetch_add(1, Ordering::Relaxed);
                return;
            }
            let here = sched_getcpu();
            if self.bound.load(Ordering::Relaxed) == here {
                self.elsewhere.store(0, Ordering::Relaxed);
            } else if self.elsewhere.fetch_add(1, Ordering::Relaxed) >= ELSEWHERE {
                self.elsewhere.store(0, Ordering::Relaxed);
                self.bind(here);
            }
        }

        #[cold]
        fn bind(&self, to: usize) {
            let (Some(allowed), Some(thread)) = (&self.allowed, self.thread.get()) else { return };
            let mut processors = *allowed;
            if to != ANYWHERE {
                if !allowed.is_set(to) {
                    return;
                }
                processors.clear();
                processors.set(to);
            }
            self.bound.store(to, Ordering::Relaxed);
            // where the system does not let it, the thread stays where it is
            let _ = sched_setaffinity(Some(*thread), &processors);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod others {
    /// Where the runtime's thread runs: not in our hands.
    pub(crate) struct Company;

    impl Company {
        pub(crate) fn new() -> Self {
            Company
        }

        pub(crate) fn begun(&self) -> impl Fn() + Send + Sync + 'static {
            || {}
        }

        pub(crate) fn wait(&self, _is_alone: bool) {}
    }
}
