//! Knowing that a transaction's closure is running, so that the use of the database itself in it
//! is noticed.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::db::Shared;
use crate::error::{Error, Result};

thread_local! {
    /// The databases whose transaction closures are being polled on this thread, innermost last.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn address(shared: &Arc<Shared>) -> usize {
    Arc::as_ptr(shared).addr()
}

/// Refuses the use of the database itself inside its transaction's closure.
#[inline]
pub(in crate::db) fn check_outside(shared: &Arc<Shared>) -> Result<()> {
    if INSIDE.with_borrow(|inside| inside.is_empty() || !inside.contains(&address(shared))) {
        return Ok(());
    }
    Err(Error::transaction(
        "`db` was used inside the closure of its transaction, which would not be part of it: use the closure's own handle, or `db.outside()` if that is meant",
    ))
}

/// A closure's future: while it is polled, the thread knows that it is inside a transaction.
pub(super) struct Inside<F> {
    work: Pin<Box<F>>,
    database: usize,
}

impl<F: Future> Inside<F> {
    pub(super) fn new(work: F, database: &Arc<Shared>) -> Self {
        Inside { work: Box::pin(work), database: address(database) }
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                INSIDE.with_borrow_mut(|inside| inside.pop());
            }
        }
        INSIDE.with_borrow_mut(|inside| inside.push(self.database));
        let _leave = Leave;
        self.work.as_mut().poll(context)
    }
}
