//! The suite that specifies Ommi's portable behaviour, and that every driver passes.
//!
//! [`run`] runs every case against a [`Target`]: a way to get an empty database for each case.
//! Cases choose themselves by the driver's capabilities, never by its name. [`fuzz`] makes random
//! models, rows and queries and compares a driver with the reference evaluator.
//!
//! The rest is a kit for what goes wrong: [`cancellation()`] drops the future of every operation at
//! every await point, [`fault`] makes chosen operations fail, [`proxy`] breaks connections,
//! [`bank`] checks that no acknowledged write is lost or doubled, [`soak`] that nothing leaks.
//!
//! ```no_run
//! # async fn example() {
//! use ommi_conformance::{Target, run};
//!
//! let report = run(Target::from_url("SQLite in memory", "sqlite::memory:"), None).await;
//! println!("{report}");
//! assert_eq!(report.failures().count(), 0);
//! # }
//! ```

#![allow(clippy::cloned_ref_to_slice_refs, reason = "the rows that a check expects are written as rows")]

#[macro_use]
mod check;
pub mod bank;
pub mod cancellation;
pub mod capability;
#[macro_use]
mod case;
mod cases;
mod completion;
pub mod fault;
mod generate;
mod matrix;
mod models;
mod process;
pub mod proxy;
pub mod report;
pub mod server;
pub mod soak;
mod suite;
pub mod target;

pub use self::bank::{Bank, BankReport};
pub use self::cancellation::{CancellationReport, cancellation};
pub use self::capability::Capability;
pub use self::generate::{Difference, FuzzReport, fuzz, fuzz_graphs, fuzz_with_progress};
pub use self::matrix::matrix;
pub use self::report::{CaseReport, Outcome, Report};
pub use self::suite::{case_names, run};
pub use self::target::Target;
