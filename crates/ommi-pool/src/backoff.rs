//! Attempts to connect that become rarer while the server is away.

use std::time::{Duration, Instant};

use ommi_core::Error;

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// When the next attempt may be made.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
    last: Option<(Instant, Error)>,
}

impl Backoff {
    /// How long to wait before an attempt.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }

    /// The failure of an attempt since a moment: those who waited for it need not try themselves.
    pub(crate) fn failure_since(&self, moment: Instant) -> Option<Error> {
        self.last.as_ref().filter(|(failed, _)| *failed >= moment).map(|(_, error)| error.clone())
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Backoff::default();
    }

    pub(crate) fn failed(&mut self, error: &Error) {
        let pause = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // half of it to one and a half, so that programs which lost the server together do not come back together
        let pause = pause.mul_f64(0.5 + fastrand::f64());
        let now = Instant::now();
        self.until = Some(now + pause);
        self.last = Some((now, error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_end_with_a_success() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.wait(), None);
        let error = Error::connection("refused");
        let begun = Instant::now();
        assert!(backoff.failure_since(begun).is_none());
        backoff.failed(&error);
        assert!(backoff.failure_since(begun).is_some());
        assert!(backoff.wait().unwrap() <= FIRST.mul_f64(1.5));
        for _ in 0..100 {
            backoff.failed(&error);
        }
        let wait = backoff.wait().unwrap();
        assert!(wait > LONGEST.mul_f64(0.4) && wait <= LONGEST.mul_f64(1.5), "{wait:?}");
        backoff.succeeded();
        assert_eq!(backoff.wait(), None);
    }
}
