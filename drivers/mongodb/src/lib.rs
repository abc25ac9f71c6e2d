//! The MongoDB driver of Ommi, on the official driver.
//!
//! Models are documents with BSON's own types, filters are MongoDB's filters and aggregation
//! expressions, and rows are read from the server's answer where they lie.

mod aggregate;
mod arithmetic;
mod calendar;
mod capability;
mod catalog;
mod constant;
mod counter;
mod decimal;
mod decode;
mod driver;
mod element;
mod encode;
mod error;
mod explain;
mod expression;
mod filter;
mod insert;
mod layout;
mod name;
mod options;
mod pattern;
mod raw;
mod raw_text;
mod read;
mod reference;
mod related;
mod schema;
mod select;
mod server;
mod session;
mod shared;
mod statement;
mod stream;
mod template;
mod transaction;
mod upsert;
mod validator;
mod write;
mod writer;

pub use self::driver::MongoConnector;
/// The library whose `Database` [`native`](ommi_core::Db::native) lends.
pub use mongodb;
