//! Futures that are dropped after so many polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ommi_conformance::cancellation::{Cut, Ended, Moment};

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
