//! Ommi is a portable object model mapper: you keep the structs you have, and read and write them
//! in whatever database you like, through one small async API.
//!
//! ```
//! use ommi::prelude::*;
//!
//! #[derive(Model, Clone, Debug, Default)]
//! struct User {
//!     #[ommi(key, auto)]
//!     id: i64,
//!     name: String,
//!     age: Option<i32>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let db = ommi::connect("sqlite::memory:").await?;
//! db.create::<User>().await?;
//! db.add(User { name: "Ada".into(), age: Some(36), ..Default::default() }).await?;
//! let adults = db.find(User::AGE.ge(18)).order_by(User::NAME.asc()).all().await?;
//! assert_eq!(adults[0].name, "Ada");
//! # Ok(())
//! # }
//! ```
//!
//! [`connect`] takes a URL; `#[derive(Model)]` makes a struct a model; [`Db`] reads and writes.

mod connect;
pub mod prelude;
pub mod testing;

#[doc(hidden)]
pub mod __private;

#[doc(hidden)]
pub use ommi_core::as_inside;
pub use ommi_core::db::{
    Batches, Db, Dynamic, DynamicQuery, Grouped, Page, Query, RawQuery, Retrying, Rows, Selected, Transaction,
    TransactionBuilder, Tx, Update, Upsert,
};
pub use ommi_core::error::{ConstraintKind, Error, ErrorKind, Result};
pub use ommi_core::model::{Model, Models, NoKey};
pub use ommi_core::plan::Explanation;
pub use ommi_core::query::{
    Aggregate, Assignment, Cursor, Embedded, Expression, Field, Filter, Having, Order, Plural, Relation, RelationQuery,
    Single, count,
};
pub use ommi_core::relation::{Many, One, RelatedRows};
pub use ommi_core::value::{Date, DateTime, Decimal, Duration, Json, Time, Timestamp, Uuid, Value};
pub use ommi_core::{driver, evaluate, layer, model, plan, query, relation, value};
pub use ommi_macros::{Model, Value};
#[cfg(feature = "mongodb")]
pub use ommi_mongodb as mongodb;
#[cfg(feature = "postgres")]
pub use ommi_postgres as postgres;
#[cfg(feature = "sqlite")]
pub use ommi_sqlite as sqlite;
pub use rust_decimal_macros::dec;

pub use self::connect::{Options, connect, options, register_drivers};
