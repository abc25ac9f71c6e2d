//! The driver.

use std::any::Any;
use std::sync::Arc;

use ommi_core::driver::capability::RelationCapability;
use ommi_core::driver::{
    BoxFuture, Call, Capabilities, ConnectOptions, Connector, Driver, Inserted, Isolation, NativeWork, Prepared, Raw,
    RowSink, RowSource, RowStream, RowsMatched, SchemaInfo, Session, Transaction, TransactionOptions,
};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

use crate::capability::{all, least};
use crate::error::{DRIVER, about, foreign};
use crate::overlay::Overlay;
use crate::read::{self, Source};
use crate::seen::Seen;
use crate::store::Store;
use crate::transaction::MemoryTransaction;
use crate::write::{self, Writing};
use crate::{schema, statement};

/// Makes databases for `memory:` URLs, a new one for each connection.
///
/// The option `capabilities` is `all`, or `none` for a driver that does no more than it must;
/// `relations` names what it does natively of related rows, of `filters`, `values`, `joins` and
/// `limit_by`, with commas between, or is `none`; `acquire_timeout` bounds the wait for another transaction that writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryConnector;

impl Connector for MemoryConnector {
    fn schemes(&self) -> &'static [&'static str] {
        &["memory"]
    }

    fn connect<'a>(&'a self, options: &'a ConnectOptions) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            options.check_known(&["capabilities", "relations", "acquire_timeout"])?;
            if !matches!(options.rest(), "" | "//") {
                return Err(Error::config(format!(
                    "`memory:` URLs name no database, and this one has `{}`: each connection is a database of its own",
                    options.rest()
                )));
            }
            let mut capabilities = match options.choice("capabilities", &[("all", true), ("none", false)])? {
                Some(false) => least(),
                _ => all(),
            };
            if let Some(names) = options.get("relations") {
                capabilities.relation = relations(names)?;
            }
            let mut driver = MemoryDriver::new(capabilities);
            if let Some(store) = Arc::get_mut(&mut driver.store) {
                store.acquire_timeout = options.duration("acquire_timeout")?;
            }
            Ok(Arc::new(driver) as Arc<dyn Driver>)
        })
    }
}

fn relations(names: &str) -> Result<RelationCapability> {
    let mut relation = RelationCapability::default();
    for name in names.split(',').filter(|name| *name != "none") {
        let capability = match name {
            "filters" => &mut relation.filters,
            "values" => &mut relation.values,
            "unindexed_values" => &mut relation.unindexed_values,
            "writes" => &mut relation.writes,
            "joins" => &mut relation.joins,
            "limit_by" => &mut relation.limit_by,
            other => {
                return Err(Error::config(format!(
                    "`relations` has `{other}`, and may have `filters`, `values`, `unindexed_values`, `writes`, `joins`, `limit_by`, or be `none`"
                )));
            }
        };
        *capability = true;
    }
    Ok(relation)
}

/// A database in memory.
#[derive(Debug)]
pub struct MemoryDriver {
    store: Arc<Store>,
    capabilities: Capabilities,
}

impl MemoryDriver {
    /// An empty database that does as much natively as the capabilities say; what is beyond them
    /// is an `Unsupported` error.
    pub fn new(capabilities: Capabilities) -> Self {
        MemoryDriver { store: Arc::default(), capabilities }
    }

    /// The rows of a select, as they are committed now.
    fn source(&self, call: Call<'_>) -> Result<Source> {
        self.store.check_open()?;
        let tables = self.store.read();
        Source::new(call.prepared, call.parameters, Seen { tables: &tables, overlay: None })
    }

    /// Runs a statement in a transaction of its own.
    async fn write<T>(&self, work: impl FnOnce(&mut Writing<'_>) -> Result<T>) -> Result<T> {
        tokio::task::coop::consume_budget().await;
        self.store.check_open()?;
        let writer = self.store.writer(None).await?;
        self.store.check_open()?;
        let mut overlay = Overlay::default();
        let answer = write::run(&self.store.read(), &mut overlay, work)?;
        self.store.commit(overlay, &writer);
        Ok(answer)
    }
}

impl Default for MemoryDriver {
    fn default() -> Self {
        MemoryDriver::new(all())
    }
}

impl Session for MemoryDriver {
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
            let work = |writing: &mut Writing<'_>| insert(call, source, writing);
            self.write(work).await.map_err(|error| about(error, call))
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let work = |writing: &mut Writing<'_>| writing.execute(statement::of(call.prepared)?, call.parameters);
            self.write(work).await.map_err(|error| about(error, call))
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

/// Inserts the rows of a call.
pub(crate) fn insert(call: Call<'_>, source: Box<dyn RowSource>, writing: &mut Writing<'_>) -> Result<Inserted> {
    let Statement::Insert(insert) = &statement::of(call.prepared)?.statement else { return Err(foreign()) };
    let (rows, keys) = writing.insert(insert, call.parameters, &*source)?;
    Ok(Inserted { rows, keys, source })
}

#[cold]
pub(crate) fn no_raw() -> Error {
    Error::unsupported("the memory driver has no query language of its own: write the query with filters")
        .with_driver(DRIVER)
}

#[cold]
pub(crate) fn no_native() -> Error {
    Error::unsupported("the memory driver has no connection of its own to lend").with_driver(DRIVER)
}

impl Driver for MemoryDriver {
    fn name(&self) -> &'static str {
        DRIVER
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn prepare(&self, statement: &Statement, parameters: &[ValueType]) -> Result<Prepared> {
        statement::prepare(statement, parameters, &self.capabilities)
    }

    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>> {
        Box::pin(async move {
            tokio::task::coop::consume_budget().await;
            self.store.check_open()?;
            let can = self.capabilities.transaction;
            let able = can.transactions
                && (!options.read_only || can.read_only)
                && match options.isolation {
                    Some(Isolation::Serializable) => can.serializable,
                    Some(Isolation::RepeatableRead) => can.repeatable_read,
                    Some(Isolation::ReadCommitted) | None => true,
                };
            if !able {
                return Err(crate::error::beyond("such a transaction"));
            }
            let transaction = match options.read_only {
                true => MemoryTransaction::reading(Arc::clone(&self.store), options.isolation),
                false => {
                    let writer = self.store.writer(options.begin_timeout).await?;
                    writer.set_holder(options.holder());
                    self.store.check_open()?;
                    MemoryTransaction::writing(Arc::clone(&self.store), writer)
                }
            };
            Ok(Arc::new(transaction) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.store.check_open()?;
            let writer = self.store.writer(None).await?;
            // All or none: the tables are made on a copy that shares their rows.
            let mut tables = self.store.read().clone();
            schema::create(&mut tables, models).map_err(|error| error.with_driver(DRIVER))?;
            *self.store.write(&writer) = tables;
            Ok(())
        })
    }

    /// Drops the tables of models; a table that is not there is dropped already.
    ///
    /// A table that is referenced by one that stays is not dropped, whether rows reference it or
    /// not.
    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.store.check_open()?;
            let writer = self.store.writer(None).await?;
            schema::drop_models(&mut self.store.write(&writer), models).map_err(|error| error.with_driver(DRIVER))
        })
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        Box::pin(async {
            self.store.check_open()?;
            Ok(schema::inspect(&self.store.read()))
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.store.close().await;
            Ok(())
        })
    }
}
