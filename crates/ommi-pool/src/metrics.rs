//! What a pool is doing.

use std::time::Duration;

/// What a pool is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Connections that are open, those being opened included.
    pub open: usize,
    /// Open connections that nobody has.
    pub idle: usize,
    /// Tasks that wait for a connection.
    pub waiting: usize,
    /// How many times a connection was lent, shared ones included.
    pub acquired: u64,
    /// How long tasks have waited for connections, together.
    pub acquire_time: Duration,
}
