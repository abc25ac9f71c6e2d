//! One connection to the database, with its prepared statements.

mod lookaside;
mod open;
mod sendable;
mod statements;

use std::sync::Arc;

use rusqlite::Statement;

pub(crate) use self::open::Opener;
use self::sendable::Sendable;
pub(crate) use self::statements::StatementKey;
use crate::error::{Failure, Outcome};
use crate::watch::Watch;

/// SQLite's own connection and what belongs to it.
struct Owner {
    connection: rusqlite::Connection,
    watch: Arc<Watch>,
    /// How many prepared statements are kept.
    capacity: usize,
}

/// One connection to the database, with its prepared statements.
pub(crate) struct Connection(Sendable);

/// Texts that are sent again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    Begin(&'static str),
    Commit,
    Rollback,
    Snapshot,
    DataVersion,
}

impl Command {
    fn key_and_text(self) -> (StatementKey, &'static str) {
        let (number, text) = match self {
            Command::Begin(text @ "BEGIN IMMEDIATE") => (0, text),
            Command::Begin(text @ "BEGIN DEFERRED") => (1, text),
            Command::Begin(text) => (2, text),
            Command::Commit => (3, "COMMIT"),
            Command::Rollback => (4, "ROLLBACK"),
            Command::Snapshot => (5, "SELECT 1 FROM sqlite_schema LIMIT 1"),
            Command::DataVersion => (6, "PRAGMA data_version"),
        };
        (StatementKey::command(number), text)
    }
}

impl Connection {
    fn new(connection: rusqlite::Connection, watch: Arc<Watch>, capacity: usize) -> Self {
        Connection(Sendable::new(Owner { connection, watch, capacity }))
    }

    /// What may interrupt the connection's statements.
    #[inline]
    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.0.owner().watch
    }

    /// SQLite's own connection.
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        &self.0.owner().connection
    }

    /// Whether no transaction is open.
    pub(crate) fn is_autocommit(&self) -> bool {
        self.sqlite().is_autocommit()
    }

    /// Works with a statement, which is prepared if it is not there yet.
    #[inline]
    pub(crate) fn with_statement<R>(
        &mut self,
        key: StatementKey,
        text: &str,
        work: impl FnOnce(&mut Statement<'_>, &Owned<'_>) -> Outcome<R>,
    ) -> Outcome<R> {
        self.0.with(|owner, statements| {
            let statement = statements.find(&owner.connection, key, text, owner.capacity)?;
            work(statement, &Owned(owner))
        })
    }

    /// Works with a statement that is there already.
    pub(crate) fn with_prepared<R>(
        &mut self,
        key: StatementKey,
        work: impl FnOnce(&mut Statement<'_>, &Owned<'_>) -> Outcome<R>,
    ) -> Outcome<R> {
        self.0.with(|owner, statements| match statements.get(key) {
            Some(statement) => work(statement, &Owned(owner)),
            None => Err(Failure::Ommi(ommi_core::Error::transaction(
                "the rows were closed by what was done with the connection meanwhile",
            ))),
        })
    }

    /// Runs a fixed text.
    pub(crate) fn command(&mut self, command: Command) -> Outcome<()> {
        let (key, text) = command.key_and_text();
        self.with_statement(key, text, |statement, _| {
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        })
    }

    /// A number that differs once another connection has committed, as the open transaction sees it.
    pub(crate) fn data_version(&mut self) -> Outcome<i64> {
        let (key, text) = Command::DataVersion.key_and_text();
        self.with_statement(key, text, |statement, _| Ok(statement.query_row([], |row| row.get(0))?))
    }

    /// Runs a text without parameters that is not worth keeping.
    pub(crate) fn batch(&mut self, text: &str) -> Outcome<()> {
        Ok(self.sqlite().execute_batch(text)?)
    }

    /// Forgets a statement.
    pub(crate) fn forget(&mut self, key: StatementKey) {
        self.0.with(|_, statements| statements.remove(key));
    }

    /// Ends what streams have open.
    pub(crate) fn forget_streams(&mut self) {
        self.0.with(|_, statements| statements.remove_streams());
    }

    /// Leaves no transaction open. Gives whether one was.
    pub(crate) fn clean(&mut self) -> bool {
        self.forget_streams();
        if self.is_autocommit() {
            return false;
        }
        self.watch().begin_short();
        // it fails only where SQLite has rolled back by itself meanwhile
        drop(self.command(Command::Rollback));
        true
    }

    /// Lends SQLite's own connection to work that may do anything with it.
    pub(crate) fn lend<R>(self, work: impl FnOnce(&mut rusqlite::Connection) -> R) -> (Self, R) {
        let Owner { mut connection, watch, capacity } = self.0.into_owner();
        let answer = work(&mut connection);
        (Connection::new(connection, watch, capacity), answer)
    }
}

/// The owner of a statement while the statement is worked with.
pub(crate) struct Owned<'c>(&'c Owner);

impl Owned<'_> {
    #[inline]
    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    #[inline]
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        &self.0.connection
    }
}
