//! The driver on real servers, as far as it is MongoDB's own: what is portable, the conformance
//! suite tests. Tests whose server is not there are skipped, and say so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod collections;
mod fake;
mod faults;
mod harness;
mod keys;
mod raw;
mod references;
mod related;
mod tls;
mod transactions;
mod values;
