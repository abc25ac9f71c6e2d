//! The connection pool of Ommi's drivers for servers.
//!
//! A [`Pool`] lends connections out in two ways. An exclusive [`Lease`] is one task's own; those
//! who wait for one are served in their order. A shared one joins a *lane*: a connection on which
//! several short requests are in flight at once. At most half of the connections are lanes, so that
//! look-ups never keep a write waiting for good.
//!
//! A connection is checked before it is lent only after it was idle for a while, or after another
//! one broke. One that comes back in the midst of something is restored before the next one gets
//! it. While the server is away, attempts to reconnect become rarer.

mod backoff;
mod holder;
mod kept;
mod lane;
mod lease;
mod metrics;
mod opener;
mod pool;
mod settings;

pub use self::kept::Kept;
pub use self::lease::Lease;
pub use self::metrics::Metrics;
pub use self::opener::Opener;
pub use self::pool::Pool;
pub use self::settings::Settings;
