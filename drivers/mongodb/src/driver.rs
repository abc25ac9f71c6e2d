//! The driver.

use std::any::Any;
use std::sync::Arc;

use mongodb::Client;
use mongodb::options::{ReadConcern, Tls};
use ommi_core::driver::{
    BoxFuture, Call, Capabilities, ConnectOptions, Connector, Driver, Inserted, Isolation, NativeWork, Prepared, Raw,
    RowSink, RowSource, RowStream, RowsMatched, SchemaInfo, Session, Transaction, TransactionOptions,
};
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;
use ommi_core::{Error, ModelDef, Result};

use crate::capability::capabilities;
use crate::error::{DRIVER, Work, from_mongo, with_advice};
use crate::explain::explain;
use crate::options::Options;
use crate::server::Server;
use crate::shared::Shared;
use crate::statement::Native;
use crate::stream::Stream;
use crate::transaction::MongoTransaction;

/// Makes drivers for `mongodb:` and `mongodb+srv:` URLs.
///
/// `mongodb://user:password@host:27017,other:27017/database?replicaSet=rs0`: the options are those
/// of every MongoDB driver, under their own names. A URL without a database means `test`.
///
/// [`Session::native`] lends a `mongodb::Database`; inside a transaction, its
/// `mongodb::ClientSession`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MongoConnector;

impl Connector for MongoConnector {
    fn schemes(&self) -> &'static [&'static str] {
        &["mongodb", "mongodb+srv"]
    }

    fn connect<'a>(&'a self, options: &'a ConnectOptions) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            let options = Options::parse(options).await.map_err(|error| error.with_driver(DRIVER))?;
            let client =
                Client::with_options(options.client.clone()).map_err(|error| from_mongo(error, Work::Read, None))?;
            let has_tls = matches!(options.client.tls, Some(Tls::Enabled(_)));
            let connecting = Connecting(Some(client.clone()));
            let server = Server::ask(&client.database(&options.database)).await;
            let server = server.map_err(|error| with_advice(error, has_tls))?;
            connecting.done();
            let capabilities = capabilities(&server, &options.database);
            let shared = Arc::new(Shared::new(client, options, server));
            Ok(Arc::new(MongoDriver { shared, capabilities }) as Arc<dyn Driver>)
        })
    }
}

/// A client that is not in use yet. Dropping it ends what the client does in the background.
struct Connecting(Option<Client>);

impl Connecting {
    fn done(mut self) {
        self.0.take();
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        if let Some(client) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { client.shutdown().immediate(true).await });
        }
    }
}

/// A MongoDB database.
struct MongoDriver {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

/// Adds the call that an error comes from.
#[cold]
pub(crate) fn about(error: Error, call: Call<'_>) -> Error {
    error.with_driver(DRIVER).with_model(call.model).with_operation(call.operation)
}

impl Session for MongoDriver {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.fetch(None, call, sink).await.map_err(|error| about(error, call))
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            let stream =
                Stream::open(Arc::clone(&self.shared), None, call).await.map_err(|error| about(error, call))?;
            Ok(Box::new(stream) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.insert(None, call, rows).await.map_err(|error| about(error, call))
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.execute(None, call).await.map_err(|error| about(error, call))
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.raw(None, raw, sink).await
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            explain(&self.shared, call).await.map(Some).map_err(|error| about(error, call))
        })
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            let mut database = self.shared.database.clone();
            let worked = tokio::task::spawn_blocking(move || work(&mut database)).await;
            worked.map_err(|error| Error::query("the native work panicked").with_driver(DRIVER).with_source(error))
        })
    }
}

impl Driver for MongoDriver {
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
            let _running = self.shared.enter().await?;
            if options.isolation == Some(Isolation::Serializable) {
                return Err(Error::unsupported("MongoDB has no serializable transactions: use repeatable read")
                    .with_driver(DRIVER));
            }
            if !self.capabilities.transaction.transactions {
                return Err(
                    Error::unsupported("the server is no replica set, and so has no transactions").with_driver(DRIVER)
                );
            }
            let mut of_transaction = self.shared.transaction_options();
            of_transaction.read_concern = Some(ReadConcern::snapshot());
            let begin = async {
                self.shared.rollbacks.wait().await;
                self.shared.begin(of_transaction).await
            };
            let session = match options.begin_timeout {
                None => begin.await?,
                Some(time) => tokio::time::timeout(time, begin).await.map_err(|_| {
                    Error::timeout(format!("no session for a transaction in {} ms", time.as_millis()))
                        .with_driver(DRIVER)
                })??,
            };
            let transaction = MongoTransaction::new(Arc::clone(&self.shared), session, options.read_only);
            Ok(Arc::new(transaction) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.create(models).await.map_err(|error| error.with_driver(DRIVER))
        })
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.drop_models(models).await.map_err(|error| error.with_driver(DRIVER))
        })
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        Box::pin(async move {
            let _running = self.shared.enter().await?;
            self.shared.inspect().await.map_err(|error| error.with_driver(DRIVER))
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.shared.close().await;
            Ok(())
        })
    }
}
