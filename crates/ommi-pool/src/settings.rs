//! How a pool behaves.

use std::time::Duration;

/// How a pool behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most connections.
    pub size: usize,
    /// How long a connection is waited for.
    pub acquire_timeout: Duration,
    /// How old a connection gets, give or take a tenth.
    pub max_lifetime: Duration,
    /// How long a connection stays that nobody uses.
    pub idle_timeout: Duration,
    /// After how much idleness a connection is checked before it is lent.
    pub check_after: Duration,
    /// How long checking or restoring a connection may take before it is given up.
    pub restore_timeout: Duration,
    /// The most requests in flight on a shared connection.
    pub lane_depth: usize,
    /// How old the oldest request of a shared connection may be when another one joins.
    pub lane_patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            size: 10,
            acquire_timeout: Duration::from_secs(30),
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            check_after: Duration::from_secs(30),
            restore_timeout: Duration::from_secs(5),
            lane_depth: 16,
            lane_patience: Duration::from_millis(5),
        }
    }
}

impl Settings {
    /// The most connections that are shared at a time. A pool of one has none: a request that
    /// waits for a lock would keep all others waiting.
    pub(crate) fn lanes(&self) -> usize {
        self.size / 2
    }
}
