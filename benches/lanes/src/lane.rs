//! A way to the database.

use crate::data::{Author, User};

/// A way to the database of one thread. Rows come in the lane's own structs; they are only turned into
/// those of [`data`](crate::data) where they are checked.
#[allow(async_fn_in_trait, reason = "lanes run on one thread")]
pub trait Lane {
    /// A user as this lane reads one.
    type User: Into<User>;
    /// A user with posts as this lane reads one.
    type Author: Into<Author>;

    /// The user of a key.
    async fn get(&mut self, id: i64) -> Self::User;

    /// The users whose keys are at most `last`.
    async fn rows(&mut self, last: i64) -> Vec<Self::User>;

    /// Those of an age with black hair, ordered by name, at most 50.
    async fn filter(&mut self, age: i64) -> Vec<Self::User>;

    /// Inserts a user, who has a key then.
    async fn insert(&mut self, user: User) -> Self::User;

    /// Inserts users at once, all or none, who have keys then.
    async fn insert_all(&mut self, users: Vec<User>) -> Vec<Self::User>;

    /// The users who have posts, with posts and comments.
    async fn tree(&mut self) -> Vec<Self::Author>;

    /// Changes the colour of a user's hair; gives how many rows that were.
    async fn update(&mut self, id: i64, color: &str) -> u64;

    /// Inserts users one after the other in a transaction, who have keys then.
    async fn transaction(&mut self, users: Vec<User>) -> Vec<Self::User>;

    /// The same, with all inserts begun before one is awaited, where that can be said.
    async fn together(&mut self, _: Vec<User>) -> Option<Vec<Self::User>> {
        None
    }
}

/// A way to the database that many tasks share.
pub trait Shared: Clone + Send + 'static {
    /// Reads the user of a key, and gives the key that the row has.
    fn look_up(&mut self, id: i64) -> impl Future<Output = i64> + Send;
}
