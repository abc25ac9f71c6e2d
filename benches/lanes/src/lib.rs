//! The works of `dev/bench --peers`, written once for all lanes.
//!
//! A *lane* is one way to the database: the raw driver, Ommi, or another mapper. What it is asked for
//! is [`Lane`], how often and with which rows is [`Runner`]'s, and what must be answered is [`Runner`]'s
//! too. Mappers have programs of their own, because a program can have one version of SQLite only:
//! [`peer::serve`] is all of such a program, and [`peer::Peer`] its lane seen from the program that
//! measures.

pub mod data;
mod lane;
pub mod peer;
mod runner;
mod work;

pub use lane::{Lane, Shared};
pub use runner::{Run, Runner, key, tasks};
pub use work::Work;

/// How many connections the lanes of one thread may have.
pub const POOL: u32 = 4;

/// How many connections the tasks of [`Work::Tasks`] share.
pub const CONNECTIONS: u32 = 8;

/// How many threads run these tasks.
pub const WORKERS: usize = 2;

/// How many tasks there are.
pub const TASKS: u32 = 64;

/// Lets pass what the lane before may have left behind: Ommi keeps the lock of an SQLite file for some
/// milliseconds after many reads, and the raw lane's connection, which is of the same process, need not
/// take it then.
pub fn rest() {
    std::thread::sleep(std::time::Duration::from_millis(30));
}
