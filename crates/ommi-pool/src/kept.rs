//! A connection with its age.

use std::ops::Deref;
use std::time::{Duration, Instant};

/// A connection of a pool.
#[derive(Debug)]
pub struct Kept<C> {
    connection: C,
    /// When it is too old to be lent again.
    old_at: Instant,
}

impl<C> Kept<C> {
    /// A connection that has just been opened.
    pub(crate) fn new(connection: C, lifetime: Duration) -> Self {
        // not all at once, where they were opened at once
        let lifetime = lifetime.mul_f64(0.9 + 0.2 * fastrand::f64());
        Kept { connection, old_at: Instant::now() + lifetime }
    }

    pub(crate) fn is_old(&self, now: Instant) -> bool {
        now >= self.old_at
    }
}

impl<C> Deref for Kept<C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        &self.connection
    }
}
