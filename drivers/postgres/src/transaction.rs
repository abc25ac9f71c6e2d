//! Transactions: a lease of a connection between `BEGIN` and its end.
//!
//! Statements are not kept apart: those that are begun at once are in flight at once, and the server
//! runs them in their order.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ommi_core::driver::{
    BoxFuture, Call, Inserted, Isolation, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, Session,
    Transaction, TransactionOptions,
};
use ommi_core::{Error, Result};
use ommi_pool::{Kept, Lease};

use crate::connection::Connection;
use crate::driver::Shared;
use crate::error::{Effect, InWords, Outcome};
use crate::opener::PostgresOpener;
use crate::stream::Stream;
use crate::{explain, insert, raw, read, write};

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// A statement failed: the server takes no more until a savepoint is gone back to.
    Failed,
    Committed,
    RolledBack,
}

struct State {
    lease: Option<Lease<PostgresOpener>>,
    phase: Phase,
}

/// The connection of a transaction, for those who use it in turns.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<State>>);

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection.
    ///
    /// # Errors
    ///
    /// `Transaction` if the transaction is over.
    pub(crate) fn connection(&self) -> Result<Arc<Kept<Connection>>> {
        let state = self.state();
        match (&state.lease, state.phase) {
            (Some(lease), Phase::Open | Phase::Failed) => Ok(Arc::clone(lease.connection())),
            (_, phase) => Err(over(phase)),
        }
    }

    /// The connection, for a statement.
    ///
    /// # Errors
    ///
    /// `Transaction` if the transaction is over, or a statement in it failed.
    fn connection_in_order(&self) -> Result<Arc<Kept<Connection>>> {
        let state = self.state();
        match (&state.lease, state.phase) {
            (Some(lease), Phase::Open) => Ok(Arc::clone(lease.connection())),
            (_, phase) => Err(over(phase)),
        }
    }

    /// Notes that a statement failed.
    pub(crate) fn fail(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Failed;
        }
    }

    fn recover(&self) {
        let mut state = self.state();
        if state.phase == Phase::Failed {
            state.phase = Phase::Open;
        }
    }
}

#[cold]
fn over(phase: Phase) -> Error {
    Error::transaction(match phase {
        Phase::Committed => "the transaction was committed already",
        Phase::Failed => {
            "a statement in the transaction failed, which ends it: use a nested transaction around writes that may fail"
        }
        Phase::Open | Phase::RolledBack => "the transaction was rolled back already",
    })
}

/// An open transaction.
pub(crate) struct PostgresTransaction {
    shared: Arc<Shared>,
    turns: Turns,
}

/// The statement that begins a transaction.
fn begin(options: &TransactionOptions) -> String {
    let isolation = match options.isolation {
        None => "",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    };
    let access = if options.read_only { " READ ONLY" } else { "" };
    let waiting = if options.deferrable { " DEFERRABLE" } else { "" };
    format!("BEGIN{isolation}{access}{waiting}")
}

impl PostgresTransaction {
    pub(crate) async fn begin(shared: &Arc<Shared>, options: &TransactionOptions) -> Result<Self> {
        let lease = shared.pool.lease_within(options.holder(), options.begin_timeout).await?;
        lease.set_dirty(true);
        lease.batch(&begin(options)).await.in_words(shared.context(Effect::None))?;
        let state = State { lease: Some(lease), phase: Phase::Open };
        Ok(PostgresTransaction { shared: Arc::clone(shared), turns: Turns(Arc::new(Mutex::new(state))) })
    }

    /// The answer to a call, or what failed in words: in a transaction nothing lasts yet.
    fn in_words<T>(&self, outcome: Outcome<T>, call: &Call<'_>) -> Result<T> {
        outcome.or_else(|failure| {
            self.turns.fail();
            self.shared.in_words(Err(failure), call, Effect::None)
        })
    }

    /// Refuses to commit where a statement failed whose answer nobody waited for: the server would
    /// take the commit for a rollback, and say nothing.
    async fn check_interrupted(&self) -> Result<()> {
        let connection = self.turns.connection()?;
        if !connection.is_interrupted() {
            return Ok(());
        }
        let answered = connection.batch("SELECT").await;
        if answered.is_err() {
            self.turns.fail();
        }
        answered.in_words(self.shared.context(Effect::None))
    }

    /// Ends the transaction.
    async fn end(&self, command: &str, phase: Phase) -> Outcome<()> {
        let lease = {
            let mut state = self.turns.state();
            let Some(lease) = state.lease.take() else { return Err(over(state.phase).into()) };
            state.phase = Phase::RolledBack;
            lease
        };
        // dropped before its answer, the lease is dirty, and the pool rolls back
        lease.batch(command).await?;
        lease.set_dirty(false);
        self.turns.state().phase = phase;
        Ok(())
    }
}

impl Session for PostgresTransaction {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let connection = self.turns.connection_in_order()?;
            self.in_words(read::fetch(&connection, call, sink).await, &call)
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            self.turns.connection_in_order()?;
            let stream = Stream::declare(self.turns.clone(), call, &self.shared.options).await;
            Ok(Box::new(self.in_words(stream, &call)?) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let connection = self.turns.connection_in_order()?;
            self.in_words(insert::insert(&connection, call, rows).await, &call)
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let connection = self.turns.connection_in_order()?;
            self.in_words(write::execute(&connection, call).await, &call)
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let connection = self.turns.connection()?;
            let answer = raw::run(&connection, raw, sink).await;
            if answer.is_err() {
                self.turns.fail();
            }
            answer.in_words(self.shared.context(Effect::None))
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let connection = self.turns.connection_in_order()?;
            self.in_words(explain::explain(&connection, call).await, &call).map(Some)
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let connection = self.turns.connection()?;
            connection.lend();
            crate::driver::run_native(Arc::clone(connection.client()), work).await
        })
    }
}

impl Transaction for PostgresTransaction {
    fn savepoint(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let connection = self.turns.connection()?;
            let set = connection.batch(&format!("SAVEPOINT ommi_{level}")).await;
            set.in_words(self.shared.context(Effect::None))
        })
    }

    fn release(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let connection = self.turns.connection()?;
            let released = connection.batch(&format!("RELEASE ommi_{level}")).await;
            released.in_words(self.shared.context(Effect::None))
        })
    }

    fn rollback_to(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let connection = self.turns.connection()?;
            let text = format!("ROLLBACK TO ommi_{level}; RELEASE ommi_{level}");
            connection.batch(&text).await.in_words(self.shared.context(Effect::None))?;
            self.turns.recover();
            Ok(())
        })
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let phase = self.turns.state().phase;
            if phase == Phase::Failed {
                // the server would take the commit for a rollback, and say nothing
                self.end("ROLLBACK", Phase::RolledBack).await.in_words(self.shared.context(Effect::None))?;
                return Err(over(Phase::Failed));
            }
            self.check_interrupted().await?;
            self.end("COMMIT", Phase::Committed).await.in_words(self.shared.context(Effect::Lasting))
        })
    }

    fn rollback(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.end("ROLLBACK", Phase::RolledBack).await.in_words(self.shared.context(Effect::None)) {
                // what is over need not be rolled back, nor what the server has lost
                Err(error) if error.is_transaction() || error.is_connection() => Ok(()),
                ended => ended,
            }
        })
    }
}
