//! Work that waits where it was begun, and goes on on the runtime once something wakes it.
//!
//! To hand it to the runtime at once would wake the runtime's thread for nothing, and while a server
//! computes the answer that thread is in its way: what wakes the work mostly is that thread itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use tokio::task::AbortHandle;

use crate::runtime::runtime;

/// Work, and what tells of its outcome.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What wakes work that waits.
pub(crate) struct Sleeper(Mutex<State>);

enum State {
    /// It is polled where it was begun.
    Polled,
    /// Something has woken it, so that it is to be polled anew.
    Woken,
    Asleep(Task),
    /// It is the runtime's.
    Running(AbortHandle),
    Over,
}

impl Sleeper {
    /// For work that is polled now.
    pub(crate) fn polled() -> Arc<Self> {
        Arc::new(Sleeper(Mutex::new(State::Polled)))
    }

    /// For work that was not polled yet.
    pub(crate) fn woken() -> Arc<Self> {
        Arc::new(Sleeper(Mutex::new(State::Woken)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the work wait until something wakes it, or has done so.
    pub(crate) fn sleep(&self, task: Task) {
        let mut state = self.state();
        *state = match &*state {
            State::Woken => run(task),
            _ => State::Asleep(task),
        };
    }

    /// Ends the work.
    pub(crate) fn stop(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Over);
        match before {
            State::Asleep(task) => {
                // what it holds may have to be cleaned by the runtime
                let _inside = runtime().map(|runtime| runtime.enter());
                drop(task);
            }
            State::Running(task) => task.abort(),
            State::Polled | State::Woken | State::Over => {}
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Over) {
            State::Polled => State::Woken,
            State::Asleep(task) => run(task),
            other => other,
        };
    }
}

fn run(task: Task) -> State {
    match runtime() {
        Ok(runtime) => State::Running(runtime.spawn(task).abort_handle()),
        Err(_) => State::Over,
    }
}
