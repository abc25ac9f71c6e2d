//! The workloads of the benches, written once for all lanes.
//!
//! A *lane* is one way to the database: the raw driver, Ommi, or another mapper. Each program of the
//! benches has the raw lane of its own version of the driver, and others beside it. This package has
//! no SQLite, of which a program can have only one version: the raw lane of SQLite is
//! `raw/sqlite.rs`, which each program takes in by its path.

pub mod check;
pub mod data;
pub mod lane;
pub mod postgres;
pub mod program;
pub mod schema;
pub mod shared;
pub mod work;
