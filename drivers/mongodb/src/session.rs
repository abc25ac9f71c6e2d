//! Sessions of transactions, and their end where nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mongodb::ClientSession;
use tokio::sync::Notify;

/// The transactions that were dropped and whose rollback is under way.
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
}

/// A session with a transaction. Dropping it rolls the transaction back.
pub(crate) struct OpenSession {
    session: Option<ClientSession>,
    rollbacks: Arc<Rollbacks>,
}

impl OpenSession {
    pub(crate) fn new(session: ClientSession, rollbacks: Arc<Rollbacks>) -> Self {
        OpenSession { session: Some(session), rollbacks }
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

/// Rolls back what a session has written. What is over already is no error here.
pub(crate) fn roll_back(session: ClientSession, rollbacks: &Arc<Rollbacks>) {
    // without a runtime the session ends its transaction by itself
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    rollbacks.running.fetch_add(1, Ordering::AcqRel);
    let running = Running(Arc::clone(rollbacks));
    runtime.spawn(async move {
        let mut session = session;
        let _ = session.abort_transaction().await;
        drop(running);
    });
}

impl OpenSession {
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
        if let Some(session) = self.session.take() {
            roll_back(session, &self.rollbacks);
        }
    }
}
