//! What a driver and its transactions share: the client, the server's nature, and how commands are
//! sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use mongodb::bson::RawDocumentBuf;
use mongodb::options::{ReadConcern, ReadConcernLevel, ReadPreference, SelectionCriteria, WriteConcern};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor, SessionRawBatchCursor};
use mongodb::{Client, ClientSession, Database};
use ommi_core::model::ModelDef;
use ommi_core::{Error, Result};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::catalog::Catalog;
use crate::counter::Counters;
use crate::error::{DRIVER, Work, check_answer, closed, from_mongo, is_read_again};
use crate::options::Options;
use crate::server::Server;
use crate::session::{OpenSession, Rollbacks};
use crate::writer::{Writer, kind};

/// The most bytes of a command: a document of 16 MB, and 16 KB around it.
const COMMAND_BYTES: usize = (16 << 20) + (16 << 10);

/// Refuses a command that the server would not take; beyond 48 MB it would close the connection.
fn fitting(command: RawDocumentBuf) -> Result<RawDocumentBuf> {
    match command.as_bytes().len() {
        0..=COMMAND_BYTES => Ok(command),
        bytes => Err(Error::query(format!(
            "the command has {bytes} bytes, and MongoDB takes 16 MB: write fewer or smaller values at a time"
        ))
        .with_driver(DRIVER)),
    }
}

/// How many statements may run at once: as good as any number.
const STATEMENTS: usize = 1 << 20;

/// What a driver and its transactions share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) database: Database,
    pub(crate) server: Server,
    pub(crate) catalog: Catalog,
    pub(crate) counters: Counters,
    pub(crate) rollbacks: Arc<Rollbacks>,
    read_concern: Option<ReadConcern>,
    write_concern: Option<WriteConcern>,
    selection: Option<SelectionCriteria>,
    retry_reads: bool,
    running: Semaphore,
    is_closed: AtomicBool,
    /// Whether all connections are closed; held by the one who closes them.
    closing: Mutex<bool>,
}

/// An answer that comes in batches.
pub(crate) enum Batches {
    Own(Box<RawBatchCursor>),
    Session(Box<SessionRawBatchCursor>),
}

impl Batches {
    /// The next batch; none at the end.
    pub(crate) async fn next(
        &mut self,
        session: Option<&mut ClientSession>,
    ) -> std::result::Result<Option<RawBatch>, mongodb::error::Error> {
        match (self, session) {
            (Batches::Own(cursor), _) => cursor.next().await.transpose(),
            (Batches::Session(cursor), Some(session)) => cursor.stream(session).next().await.transpose(),
            (Batches::Session(_), None) => Ok(None),
        }
    }
}

impl Shared {
    pub(crate) fn new(client: Client, options: Options, server: Server) -> Self {
        Shared {
            database: client.database(&options.database),
            catalog: Catalog::default(),
            counters: Counters::default(),
            rollbacks: Arc::default(),
            read_concern: options.read_concern,
            write_concern: options.write_concern,
            selection: options.selection,
            retry_reads: options.retry_reads,
            running: Semaphore::new(STATEMENTS),
            is_closed: AtomicBool::new(false),
            closing: Mutex::new(false),
            client,
            server,
        }
    }

    /// Notes a statement, which a close waits for.
    ///
    /// # Errors
    ///
    /// `Connection` if the database was closed.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.running.acquire().await.map_err(|_| closed())
    }

    /// Notes that a statement may outlive its future. Where a close waits already there is nothing to
    /// note: it waits for the future, and to wait behind it would be to wait for itself.
    pub(crate) fn enter_again(&self) -> Option<SemaphorePermit<'_>> {
        self.running.try_acquire().ok()
    }

    /// Waits for running statements, and closes all connections. What was begun goes on, whether or not
    /// somebody waits for it.
    pub(crate) async fn close(self: &Arc<Self>) {
        self.is_closed.store(true, Ordering::Release);
        let shared = Arc::clone(self);
        let closed = tokio::spawn(async move {
            let mut is_done = shared.closing.lock().await;
            if *is_done {
                return;
            }
            let all = u32::try_from(STATEMENTS).unwrap_or(u32::MAX);
            if let Ok(permits) = shared.running.acquire_many(all).await {
                permits.forget();
            }
            shared.running.close();
            shared.client.clone().shutdown().immediate(true).await;
            *is_done = true;
        });
        let _ = closed.await;
    }

    /// Adds the read concern of the URL to a command outside of transactions.
    fn with_read_concern(&self, writer: &mut Writer) -> Result<()> {
        if let Some(concern) = &self.read_concern {
            let place = writer.key("readConcern")?;
            let start = writer.begin();
            let inner = writer.key("level")?;
            let of = writer.text(level(&concern.level));
            writer.set(inner, of);
            writer.end(start)?;
            writer.set(place, kind::DOCUMENT);
        }
        Ok(())
    }

    /// Adds the write concern of the URL to a command outside of transactions.
    ///
    /// # Errors
    ///
    /// `Query` if it cannot be written.
    pub(crate) fn with_write_concern(&self, writer: &mut Writer) -> Result<()> {
        let Some(concern) = &self.write_concern else { return Ok(()) };
        let place = writer.key("writeConcern")?;
        let start = writer.begin();
        match &concern.w {
            Some(mongodb::options::Acknowledgment::Nodes(nodes)) => {
                let inner = writer.key("w")?;
                let of = writer.int(i32::try_from(*nodes).unwrap_or(i32::MAX));
                writer.set(inner, of);
            }
            Some(mongodb::options::Acknowledgment::Majority) => {
                let inner = writer.key("w")?;
                let of = writer.text("majority");
                writer.set(inner, of);
            }
            Some(mongodb::options::Acknowledgment::Custom(name)) => {
                let inner = writer.key("w")?;
                let of = writer.text(name);
                writer.set(inner, of);
            }
            _ => {}
        }
        if let Some(journal) = concern.journal {
            let inner = writer.key("j")?;
            let of = writer.bool(journal);
            writer.set(inner, of);
        }
        if let Some(timeout) = concern.w_timeout {
            let inner = writer.key("wtimeout")?;
            let of = writer.long(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
            writer.set(inner, of);
        }
        writer.end(start)?;
        writer.set(place, kind::DOCUMENT);
        Ok(())
    }

    /// Opens an answer that comes in batches. The first one is there already.
    pub(crate) async fn open(
        &self,
        session: Option<&mut ClientSession>,
        mut command: Writer,
    ) -> Result<std::result::Result<Batches, mongodb::error::Error>> {
        match session {
            Some(session) => {
                let command = fitting(command.finish()?)?;
                let opened = self.database.run_raw_cursor_command(command).session(session).batch().await;
                Ok(opened.map(|cursor| Batches::Session(Box::new(cursor))))
            }
            None => {
                self.with_read_concern(&mut command)?;
                let mut action = self.database.run_raw_cursor_command(fitting(command.finish()?)?);
                if let Some(selection) = &self.selection {
                    action = action.selection_criteria(selection.clone());
                }
                Ok(action.batch().await.map(|cursor| Batches::Own(Box::new(cursor))))
            }
        }
    }

    /// Whether a read that failed may be tried again: once, and not in a transaction.
    pub(crate) fn may_read_again(&self, error: &mongodb::error::Error, has_session: bool, attempt: u32) -> bool {
        self.retry_reads && !has_session && attempt == 0 && is_read_again(error)
    }

    /// Runs a command that is answered by one document.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn run(
        &self,
        session: Option<&mut ClientSession>,
        command: RawDocumentBuf,
        work: Work,
        model: Option<&ModelDef>,
    ) -> Result<RawDocumentBuf> {
        let work = match (&session, work) {
            (Some(_), Work::Write) => Work::InTransaction,
            _ => work,
        };
        let mut action = self.database.run_raw_command(fitting(command)?);
        if let Some(session) = session {
            action = action.session(session);
        }
        let answer = action.await.map_err(|error| from_mongo(error, work, model))?;
        let answer = RawDocumentBuf::try_from(&answer)
            .map_err(|error| Error::decode("the server's answer is not BSON").with_driver(DRIVER).with_source(error))?;
        check_answer(&answer, model, work)?;
        Ok(answer)
    }

    /// Runs a command that changes something, with the write concern of the URL.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn write(
        &self,
        session: Option<&mut ClientSession>,
        mut command: Writer,
        model: Option<&ModelDef>,
    ) -> Result<RawDocumentBuf> {
        if session.is_none() {
            self.with_write_concern(&mut command)?;
        }
        self.run(session, command.finish()?, Work::Write, model).await
    }

    /// Runs a command that counts something up, outside of transactions. If the connection breaks, a
    /// number may be lost and nothing is written.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn count_up(&self, mut command: Writer) -> Result<RawDocumentBuf> {
        self.with_write_concern(&mut command)?;
        self.run(None, command.finish()?, Work::Read, None).await
    }

    /// All documents of an answer that is read inside a transaction or while tables are looked at.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn documents(
        &self,
        mut session: Option<&mut ClientSession>,
        command: Writer,
        model: Option<&ModelDef>,
    ) -> Result<Vec<RawDocumentBuf>> {
        let opened = self.open(session.as_deref_mut(), command).await?;
        let mut batches = opened.map_err(|error| from_mongo(error, Work::Read, model))?;
        let mut found = Vec::new();
        loop {
            let batch = batches.next(session.as_deref_mut()).await;
            let Some(batch) = batch.map_err(|error| from_mongo(error, Work::Read, model))? else { return Ok(found) };
            let documents = batch.doc_slices().map_err(|error| from_mongo(error, Work::Read, model))?;
            for document in documents {
                let document = document.ok().and_then(|document| document.as_document().map(ToOwned::to_owned));
                found.extend(document);
            }
        }
    }

    /// Begins a session for a transaction. Rollbacks are to be waited for before.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn begin(&self, options: mongodb::options::TransactionOptions) -> Result<OpenSession> {
        let mut session = self.client.start_session().await.map_err(|error| from_mongo(error, Work::Read, None))?;
        session.start_transaction().with_options(options).await.map_err(|error| from_mongo(error, Work::Read, None))?;
        Ok(OpenSession::new(session, Arc::clone(&self.rollbacks)))
    }

    /// The options of a transaction: what it reads was committed by most servers and is the same
    /// from its beginning to its end, and the URL says what its commit waits for.
    pub(crate) fn transaction_options(&self) -> mongodb::options::TransactionOptions {
        mongodb::options::TransactionOptions::builder()
            .read_concern(ReadConcern::snapshot())
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .write_concern(self.write_concern.clone())
            .build()
    }
}

fn level(of: &ReadConcernLevel) -> &str {
    match of {
        ReadConcernLevel::Majority => "majority",
        ReadConcernLevel::Linearizable => "linearizable",
        ReadConcernLevel::Available => "available",
        ReadConcernLevel::Snapshot => "snapshot",
        ReadConcernLevel::Custom(name) => name,
        _ => "local",
    }
}
