//! Work with SQLite's own connection.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ommi_core::driver::NativeWork;

use crate::error::Outcome;
use crate::held::Held;
use crate::worker;

/// Lends a `&mut rusqlite::Connection` to work that may block.
pub(crate) async fn run<H: Held>(held: H, work: NativeWork) -> Outcome<Box<dyn Any + Send>> {
    worker::run(held, move |mut held| {
        held.set_dirty(true);
        // a panic is the program's own, and no reason to lose the connection
        let answer = held.lend(|connection| catch_unwind(AssertUnwindSafe(|| work(connection))))?;
        drop(held);
        match answer {
            Ok(answer) => Ok(answer),
            Err(panic) => resume_unwind(panic),
        }
    })
    .await
}
