//! Rows in batches, the statement standing still between them.
//!
//! A stream of a file's reader keeps that connection, so that all its rows are of one moment. In a
//! transaction it has the connection only while it reads a batch. Where a reader would keep writers
//! away (a database in memory, exclusive locking) the rows are buffered first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi_core::driver::{BoxFuture, Call, Prepared, RowSink, RowStream};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::buffer::RowBuffer;
use crate::connection::{Connection, StatementKey};
use crate::encode::bind_slots;
use crate::error::{Failure, Outcome};
use crate::held::Held;
use crate::native::Native;
use crate::pool::Lease;
use crate::read::{self, Progress};
use crate::shared::Shared;
use crate::transaction::Turns;
use crate::worker;

static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// A key of a statement that is nobody else's.
pub(crate) fn next_key() -> StatementKey {
    StatementKey::stream(NEXT_KEY.fetch_add(1, Ordering::Relaxed))
}

/// Where the rows of a stream come from.
pub(crate) enum Source {
    /// A connection that is the stream's until its end; `None` while a batch is read.
    Lease(Option<Lease>),
    /// The connection of a transaction.
    Transaction(Turns),
    /// Rows that were read already, and how many of them were given.
    Buffer(RowBuffer, usize),
    /// All rows were given.
    Exhausted,
}

/// Rows in batches.
pub(crate) struct Stream {
    source: Source,
    key: StatementKey,
    is_begun: bool,
    prepared: Prepared,
    parameters: Arc<[Datum]>,
    model: Arc<str>,
    operation: &'static str,
    shared: Arc<Shared>,
}

impl Stream {
    /// A stream of a call's rows, none of which is read yet.
    pub(crate) fn new(source: Source, call: Call<'_>, shared: Arc<Shared>) -> Self {
        Stream {
            source,
            key: next_key(),
            is_begun: false,
            prepared: call.prepared.clone(),
            parameters: call.parameters.into(),
            model: Arc::clone(call.model),
            operation: call.operation,
            shared,
        }
    }

    async fn batch(&mut self, mut sink: Box<dyn RowSink>, rows: usize) -> Outcome<(Box<dyn RowSink>, bool)> {
        let batch = Batch {
            key: self.key,
            is_begun: self.is_begun,
            prepared: self.prepared.clone(),
            parameters: Arc::clone(&self.parameters),
        };
        match &mut self.source {
            Source::Exhausted => Ok((sink, false)),
            Source::Buffer(buffer, given) => {
                let is_more = buffer.give(given, rows, &mut *sink)?;
                Ok((sink, is_more))
            }
            Source::Lease(lease) => {
                let lease = lease.take().ok_or_else(|| Failure::Ommi(interrupted()))?;
                let (lease, sink, is_more) = batch.read(lease, sink, rows).await?;
                self.is_begun = true;
                self.source = if is_more { Source::Lease(Some(lease)) } else { Source::Exhausted };
                Ok((sink, is_more))
            }
            Source::Transaction(turns) => {
                let (_, sink, is_more) = batch.read(turns.turn().await?, sink, rows).await?;
                self.is_begun = true;
                if !is_more {
                    self.source = Source::Exhausted;
                }
                Ok((sink, is_more))
            }
        }
    }
}

#[cold]
fn interrupted() -> Error {
    Error::query("the reading of a batch was interrupted: the stream has ended")
}

impl RowStream for Stream {
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(async move {
            let batch = self.batch(sink, rows.max(1)).await;
            let native = Native::of(&self.prepared)?;
            self.shared.explain_failure(batch, native, &self.model, self.operation)
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // a lease forgets the statement when it ends, a transaction at its end at the latest
        if let Source::Transaction(turns) = &self.source {
            turns.forget(self.key);
        }
    }
}

/// The reading of one batch.
struct Batch {
    key: StatementKey,
    is_begun: bool,
    prepared: Prepared,
    parameters: Arc<[Datum]>,
}

impl Batch {
    /// Reads the first batch at once if it is quick, all others on a worker: a statement that has
    /// given rows cannot begin anew, and so must not be interrupted because it takes long.
    async fn read<H: Held>(
        self,
        mut held: H,
        mut sink: Box<dyn RowSink>,
        rows: usize,
    ) -> Outcome<(H, Box<dyn RowSink>, bool)> {
        // a statement that stands at a row is to be forgotten when the connection is given back
        held.set_dirty(true);
        let mut wanted = rows;
        let mut progress = Progress::Paused;
        if !self.is_begun {
            let connection = held.connection()?;
            connection.watch().begin_inline();
            progress = match self.begin(connection, &mut *sink, &mut wanted) {
                Ok(progress) => progress,
                Err(failure) => read::stopped(failure, connection.watch())?,
            };
            if matches!(progress, Progress::Done | Progress::Paused) {
                return Ok(self.end(held, sink, progress));
            }
        }
        worker::run(held, move |mut held| {
            let connection = held.connection()?;
            let progress = if progress == Progress::Stopped {
                sink.reset();
                wanted = rows;
                self.begin(connection, &mut *sink, &mut wanted)?
            } else {
                connection.with_prepared(self.key, |statement, owned| {
                    read::step(statement, owned.watch(), &mut *sink, &mut wanted)
                })?
            };
            Ok(self.end(held, sink, progress))
        })
        .await
    }

    fn begin(&self, connection: &mut Connection, sink: &mut dyn RowSink, wanted: &mut usize) -> Outcome<Progress> {
        let native = Native::of(&self.prepared)?;
        connection.with_statement(self.key, self.prepared.text(), |statement, owned| {
            bind_slots(statement, &native.slots, &self.parameters, self.prepared.parameters())?;
            read::step(statement, owned.watch(), sink, wanted)
        })
    }

    fn end<H: Held>(&self, mut held: H, sink: Box<dyn RowSink>, progress: Progress) -> (H, Box<dyn RowSink>, bool) {
        let is_more = progress == Progress::Paused;
        if !is_more && let Ok(connection) = held.connection() {
            connection.forget(self.key);
            held.set_dirty(false);
        }
        (held, sink, is_more)
    }
}
