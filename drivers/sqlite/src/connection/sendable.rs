//! A connection together with the statements that borrow it, movable between threads.

use self_cell::self_cell;

use super::Owner;
use super::statements::Statements;

self_cell! {
    /// The connection and its prepared statements.
    struct Joined {
        owner: Owner,

        #[covariant]
        dependent: Statements,
    }
}

/// A connection and its prepared statements, which move to another thread only together.
pub(super) struct Sendable(Joined);

// SAFETY: `rusqlite::Connection` is `Send`; its statements are not, because each holds a shared
// reference to it and could be used while the connection is used by another thread. Here every
// statement lives in the same value as its connection and no reference to either outlives a
// borrow of that value, so that all of them are always reached by one thread at a time. `Send` is
// all that is claimed: `Sendable` is not `Sync`.
//
// The need: statements that are kept beside the connection and found by a number save the hash
// and the look-up of the SQL text of `prepare_cached`; `benches/` measures the key look-up.
#[allow(unsafe_code, reason = "statements move only together with their connection")]
unsafe impl Send for Sendable {}

impl Sendable {
    pub(super) fn new(owner: Owner) -> Self {
        Sendable(Joined::new(owner, |_| Statements::default()))
    }

    #[inline]
    pub(super) fn owner(&self) -> &Owner {
        self.0.borrow_owner()
    }

    #[inline]
    pub(super) fn with<R>(&mut self, work: impl for<'c> FnOnce(&'c Owner, &mut Statements<'c>) -> R) -> R {
        self.0.with_dependent_mut(work)
    }

    /// The connection alone; its statements are gone.
    pub(super) fn into_owner(self) -> Owner {
        self.0.into_owner()
    }
}
