//! The driver: which connection a call gets.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;

use ommi_core::driver::{
    BoxFuture, Call, Capabilities, ConnectOptions, Connector, Driver, Holder, Inserted, NativeWork, Prepared, Raw,
    RowSink, RowSource, RowStream, RowsMatched, SchemaInfo, Session, Transaction, TransactionOptions,
};
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;
use ommi_core::{Error, ModelDef, Result};
use ommi_pool::{Lease, Pool};
use tokio_postgres::Client;

use crate::capability::capabilities;
use crate::error::{Context, DRIVER, Effect, InWords, Outcome};
use crate::native::Native;
use crate::opener::PostgresOpener;
use crate::options::Options;
use crate::stream::Stream;
use crate::transaction::PostgresTransaction;
use crate::{explain, insert, raw, read, schema, tls, write};

/// Makes drivers for `postgres:` and `postgresql:` URLs.
///
/// `postgres://user:password@host:5432/database`; several hosts stand with commas between them and
/// are tried in their order, and a host that begins with a slash, written `%2F`, is the directory of a
/// Unix socket. [`Session::native`] lends an `Arc<tokio_postgres::Client>`.
///
/// | option | values | default |
/// |---|---|---|
/// | `pool` | the most connections, 1 to 10,000 | 10 |
/// | `acquire_timeout` | how long a connection of the pool is waited for | `30s` |
/// | `max_lifetime` | how old a connection gets | `30m` |
/// | `idle_timeout` | how long a connection stays that nobody uses | `10m` |
/// | `connect_timeout` | how long connecting to a host may take | `10s` |
/// | `sslmode` | `disable`, `prefer`, `require`, `verify-ca`, `verify-full` | `prefer` |
/// | `sslrootcert` | a file of root certificates, or `system` | the system's |
/// | `target_session_attrs` | `any`, `read-write` or `primary`, `read-only` or `standby` | `any` |
/// | `load_balance_hosts` | `disable`, `random` | `disable` |
/// | `application_name` | what the server shows | `ommi` |
/// | `statement_timeout` | the longest time of a statement | the server's |
/// | `search_path` | the schemas in which names are looked for | the server's |
/// | `prepare` | `off` behind a pooler that gives each transaction another connection | `on` |
/// | `statement_cache` | prepared statements of a connection | 256 |
/// | `keepalives_idle` | after how much silence the connection is probed | `2h` |
/// | `host`, `port`, `user`, `password` | instead of those before the question mark | |
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresConnector;

impl Connector for PostgresConnector {
    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    fn connect<'a>(&'a self, options: &'a ConnectOptions) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            let options = Arc::new(Options::parse(options).map_err(|error| error.with_driver(DRIVER))?);
            let tls = tls::connector(&options).map_err(|error| error.with_driver(DRIVER))?;
            let opener = PostgresOpener { options: Arc::clone(&options), tls };
            let pool = Pool::new(opener, options.pool);
            // what is wrong with the URL is told at once
            drop(pool.lease(Holder::operation("connect")).await.map_err(|error| error.with_driver(DRIVER))?);
            let shared = Arc::new(Shared { pool, options });
            Ok(Arc::new(PostgresDriver { shared, capabilities: capabilities() }) as Arc<dyn Driver>)
        })
    }
}

/// What a driver and its transactions share.
pub(crate) struct Shared {
    pub(crate) pool: Arc<Pool<PostgresOpener>>,
    pub(crate) options: Arc<Options>,
}

impl Shared {
    /// What errors are about that have no model.
    pub(crate) fn context(&self, effect: Effect) -> Context<'_> {
        Context { options: &self.options, model: None, written: &[], effect }
    }

    /// The answer to a call, or what failed in words.
    #[inline]
    pub(crate) fn in_words<T>(&self, outcome: Outcome<T>, call: &Call<'_>, effect: Effect) -> Result<T> {
        match outcome {
            Ok(answer) => Ok(answer),
            Err(failure) => {
                let native = Native::of(call.prepared)?;
                let context =
                    Context { options: &self.options, model: Some(&native.model), written: &native.written, effect };
                Err(failure.into_error(context).with_model(call.model).with_operation(call.operation))
            }
        }
    }

    /// A connection that is the caller's own.
    #[inline]
    async fn lease(&self, call: &Call<'_>) -> Result<Lease<PostgresOpener>> {
        let lease = self.pool.lease(call.holder()).await;
        lease.map_err(|error| error.with_driver(DRIVER))
    }

    /// Reads rows into a sink, over a connection that others share if the statement is a short one.
    #[inline]
    async fn fetch(&self, call: Call<'_>, sink: Box<dyn RowSink>) -> Result<Box<dyn RowSink>> {
        let lease = match call.prepared.is_short() {
            true => self.pool.share(call.holder()).await.map_err(|error| error.with_driver(DRIVER))?,
            false => self.lease(&call).await?,
        };
        self.in_words(read::fetch(&lease, call, sink).await, &call, Effect::None)
    }

    /// A connection for a call that is no statement of a model.
    async fn lease_for(&self, operation: &'static str) -> Result<Lease<PostgresOpener>> {
        self.pool.lease(Holder::operation(operation)).await.map_err(|error| error.with_driver(DRIVER))
    }
}

/// A PostgreSQL database.
struct PostgresDriver {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

impl Session for PostgresDriver {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(self.shared.fetch(call, sink))
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let lease = self.shared.lease(&call).await?;
            let stream = Stream::open(lease, call, &self.shared.options).await;
            Ok(Box::new(self.shared.in_words(stream, &call, Effect::None)?) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let lease = self.shared.lease(&call).await?;
            self.shared.in_words(insert::insert(&lease, call, rows).await, &call, Effect::Lasting)
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let lease = self.shared.lease(&call).await?;
            self.shared.in_words(write::execute(&lease, call).await, &call, Effect::Lasting)
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let lease = self.shared.lease_for("raw").await?;
            raw::run(&lease, raw, sink).await.in_words(self.shared.context(Effect::Lasting))
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let lease = self.shared.lease(&call).await?;
            self.shared.in_words(explain::explain(&lease, call).await, &call, Effect::None).map(Some)
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let lease = self.shared.lease_for("native").await?;
            lease.lend();
            run_native(Arc::clone(lease.client()), work).await
        })
    }
}

/// Lends a client to work that may block.
pub(crate) async fn run_native(mut client: Arc<Client>, work: NativeWork) -> Result<Box<dyn Any + Send>> {
    match tokio::task::spawn_blocking(move || work(&mut client)).await {
        Ok(answer) => Ok(answer),
        Err(fault) if fault.is_panic() => resume_unwind(fault.into_panic()),
        Err(_) => Err(Error::connection("the runtime ended before the work did").with_driver(DRIVER)),
    }
}

impl Driver for PostgresDriver {
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
            let transaction = PostgresTransaction::begin(&self.shared, options).await;
            let transaction = transaction.map_err(|error| error.with_driver(DRIVER))?;
            Ok(Arc::new(transaction) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let lease = self.shared.lease_for("create").await?;
            schema::create(&lease, models).await.in_words(self.shared.context(Effect::Lasting))
        })
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let lease = self.shared.lease_for("drop").await?;
            schema::drop_models(&lease, models).await.in_words(self.shared.context(Effect::Lasting))
        })
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        Box::pin(async move {
            let lease = self.shared.lease_for("inspect").await?;
            schema::inspect(&lease).await.in_words(self.shared.context(Effect::None))
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.shared.pool.close().await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest piece that glibc keeps at hand for each thread.
    const AT_HAND: usize = 1032;

    fn size_of_future<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_futures_of_a_read_are_no_longer_than_what_an_allocator_keeps_at_hand() {
        type Sink = Box<dyn RowSink>;
        let read = size_of_future(|shared: &'static Shared, call: Call<'static>, sink: Sink| shared.fetch(call, sink));
        let request = size_of_future(
            |client: &'static Client, statement: &'static tokio_postgres::Statement, list: &'static [_]| {
                client.query_raw(statement, list.iter().map(crate::encode::Parameter::lent))
            },
        );
        assert!(read <= AT_HAND && request <= AT_HAND, "{read} and {request} bytes");
    }
}
