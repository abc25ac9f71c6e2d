//! A layer that makes chosen operations fail, or wait for ever.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> ommi::Result<()> {
//! use ommi_conformance::fault::{Fault, Faults};
//!
//! let faults = Faults::new(|operation| match operation {
//!     "commit" => Some(Fault::After(ommi::Error::unknown("the answer was lost"))),
//!     _ => None,
//! });
//! let db = ommi::options("sqlite::memory:").layer(faults).connect().await?;
//! assert!(db.transaction(async |_| Ok(())).await.unwrap_err().is_unknown());
//! # Ok(())
//! # }
//! ```

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ommi::as_inside;
use ommi::driver::{
    BoxFuture, Call, Driver, Inserted, NativeWork, Raw, RowSink, RowSource, RowStream, RowsMatched, SchemaInfo,
    Session, Transaction, TransactionOptions,
};
use ommi::layer::Layer;
use ommi::model::ModelDef;
use ommi::{Error, Result};

/// What happens to an operation in place of its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not begun, and fails.
    Before(Error),
    /// It is done, and fails all the same: its answer is lost.
    After(Error),
    /// It is not begun, and never ends.
    Stall,
    /// It is done, and never ends.
    StallAfter,
    /// It is begun after a while; or fails then, and is not begun.
    Late(Duration, Option<Error>),
}

type Choose = dyn Fn(&'static str) -> Option<Fault> + Send + Sync;

/// A layer that asks a function for the fault of each operation. The operations are `fetch`,
/// `stream`, `insert`, `execute`, `raw`, `explain`, `native`, `begin`, `savepoint`, `release`,
/// `rollback to`, `commit`, `rollback`, `create`, `drop`, `inspect` and `close`.
#[derive(Clone)]
pub struct Faults(Arc<Choose>);

impl Faults {
    /// A layer with the faults that a function chooses.
    pub fn new(choose: impl Fn(&'static str) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Faults(Arc::new(choose))
    }

    async fn meet<T>(&self, operation: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        match (self.0)(operation) {
            None => work.await,
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => {
                work.await?;
                Err(error)
            }
            Some(Fault::Stall) => std::future::pending().await,
            Some(Fault::StallAfter) => {
                work.await?;
                std::future::pending().await
            }
            Some(Fault::Late(time, error)) => {
                tokio::time::sleep(time).await;
                match error {
                    None => work.await,
                    Some(error) => Err(error),
                }
            }
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Layer for Faults {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(Faulty { inside: driver, faults: self.clone() })
    }
}

/// A driver, or a transaction of one, whose operations may fail.
struct Faulty<D: ?Sized> {
    faults: Faults,
    inside: Arc<D>,
}

impl<D: Session + ?Sized> Session for Faulty<D> {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(self.faults.meet("fetch", self.inside.fetch(call, sink)))
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(self.faults.meet("stream", self.inside.stream(call)))
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(self.faults.meet("insert", self.inside.insert(call, rows)))
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(self.faults.meet("execute", self.inside.execute(call)))
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(self.faults.meet("raw", self.inside.raw(raw, sink)))
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(self.faults.meet("explain", self.inside.explain(call)))
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(self.faults.meet("native", self.inside.native(work)))
    }
}

impl Driver for Faulty<dyn Driver> {
    as_inside! { driver }

    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>> {
        Box::pin(async move {
            let inside = self.faults.meet("begin", self.inside.begin(options)).await?;
            Ok(Arc::new(Faulty { faults: self.faults.clone(), inside }) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.faults.meet("create", self.inside.create(models)))
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.faults.meet("drop", self.inside.drop_models(models)))
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        Box::pin(self.faults.meet("inspect", self.inside.inspect()))
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.faults.meet("close", self.inside.close()))
    }
}

impl Transaction for Faulty<dyn Transaction> {
    as_inside! { bounds of layer: |operation, work| Box::pin(layer.faults.meet(operation, work)) }
}
