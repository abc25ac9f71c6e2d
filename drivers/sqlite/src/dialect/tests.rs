//! The exact text of statements and schemas, and their answers in SQLite.

mod answers;
mod conditions;
mod library;
mod numbers;
mod schema;
mod statements;
