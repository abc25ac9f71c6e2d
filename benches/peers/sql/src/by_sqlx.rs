//! sqlx: `query_as` with derived rows, on a pool.

use std::collections::HashMap;

use lanes::Lane;
use lanes::Shared;
use lanes::data::{AUTHORS, Author, Comment, Post, User};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{FromRow, QueryBuilder};

#[derive(FromRow)]
pub struct UserRow {
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}

impl From<UserRow> for User {
    fn from(UserRow { id, name, hair_color, age, created_at }: UserRow) -> User {
        User { id, name, hair_color, age, created_at }
    }
}

impl UserRow {
    fn of(id: i64, User { name, hair_color, age, created_at, .. }: User) -> UserRow {
        UserRow { id, name, hair_color, age, created_at }
    }
}

#[derive(FromRow)]
struct PostRow {
    id: i64,
    user_id: i64,
    title: String,
    body: String,
}

#[derive(FromRow)]
struct CommentRow {
    id: i64,
    post_id: i64,
    text: String,
}

const GET: &str = "SELECT id, name, hair_color, age, created_at FROM users WHERE id = $1";
const ROWS: &str = "SELECT id, name, hair_color, age, created_at FROM users WHERE id <= $1";
const FILTER: &str = "SELECT id, name, hair_color, age, created_at FROM users \
                      WHERE age = $1 AND hair_color = $2 ORDER BY name LIMIT $3";
const INSERT: &str = "INSERT INTO users (name, hair_color, age, created_at) VALUES ($1, $2, $3, $4)";
const INSERT_RETURNING: &str =
    "INSERT INTO users (name, hair_color, age, created_at) VALUES ($1, $2, $3, $4) RETURNING id";
const UNNEST: &str = "INSERT INTO users (name, hair_color, age, created_at) \
                      SELECT * FROM UNNEST($1::text[], $2::text[], $3::int8[], $4::int8[]) RETURNING id";
const POSTS: &str = "SELECT id, user_id, title, body FROM posts WHERE user_id <= $1 ORDER BY user_id";
const COMMENTS: &str =
    "SELECT c.id, c.post_id, c.text FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.user_id <= $1";
const UPDATE: &str = "UPDATE users SET hair_color = $1 WHERE id = $2";

/// Users, posts and comments of three queries put together.
fn assemble(users: Vec<UserRow>, posts: Vec<PostRow>, comments: Vec<CommentRow>) -> Vec<Author> {
    let mut authors: Vec<Author> =
        users.into_iter().map(|user| Author { user: user.into(), posts: Vec::new() }).collect();
    let places: HashMap<i64, usize> =
        authors.iter().enumerate().map(|(place, author)| (author.user.id, place)).collect();
    let mut of_post: HashMap<i64, (usize, usize)> = HashMap::new();
    for PostRow { id, user_id, title, body } in posts {
        let place = places[&user_id];
        of_post.insert(id, (place, authors[place].posts.len()));
        authors[place].posts.push(Post { id, user_id, title, body, comments: Vec::new() });
    }
    for CommentRow { id, post_id, text } in comments {
        let (author, post) = of_post[&post_id];
        authors[author].posts[post].comments.push(Comment { id, post_id, text });
    }
    authors
}

/// What is the same in both databases.
macro_rules! reads {
    () => {
        type User = UserRow;
        type Author = Author;

        async fn get(&mut self, id: i64) -> UserRow {
            sqlx::query_as(GET).bind(id).fetch_one(&self.0).await.expect("a user")
        }

        async fn rows(&mut self, last: i64) -> Vec<UserRow> {
            sqlx::query_as(ROWS).bind(last).fetch_all(&self.0).await.expect("users")
        }

        async fn filter(&mut self, age: i64) -> Vec<UserRow> {
            sqlx::query_as(FILTER).bind(age).bind("black").bind(50i64).fetch_all(&self.0).await.expect("users")
        }

        async fn tree(&mut self) -> Vec<Author> {
            let users = sqlx::query_as(ROWS).bind(AUTHORS).fetch_all(&self.0).await.expect("users");
            let posts = sqlx::query_as(POSTS).bind(AUTHORS).fetch_all(&self.0).await.expect("posts");
            let comments = sqlx::query_as(COMMENTS).bind(AUTHORS).fetch_all(&self.0).await.expect("comments");
            assemble(users, posts, comments)
        }

        async fn update(&mut self, id: i64, color: &str) -> u64 {
            let done = sqlx::query(UPDATE).bind(color).bind(id).execute(&self.0).await.expect("an update");
            done.rows_affected()
        }
    };
}

#[derive(Clone)]
pub struct Sqlite(SqlitePool);

impl Sqlite {
    pub async fn open(path: &str, pool: u32) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        Sqlite(SqlitePoolOptions::new().max_connections(pool).connect_with(options).await.expect("a pool"))
    }
}

impl Lane for Sqlite {
    reads!();

    async fn insert(&mut self, user: User) -> UserRow {
        let done = sqlx::query(INSERT)
            .bind(&user.name)
            .bind(&user.hair_color)
            .bind(user.age)
            .bind(user.created_at)
            .execute(&self.0)
            .await
            .expect("an insert");
        UserRow::of(done.last_insert_rowid(), user)
    }

    async fn insert_all(&mut self, users: Vec<User>) -> Vec<UserRow> {
        let mut query = QueryBuilder::new("INSERT INTO users (name, hair_color, age, created_at) ");
        query.push_values(&users, |mut row, user| {
            row.push_bind(&user.name).push_bind(&user.hair_color).push_bind(user.age).push_bind(user.created_at);
        });
        query.push(" RETURNING id");
        let ids: Vec<i64> = query.build_query_scalar().fetch_all(&self.0).await.expect("inserts");
        ids.into_iter().zip(users).map(|(id, user)| UserRow::of(id, user)).collect()
    }

    async fn transaction(&mut self, users: Vec<User>) -> Vec<UserRow> {
        let mut transaction = self.0.begin().await.expect("a transaction");
        let mut inserted = Vec::with_capacity(users.len());
        for user in users {
            let done = sqlx::query(INSERT)
                .bind(&user.name)
                .bind(&user.hair_color)
                .bind(user.age)
                .bind(user.created_at)
                .execute(&mut *transaction)
                .await
                .expect("an insert");
            inserted.push(UserRow::of(done.last_insert_rowid(), user));
        }
        transaction.commit().await.expect("a commit");
        inserted
    }
}

impl Shared for Sqlite {
    async fn look_up(&mut self, id: i64) -> i64 {
        let user: UserRow = sqlx::query_as(GET).bind(id).fetch_one(&self.0).await.expect("a user");
        user.id
    }
}

#[derive(Clone)]
pub struct Postgres(PgPool);

impl Postgres {
    pub async fn connect(url: &str, pool: u32) -> Self {
        Postgres(PgPoolOptions::new().max_connections(pool).connect(url).await.expect("a pool"))
    }
}

impl Lane for Postgres {
    reads!();

    async fn insert(&mut self, user: User) -> UserRow {
        let id = sqlx::query_scalar(INSERT_RETURNING)
            .bind(&user.name)
            .bind(&user.hair_color)
            .bind(user.age)
            .bind(user.created_at)
            .fetch_one(&self.0)
            .await
            .expect("an insert");
        UserRow::of(id, user)
    }

    async fn insert_all(&mut self, users: Vec<User>) -> Vec<UserRow> {
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        let ages: Vec<i64> = users.iter().map(|user| user.age).collect();
        let created: Vec<i64> = users.iter().map(|user| user.created_at).collect();
        let ids: Vec<i64> = sqlx::query_scalar(UNNEST)
            .bind(&names)
            .bind(&colors)
            .bind(&ages)
            .bind(&created)
            .fetch_all(&self.0)
            .await
            .expect("inserts");
        ids.into_iter().zip(users).map(|(id, user)| UserRow::of(id, user)).collect()
    }

    async fn transaction(&mut self, users: Vec<User>) -> Vec<UserRow> {
        let mut transaction = self.0.begin().await.expect("a transaction");
        let mut inserted = Vec::with_capacity(users.len());
        for user in users {
            let id = sqlx::query_scalar(INSERT_RETURNING)
                .bind(&user.name)
                .bind(&user.hair_color)
                .bind(user.age)
                .bind(user.created_at)
                .fetch_one(&mut *transaction)
                .await
                .expect("an insert");
            inserted.push(UserRow::of(id, user));
        }
        transaction.commit().await.expect("a commit");
        inserted
    }
}

impl Shared for Postgres {
    async fn look_up(&mut self, id: i64) -> i64 {
        let user: UserRow = sqlx::query_as(GET).bind(id).fetch_one(&self.0).await.expect("a user");
        user.id
    }
}
