//! The in-memory driver of Ommi: the reference evaluator as a database.
//!
//! Its URL is `memory:`; every connection is a database of its own that ends with its last handle.
//! `memory:?capabilities=none` does natively no more than a driver must, so that the engine
//! completes all else: it is how the engine is tested, and keeps the same rules.
//!
//! One transaction that writes runs at a time, from its beginning; the others wait in line. Readers
//! outside see what is committed, and never wait.

mod access;
mod capability;
mod decode;
mod driver;
mod encode;
mod error;
mod insert;
mod overlay;
mod read;
mod schema;
mod seen;
mod statement;
mod store;
mod table;
mod transaction;
mod view;
mod write;

pub use self::capability::{all, least};
pub use self::driver::{MemoryConnector, MemoryDriver};
