//! A connection that is lent.

use std::ops::Deref;
use std::sync::Arc;

use crate::kept::Kept;
use crate::opener::Opener;
use crate::pool::Pool;

/// Where a lent connection stands in the pool's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is one task's own; the number is that of the holder.
    Exclusive(usize),
    /// It is a lane; the numbers are those of the lane and of the request.
    Lane(u64, u64),
}

/// A connection that is lent; it goes back when the lease is dropped.
pub struct Lease<O: Opener> {
    pool: Arc<Pool<O>>,
    connection: Arc<Kept<O::Connection>>,
    place: Place,
}

impl<O: Opener> Lease<O> {
    pub(crate) fn new(pool: Arc<Pool<O>>, connection: Arc<Kept<O::Connection>>, place: Place) -> Self {
        Lease { pool, connection, place }
    }

    /// The connection, to be kept by those who know that the lease lives as long.
    pub fn connection(&self) -> &Arc<Kept<O::Connection>> {
        &self.connection
    }
}

impl<O: Opener> Deref for Lease<O> {
    type Target = O::Connection;

    #[inline]
    fn deref(&self) -> &O::Connection {
        &self.connection
    }
}

impl<O: Opener> Drop for Lease<O> {
    fn drop(&mut self) {
        self.pool.take_back(Arc::clone(&self.connection), self.place);
    }
}

impl<O: Opener> std::fmt::Debug for Lease<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("place", &self.place).finish_non_exhaustive()
    }
}
