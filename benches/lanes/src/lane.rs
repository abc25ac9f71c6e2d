//! A way to the database, and how its workloads are run.

use std::hint::black_box;
use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::data::{Author, USERS, User};
use crate::work::Work;

/// A way to the database. Rows come in the lane's own structs; they are only turned into those of
/// [`data`](crate::data) where they are checked.
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
}

/// What a lane answers.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// Rows that were read.
    Users(Vec<User>),
    /// Rows that were inserted.
    Inserted(Vec<User>),
    /// Rows with related ones.
    Authors(Vec<Author>),
    /// A number of rows.
    Count(u64),
}

/// A lane whose type is not known.
pub trait Run {
    /// The name in figures and on the command line.
    fn name(&self) -> &'static str;

    /// Whether this lane has its own way of a workload.
    fn has(&self, work: Work) -> bool;

    /// Runs a workload so many times.
    fn run(&mut self, work: Work, times: u32);

    /// Runs a workload once, and gives the answer.
    fn answer(&mut self, work: Work) -> Answer;

    /// The user of a key.
    fn user(&mut self, id: i64) -> User;
}

/// A lane with the runtime on which it runs.
pub struct Runner<L> {
    name: &'static str,
    runtime: Rc<Runtime>,
    lane: L,
    only: Option<Work>,
}

impl<L: Lane> Runner<L> {
    /// A lane with its name, and the runtime on which it was opened.
    pub fn new(name: &'static str, runtime: &Rc<Runtime>, lane: L) -> Box<Self> {
        Box::new(Runner { name, runtime: Rc::clone(runtime), lane, only: None })
    }

    /// A lane that does one workload otherwise than another lane, and is the same else.
    pub fn of(work: Work, name: &'static str, runtime: &Rc<Runtime>, lane: L) -> Box<Self> {
        Box::new(Runner { name, runtime: Rc::clone(runtime), lane, only: Some(work) })
    }
}

/// A key somewhere among the users.
pub fn key(number: u32) -> i64 {
    i64::from(number) * 7919 % USERS + 1
}

fn some_users(count: usize) -> Vec<User> {
    (USERS + 1..).take(count).map(User::numbered).collect()
}

impl<L: Lane> Run for Runner<L> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has(&self, work: Work) -> bool {
        self.only.is_none_or(|only| only == work)
    }

    fn run(&mut self, work: Work, times: u32) {
        let lane = &mut self.lane;
        self.runtime.block_on(async {
            match work {
                Work::Get => {
                    for number in 0..times {
                        black_box(lane.get(key(number)).await);
                    }
                }
                Work::Rows(rows) => {
                    for _ in 0..times {
                        black_box(lane.rows(rows).await);
                    }
                }
                Work::Filter => {
                    for number in 0..times {
                        black_box(lane.filter(i64::from(number % 90)).await);
                    }
                }
                Work::Insert => {
                    for number in 0..times {
                        black_box(lane.insert(User::numbered(USERS + i64::from(number))).await);
                    }
                }
                Work::InsertAll(rows) => {
                    for _ in 0..times {
                        black_box(lane.insert_all(some_users(rows)).await);
                    }
                }
                Work::Tree => {
                    for _ in 0..times {
                        black_box(lane.tree().await);
                    }
                }
                Work::Update => {
                    for number in 0..times {
                        black_box(lane.update(key(number), if number % 2 == 0 { "red" } else { "grey" }).await);
                    }
                }
                Work::Transaction => {
                    for _ in 0..times {
                        black_box(lane.transaction(some_users(10)).await);
                    }
                }
            }
        });
    }

    fn answer(&mut self, work: Work) -> Answer {
        let lane = &mut self.lane;
        self.runtime.block_on(async {
            match work {
                Work::Get => Answer::Users(vec![lane.get(17).await.into()]),
                Work::Rows(rows) => Answer::Users(sorted(plain(lane.rows(rows).await))),
                // all names differ, so that the order is one
                Work::Filter => Answer::Users(plain(lane.filter(31).await)),
                Work::Insert => Answer::Inserted(vec![lane.insert(User::numbered(USERS + 1)).await.into()]),
                Work::InsertAll(rows) => Answer::Inserted(plain(lane.insert_all(some_users(rows)).await)),
                Work::Tree => {
                    let mut authors: Vec<Author> = lane.tree().await.into_iter().map(Into::into).collect();
                    authors.sort_by_key(|author| author.user.id);
                    for post in authors.iter_mut().flat_map(|author| {
                        author.posts.sort_by_key(|post| post.id);
                        &mut author.posts
                    }) {
                        post.comments.sort_by_key(|comment| comment.id);
                    }
                    Answer::Authors(authors)
                }
                Work::Update => Answer::Count(lane.update(USERS, "green").await),
                Work::Transaction => Answer::Inserted(plain(lane.transaction(some_users(10)).await)),
            }
        })
    }

    fn user(&mut self, id: i64) -> User {
        self.runtime.block_on(self.lane.get(id)).into()
    }
}

fn plain<U: Into<User>>(users: Vec<U>) -> Vec<User> {
    users.into_iter().map(Into::into).collect()
}

fn sorted(mut users: Vec<User>) -> Vec<User> {
    users.sort_by_key(|user| user.id);
    users
}
