//! diesel-async with PostgreSQL: one connection, and a pool where many tasks share connections.

use diesel::prelude::{BelongingToDsl, ExpressionMethods, QueryDsl, QueryResult, SelectableHelper};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use lanes::Lane;
use lanes::data::{self, AUTHORS};
use lanes::{CONNECTIONS, Shared};

use crate::by_diesel::{Comment, NewUser, Post, Tree, User, assemble, users};

pub struct DieselAsync(AsyncPgConnection);

impl DieselAsync {
    pub async fn connect(url: &str) -> Self {
        DieselAsync(AsyncPgConnection::establish(url).await.expect("a connection"))
    }

    async fn add(connection: &mut AsyncPgConnection, user: NewUser) -> QueryResult<User> {
        diesel::insert_into(users::table).values(user).returning(User::as_returning()).get_result(connection).await
    }
}

impl Lane for DieselAsync {
    type User = User;
    type Author = Tree;

    async fn get(&mut self, id: i64) -> User {
        users::table.find(id).select(User::as_select()).first(&mut self.0).await.expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        users::table.filter(users::id.le(last)).select(User::as_select()).load(&mut self.0).await.expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        users::table
            .filter(users::age.eq(age))
            .filter(users::hair_color.eq("black"))
            .order(users::name)
            .limit(50)
            .select(User::as_select())
            .load(&mut self.0)
            .await
            .expect("users")
    }

    async fn insert(&mut self, user: data::User) -> User {
        DieselAsync::add(&mut self.0, user.into()).await.expect("an insert")
    }

    async fn insert_all(&mut self, users: Vec<data::User>) -> Vec<User> {
        let users: Vec<NewUser> = users.into_iter().map(Into::into).collect();
        diesel::insert_into(users::table)
            .values(&users)
            .returning(User::as_returning())
            .get_results(&mut self.0)
            .await
            .expect("inserts")
    }

    async fn tree(&mut self) -> Vec<Tree> {
        let connection = &mut self.0;
        let users = users::table.filter(users::id.le(AUTHORS)).select(User::as_select()).load(connection).await;
        let users = users.expect("users");
        let posts = Post::belonging_to(&users).select(Post::as_select()).load(connection).await.expect("posts");
        let comments = Comment::belonging_to(&posts).select(Comment::as_select()).load(connection).await;
        assemble(users, posts, comments.expect("comments"))
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        let update = diesel::update(users::table.find(id)).set(users::hair_color.eq(color));
        update.execute(&mut self.0).await.expect("an update") as u64
    }

    async fn transaction(&mut self, users: Vec<data::User>) -> Vec<User> {
        let inserted = self.0.transaction(async |connection| {
            let mut inserted = Vec::with_capacity(users.len());
            for user in users {
                inserted.push(DieselAsync::add(connection, user.into()).await?);
            }
            QueryResult::Ok(inserted)
        });
        inserted.await.expect("a transaction")
    }
}

#[derive(Clone)]
pub struct SharedDieselAsync(Pool<AsyncPgConnection>);

impl SharedDieselAsync {
    pub fn connect(url: &str) -> Self {
        let manager = AsyncDieselConnectionManager::new(url);
        SharedDieselAsync(Pool::builder(manager).max_size(CONNECTIONS as usize).build().expect("a pool"))
    }
}

impl Shared for SharedDieselAsync {
    async fn look_up(&mut self, id: i64) -> i64 {
        let mut connection = self.0.get().await.expect("a connection");
        let user = users::table.find(id).select(User::as_select()).first::<User>(&mut connection).await;
        user.expect("a user").id
    }
}
