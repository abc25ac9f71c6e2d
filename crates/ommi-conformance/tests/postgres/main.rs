//! The suite, generated queries, faults and the bank on PostgreSQL.

#![allow(clippy::print_stdout, reason = "the reports are what is to be seen")]
#![allow(clippy::unwrap_used, reason = "a failed test panics")]
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

mod connecting;
mod database;
mod driving;
mod faults;
mod pool;
mod process;
mod refusals;
mod session;
mod suite;
mod tls;
