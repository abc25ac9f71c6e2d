//! Transactions.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use mongodb::ClientSession;
use mongodb::error::{TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use ommi_core::driver::{
    BoxFuture, Call, Inserted, NativeWork, Prepared, Raw, RowSink, RowSource, RowStream, RowsMatched, Session,
    Transaction,
};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::driver::about;
use crate::error::{DRIVER, Work, ended, from_mongo};
use crate::explain::explain;
use crate::session::{OpenSession, to_its_end};
use crate::shared::Shared;
use crate::stream::Stream;

/// How often a statement's own transaction is tried.
const ATTEMPTS: u32 = 12;

/// The session of a transaction.
pub(crate) struct Held {
    pub(crate) session: Option<OpenSession>,
    pub(crate) read_only: bool,
}

impl Held {
    /// The session, while the transaction goes on.
    ///
    /// # Errors
    ///
    /// `Transaction` if it is over.
    pub(crate) fn session(&mut self) -> Result<&mut ClientSession> {
        self.session.as_mut().and_then(OpenSession::get).ok_or_else(ended)
    }

    fn writing(&mut self) -> Result<&mut ClientSession> {
        if self.read_only {
            return Err(Error::transaction("the transaction is read-only and was asked to write").with_driver(DRIVER));
        }
        self.session()
    }
}

/// An open transaction. Dropping it aborts it: the session does so by itself.
pub(crate) struct MongoTransaction {
    shared: Arc<Shared>,
    held: Arc<Mutex<Held>>,
}

impl MongoTransaction {
    pub(crate) fn new(shared: Arc<Shared>, session: OpenSession, read_only: bool) -> Self {
        MongoTransaction { shared, held: Arc::new(Mutex::new(Held { session: Some(session), read_only })) }
    }

    /// Does work with the session, to its end.
    async fn to_its_end<T, W>(
        &self,
        work: impl FnOnce(Arc<Shared>, OwnedMutexGuard<Held>) -> W + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let held = Arc::clone(&self.held).lock_owned().await;
        let shared = Arc::clone(&self.shared);
        to_its_end(&self.shared.rollbacks, |_| async move {
            let _running = shared.enter().await?;
            work(Arc::clone(&shared), held).await
        })
        .await
    }
}

/// A call that outlives those who made it.
pub(crate) struct OwnCall {
    prepared: Prepared,
    parameters: Vec<Datum>,
    model: Arc<str>,
    operation: &'static str,
}

impl OwnCall {
    pub(crate) fn of(call: Call<'_>) -> Self {
        OwnCall {
            prepared: call.prepared.clone(),
            parameters: call.parameters.to_vec(),
            model: Arc::clone(call.model),
            operation: call.operation,
        }
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call { prepared: &self.prepared, parameters: &self.parameters, model: &self.model, operation: self.operation }
    }
}

impl Session for MongoTransaction {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let own = OwnCall::of(call);
            self.to_its_end(async move |shared, mut held| {
                let call = own.call();
                shared.fetch(Some(held.session()?), call, sink).await.map_err(|error| about(error, call))
            })
            .await
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let (of_stream, own) = (Arc::clone(&self.held), OwnCall::of(call));
            self.to_its_end(async move |shared, mut held| {
                let call = own.call();
                let stream = Stream::open(shared, Some((of_stream, held.session()?)), call).await;
                let stream = stream.map_err(|error| about(error, call))?;
                Ok(Box::new(stream) as Box<dyn RowStream>)
            })
            .await
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let own = OwnCall::of(call);
            self.to_its_end(async move |shared, mut held| {
                let call = own.call();
                shared.insert(Some(held.writing()?), call, rows).await.map_err(|error| about(error, call))
            })
            .await
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let own = OwnCall::of(call);
            self.to_its_end(async move |shared, mut held| {
                let call = own.call();
                shared.execute(Some(held.writing()?), call).await.map_err(|error| about(error, call))
            })
            .await
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let raw = raw.clone();
            self.to_its_end(async move |shared, mut held| shared.raw(Some(held.session()?), &raw, sink).await).await
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            // a plan cannot be asked for inside a transaction, and does not depend on it
            explain(&self.shared, call).await.map(Some)
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            let mut held = Arc::clone(&self.held).lock_owned().await;
            let worked = tokio::task::spawn_blocking(move || held.session().map(|session| work(session)));
            worked.await.map_err(|error| Error::query("the native work panicked").with_source(error))?
        })
    }
}

#[cold]
fn no_savepoints() -> Error {
    Error::unsupported("MongoDB has no savepoints, and so no nested transactions").with_driver(DRIVER)
}

impl Transaction for MongoTransaction {
    fn savepoint(&self, _: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(no_savepoints()) })
    }

    fn release(&self, _: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(no_savepoints()) })
    }

    fn rollback_to(&self, _: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(no_savepoints()) })
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.to_its_end(async move |_, mut held| {
            let mut session = held.session.take().ok_or_else(ended)?;
            let answer = commit(session.get().ok_or_else(ended)?).await;
            session.ended();
            answer
        }))
    }

    fn rollback(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.to_its_end(async move |_, mut held| {
            let mut session = held.session.take().ok_or_else(ended)?;
            let aborted = session.get().ok_or_else(ended)?.abort_transaction().await;
            session.ended();
            aborted.map_err(|error| from_mongo(error, Work::Read, None))
        }))
    }
}

/// Commits. The client tries once more by itself where the outcome is not known: a commit is never
/// done twice.
async fn commit(session: &mut ClientSession) -> Result<()> {
    session.commit_transaction().await.map_err(|error| {
        let is_unknown = error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT);
        let is_transient = error.contains_label(TRANSIENT_TRANSACTION_ERROR);
        let described = from_mongo(error.clone(), Work::Commit, None);
        match () {
            () if is_unknown && !described.is_unknown() => {
                Error::unknown(format!("the commit was not confirmed: {}", described.message()))
                    .with_driver(DRIVER)
                    .with_source(error)
            }
            () if is_transient && !described.is_conflict() => {
                Error::conflict(format!("the transaction can be tried again: {}", described.message()))
                    .with_driver(DRIVER)
                    .with_source(error)
            }
            () => described,
        }
    })
}

/// A statement in a transaction of its own.
pub(crate) trait OwnWork: Send + 'static {
    /// Runs the statement, which may have been run and rolled back before, and says how many rows it
    /// wrote.
    fn run<'a>(&'a mut self, shared: &'a Shared, session: &'a mut ClientSession) -> BoxFuture<'a, Result<u64>>;
}

impl Shared {
    /// Runs a statement in a transaction of its own, and gives it back. It is run anew if another
    /// transaction was faster, and rolled back if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// The statement's; the server's.
    pub(crate) async fn in_own_transaction<W: OwnWork>(self: &Arc<Self>, mut work: W) -> Result<(W, u64)> {
        let shared = Arc::clone(self);
        // not by the task: when it is abandoned, it is one of those that are waited for
        self.rollbacks.wait().await;
        to_its_end(&self.rollbacks, |abandoned| async move {
            let _running = shared.enter_again();
            let mut attempt = 0;
            loop {
                let mut open = shared.begin(shared.transaction_options()).await?;
                let session = open.get().ok_or_else(ended)?;
                let answer = match work.run(&shared, session).await {
                    Ok(_) if abandoned.is() => return Err(ended()),
                    Ok(rows) => commit(session).await.map(|()| rows),
                    Err(error) => {
                        // the error of the work says more than one of the rollback
                        let _ = session.abort_transaction().await;
                        Err(error)
                    }
                };
                open.ended();
                if abandoned.is() || !is_run_anew(&answer, &mut attempt).await {
                    return Ok((work, answer?));
                }
            }
        })
        .await
    }
}

/// Whether a statement whose transaction ended so is to be run anew: another transaction was faster.
/// Waits ever longer, and by chance, so that those who disturbed each other do not do so again.
async fn is_run_anew<T>(answer: &Result<T>, attempt: &mut u32) -> bool {
    if !answer.as_ref().is_err_and(Error::is_conflict) || *attempt >= ATTEMPTS {
        return false;
    }
    *attempt += 1;
    let most = 1u64 << (*attempt).min(8);
    tokio::time::sleep(Duration::from_micros(500 + fastrand::u64(..most * 1_000))).await;
    true
}
