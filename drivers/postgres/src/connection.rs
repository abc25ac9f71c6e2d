//! A connection with its prepared statements.

mod drive;
mod statements;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::TryStreamExt;
use ommi_core::driver::{Prepared, RowRef};
use ommi_core::value::{Cell, ValueType};
use tokio::sync::watch;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

pub(crate) use self::drive::{Drive, Driven};
pub(crate) use self::statements::StatementKey;
use self::statements::Statements;
use crate::decode::{PostgresRow, columns};
use crate::encode::Parameter;
use crate::error::{Failure, Outcome};
use crate::native::DESCRIBING;
use crate::options::Options;

/// A connection with its prepared statements.
pub(crate) struct Connection {
    client: Arc<Client>,
    statements: Statements,
    prepares: bool,
    drive: Arc<Drive>,
    /// Whether somebody stopped waiting for an answer, which may still come.
    is_interrupted: AtomicBool,
    /// Whether a transaction may be open, or the session was lent to the program.
    is_dirty: AtomicBool,
    /// Whether the program had the session, whose settings it may have changed.
    was_lent: AtomicBool,
    ended: watch::Receiver<()>,
}

impl Connection {
    pub(crate) fn new(client: Client, options: &Options, drive: Arc<Drive>, ended: watch::Receiver<()>) -> Self {
        Connection {
            client: Arc::new(client),
            statements: Statements::new(options.statement_cache),
            prepares: options.prepares,
            drive,
            is_interrupted: AtomicBool::new(false),
            is_dirty: AtomicBool::new(false),
            was_lent: AtomicBool::new(false),
            ended,
        }
    }

    #[inline]
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Whether statements are prepared by name and kept.
    #[inline]
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Notes a request whose answer is waited for.
    #[inline]
    pub(crate) fn request(&self) -> Request<'_> {
        self.drive.enter();
        Request { connection: self, is_answered: false }
    }

    /// Says whether a transaction is open.
    pub(crate) fn set_dirty(&self, is_dirty: bool) {
        self.is_dirty.store(is_dirty, Ordering::Release);
    }

    /// Notes that the program has the session.
    pub(crate) fn lend(&self) {
        self.was_lent.store(true, Ordering::Release);
        self.drive.lend();
        self.set_dirty(true);
    }

    /// Whether there was a request whose answer nobody waited for.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Acquire)
    }

    pub(crate) fn is_unclean(&self) -> bool {
        self.is_interrupted() || self.is_dirty.load(Ordering::Acquire)
    }

    /// What has to be undone, from now on as if it were.
    pub(crate) fn take_unclean(&self) -> Unclean {
        Unclean {
            is_interrupted: self.is_interrupted.swap(false, Ordering::AcqRel),
            is_dirty: self.is_dirty.swap(false, Ordering::AcqRel),
            was_lent: self.was_lent.swap(false, Ordering::AcqRel),
        }
    }

    /// Whether a transaction may be open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.is_dirty.load(Ordering::Acquire)
    }

    /// Forgets a statement that the server has lost, or whose table has changed; says whether it can
    /// be tried anew, which an open transaction does not allow.
    #[cold]
    pub(crate) fn forget_stale(&self, failure: &Failure, key: StatementKey) -> bool {
        if !failure.is_stale_statement() {
            return false;
        }
        self.statements.forget(key);
        !self.is_in_transaction()
    }

    /// Runs a statement of the driver's own, which is prepared once, and gives its rows.
    pub(crate) async fn query(
        &self,
        key: StatementKey,
        text: &str,
        types: &[Type],
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Outcome<Vec<Row>> {
        let request = self.request();
        let rows = async {
            if !self.prepares {
                let typed: Vec<_> = parameters.iter().copied().zip(types.iter().cloned()).collect();
                return self.client.query_typed(text, &typed).await;
            }
            let cached = self.statements.get(&self.client, key, text, types, &[]).await?;
            self.client.query(&cached.statement, parameters).await
        };
        let rows = request.wait(pin!(rows)).await;
        request.answered();
        Ok(rows?)
    }

    /// Runs a write that gives integers back, one for each row.
    pub(crate) async fn returning(
        &self,
        key: StatementKey,
        text: &str,
        types: &[Type],
        wanted: &[ValueType],
        parameters: &[Parameter<'_>],
    ) -> Outcome<Vec<i64>> {
        let request = self.request();
        let mut rows = request.wait(pin!(self.try_returning(key, text, types, wanted, parameters))).await;
        if let Err(failure) = &rows
            && self.forget_stale(failure, key)
        {
            rows = Box::pin(self.try_returning(key, text, types, wanted, parameters)).await;
        }
        request.answered();
        rows
    }

    async fn try_returning(
        &self,
        key: StatementKey,
        text: &str,
        types: &[Type],
        wanted: &[ValueType],
        parameters: &[Parameter<'_>],
    ) -> Outcome<Vec<i64>> {
        let rows = if self.prepares {
            let cached = self.statements.get(&self.client, key, text, types, wanted).await?;
            self.client.query_raw(&cached.statement, parameters.iter().map(Parameter::lent)).await?
        } else {
            let typed = parameters.iter().map(Parameter::lent).zip(types.iter().cloned());
            self.client.query_typed_raw(text, typed).await?
        };
        let mut rows = pin!(rows);
        let mut given = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let columns = columns(row.columns(), wanted);
            match PostgresRow::new(&row, &columns).cell(0)? {
                Cell::Int(value) => given.push(value),
                other => return Err(other.mismatch("an integer").into()),
            }
        }
        Ok(given)
    }

    /// The types of the columns of a statement, which is not run.
    pub(crate) async fn types_of(&self, prepared: &Prepared, text: &str) -> Outcome<Vec<Type>> {
        let key = StatementKey::new(prepared.id(), DESCRIBING);
        let request = self.request();
        let cached = self.statements.get(&self.client, key, text, &[], &[]).await;
        request.answered();
        Ok(cached?.statement.columns().iter().map(|column| column.type_().clone()).collect())
    }

    /// Runs statements that give no rows and have no parameters.
    pub(crate) async fn batch(&self, text: &str) -> Outcome<()> {
        let request = self.request();
        let ran = request.wait(pin!(self.client.batch_execute(text))).await;
        request.answered();
        Ok(ran?)
    }

    /// Told when the connection is closed.
    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.ended.clone()
    }
}

/// What has to be undone before the next user gets a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unclean {
    pub(crate) is_interrupted: bool,
    pub(crate) is_dirty: bool,
    pub(crate) was_lent: bool,
}

/// A request whose answer is waited for. Dropped before that, the connection is interrupted.
pub(crate) struct Request<'a> {
    connection: &'a Connection,
    is_answered: bool,
}

impl Request<'_> {
    /// Waits for its answer, and moves the connection's bytes meanwhile if no other request is in flight.
    #[inline]
    pub(crate) fn wait<'a, F: Future>(&'a self, answer: Pin<&'a mut F>) -> Driven<'a, F> {
        self.connection.drive.drive(answer)
    }

    /// The answer has come.
    #[inline]
    pub(crate) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.connection.drive.leave();
        if !self.is_answered {
            self.connection.is_interrupted.store(true, Ordering::Release);
        }
    }
}

/// A request of a connection that is shared by its owner, for streams.
pub(crate) struct OwnedRequest(Option<Arc<ommi_pool::Kept<Connection>>>);

impl OwnedRequest {
    pub(crate) fn new(connection: &Arc<ommi_pool::Kept<Connection>>) -> Self {
        OwnedRequest(Some(Arc::clone(connection)))
    }

    /// Waits for a part of its answer, and moves the connection's bytes meanwhile. The connection is the
    /// request's own.
    pub(crate) async fn wait<F: Future>(&self, part: Pin<&mut F>) -> F::Output {
        match &self.0 {
            Some(connection) => connection.drive.drive(part).await,
            None => part.await,
        }
    }

    /// The answer has come to its end.
    pub(crate) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for OwnedRequest {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.is_interrupted.store(true, Ordering::Release);
        }
    }
}
