//! The driver: which connection a call gets, and where its work runs.

use std::any::Any;
use std::sync::Arc;

use ommi_core::driver::{
    BoxFuture, Call, Capabilities, ConnectOptions, Connector, Driver, Holder, Inserted, NativeWork, Prepared, Raw,
    RowSink, RowSource, RowStream, RowsMatched, SchemaInfo, Session, Transaction, TransactionOptions,
};
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;
use ommi_core::{ModelDef, Result};

use crate::buffer::RowBuffer;
use crate::capability::capabilities;
use crate::connection::Opener;
use crate::error::{DRIVER, InWords};
use crate::native::Native;
use crate::options::Options;
use crate::pool::{Pool, Purpose};
use crate::shared::Shared;
use crate::standing::Standing;
use crate::stream::{Source, Stream};
use crate::transaction::SqliteTransaction;
use crate::{explain, native_work, raw, read, schema, worker, write};

/// Makes drivers for `sqlite:` URLs.
///
/// `sqlite://file.db` is a path relative to the working directory, `sqlite:///file.db` an absolute
/// one; characters that a URL cannot have are written with percent signs. `sqlite::memory:` is a
/// database in memory for one handle. [`Session::native`] lends a `rusqlite::Connection`.
///
/// | option | values | default |
/// |---|---|---|
/// | `mode` | `rwc` creates the file, `rw` does not, `ro` only reads | `rwc` |
/// | `synchronous` | `full`, `normal`, `off`, `extra` | `full` |
/// | `journal` | `wal`, `delete`, `truncate`, `persist`, `memory` | `wal` |
/// | `locking` | `normal`; `exclusive` shuts other connections out | `normal` |
/// | `foreign_keys` | `on`, `off` | `on` |
/// | `readers` | connections that only read, 1 to 64 | 4 |
/// | `busy_timeout` | how long locks of other connections are waited for | `5s` |
/// | `acquire_timeout` | how long connections of this handle are waited for | `30s` |
/// | `begin` | how transactions begin: `immediate`, `deferred`, `exclusive` | `immediate` |
/// | `standing_read` | `on` lets one more connection stay inside a read while there are many | `on` |
/// | `statement_cache` | prepared statements of a connection | 256 |
/// | `cache_size` | pages of cache of a connection | SQLite's |
/// | `mmap_size` | bytes of the file that are mapped | SQLite's |
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteConnector;

impl Connector for SqliteConnector {
    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn connect<'a>(&'a self, options: &'a ConnectOptions) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            let options = Arc::new(Options::parse(options)?);
            let shared = worker::block(move || open(options)).await?;
            Ok(Arc::new(SqliteDriver { shared: Arc::new(shared), capabilities: capabilities() }) as Arc<dyn Driver>)
        })
    }
}

fn open(options: Arc<Options>) -> Result<Shared> {
    let opener = Arc::new(Opener::new(Arc::clone(&options)));
    let standing = options.has_standing_read().then(|| Arc::new(Standing::new(&opener)));
    let pool = |purpose, size| {
        Pool::new(purpose, size, Arc::clone(&opener), options.acquire_timeout, standing.as_ref().map(Arc::clone))
    };
    let writer = pool(if options.exclusive { Purpose::All } else { Purpose::Write }, 1);
    writer.fill(1)?;
    let readers = match options.exclusive {
        true => Arc::clone(&writer),
        false => {
            let readers = pool(Purpose::Read, options.readers);
            // readers of memory have to be there before a transaction writes
            readers.fill(if options.is_memory() { options.readers } else { 1 })?;
            readers
        }
    };
    Ok(Shared { options, readers, writer, standing })
}

/// An SQLite database.
struct SqliteDriver {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

impl SqliteDriver {
    fn shown(&self) -> String {
        self.shared.options.shown()
    }
}

impl Session for SqliteDriver {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let lease = self.shared.readers.lease_within(None).await?;
            let fetched = read::fetch(lease, call, sink).await;
            self.shared.in_words(fetched, &call)
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let mut lease = self.shared.readers.lease_within(None).await?;
            lease.set_holder(call.holder());
            let source = if self.shared.readers_block_writers() {
                let width = Native::of(call.prepared)?.width;
                let buffer = read::fetch(lease, call, Box::new(RowBuffer::new(width))).await;
                let buffer = self.shared.in_words(buffer, &call)?.into_any().downcast();
                Source::Buffer(buffer.map(|buffer| *buffer).unwrap_or_default(), 0)
            } else {
                Source::Lease(Some(lease))
            };
            Ok(Box::new(Stream::new(source, call, Arc::clone(&self.shared))) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let lease = self.shared.lease_writer().await?;
            let inserted = write::insert(lease, call, rows, self.shared.options.is_durable()).await;
            self.shared.in_words(inserted, &call)
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let lease = self.shared.lease_writer().await?;
            let matched = write::execute(lease, call, self.shared.options.is_durable()).await;
            self.shared.in_words(matched, &call)
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let reader = self.shared.readers.lease_within(None).await?;
            let sink = match raw::run(reader, raw, sink, true).await.in_words(|| self.shown(), None)? {
                raw::Answer::Done(sink, matched) => return Ok((sink, matched)),
                raw::Answer::NoRead(sink) => sink,
            };
            let writer = self.shared.lease_writer().await?;
            match raw::run(writer, raw, sink, false).await.in_words(|| self.shown(), None)? {
                raw::Answer::Done(sink, matched) => Ok((sink, matched)),
                raw::Answer::NoRead(sink) => Ok((sink, 0)),
            }
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let lease = self.shared.readers.lease_within(None).await?;
            let explained = explain::explain(lease, call).await;
            self.shared.in_words(explained, &call).map(Some)
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let mut lease = self.shared.lease_writer().await?;
            lease.set_holder(Holder::operation("native"));
            native_work::run(lease, work).await.in_words(|| self.shown(), None)
        })
    }
}

impl Driver for SqliteDriver {
    fn name(&self) -> &'static str {
        DRIVER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn prepare(&self, statement: &Statement, parameters: &[ValueType]) -> Result<Prepared> {
        Native::prepare(statement, parameters).map_err(|error| error.with_driver(DRIVER))
    }

    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            let begun = SqliteTransaction::begin(&self.shared, options).await;
            let transaction = begun.in_words(|| self.shown(), None)?;
            Ok(Arc::new(transaction) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut lease = self.shared.lease_writer().await?;
            lease.set_holder(Holder::operation("create"));
            let models = models.to_vec();
            worker::run(lease, move |mut lease| schema::create(&mut lease, &models))
                .await
                .in_words(|| self.shown(), None)
        })
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let lease = self.shared.lease_writer().await?;
            let models = models.to_vec();
            worker::run(lease, move |mut lease| schema::drop_models(&mut lease, &models))
                .await
                .in_words(|| self.shown(), None)
        })
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        Box::pin(async move {
            let lease = self.shared.readers.lease_within(None).await?;
            worker::run(lease, |mut lease| schema::inspect(lease.connection()?)).await.in_words(|| self.shown(), None)
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let writer = self.shared.writer.close().await;
            let readers = match self.shared.options.exclusive {
                true => Ok(Vec::new()),
                false => self.shared.readers.close().await,
            };
            let standing = self.shared.standing.as_ref().map(Arc::clone);
            worker::block(move || {
                if let Some(standing) = standing {
                    standing.close();
                }
                // the last connection of a file writes the WAL back
                let readers = readers.map(drop);
                writer.map(drop).and(readers)
            })
            .await
        })
    }
}
