//! The handle that programs use: queries in, models out.

mod add;
mod aggregate;
mod batches;
mod count;
pub mod dynamic;
mod engine;
mod find;
pub(crate) mod get;
mod page;
mod raw;
mod save;
mod schema;
mod selected;
pub(crate) mod sink;
pub(crate) mod source;
mod stream;
mod transaction;
mod upsert;
mod write;

use std::fmt;
use std::sync::Arc;

pub use self::batches::Batches;
pub use self::dynamic::{Dynamic, DynamicQuery};
pub use self::find::Query;
pub use self::page::Page;
pub use self::raw::RawQuery;
pub use self::selected::{Grouped, Selected};
pub use self::stream::Rows;
pub use self::transaction::{Retrying, Transaction, TransactionBuilder, Tx};
pub use self::upsert::Upsert;
pub use self::write::Update;

use self::count::Sent;
use self::transaction::{Running, Standing, TransactionScope};
use crate::driver::{self, ConnectOptions, Driver};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::model::Model;
use crate::plan::PlanCache;
use crate::query::FilterOf;

/// A handle on a database: cheap to clone, safe to share.
///
/// Its methods read and write models; the future of each may be dropped at any await, after which
/// a write may or may not have been applied.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    scope: Scope,
    strict: bool,
}

struct Shared {
    driver: Arc<dyn Driver>,
    plans: PlanCache,
    sent: Sent,
}

/// What a handle works on.
#[derive(Clone)]
enum Scope {
    /// The database, each operation by itself.
    Database,
    /// The same, where a transaction's closure means to leave the transaction.
    Outside,
    /// An open transaction.
    Transaction(Arc<TransactionScope>),
}

impl Db {
    /// A handle on a driver, with layers around it, the first one outermost.
    pub fn new(driver: Arc<dyn Driver>, layers: &[Arc<dyn Layer>]) -> Self {
        let driver = layers.iter().rev().fold(driver, |driver, layer| layer.wrap(driver));
        let shared = Shared { driver, plans: PlanCache::default(), sent: Sent::default() };
        Db { shared: Arc::new(shared), scope: Scope::Database, strict: false }
    }

    /// Connects to the database of a URL.
    ///
    /// # Errors
    ///
    /// `Config` for a URL or option that is wrong, `Connection` if the database can't be reached.
    pub async fn connect(options: &ConnectOptions, layers: &[Arc<dyn Layer>]) -> Result<Self> {
        let driver = driver::connect(options).await?;
        Ok(Db::new(driver, layers))
    }

    /// The driver, layers included.
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.shared.driver
    }

    /// The same handle, on which a query that the driver cannot answer by itself is an
    /// `Unsupported` error.
    pub fn strict(&self) -> Db {
        Db { strict: true, ..self.clone() }
    }

    /// The same handle, for use inside a transaction's closure by work that is meant to stay
    /// outside the transaction.
    pub fn outside(&self) -> Db {
        Db { scope: Scope::Outside, ..self.clone() }
    }

    /// Begins a query of the rows that pass a filter; `M::all()` passes all.
    ///
    /// ```ignore
    /// let adults = db.find(User::AGE.ge(18)).order_by(User::NAME.asc()).all().await?;
    /// ```
    #[inline]
    pub fn find<M: Model>(&self, filter: impl FilterOf<M>) -> Query<M> {
        Query::new(self.clone(), filter.into_condition())
    }

    /// Waits for running work to end and closes all connections. Later use of any clone of the
    /// handle is a `Connection` error.
    ///
    /// # Errors
    ///
    /// `Connection` if the database could not be closed in good order; `Transaction` inside one,
    /// which would be waited for.
    pub async fn close(&self) -> Result<()> {
        self.check_no_transaction()?;
        self.shared.driver.close().await
    }

    /// What runs the next statement of this handle.
    #[inline]
    fn session(&self) -> Result<Running<'_>> {
        self.shared.sent.note();
        match &self.scope {
            Scope::Database => {
                transaction::check_outside(&self.shared)?;
                Ok(Running::Driver(&*self.shared.driver))
            }
            Scope::Outside => Ok(Running::Driver(&*self.shared.driver)),
            Scope::Transaction(scope) => scope.transaction().map(Running::Transaction),
        }
    }

    /// Whether another handle works on the same database, and in the same transaction if in one.
    pub(crate) fn is_same(&self, other: &Db) -> bool {
        let in_one = match (&self.scope, &other.scope) {
            (Scope::Transaction(own), Scope::Transaction(other)) => Arc::ptr_eq(own, other),
            (own, other) => !matches!(own, Scope::Transaction(_)) && !matches!(other, Scope::Transaction(_)),
        };
        in_one && Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The handle by which rows that were read by this one load their relations: itself, or the
    /// database after a transaction is committed. `None` after it was rolled back.
    pub(crate) fn for_relations(&self) -> Option<Db> {
        match &self.scope {
            Scope::Database | Scope::Outside => Some(self.clone()),
            Scope::Transaction(scope) => match scope.standing() {
                Standing::Open(scope) => Some(Db { scope: Scope::Transaction(scope), ..self.clone() }),
                Standing::Committed => Some(Db { scope: Scope::Database, ..self.clone() }),
                Standing::Lost => None,
            },
        }
    }

    /// Refuses what would wait for the transaction that it is called in.
    fn check_no_transaction(&self) -> Result<()> {
        match &self.scope {
            Scope::Transaction(_) => {
                Err(Error::transaction("a transaction is open: end it before the database is closed"))
            }
            Scope::Database => transaction::check_outside(&self.shared),
            Scope::Outside => Ok(()),
        }
    }

    /// Whether the driver has transactions.
    fn has_transactions(&self) -> bool {
        self.shared.driver.capabilities().transaction.transactions
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("driver", &self.shared.driver.name())
            .field("in_transaction", &matches!(self.scope, Scope::Transaction(_)))
            .finish_non_exhaustive()
    }
}

/// The error of a row that was asked for and is not there.
#[cold]
fn no_row<M: Model>() -> Error {
    Error::not_found("no row matches: use `optional()` where that is expected").with_model(M::definition().name())
}

/// The error of several rows where one was asked for.
#[cold]
fn several_rows<M: Model>() -> Error {
    Error::not_unique("more than one row matches: use `first()` to take one of them").with_model(M::definition().name())
}
