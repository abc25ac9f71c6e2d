//! The driver by itself, without the core's planner: what it does with connections, threads,
//! locks, files and errors. What queries mean is the conformance suite's part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod cancellation;
mod connecting;
mod errors;
mod harness;
mod inserts;
mod isolation;
mod reading;
mod schema;
mod standing;
mod transactions;
