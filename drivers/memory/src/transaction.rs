//! Transactions.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ommi_core::driver::{
    BoxFuture, Call, Inserted, Isolation, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, Session,
    Transaction,
};
use ommi_core::{Error, Result};

use crate::driver::{insert, no_native, no_raw};
use crate::error::{DRIVER, about, ended};
use crate::overlay::Overlay;
use crate::read::{self, Source};
use crate::seen::Seen;
use crate::statement;
use crate::store::{Store, Writer};
use crate::table::Tables;
use crate::write::{self, Writing};

/// An open transaction. What it has written lies in an overlay that goes with it: dropping the
/// transaction is its rollback.
pub(crate) struct MemoryTransaction {
    store: Arc<Store>,
    state: Mutex<State>,
}

enum State {
    /// It writes, and nobody else does.
    Writing { writer: Writer, overlay: Overlay, savepoints: Vec<(u32, usize)> },
    /// It only reads: what is committed, or what was when it began.
    Reading { snapshot: Option<Tables>, savepoints: Vec<u32> },
    /// It was committed or rolled back.
    Ended,
}

impl MemoryTransaction {
    /// A transaction that has the right to write.
    pub(crate) fn writing(store: Arc<Store>, writer: Writer) -> Self {
        let state = State::Writing { writer, overlay: Overlay::default(), savepoints: Vec::new() };
        MemoryTransaction { store, state: Mutex::new(state) }
    }

    /// A transaction that only reads.
    pub(crate) fn reading(store: Arc<Store>, isolation: Option<Isolation>) -> Self {
        let snapshot = match isolation {
            Some(Isolation::RepeatableRead | Isolation::Serializable) => Some(store.read().clone()),
            Some(Isolation::ReadCommitted) | None => None,
        };
        MemoryTransaction { store, state: Mutex::new(State::Reading { snapshot, savepoints: Vec::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a select, as the transaction sees them.
    fn source(&self, call: Call<'_>) -> Result<Source> {
        let source = |tables: &Tables, overlay: Option<&Overlay>| {
            Source::new(call.prepared, call.parameters, Seen { tables, overlay })
        };
        match &*self.state() {
            State::Writing { overlay, .. } => source(&self.store.read(), Some(overlay)),
            State::Reading { snapshot: Some(tables), .. } => source(tables, None),
            State::Reading { snapshot: None, .. } => source(&self.store.read(), None),
            State::Ended => Err(ended()),
        }
    }

    fn write<T>(&self, work: impl FnOnce(&mut Writing<'_>) -> Result<T>) -> Result<T> {
        match &mut *self.state() {
            State::Writing { overlay, .. } => write::run(&self.store.read(), overlay, work),
            State::Reading { .. } => Err(Error::transaction("the transaction is read-only and was asked to write")),
            State::Ended => Err(ended()),
        }
    }

    /// Ends a level: forgets its savepoint and those inside it, and gives the mark that it set.
    fn end_level(savepoints: &mut Vec<(u32, usize)>, level: u32) -> Result<usize> {
        let Some(at) = savepoints.iter().rposition(|(of, _)| *of == level) else { return Err(no_savepoint(level)) };
        let mark = savepoints.get(at).map(|(_, mark)| *mark).unwrap_or_default();
        savepoints.truncate(at);
        Ok(mark)
    }
}

#[cold]
fn no_savepoint(level: u32) -> Error {
    Error::transaction(format!("there is no savepoint of level {level}")).with_driver(DRIVER)
}

impl Session for MemoryTransaction {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let source = self.source(call).map_err(|error| about(error, call))?;
            read::fetch(call.prepared, call.parameters, source, sink).await.map_err(|error| about(error, call))
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let source = self.source(call).map_err(|error| about(error, call))?;
            read::stream(call.prepared, call.parameters, source).await.map_err(|error| about(error, call))
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, source: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            self.write(|writing| insert(call, source, writing)).map_err(|error| about(error, call))
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let work = |writing: &mut Writing<'_>| writing.execute(statement::of(call.prepared)?, call.parameters);
            self.write(work).map_err(|error| about(error, call))
        })
    }

    fn raw<'a>(&'a self, _: &'a Raw, _: Box<dyn RowSink>) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async { Err(no_raw()) })
    }

    fn explain<'a>(&'a self, _: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    fn native<'a>(&'a self, _: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async { Err(no_native()) })
    }
}

impl Transaction for MemoryTransaction {
    fn savepoint(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match &mut *self.state() {
                State::Writing { overlay, savepoints, .. } => savepoints.push((level, overlay.mark())),
                State::Reading { savepoints, .. } => savepoints.push(level),
                State::Ended => return Err(ended()),
            }
            Ok(())
        })
    }

    fn release(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match &mut *self.state() {
                State::Writing { savepoints, .. } => MemoryTransaction::end_level(savepoints, level).map(drop),
                State::Reading { savepoints, .. } => end_reading_level(savepoints, level),
                State::Ended => Err(ended()),
            }
        })
    }

    fn rollback_to(&self, level: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match &mut *self.state() {
                State::Writing { overlay, savepoints, .. } => {
                    overlay.undo_to(MemoryTransaction::end_level(savepoints, level)?);
                    Ok(())
                }
                State::Reading { savepoints, .. } => end_reading_level(savepoints, level),
                State::Ended => Err(ended()),
            }
        })
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match std::mem::replace(&mut *self.state(), State::Ended) {
                State::Writing { writer, overlay, .. } => {
                    self.store.commit(overlay, &writer);
                    Ok(())
                }
                State::Reading { .. } => Ok(()),
                State::Ended => Err(ended()),
            }
        })
    }

    fn rollback(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match std::mem::replace(&mut *self.state(), State::Ended) {
                State::Writing { .. } | State::Reading { .. } => Ok(()),
                State::Ended => Err(ended()),
            }
        })
    }
}

fn end_reading_level(savepoints: &mut Vec<u32>, level: u32) -> Result<()> {
    match savepoints.iter().rposition(|of| *of == level) {
        Some(at) => {
            savepoints.truncate(at);
            Ok(())
        }
        None => Err(no_savepoint(level)),
    }
}
