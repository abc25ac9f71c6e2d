//! A pool as simple as one can be, for the raw lanes.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections of which each is lent to one at a time; those who come first are served first.
pub struct Pool<C> {
    permits: Semaphore,
    idle: Mutex<Vec<C>>,
}

impl<C> Pool<C> {
    /// A pool of these connections.
    pub fn of(connections: Vec<C>) -> Arc<Self> {
        Arc::new(Pool { permits: Semaphore::new(connections.len()), idle: Mutex::new(connections) })
    }

    /// A connection of the pool.
    pub async fn take(&self) -> Taken<'_, C> {
        let permit = self.permits.acquire().await.expect("an open pool");
        let connection = self.idle.lock().expect("a pool").pop();
        Taken { pool: self, connection, _permit: permit }
    }
}

/// A connection that goes back to its pool.
pub struct Taken<'a, C> {
    pool: &'a Pool<C>,
    connection: Option<C>,
    _permit: SemaphorePermit<'a>,
}

impl<C> Deref for Taken<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect("a connection for each permit")
    }
}

impl<C> Drop for Taken<'_, C> {
    fn drop(&mut self) {
        self.pool.idle.lock().expect("a pool").extend(self.connection.take());
    }
}
