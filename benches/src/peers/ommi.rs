//! Ommi's lane, the same on every database.

use futures_util::future::try_join_all;
use lanes::data::{self, AUTHORS};
use lanes::{Lane, Shared};
use ommi::Db;

use super::model::{Author, Comment, Post, User};

/// Ommi by its handle.
#[derive(Clone)]
pub struct Ommi(pub Db);

impl Ommi {
    /// Connects to a database that has the tables.
    pub async fn connect(url: &str) -> Self {
        Ommi(ommi::connect(url).await.expect("a database"))
    }

    /// Makes the tables and fills them, for all lanes.
    pub async fn fill(url: &str, users: i64) -> Self {
        let db = ommi::connect(url).await.expect("a database");
        db.create::<(Author, Post, Comment)>().await.expect("tables");
        db.add_all((1..=users).map(data::User::numbered).map(User::from)).await.expect("users");
        let post = |post: data::Post| Post {
            id: 0,
            user_id: post.user_id,
            title: post.title,
            body: post.body,
            ..Default::default()
        };
        db.add_all((0..AUTHORS * 10).map(data::Post::numbered).map(post)).await.expect("posts");
        let comment = |comment: data::Comment| Comment { id: 0, post_id: comment.post_id, text: comment.text };
        db.add_all((0..AUTHORS * 100).map(data::Comment::numbered).map(comment)).await.expect("comments");
        Ommi(db)
    }
}

impl Lane for Ommi {
    type User = User;
    type Author = Author;

    async fn get(&mut self, id: i64) -> User {
        self.0.get::<User>(id).await.expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        self.0.find(User::ID.le(last)).all().await.expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        let users = self.0.find(User::AGE.eq(age) & User::HAIR_COLOR.eq("black"));
        users.order_by(User::NAME.asc()).limit(50).all().await.expect("users")
    }

    async fn insert(&mut self, user: data::User) -> User {
        self.0.add(User::from(user)).await.expect("a user")
    }

    async fn insert_all(&mut self, users: Vec<data::User>) -> Vec<User> {
        self.0.add_all(users.into_iter().map(User::from)).await.expect("users")
    }

    async fn tree(&mut self) -> Vec<Author> {
        let authors = self.0.find(Author::ID.le(AUTHORS)).with(Author::POSTS.with(Post::COMMENTS));
        authors.all().await.expect("authors")
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        self.0.find(User::ID.eq(id)).update(User::HAIR_COLOR.set(color)).await.expect("an update")
    }

    async fn transaction(&mut self, users: Vec<data::User>) -> Vec<User> {
        let inserted = self.0.transaction(async |tx| {
            let mut inserted = Vec::with_capacity(users.len());
            for user in users {
                inserted.push(tx.add(User::from(user)).await?);
            }
            Ok(inserted)
        });
        inserted.await.expect("a transaction")
    }

    async fn together(&mut self, users: Vec<data::User>) -> Option<Vec<User>> {
        let add = async |tx: &ommi::Tx| try_join_all(users.into_iter().map(|user| tx.add(User::from(user)))).await;
        Some(self.0.transaction(add).await.expect("a transaction"))
    }
}

impl Shared for Ommi {
    async fn look_up(&mut self, id: i64) -> i64 {
        self.0.get::<User>(id).await.expect("a user").id
    }
}
