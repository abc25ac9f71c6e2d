//! How it is said: the interface of a database.
//!
//! A driver runs raw operations, gives back concrete rows or a typed error, and knows nothing of
//! models' Rust types, retries, caches or logging. The built-in drivers use nothing that a driver
//! in another crate could not.

pub mod capability;
pub mod connector;
pub mod holder;
pub mod operation;
pub mod row;
pub mod schema;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use self::capability::{Capabilities, Operators, Support};
pub use self::connector::{ConnectOptions, Connector, RedactedUrl, connect, register, registered_schemes};
pub use self::holder::Holder;
pub use self::operation::{AssignedKeys, Call, Inserted, Isolation, Prepared, Raw, RowsMatched, TransactionOptions};
pub use self::row::{Encoder, Flow, Row, RowEncoder, RowRef, RowSink, RowSource, RowStream};
pub use self::schema::{ColumnInfo, IndexInfo, ReferenceInfo, SchemaInfo, TableInfo};

use crate::error::Result;
use crate::model::ModelDef;
use crate::query::statement::Statement;
use crate::value::ValueType;

/// A future in a box, as traits that are used as objects give it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What runs statements: a driver, or a transaction of one.
///
/// Every future may be dropped at any await. The next user of the connection then finds it clean:
/// no open transaction, no half-read result. A dropped write may still have been applied.
///
/// # Errors
///
/// All methods map the database's faults to the kinds of [`crate::Error`]: a broken unique,
/// reference, not-null or check rule to `Constraint` with kind and fields, a deadlock or a
/// serialization failure to `Conflict`, a connection that can't be made or broke before the
/// statement was sent to `Connection`, one that broke after a write was sent to `Unknown`, waiting
/// longer than allowed to `Timeout`, a table that is missing or does not fit to `Schema`, a value
/// or an expression that is out of range to `Query`, a stored value of the wrong type to `Decode`.
pub trait Session: Send + Sync {
    /// Reads rows into a sink, and gives the sink back.
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>>;

    /// Opens rows to be read in batches.
    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>>;

    /// Writes new rows.
    ///
    /// All rows of a call are written or none, if the driver has transactions.
    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>>;

    /// Updates or deletes, and says how many rows matched.
    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>>;

    /// Runs a statement in the database's own language; rows, if it gives any, go into the sink
    /// after a call of [`RowSink::columns`].
    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>>;

    /// The database's own plan for a statement, one step a line; `None` if it has no such thing.
    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>>;

    /// Runs work with the driver's own connection, which is passed as `&mut` of the type that the
    /// driver documents. The work runs where it may block.
    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>>;
}

/// Work that is lent a driver's own connection.
pub type NativeWork = Box<dyn FnOnce(&mut dyn Any) -> Box<dyn Any + Send> + Send>;

/// A database.
pub trait Driver: Session {
    /// The driver's name, as errors show it.
    fn name(&self) -> &'static str;

    /// What the driver does natively, and its limits.
    fn capabilities(&self) -> &Capabilities;

    /// Brings a statement into the form in which the driver runs it. Called once per shape; does
    /// no I/O. `parameters` are the types of the statement's parameters.
    ///
    /// The planner asks only for what the capabilities promise.
    fn prepare(&self, statement: &Statement, parameters: &[ValueType]) -> Result<Prepared>;

    /// Begins a transaction. Dropping the transaction before its end rolls it back.
    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>>;

    /// Creates what is missing of tables, indexes and rules for models, each after those it
    /// references; checks what exists. Changes and drops nothing.
    ///
    /// # Errors
    ///
    /// `Schema`, with each difference and what would mend it, if something exists that does not
    /// fit; `Unsupported` if the database cannot keep a rule of a model.
    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>>;

    /// Drops the tables of models, and nothing else.
    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>>;

    /// Reads the schema back.
    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>>;

    /// Waits for running work to end and closes all connections. Later calls are `Connection`
    /// errors.
    fn close(&self) -> BoxFuture<'_, Result<()>>;
}

/// An open transaction of a driver.
pub trait Transaction: Session {
    /// Sets a savepoint.
    fn savepoint(&self, level: u32) -> BoxFuture<'_, Result<()>>;

    /// Forgets a savepoint, keeping what was written since.
    fn release(&self, level: u32) -> BoxFuture<'_, Result<()>>;

    /// Undoes what was written since a savepoint, and forgets it.
    fn rollback_to(&self, level: u32) -> BoxFuture<'_, Result<()>>;

    /// Makes the writes permanent.
    fn commit(&self) -> BoxFuture<'_, Result<()>>;

    /// Undoes the writes.
    fn rollback(&self) -> BoxFuture<'_, Result<()>>;
}
