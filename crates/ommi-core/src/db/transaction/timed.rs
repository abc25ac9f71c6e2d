//! A transaction that ends by itself when its time is up, whatever its owner does.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::deadline::Deadline;
use crate::driver::{
    BoxFuture, Call, Inserted, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, Session, Transaction,
};
use crate::error::{Error, Result};

/// A transaction whose every statement ends by the deadline, after which it is rolled back.
pub(super) struct Timed {
    /// Taken away when the time is up.
    inside: Mutex<Option<Arc<dyn Transaction>>>,
    deadline: Deadline,
    watching: OnceLock<AbortHandle>,
}

impl Timed {
    /// The transaction, with a task that rolls it back at the deadline.
    pub(super) fn watched(inside: Arc<dyn Transaction>, deadline: Deadline) -> Arc<dyn Transaction> {
        let timed = Arc::new(Timed { inside: Mutex::new(Some(inside)), deadline, watching: OnceLock::new() });
        if let (Ok(runtime), Some(at)) = (Handle::try_current(), deadline.at()) {
            let watched = Arc::downgrade(&timed);
            let task = runtime.spawn(async move {
                tokio::time::sleep_until(at).await;
                if let Some(timed) = watched.upgrade() {
                    timed.expire();
                }
            });
            let _ = timed.watching.set(task.abort_handle());
        }
        timed
    }

    /// Lets go of the transaction, which rolls it back.
    fn expire(&self) {
        drop(self.inside.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn inside(&self) -> Result<Arc<dyn Transaction>> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner).clone();
        inside.ok_or_else(|| self.deadline.passed())
    }

    /// The answer of the transaction, if it comes in time; else it is rolled back.
    async fn limit<T>(&self, work: impl Future<Output = Result<T>>, late: impl FnOnce(Deadline) -> Error) -> Result<T> {
        let mut is_late = false;
        let answer = self.deadline.limit(work, |deadline| {
            is_late = true;
            late(deadline)
        });
        let answer = answer.await;
        if is_late {
            self.expire();
        }
        answer
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if let Some(task) = self.watching.get() {
            task.abort();
        }
    }
}

/// Rows that are read in time.
struct TimedRows {
    inside: Box<dyn RowStream>,
    deadline: Deadline,
}

impl RowStream for TimedRows {
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(self.deadline.limit(self.inside.next(sink, rows), Deadline::passed))
    }
}

impl Session for Timed {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.fetch(call, sink), Deadline::passed).await
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let inside = self.inside()?;
            let rows = self.limit(inside.stream(call), Deadline::passed).await?;
            Ok(Box::new(TimedRows { inside: rows, deadline: self.deadline }) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.insert(call, rows), Deadline::passed).await
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.execute(call), Deadline::passed).await
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.raw(raw, sink), Deadline::passed).await
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.explain(call), Deadline::passed).await
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let inside = self.inside()?;
            self.limit(inside.native(work), Deadline::passed).await
        })
    }
}

macro_rules! bounds {
    ($($method:ident($($level:ident)?) or $late:ident;)*) => { $(
        fn $method(&self $(, $level: u32)?) -> BoxFuture<'_, Result<()>> {
            Box::pin(async move {
                let inside = self.inside()?;
                self.limit(inside.$method($($level)?), Deadline::$late).await
            })
        }
    )* };
}

impl Transaction for Timed {
    bounds! {
        savepoint(level) or passed;
        release(level) or passed;
        rollback_to(level) or passed;
        commit() or unanswered;
    }

    fn rollback(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.inside() {
                Ok(inside) => inside.rollback().await,
                // it was rolled back when the time was up
                Err(_) => Ok(()),
            }
        })
    }
}
