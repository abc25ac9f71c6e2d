//! Dropping a future after a number of polls.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;

/// When a future is dropped, after it was polled as often as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As soon as the last poll was in vain: what it has begun is still on its way.
    AtOnce,
    /// When it is woken for another poll: what it has begun is answered, and nobody takes the answer.
    Woken,
}

/// The point at which a future is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) polls: usize,
    pub(crate) moment: Moment,
}

/// How a future ended.
pub(crate) enum Ended<T> {
    Done(T),
    Dropped,
}

impl Cut {
    /// Polls a future until it is done or its point is reached. Between two polls it waits to be
    /// woken, so that the driver's work goes on.
    pub(crate) async fn of<T>(self, future: impl IntoFuture<Output = T, IntoFuture: Send>) -> Ended<T> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts its steps, between which it gives way.
    async fn steps(of: usize, count: Arc<AtomicUsize>) {
        for _ in 0..of {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_future_is_dropped_after_its_polls() {
        for (polls, moment, done) in [
            (0, Moment::AtOnce, false),
            (1, Moment::AtOnce, false),
            (3, Moment::Woken, false),
            (4, Moment::AtOnce, true),
            (9, Moment::Woken, true),
        ] {
            let count = Arc::new(AtomicUsize::new(0));
            let ended = Cut { polls, moment }.of(steps(3, Arc::clone(&count))).await;
            assert_eq!(matches!(ended, Ended::Done(())), done);
            assert_eq!(count.load(Ordering::Relaxed), polls.min(3));
            assert_eq!(Arc::strong_count(&count), 1);
        }
    }
}
