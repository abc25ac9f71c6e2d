//! Statements in SQLite's own language.

use ommi_core::Error;
use ommi_core::driver::{Holder, Raw, RowSink, RowsMatched};
use rusqlite::Statement;

use crate::connection::{Connection, Owned, StatementKey};
use crate::encode::bind_raw;
use crate::error::{Failure, Outcome};
use crate::held::{Held, Midway};
use crate::read::{self, Progress};
use crate::stream::next_key;
use crate::worker;

/// What running a statement came to.
pub(crate) enum Answer {
    /// It was run.
    Done(Box<dyn RowSink>, RowsMatched),
    /// It is not one for a reading connection; nothing was run.
    NoRead(Box<dyn RowSink>),
}

/// Runs a statement; where only reading is allowed, one that gives rows and writes nothing.
pub(crate) async fn run<H: Held>(
    mut held: H,
    raw: &Raw,
    mut sink: Box<dyn RowSink>,
    only_reads: bool,
) -> Outcome<Answer> {
    let key = next_key();
    let connection = held.connection()?;
    connection.watch().begin_inline();
    let mut is_read = false;
    let attempt = connection.with_statement(key, &raw.text, |statement, owned| {
        is_read = statement.readonly() && statement.column_count() > 0;
        match (is_read, only_reads) {
            (true, _) if may_be_one_step(&raw.text) => Ok(Some(Progress::Stopped)),
            (true, _) => begin(statement, owned, raw, &mut *sink).map(Some),
            (false, true) => Ok(None),
            (false, false) => Ok(Some(Progress::Stopped)),
        }
    });
    let progress = match attempt {
        Ok(Some(progress)) => progress,
        Ok(None) => {
            connection.forget(key);
            return Ok(Answer::NoRead(sink));
        }
        Err(failure) => {
            let stopped = read::stopped(failure, connection.watch());
            if stopped.is_err() {
                connection.forget(key);
            }
            stopped?
        }
    };
    if progress == Progress::Done {
        connection.forget(key);
        return Ok(Answer::Done(sink, 0));
    }
    held.set_holder(|| Holder::operation("raw"));
    Box::pin(go_on(held, key, raw.clone(), sink, progress, is_read)).await
}

fn begin(statement: &mut Statement<'_>, owned: &Owned<'_>, raw: &Raw, sink: &mut dyn RowSink) -> Outcome<Progress> {
    bind_raw(statement, &raw.parameters)?;
    let names = (0..statement.column_count()).map(|column| statement.column_name(column));
    sink.columns(&names.collect::<rusqlite::Result<Vec<&str>>>()?)?;
    read::step_all(statement, owned.watch(), sink)
}

async fn go_on<H: Held>(
    held: H,
    key: StatementKey,
    raw: Raw,
    mut sink: Box<dyn RowSink>,
    progress: Progress,
    is_read: bool,
) -> Outcome<Answer> {
    // the statement is not wanted a second time, however this one ends
    worker::run(Midway::new(held, key), move |mut held| {
        // the text may begin a transaction
        held.set_dirty(!is_read);
        let connection = held.connection()?;
        // a reader of a database in memory may be inside a snapshot
        let was_open = !connection.is_autocommit();
        let before = connection.sqlite().total_changes();
        let ran = connection.with_statement(key, &raw.text, |statement, owned| match progress {
            Progress::Spent => read::step_all(statement, owned.watch(), &mut *sink),
            _ => {
                sink.reset();
                begin(statement, owned, &raw, &mut *sink)
            }
        });
        connection.forget(key);
        ran?;
        check_transaction(connection, was_open)?;
        // the number of changes stands still where a statement is not one that changes rows
        let matched = match connection.sqlite().total_changes() == before {
            true => 0,
            false => connection.sqlite().changes(),
        };
        held.set_dirty(false);
        Ok(Answer::Done(sink, matched))
    })
    .await
}

/// Whether SQLite may run the text in one long step, in which it cannot be interrupted: it counts
/// all rows of a table so, and checks it by a pragma.
fn may_be_one_step(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("count") || text.contains("pragma")
}

/// Refuses texts that begin or end a transaction.
fn check_transaction(connection: &Connection, was_open: bool) -> Outcome<()> {
    match (was_open, connection.is_autocommit()) {
        (true, true) => {
            Err(Failure::Ommi(Error::transaction("the text ended the transaction: leave its end to `db.transaction`")))
        }
        (false, false) => Err(Failure::Ommi(Error::transaction(
            "the text began a transaction, which was rolled back: use `db.transaction`",
        ))),
        _ => Ok(()),
    }
}
