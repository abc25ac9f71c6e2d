//! The PostgreSQL driver of Ommi, on `tokio-postgres`.
//!
//! A statement is rendered once for each shape, prepared once on each connection, and its rows are
//! read in PostgreSQL's binary form straight from the buffer in which they came. Look-ups by key
//! share connections by pipelining; everything else has one to itself.

mod advance;
mod capability;
mod connection;
mod decode;
mod dialect;
mod driver;
mod encode;
mod error;
mod explain;
mod insert;
mod native;
mod opener;
mod options;
mod raw;
mod read;
mod schema;
mod stream;
mod tls;
mod transaction;
mod write;

pub use self::driver::PostgresConnector;
/// The library whose client [`native`](ommi_core::Db::native) lends.
pub use tokio_postgres;
