//! Work that may block, on a thread of its own.

use ommi_core::{Error, Result};
use tokio::runtime::Handle;

use crate::error::{Failure, Outcome};
use crate::held::Held;

/// Runs work where it may block. Without a Tokio runtime that is here.
///
/// The work goes on when the future is dropped.
pub(crate) async fn block<T: FromLost>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => T::from_lost(Error::connection("the runtime shut down before the statement was run")),
        },
    }
}

/// Gives other tasks of the runtime a turn. Without a Tokio runtime there are none that are known.
pub(crate) async fn give_way() {
    if Handle::try_current().is_ok() {
        tokio::task::yield_now().await;
    }
}

/// An answer that can say that there is none.
pub(crate) trait FromLost: Send + 'static {
    fn from_lost(error: Error) -> Self;
}

impl<T: Send + 'static> FromLost for Result<T> {
    fn from_lost(error: Error) -> Self {
        Err(error)
    }
}

impl<T: Send + 'static> FromLost for Outcome<T> {
    fn from_lost(error: Error) -> Self {
        Err(Failure::Ommi(error))
    }
}

/// Runs work with a connection where it may block and wait for locks. When the future is dropped,
/// the statement that runs is interrupted soon.
///
/// The work owns the connection: it is free again before the answer arrives.
pub(crate) async fn run<H: Held, T: Send + 'static>(
    mut held: H,
    work: impl FnOnce(H) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let watch = std::sync::Arc::clone(held.connection()?.watch());
    let cancel = watch.begin_worker();
    let answer = block(move || {
        if watch.is_cancelled() {
            return Err(Failure::Ommi(Error::timeout("the operation was dropped before it began")));
        }
        work(held)
    })
    .await;
    drop(cancel);
    answer
}
