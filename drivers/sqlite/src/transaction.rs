//! Transactions: a lease of a connection between `BEGIN` and its end.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ommi_core::driver::{
    BoxFuture, Call, Holder, Inserted, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, Session,
    Transaction, TransactionOptions,
};
use ommi_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::connection::{Command, Connection, StatementKey};
use crate::error::{Failure, InWords, Outcome};
use crate::held::Held;
use crate::options::Options;
use crate::pool::Lease;
use crate::shared::Shared;
use crate::stream::{Source, Stream};
use crate::watch::Watch;
use crate::{explain, native_work, raw, read, worker, write};

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Committed,
    RolledBack,
    /// SQLite rolled it back by itself.
    Lost,
}

/// The connection of a transaction.
pub(crate) struct State {
    lease: Option<Lease>,
    phase: Phase,
    /// Whether a `BEGIN` of this transaction has to be ended: not where a reader of a database in
    /// memory was inside a snapshot already.
    has_begun: bool,
}

/// An open transaction.
pub(crate) struct SqliteTransaction {
    shared: Arc<Shared>,
    turns: Turns,
    watch: Arc<Watch>,
    is_read_only: bool,
}

/// Gives out the connection of a transaction, to one call at a time.
#[derive(Clone)]
pub(crate) struct Turns {
    state: Arc<Mutex<State>>,
    /// Whether the transaction was dropped while a call was running.
    is_abandoned: Arc<AtomicBool>,
}

/// One call's use of the connection of a transaction.
pub(crate) struct Turn {
    /// `None` only while it is dropped.
    state: Option<OwnedMutexGuard<State>>,
    turns: Turns,
    /// The connection of a transaction that has ended: given back when the state is free again, so
    /// that who finds it taken knows that the connection is not its next user's yet.
    ended: Option<Lease>,
}

impl Turns {
    /// The connection, once the calls before have ended.
    ///
    /// # Errors
    ///
    /// `Transaction` if the transaction is over.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let state = match Arc::clone(&self.state).try_lock_owned() {
            Ok(state) => state,
            Err(_) => Arc::clone(&self.state).lock_owned().await,
        };
        let mut turn = Turn { state: Some(state), turns: self.clone(), ended: None };
        turn.check()?;
        Ok(turn)
    }

    /// Ends a statement of a stream, if no call has the connection.
    pub(crate) fn forget(&self, key: StatementKey) {
        if let Ok(mut state) = self.state.try_lock()
            && let Some(lease) = &mut state.lease
            && let Ok(connection) = lease.connection()
        {
            connection.forget(key);
        }
    }

    /// Takes the connection away if no call has it.
    fn take_lease(&self) -> Option<Lease> {
        let mut state = Arc::clone(&self.state).try_lock_owned().ok()?;
        if state.phase == Phase::Open {
            state.phase = Phase::RolledBack;
        }
        state.lease.take()
    }
}

impl Turn {
    fn state(&mut self) -> Result<&mut State> {
        self.state.as_deref_mut().ok_or_else(|| over(Phase::RolledBack))
    }

    /// Notices that SQLite rolled the transaction back by itself.
    fn check(&mut self) -> Result<()> {
        let state = self.state()?;
        let is_lost = match &mut state.lease {
            Some(lease) => lease.connection()?.is_autocommit(),
            None => false,
        };
        if state.phase == Phase::Open && is_lost {
            state.phase = Phase::Lost;
            let lease = state.lease.take();
            self.ended = lease;
        }
        match self.state()?.phase {
            Phase::Open => Ok(()),
            phase => Err(over(phase)),
        }
    }

    /// Ends the transaction.
    fn end(mut self, command: Command) -> Outcome<()> {
        let state = self.state()?;
        let has_begun = state.has_begun;
        let Some(lease) = state.lease.take() else { return Err(over(Phase::RolledBack).into()) };
        // whatever happens, nothing stays open when the lease ends
        state.phase = Phase::RolledBack;
        let lease = self.ended.insert(lease);
        let connection = lease.connection()?;
        connection.forget_streams();
        if has_begun && !connection.is_autocommit() {
            connection.command(command)?;
        }
        if has_begun {
            lease.set_dirty(false);
        }
        if matches!(command, Command::Commit) {
            self.state()?.phase = Phase::Committed;
        }
        Ok(())
    }
}

#[cold]
fn over(phase: Phase) -> Error {
    Error::transaction(match phase {
        Phase::Committed => "the transaction was committed already",
        Phase::Lost => "the database rolled the transaction back after a failed or interrupted statement: run it anew",
        Phase::Open | Phase::RolledBack => "the transaction was rolled back already",
    })
}

impl Held for Turn {
    fn connection(&mut self) -> Result<&mut Connection> {
        match &mut self.state()?.lease {
            Some(lease) => lease.connection(),
            None => Err(over(Phase::RolledBack)),
        }
    }

    fn is_transaction(&self) -> bool {
        true
    }

    fn set_dirty(&mut self, _: bool) {}

    // the transaction has it, whatever is done in it
    fn set_holder(&mut self, _: impl FnOnce() -> Holder) {}

    fn lend<R>(&mut self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> Result<R> {
        match &mut self.state()?.lease {
            Some(lease) => lease.lend(work),
            None => Err(over(Phase::RolledBack)),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.state.take());
        // looked at after the state is free again: either the dropped transaction finds it free,
        // or this finds the flag
        if self.turns.is_abandoned.load(Ordering::SeqCst) {
            drop(self.turns.take_lease());
        }
    }
}

impl SqliteTransaction {
    pub(crate) async fn begin(shared: &Arc<Shared>, options: &TransactionOptions) -> Outcome<Self> {
        let begun = Instant::now();
        let left = || options.begin_timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
        let is_read_only = options.read_only;
        let is_memory = shared.options.is_memory();
        let mut lease = match is_read_only {
            true => shared.readers.lease_within(left()).await?,
            false => shared.writer.lease_within(left()).await?,
        };
        lease.set_holder(options.holder());
        if is_memory && !is_read_only {
            let quiet = shared.readers.quiet(left()).await?;
            quiet.end_snapshots();
            quiet.begin_snapshots()?;
            lease.set_quiet(Some(quiet));
        }
        let connection = lease.connection()?;
        let watch = Arc::clone(connection.watch());
        let has_begun = connection.is_autocommit();
        if is_read_only {
            connection.batch("PRAGMA query_only = ON")?;
        }
        if has_begun {
            let command = Command::Begin(if is_read_only { "BEGIN DEFERRED" } else { shared.options.begin });
            lease.set_dirty(true);
            lease = begin_with(lease, command, left()).await?;
        }
        lease.set_quiet(None);
        let state = State { lease: Some(lease), phase: Phase::Open, has_begun };
        let turns = Turns { state: Arc::new(Mutex::new(state)), is_abandoned: Arc::default() };
        Ok(SqliteTransaction { shared: Arc::clone(shared), turns, watch, is_read_only })
    }

    /// The failure of a statement, which for a write in a transaction that only reads is this.
    fn unless_read_only(&self, failure: Failure) -> Failure {
        match self.is_read_only && failure.is_refused_write() {
            true => Failure::Ommi(Error::transaction("the transaction is read-only and was asked to write")),
            false => failure,
        }
    }

    fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Runs a text on the connection at once: savepoints wait for nothing.
    async fn short(&self, text: String) -> Result<()> {
        let mut turn = self.turns.turn().await?;
        let connection = turn.connection()?;
        connection.watch().begin_short();
        connection.batch(&text).in_words(|| self.options().shown(), None)
    }

    async fn end(&self, command: Command) -> Result<()> {
        let mut turn = self.turns.turn().await?;
        if self.is_read_only {
            turn.connection()?.batch("PRAGMA query_only = OFF").in_words(|| self.options().shown(), None)?;
        }
        let is_commit = matches!(command, Command::Commit);
        let mut quiet = None;
        if self.options().is_memory() && !self.is_read_only && is_commit {
            let readers = self.shared.readers.quiet(None).await?;
            readers.end_snapshots();
            quiet = Some(readers);
        }
        let is_quick = self.is_read_only || self.options().commits_at_once();
        let ended = if is_quick {
            turn.connection()?.watch().begin_short();
            turn.end(command)
        } else {
            worker::run(turn, move |turn| turn.end(command)).await
        };
        drop(quiet);
        ended.in_words(|| self.options().shown(), None)
    }
}

/// Runs a `BEGIN`; where it meets a lock, on a worker that may wait for it.
async fn begin_with(mut lease: Lease, command: Command, left: Option<Duration>) -> Outcome<Lease> {
    let connection = lease.connection()?;
    connection.watch().begin_short();
    match connection.command(command) {
        Ok(()) => return Ok(lease),
        Err(failure) if failure.is_busy() => {}
        Err(failure) => return Err(failure),
    }
    worker::run(lease, move |mut lease| {
        let connection = lease.connection()?;
        let watch = Arc::clone(connection.watch());
        let usual = left.map(|left| watch.limit_busy_timeout(left));
        let begun = connection.command(command);
        if let Some(usual) = usual {
            watch.set_busy_timeout(usual);
        }
        begun?;
        Ok(lease)
    })
    .await
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        // the run that may be on its way: a later one is that of the connection's next user
        let run = self.watch.run();
        self.turns.is_abandoned.store(true, Ordering::SeqCst);
        if self.turns.state.try_lock().is_err() {
            self.watch.cancel(run);
        }
        let Some(lease) = self.turns.take_lease() else { return };
        // the lease rolls back when it ends, which may take a while
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(lease))),
            Err(_) => drop(lease),
        }
    }
}

impl Session for SqliteTransaction {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let fetched = read::fetch(self.turns.turn().await?, call, sink).await;
            self.shared.in_words(fetched, &call)
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let source = Source::Transaction(self.turns.clone());
            Ok(Box::new(Stream::new(source, call, Arc::clone(&self.shared))) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let inserted = write::insert(self.turns.turn().await?, call, rows, true).await;
            self.shared.in_words(inserted, &call)
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let matched = write::execute(self.turns.turn().await?, call, true).await;
            self.shared.in_words(matched, &call)
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let turn = self.turns.turn().await?;
            let ran = raw::run(turn, raw, sink, false).await.map_err(|failure| self.unless_read_only(failure));
            match ran.in_words(|| self.options().shown(), None)? {
                raw::Answer::Done(sink, matched) => Ok((sink, matched)),
                raw::Answer::NoRead(sink) => Ok((sink, 0)),
            }
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let explained = explain::explain(self.turns.turn().await?, call).await;
            self.shared.in_words(explained, &call).map(Some)
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let turn = self.turns.turn().await?;
            native_work::run(turn, work).await.in_words(|| self.options().shown(), None)
        })
    }
}

impl Transaction for SqliteTransaction {
    fn savepoint(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.short(format!("SAVEPOINT ommi_{level}")))
    }

    fn release(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.short(format!("RELEASE ommi_{level}")))
    }

    fn rollback_to(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.short(format!("ROLLBACK TO ommi_{level}; RELEASE ommi_{level}")))
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.end(Command::Commit))
    }

    fn rollback(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match self.end(Command::Rollback).await {
                // what SQLite has rolled back need not be rolled back again
                Err(error) if error.is_transaction() => Ok(()),
                ended => ended,
            }
        })
    }
}
