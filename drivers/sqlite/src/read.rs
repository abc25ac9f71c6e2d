//! The row path: from SQLite's buffer into a sink.
//!
//! A read begins on the executor's thread, because most reads take a few microseconds and a
//! thread hop takes more. It stays there for four milliseconds at most: between rows, the rest of the
//! rows is handed over to a worker; inside a long step, SQLite is interrupted and a worker begins
//! anew. Waiting for a lock is always the worker's part. A statement that took long begins on a
//! worker the next time: a change of threads half way costs more than one at the beginning.

use std::sync::atomic::Ordering;
use std::time::Instant;

use ommi_core::driver::{Call, Flow, Prepared, RowSink};
use ommi_core::value::Datum;
use rusqlite::Statement;

use crate::connection::{Connection, StatementKey};
use crate::decode::SqliteRow;
use crate::encode::bind_slots;
use crate::error::{Failure, Outcome};
use crate::held::{Held, Midway};
use crate::native::Native;
use crate::watch::{INLINE_BUDGET, Watch};
use crate::worker;

/// How many rows pass between two looks at the clock.
const ROWS_PER_LOOK: usize = 16;

/// Where reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All rows were read, or the sink has enough.
    Done,
    /// The wanted number of rows was read; the statement stands at the last of them.
    Paused,
    /// The budget is spent; the statement stands at the last row that was read.
    Spent,
    /// The statement was interrupted, or met a lock: it has to begin anew.
    Stopped,
}

/// Steps a statement, whose parameters are bound, from where it stands; counts down how many rows
/// are wanted.
#[inline]
pub(crate) fn step(
    statement: &mut Statement<'_>,
    watch: &Watch,
    sink: &mut dyn RowSink,
    wanted: &mut usize,
) -> Outcome<Progress> {
    let mut rows = statement.raw_query();
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                if sink.row(&SqliteRow(row))? == Flow::Stop {
                    return Ok(Progress::Done);
                }
            }
            Ok(None) => return Ok(Progress::Done),
            Err(error) => return stopped(error.into(), watch),
        }
        *wanted -= 1;
        let progress = if *wanted == 0 {
            Progress::Paused
        } else if wanted.is_multiple_of(ROWS_PER_LOOK) && watch.is_spent() {
            Progress::Spent
        } else {
            continue;
        };
        // its drop would reset the statement, which is to go on from here
        std::mem::forget(rows);
        return Ok(progress);
    }
}

/// Steps a statement, whose parameters are bound, to its last row.
#[inline]
pub(crate) fn step_all(statement: &mut Statement<'_>, watch: &Watch, sink: &mut dyn RowSink) -> Outcome<Progress> {
    let mut wanted = usize::MAX;
    step(statement, watch, sink, &mut wanted)
}

/// Tells what a worker has to do from what has failed.
#[cold]
pub(crate) fn stopped(failure: Failure, watch: &Watch) -> Outcome<Progress> {
    match !watch.is_worker() && (failure.is_interrupt() || failure.is_busy()) {
        true => Ok(Progress::Stopped),
        false => Err(failure),
    }
}

impl Connection {
    /// Binds and steps a prepared statement on the executor's thread.
    #[inline]
    fn read_inline(&mut self, call: &Call<'_>, native: &Native, sink: &mut dyn RowSink) -> Outcome<Progress> {
        self.watch().begin_inline();
        let read = self.with_statement(
            StatementKey::prepared(call.prepared.id()),
            call.prepared.text(),
            |statement, owned| {
                let is_large = bind_slots(statement, &native.slots, call.parameters, call.prepared.parameters())?;
                let progress = step_all(statement, owned.watch(), sink)?;
                if is_large && progress == Progress::Done {
                    statement.clear_bindings();
                }
                Ok(progress)
            },
        );
        match read {
            Ok(progress) => Ok(progress),
            // even preparing reads the schema, and may meet a lock
            Err(failure) => stopped(failure, self.watch()),
        }
    }
}

/// Reads rows into a sink.
#[inline]
pub(crate) async fn fetch<H: Held>(
    mut held: H,
    call: Call<'_>,
    mut sink: Box<dyn RowSink>,
) -> Outcome<Box<dyn RowSink>> {
    let native = Native::of(call.prepared)?;
    let mut progress = Progress::Stopped;
    if !native.is_long.load(Ordering::Relaxed) {
        let connection = held.connection()?;
        progress = connection.read_inline(&call, native, &mut *sink)?;
        let was_long = connection.watch().was_long();
        if progress == Progress::Done {
            drop(held);
            if was_long {
                worker::give_way().await;
            }
            return Ok(sink);
        }
        native.is_long.store(true, Ordering::Relaxed);
    }
    held.set_holder(|| call.holder());
    Box::pin(go_on(held, call.prepared.clone(), call.parameters.to_vec(), sink, progress)).await
}

/// Goes on with a read on a worker, or begins it there.
async fn go_on<H: Held>(
    held: H,
    prepared: Prepared,
    parameters: Vec<Datum>,
    mut sink: Box<dyn RowSink>,
    progress: Progress,
) -> Outcome<Box<dyn RowSink>> {
    let key = StatementKey::prepared(prepared.id());
    worker::run(Midway::new(held, key), move |mut held| {
        let native = Native::of(&prepared)?;
        let begun = Instant::now();
        held.connection()?.with_statement(key, prepared.text(), |statement, owned| {
            if progress == Progress::Stopped {
                sink.reset();
                bind_slots(statement, &native.slots, &parameters, prepared.parameters())?;
            }
            step_all(statement, owned.watch(), &mut *sink)?;
            statement.clear_bindings();
            Ok(())
        })?;
        held.ended();
        drop(held);
        if progress == Progress::Stopped {
            native.is_long.store(native.is_one_step || begun.elapsed() >= INLINE_BUDGET, Ordering::Relaxed);
        }
        Ok(sink)
    })
    .await
}
