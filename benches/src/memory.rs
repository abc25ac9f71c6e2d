//! Ommi's own database in memory, beside which there is no raw driver.

use std::rc::Rc;

use lanes::lane::{Run, Runner};
use lanes::program::Lanes;
use lanes::work::Database;

use crate::lane::Ommi;

/// Opens the lane.
pub fn open() -> Lanes {
    let runtime = Rc::new(crate::one_thread());
    let ommi = runtime.block_on(Ommi::fill("memory:"));
    let cleaner = ommi.clone();
    Lanes {
        database: Database::Memory,
        lanes: vec![Runner::new("Ommi", &runtime, ommi) as Box<dyn Run>],
        shared: Vec::new(),
        clean: Box::new(move || runtime.block_on(cleaner.clean())),
    }
}
