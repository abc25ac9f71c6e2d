//! W8: look-ups by key of many tasks on a pool of connections, by two workers.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::lane::key;

/// How many tasks there are.
pub const TASKS: u32 = 64;

/// How many connections they share.
pub const CONNECTIONS: usize = 8;

/// How many threads run the tasks.
pub const WORKERS: usize = 2;

/// The name of the workload.
pub const NAME: &str = "W8 64 tasks, pool of 8, two workers";

/// A pool that many tasks share.
pub trait Shared: Clone + Send + 'static {
    /// Reads the user of a key, and gives the key that the row has.
    fn look_up(&mut self, id: i64) -> impl Future<Output = i64> + Send;
}

/// A pool whose type is not known.
pub trait RunShared {
    /// The name in figures and on the command line.
    fn name(&self) -> &'static str;

    /// So many look-ups of each of the tasks.
    fn run(&self, each: u32);
}

/// A pool with the runtime of its tasks.
pub struct SharedRunner<S> {
    name: &'static str,
    runtime: Arc<Runtime>,
    pool: S,
}

impl<S: Shared> SharedRunner<S> {
    /// A pool with its name, and the runtime on which it was opened.
    pub fn new(name: &'static str, runtime: &Arc<Runtime>, pool: S) -> Box<Self> {
        Box::new(SharedRunner { name, runtime: Arc::clone(runtime), pool })
    }
}

impl<S: Shared> RunShared for SharedRunner<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, each: u32) {
        self.runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| {
                    let mut pool = self.pool.clone();
                    tokio::spawn(async move {
                        for number in task * each..(task + 1) * each {
                            assert_eq!(pool.look_up(key(number)).await, key(number));
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("a task");
            }
        });
    }
}

/// The runtime of the tasks.
pub fn runtime() -> Arc<Runtime> {
    Arc::new(
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("a runtime"),
    )
}

/// A pool as simple as one can be, for the raw lanes: those who come first are served first.
pub struct Pool<C> {
    permits: Semaphore,
    idle: Mutex<Vec<C>>,
}

impl<C> Pool<C> {
    /// A pool of these connections.
    pub fn new(connections: Vec<C>) -> Arc<Self> {
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
