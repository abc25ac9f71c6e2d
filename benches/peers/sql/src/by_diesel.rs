//! Diesel with SQLite: its synchronous connection, and where many tasks share connections those of
//! diesel-async in a pool.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use lanes::Lane;
use lanes::data::{self, AUTHORS, Author};
use lanes::{CONNECTIONS, Shared};

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        hair_color -> Nullable<Text>,
        age -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    posts (id) {
        id -> BigInt,
        user_id -> BigInt,
        title -> Text,
        body -> Text,
    }
}

diesel::table! {
    comments (id) {
        id -> BigInt,
        post_id -> BigInt,
        text -> Text,
    }
}

diesel::joinable!(posts -> users (user_id));
diesel::joinable!(comments -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, comments);

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub hair_color: Option<String>,
    pub age: i64,
    pub created_at: i64,
}

/// Else `None` is a default, and Diesel neither keeps inserts prepared nor writes many rows as one statement.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    pub name: String,
    pub hair_color: Option<String>,
    pub age: i64,
    pub created_at: i64,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts, belongs_to(User))]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    pub body: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = comments, belongs_to(Post))]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub text: String,
}

impl From<User> for data::User {
    fn from(User { id, name, hair_color, age, created_at }: User) -> data::User {
        data::User { id, name, hair_color, age, created_at }
    }
}

impl From<data::User> for NewUser {
    fn from(data::User { name, hair_color, age, created_at, .. }: data::User) -> NewUser {
        NewUser { name, hair_color, age, created_at }
    }
}

/// A user with posts, and these with comments.
pub struct Tree(User, Vec<(Post, Vec<Comment>)>);

impl From<Tree> for Author {
    fn from(Tree(user, posts): Tree) -> Author {
        let posts = posts.into_iter().map(|(post, comments)| data::Post {
            id: post.id,
            user_id: post.user_id,
            title: post.title,
            body: post.body,
            comments: comments
                .into_iter()
                .map(|comment| data::Comment { id: comment.id, post_id: comment.post_id, text: comment.text })
                .collect(),
        });
        Author { user: user.into(), posts: posts.collect() }
    }
}

/// Users, posts and comments put together as Diesel's guide does it.
pub fn assemble(users: Vec<User>, posts: Vec<Post>, comments: Vec<Comment>) -> Vec<Tree> {
    let comments = comments.grouped_by(&posts);
    let posts = posts.into_iter().zip(comments).grouped_by(&users);
    users.into_iter().zip(posts).map(|(user, posts)| Tree(user, posts)).collect()
}

const SETTINGS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;";

pub struct Diesel(SqliteConnection);

impl Diesel {
    pub fn open(path: &str) -> Self {
        let mut connection = SqliteConnection::establish(path).expect("a connection");
        connection.batch_execute(SETTINGS).expect("settings");
        Diesel(connection)
    }

    fn add(connection: &mut SqliteConnection, user: NewUser) -> QueryResult<User> {
        diesel::insert_into(users::table).values(user).returning(User::as_returning()).get_result(connection)
    }
}

impl Lane for Diesel {
    type User = User;
    type Author = Tree;

    async fn get(&mut self, id: i64) -> User {
        users::table.find(id).select(User::as_select()).first(&mut self.0).expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        users::table.filter(users::id.le(last)).select(User::as_select()).load(&mut self.0).expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        users::table
            .filter(users::age.eq(age))
            .filter(users::hair_color.eq("black"))
            .order(users::name)
            .limit(50)
            .select(User::as_select())
            .load(&mut self.0)
            .expect("users")
    }

    async fn insert(&mut self, user: data::User) -> User {
        Diesel::add(&mut self.0, user.into()).expect("an insert")
    }

    async fn insert_all(&mut self, users: Vec<data::User>) -> Vec<User> {
        let users: Vec<NewUser> = users.into_iter().map(Into::into).collect();
        diesel::insert_into(users::table)
            .values(&users)
            .returning(User::as_returning())
            .get_results(&mut self.0)
            .expect("inserts")
    }

    async fn tree(&mut self) -> Vec<Tree> {
        let connection = &mut self.0;
        let users = users::table.filter(users::id.le(AUTHORS)).select(User::as_select()).load(connection);
        let users = users.expect("users");
        let posts = Post::belonging_to(&users).select(Post::as_select()).load(connection).expect("posts");
        let comments = Comment::belonging_to(&posts).select(Comment::as_select()).load(connection).expect("comments");
        assemble(users, posts, comments)
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        let update = diesel::update(users::table.find(id)).set(users::hair_color.eq(color));
        update.execute(&mut self.0).expect("an update") as u64
    }

    async fn transaction(&mut self, users: Vec<data::User>) -> Vec<User> {
        let work = |connection: &mut SqliteConnection| {
            users.into_iter().map(|user| Diesel::add(connection, user.into())).collect::<QueryResult<Vec<User>>>()
        };
        self.0.transaction(work).expect("a transaction")
    }
}

type AsyncSqlite = SyncConnectionWrapper<SqliteConnection>;

#[derive(Clone)]
pub struct SharedDiesel(Pool<AsyncSqlite>);

impl SharedDiesel {
    pub fn open(path: &str) -> Self {
        let mut config = ManagerConfig::<AsyncSqlite>::default();
        config.custom_setup = Box::new(|url| {
            let url = url.to_owned();
            Box::pin(async move {
                let mut connection = AsyncSqlite::establish(&url).await?;
                connection.batch_execute(SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            })
        });
        let manager = AsyncDieselConnectionManager::new_with_config(path, config);
        SharedDiesel(Pool::builder(manager).max_size(CONNECTIONS as usize).build().expect("a pool"))
    }
}

impl Shared for SharedDiesel {
    async fn look_up(&mut self, id: i64) -> i64 {
        let mut connection = self.0.get().await.expect("a connection");
        let user = users::table.find(id).select(User::as_select());
        let user: User = diesel_async::RunQueryDsl::first(user, &mut connection).await.expect("a user");
        user.id
    }
}
