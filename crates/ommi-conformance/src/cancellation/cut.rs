//! Dropping a future after a number of polls.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;

/// When a future is dropped, after it was polled as often as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// As soon as the last poll was in vain: what it has begun is still on its way.
    AtOnce,
    /// When it is woken for another poll: what it has begun is answered, and nobody takes the answer.
    Woken,
}

/// The point at which a future is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// How often the future is polled before.
    pub polls: usize,
    /// When, after the last poll.
    pub moment: Moment,
}

/// How a future ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// With this.
    Done(T),
    /// It was dropped before its end.
    Dropped,
}

impl Cut {
    /// Polls a future until it is done or its point is reached. Between two polls it waits to be
    /// woken, so that the driver's work goes on.
    pub async fn of<T>(self, future: impl IntoFuture<Output = T, IntoFuture: Send>) -> Ended<T> {
        let mut future = Some(Box::pin(future.into_future()));
        let mut polled = 0;
        poll_fn(|context| {
            let running = match &mut future {
                Some(running) if polled < self.polls => running,
                _ => {
                    future = None;
                    return Poll::Ready(Ended::Dropped);
                }
            };
            polled += 1;
            match running.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Ended::Done(answer)),
                Poll::Pending if polled == self.polls && self.moment == Moment::AtOnce => {
                    future = None;
                    Poll::Ready(Ended::Dropped)
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// Drops a future at a random moment: after a few polls, or after a time up to a bound.
pub(crate) async fn drop_at_random<T>(
    random: &mut Rng,
    within: Duration,
    future: impl Future<Output = T> + Send,
) -> Ended<T> {
    if random.bool() {
        let moment = if random.bool() { Moment::AtOnce } else { Moment::Woken };
        return Cut { polls: random.usize(1..10), moment }.of(future).await;
    }
    match tokio::time::timeout(within.mul_f64(random.f64()), future).await {
        Ok(answer) => Ended::Done(answer),
        Err(_) => Ended::Dropped,
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::AtOnce => "dropped",
            Moment::Woken => "dropped when it was woken",
        };
        write!(f, "{moment} after {} polls", self.polls)
    }
}

/// The answer of a future that is not dropped; gives `false` from the function otherwise.
macro_rules! cut {
    ($cut:expr, $future:expr) => {
        match $cut.of($future).await {
            $crate::cancellation::cut::Ended::Done(answer) => answer?,
            $crate::cancellation::cut::Ended::Dropped => return Ok(false),
        }
    };
}
pub(super) use cut;
