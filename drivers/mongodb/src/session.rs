//! Sessions of transactions, and their end where nobody waits for it.
//!
//! The client closes the connection of a command that is dropped. The server may read the command only
//! later, and when it begins a transaction, nobody ends that one for a minute: the command that would
//! have ended it came first. So whatever is sent in a transaction is waited for, by a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mongodb::ClientSession;
use ommi_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::DRIVER;

/// The transactions that were dropped and are not over yet.
#[derive(Debug, Default)]
pub(crate) struct Rollbacks {
    running: AtomicUsize,
    ended: Notify,
}

impl Rollbacks {
    /// Waits until none is under way: what they wrote would be in the way of what comes next.
    pub(crate) async fn wait(&self) {
        loop {
            let ended = self.ended.notified();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }

    fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::AcqRel);
        Running(Arc::clone(self))
    }
}

/// Counts a rollback that is under way, whatever becomes of its task.
struct Running(Arc<Rollbacks>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}

/// Says whether somebody still waits for work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    pub(crate) fn is(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Waits for work in a transaction. Dropping it lets the work go on to its end, which what comes next
/// waits for.
struct Waiting<T: Send + 'static> {
    task: Option<JoinHandle<Result<T>>>,
    abandoned: Abandoned,
    rollbacks: Arc<Rollbacks>,
    /// The runtime of the task: what waits for it may be dropped outside of any.
    runtime: Handle,
}

impl<T: Send + 'static> Drop for Waiting<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take().filter(|task| !task.is_finished()) {
            self.abandoned.0.store(true, Ordering::Release);
            let running = self.rollbacks.begin();
            self.runtime.spawn(async move {
                let _ = task.await;
                drop(running);
            });
        }
    }
}

/// Runs work in a transaction to its end, whether or not somebody waits for it.
///
/// # Errors
///
/// The work's; `Query` if it panics.
pub(crate) async fn to_its_end<T, W>(rollbacks: &Arc<Rollbacks>, work: impl FnOnce(Abandoned) -> W) -> Result<T>
where
    T: Send + 'static,
    W: Future<Output = Result<T>> + Send + 'static,
{
    let abandoned = Abandoned::default();
    let runtime = Handle::current();
    let task = Some(runtime.spawn(work(abandoned.clone())));
    let mut waiting = Waiting { task, abandoned, rollbacks: Arc::clone(rollbacks), runtime };
    let Some(task) = &mut waiting.task else { return Err(crate::error::ended()) };
    let answer = task.await;
    waiting.task = None;
    answer.unwrap_or_else(|fault| {
        Err(Error::query("work in a transaction panicked: a fault of Ommi").with_driver(DRIVER).with_source(fault))
    })
}

/// A session with a transaction. Dropping it rolls the transaction back.
pub(crate) struct OpenSession {
    session: Option<ClientSession>,
    rollbacks: Arc<Rollbacks>,
    runtime: Handle,
}

impl OpenSession {
    /// A session that was begun on the current runtime.
    pub(crate) fn new(session: ClientSession, rollbacks: Arc<Rollbacks>) -> Self {
        OpenSession { session: Some(session), rollbacks, runtime: Handle::current() }
    }

    /// The session, whose transaction is over.
    pub(crate) fn ended(mut self) {
        drop(self.session.take());
    }

    /// The session, to be used.
    pub(crate) fn get(&mut self) -> Option<&mut ClientSession> {
        self.session.as_mut()
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take() {
            let running = self.rollbacks.begin();
            self.runtime.spawn(async move {
                // what is over already is no error here
                let _ = session.abort_transaction().await;
                drop(running);
            });
        }
    }
}
