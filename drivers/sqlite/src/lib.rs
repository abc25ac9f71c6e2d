//! The SQLite driver of Ommi.
//!
//! One connection writes and several read, beside each other in WAL mode. What is short runs on
//! the executor's thread, because a thread hop costs more than the statement; what takes longer
//! than four milliseconds, waits for a disk or for a lock runs on a worker.

mod buffer;
mod capability;
mod connection;
mod decode;
mod dialect;
mod driver;
mod encode;
mod error;
mod explain;
mod function;
mod held;
mod insert;
mod native;
mod native_work;
mod options;
mod pool;
mod raw;
mod read;
mod reference;
mod schema;
mod shared;
mod short;
mod standing;
mod stream;
mod transaction;
mod watch;
mod worker;
mod write;

pub use self::driver::SqliteConnector;
/// The library whose connection [`native`](ommi_core::Db::native) lends.
pub use rusqlite;
