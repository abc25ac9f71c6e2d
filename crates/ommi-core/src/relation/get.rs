//! The future of related rows.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::driver::BoxFuture;
use crate::error::Result;

/// The related rows of a field: there at once where they are loaded, and otherwise read.
#[must_use = "related rows are loaded when the future is awaited"]
pub struct Get<'a, R>(State<'a, R>);

enum State<'a, R> {
    Ready(Option<Result<R>>),
    Loading(BoxFuture<'a, Result<R>>),
}

impl<'a, R> Get<'a, R> {
    pub(super) fn ready(rows: Result<R>) -> Self {
        Get(State::Ready(Some(rows)))
    }

    pub(super) fn loading(load: impl Future<Output = Result<R>> + Send + 'a) -> Self {
        Get(State::Loading(Box::pin(load)))
    }
}

impl<R: Unpin> Future for Get<'_, R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        match &mut self.0 {
            State::Ready(rows) => rows.take().map_or(Poll::Pending, Poll::Ready),
            State::Loading(load) => load.as_mut().poll(context),
        }
    }
}

impl<R> fmt::Debug for Get<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Get(ready)",
            State::Loading(_) => "Get(loading)",
        })
    }
}
