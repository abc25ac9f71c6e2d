//! Counting statements.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Layer;
use crate::as_inside;
use crate::driver::{
    BoxFuture, Call, Driver, Inserted, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, SchemaInfo,
    Session, Transaction, TransactionOptions,
};
use crate::error::Result;
use crate::model::ModelDef;

/// How many statements were sent since the count began.
#[derive(Debug, Default)]
pub struct StatementCount(AtomicU64);

impl StatementCount {
    /// The number of statements, those that failed and those whose answer nobody waited for among them.
    /// The bounds of transactions do not count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Begins anew, and gives the number until now.
    pub fn reset(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }

    #[inline]
    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A layer that counts the statements that are sent. What it costs is one addition for each of them.
#[derive(Clone, Debug, Default)]
pub struct CountStatements(Arc<StatementCount>);

impl CountStatements {
    /// The count.
    pub fn count(&self) -> &StatementCount {
        &self.0
    }
}

impl Layer for CountStatements {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(Counted { inside: driver, count: Arc::clone(&self.0) })
    }
}

/// A driver, or a transaction of one, whose statements are counted. Its futures are those of the driver.
struct Counted<D: ?Sized> {
    inside: Arc<D>,
    count: Arc<StatementCount>,
}

impl<D: Session + ?Sized> Session for Counted<D> {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        self.count.one_more();
        self.inside.fetch(call, sink)
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        self.count.one_more();
        self.inside.stream(call)
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        self.count.one_more();
        self.inside.insert(call, rows)
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        self.count.one_more();
        self.inside.execute(call)
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        self.count.one_more();
        self.inside.raw(raw, sink)
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        self.inside.explain(call)
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        self.count.one_more();
        self.inside.native(work)
    }
}

impl Driver for Counted<dyn Driver> {
    as_inside! { driver }

    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>> {
        Box::pin(async move {
            let inside = self.inside.begin(options).await?;
            Ok(Arc::new(Counted { inside, count: Arc::clone(&self.count) }) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        self.count.one_more();
        self.inside.create(models)
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        self.count.one_more();
        self.inside.drop_models(models)
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        self.inside.inspect()
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        self.inside.close()
    }
}

impl Transaction for Counted<dyn Transaction> {
    as_inside! { bounds of layer: |_, work| work }
}
