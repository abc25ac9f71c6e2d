//! What is to be run when a transaction has ended.

use std::any::Any;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Callback = Box<dyn FnOnce() + Send>;

/// How a transaction, or a level of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::db) enum End {
    Committed,
    RolledBack,
    /// The commit was sent and not answered.
    Unknown,
}

/// What one level of a transaction runs at its end.
#[derive(Default)]
pub(super) struct Callbacks(Mutex<State>);

enum State {
    Open(Registered),
    /// The level has become part of another, which decides.
    Merged(Arc<Callbacks>),
    Ended(End),
}

#[derive(Default)]
struct Registered {
    after_commit: Vec<Callback>,
    after_rollback: Vec<Callback>,
}

impl Default for State {
    fn default() -> Self {
        State::Open(Registered::default())
    }
}

impl Callbacks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the level ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        let merged = match &*self.state() {
            State::Open(_) => return None,
            State::Ended(end) => return Some(*end),
            State::Merged(outer) => Arc::clone(outer),
        };
        merged.end()
    }

    /// Whether the level has become part of another.
    pub(super) fn is_merged(&self) -> bool {
        matches!(*self.state(), State::Merged(_))
    }

    /// Keeps a callback for one of the ends; runs it, or drops it, where that is known already.
    pub(super) fn add(&self, after: End, callback: Callback) {
        let mut state = self.state();
        match &mut *state {
            State::Open(registered) => match after {
                End::Committed => registered.after_commit.push(callback),
                End::RolledBack => registered.after_rollback.push(callback),
                End::Unknown => {}
            },
            State::Merged(outer) => {
                let outer = Arc::clone(outer);
                drop(state);
                outer.add(after, callback);
            }
            State::Ended(end) => {
                let is_due = *end == after;
                drop(state);
                if is_due {
                    callback();
                }
            }
        }
    }

    /// Leaves everything to the level around.
    pub(super) fn merge_into(&self, outer: &Arc<Callbacks>) {
        let State::Open(registered) = mem::replace(&mut *self.state(), State::Merged(Arc::clone(outer))) else {
            return;
        };
        registered.after_commit.into_iter().for_each(|callback| outer.add(End::Committed, callback));
        registered.after_rollback.into_iter().for_each(|callback| outer.add(End::RolledBack, callback));
    }

    /// Runs what belongs to an end, in the order in which it was registered.
    ///
    /// # Panics
    ///
    /// With the first panic of a callback, after all have run.
    pub(super) fn run(&self, end: End) {
        let mut state = self.state();
        if !matches!(*state, State::Open(_)) {
            return;
        }
        let State::Open(registered) = mem::replace(&mut *state, State::Ended(end)) else { return };
        drop(state);
        let due = match end {
            End::Committed => registered.after_commit,
            End::RolledBack => registered.after_rollback,
            End::Unknown => Vec::new(),
        };
        let mut panicked: Option<Box<dyn Any + Send>> = None;
        for callback in due {
            if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(callback)) {
                panicked.get_or_insert(panic);
            }
        }
        // a second panic on the way out of a first would end the program
        if let Some(panic) = panicked
            && !std::thread::panicking()
        {
            panic::resume_unwind(panic);
        }
    }
}
