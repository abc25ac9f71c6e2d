//! PostgreSQL: the database of all lanes, and tokio-postgres used well.

use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use lanes::data::{AUTHORS, Author, Comment, Post, USERS, User};
use lanes::{CONNECTIONS, Lane, POOL, Run, Runner, Shared};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, NoTls, Row, Statement};

use super::Store;
use super::ommi::Ommi;
use super::pool::Pool;

const COLUMNS: &str = "id, name, hair_color, age, created_at";

/// A database of this process alone, which is dropped at the end.
pub struct Database {
    server: String,
    name: String,
    url: String,
    one: Rc<Runtime>,
    client: Client,
}

impl Database {
    /// Makes the database on the server of `OMMI_POSTGRES_URL`, and fills it.
    pub fn create() -> Self {
        Self::of(USERS)
    }

    /// The same with so many users.
    pub fn of(users: i64) -> Self {
        let server = url();
        let name = format!("ommi_bench_{}", std::process::id());
        let (start, query) = server.split_once('?').map_or((&*server, ""), |(start, query)| (start, query));
        let (host, _) = start.rsplit_once('/').expect("a URL with a database");
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let url = format!("{host}/{name}{query}");
        let one = Rc::new(crate::one_thread());
        let client = one.block_on(async {
            connect(&server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
            Ommi::fill(&url, users).await.0.close().await.expect("a good end");
            let client = connect(&url).await;
            client.batch_execute("VACUUM ANALYZE users, posts, comments").await.expect("statistics");
            client
        });
        Database { server, name, url, one, client }
    }

    /// The raw lane.
    pub async fn raw(&self) -> Raw {
        Raw::prepare(connect(&self.url).await).await.expect("statements")
    }

    /// The raw lane for many tasks.
    pub async fn raw_pool(&self) -> RawPool {
        RawPool::connect(&self.url).await
    }

    /// Removes the users whose keys are above one, with what they leave on the pages.
    pub fn clean_after(&self, last: i64) {
        self.one.block_on(async {
            let delete = format!("DELETE FROM users WHERE id > {last}");
            self.client.batch_execute(&delete).await.expect("a deletion");
            self.client.batch_execute("VACUUM users").await.expect("a clean table");
        });
    }

    /// The address for Ommi.
    pub fn url(&self, pool: u32) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}pool={pool}", self.url)
    }
}

impl Drop for Database {
    /// Drops the database, whoever still has a connection to it.
    fn drop(&mut self) {
        self.one.block_on(async {
            let client = connect(&self.server).await;
            let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
            client.batch_execute(&sql).await.expect("no database");
        });
    }
}

impl Store for Database {
    fn address(&self) -> String {
        self.url.clone()
    }

    fn version(&mut self) -> String {
        let row = self.one.block_on(self.client.query_one("SHOW server_version", &[])).expect("a version");
        format!("PostgreSQL {}", row.get::<_, &str>(0).split(' ').next().unwrap_or_default())
    }

    fn lanes(&mut self) -> Vec<Box<dyn Run>> {
        let one = &self.one;
        let many = Rc::new(lanes::tasks());
        let raw = one.block_on(self.raw());
        let ommi = (one.block_on(Ommi::connect(&self.url(POOL))), many.block_on(Ommi::connect(&self.url(CONNECTIONS))));
        let query = one.block_on(self.raw()).collecting();
        vec![
            Runner::boxed("raw", (one, raw), (&many, many.block_on(self.raw_pool()))),
            Runner::boxed("Ommi", (one, ommi.0), (&many, ommi.1)),
            Runner::boxed("raw, `query`", (one, query), (&many, many.block_on(self.raw_pool()))),
        ]
    }

    fn users(&mut self, keys: &[i64]) -> Vec<User> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ANY ($1) ORDER BY array_position($1, id)");
        self.one.block_on(self.client.query(&sql, &[&keys])).expect("users").iter().map(user).collect()
    }

    fn clean(&mut self) {
        self.clean_after(USERS);
    }
}

/// The server of `OMMI_POSTGRES_URL`.
pub fn url() -> String {
    match std::env::var("OMMI_POSTGRES_URL") {
        Ok(url) => url,
        Err(_) => {
            eprintln!("OMMI_POSTGRES_URL is not set: dev/services up postgres, then eval \"$(dev/services env)\"");
            std::process::exit(2);
        }
    }
}

/// A connection.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// tokio-postgres, with statements that are prepared once.
pub struct Raw {
    client: Client,
    /// Whether rows are collected before structs are made of them, as `Client::query` does it, or streamed.
    collects: bool,
    get: Statement,
    rows: Statement,
    filter: Statement,
    insert: Statement,
    unnest: Statement,
    posts: Statement,
    comments: Statement,
    update: Statement,
}

impl Raw {
    /// Prepares the statements.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn prepare(client: Client) -> Result<Self, Error> {
        let raw = &client;
        Ok(Raw {
            get: raw.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id = $1")).await?,
            rows: raw.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id <= $1")).await?,
            filter: raw
                .prepare(&format!(
                    "SELECT {COLUMNS} FROM users WHERE age = $1 AND hair_color = $2 ORDER BY name LIMIT $3"
                ))
                .await?,
            insert: raw
                .prepare("INSERT INTO users (name, hair_color, age, created_at) VALUES ($1, $2, $3, $4) RETURNING id")
                .await?,
            unnest: raw
                .prepare(
                    "INSERT INTO users (name, hair_color, age, created_at) \
                     SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) RETURNING id",
                )
                .await?,
            posts: raw
                .prepare("SELECT id, user_id, title, body FROM posts WHERE user_id <= $1 ORDER BY user_id")
                .await?,
            comments: raw
                .prepare(
                    "SELECT c.id, c.post_id, c.text FROM posts p JOIN comments c ON c.post_id = p.id \
                     WHERE p.user_id <= $1",
                )
                .await?,
            update: raw.prepare("UPDATE users SET hair_color = $1 WHERE id = $2").await?,
            client,
            collects: false,
        })
    }

    /// The lane that collects rows first.
    fn collecting(self) -> Self {
        Raw { collects: true, ..self }
    }

    async fn read<T>(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
        mut each: impl FnMut(&Row) -> T,
    ) -> Vec<T> {
        if self.collects {
            return self.client.query(statement, parameters).await.expect("rows").iter().map(each).collect();
        }
        let rows = self.client.query_raw(statement, parameters.iter().copied()).await.expect("rows");
        let mut rows = pin!(rows);
        let mut read = Vec::new();
        while let Some(row) = rows.try_next().await.expect("a row") {
            read.push(each(&row));
        }
        read
    }

    async fn add(&self, mut user: User) -> User {
        let values: [&(dyn ToSql + Sync); 4] = [&user.name, &user.hair_color, &user.age, &user.created_at];
        let row = self.client.query_one(&self.insert, &values).await.expect("an insert");
        user.id = row.get(0);
        user
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.expect("a statement");
    }
}

fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2), age: row.get(3), created_at: row.get(4) }
}

impl Lane for Raw {
    type User = User;
    type Author = Author;

    async fn get(&mut self, id: i64) -> User {
        user(&self.client.query_one(&self.get, &[&id]).await.expect("a user"))
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        self.read(&self.rows, &[&last], user).await
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        self.read(&self.filter, &[&age, &"black", &50i64], user).await
    }

    async fn insert(&mut self, user: User) -> User {
        self.add(user).await
    }

    /// One statement of arrays, whose keys come back in the order of the rows, as they do in practice.
    async fn insert_all(&mut self, mut users: Vec<User>) -> Vec<User> {
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        let ages: Vec<i64> = users.iter().map(|user| user.age).collect();
        let created: Vec<i64> = users.iter().map(|user| user.created_at).collect();
        let given = self.read(&self.unnest, &[&names, &colors, &ages, &created], |row| row.get(0)).await;
        for (user, id) in users.iter_mut().zip(given) {
            user.id = id;
        }
        users
    }

    /// Three queries, put together by maps of keys.
    async fn tree(&mut self) -> Vec<Author> {
        let author = |row: &Row| Author { user: user(row), posts: Vec::new() };
        let mut authors = self.read(&self.rows, &[&AUTHORS], author).await;
        let places: HashMap<i64, usize> =
            authors.iter().enumerate().map(|(place, author)| (author.user.id, place)).collect();
        let mut of_post: HashMap<i64, (usize, usize)> = HashMap::new();
        let post = |row: &Row| {
            let post =
                Post { id: row.get(0), user_id: row.get(1), title: row.get(2), body: row.get(3), comments: Vec::new() };
            let place = places[&post.user_id];
            of_post.insert(post.id, (place, authors[place].posts.len()));
            authors[place].posts.push(post);
        };
        self.read(&self.posts, &[&AUTHORS], post).await;
        let comment = |row: &Row| {
            let comment = Comment { id: row.get(0), post_id: row.get(1), text: row.get(2) };
            let (author, post) = of_post[&comment.post_id];
            authors[author].posts[post].comments.push(comment);
        };
        self.read(&self.comments, &[&AUTHORS], comment).await;
        authors
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        self.client.execute(&self.update, &[&color, &id]).await.expect("an update")
    }

    async fn transaction(&mut self, users: Vec<User>) -> Vec<User> {
        self.run("BEGIN").await;
        let mut inserted = Vec::with_capacity(users.len());
        for user in users {
            inserted.push(self.insert(user).await);
        }
        self.run("COMMIT").await;
        inserted
    }

    async fn together(&mut self, users: Vec<User>) -> Option<Vec<User>> {
        self.run("BEGIN").await;
        let inserted = join_all(users.into_iter().map(|user| self.add(user))).await;
        self.run("COMMIT").await;
        Some(inserted)
    }
}

/// Connections with the statement of a look-up.
#[derive(Clone)]
pub struct RawPool(Arc<Pool<(Client, Statement)>>);

impl RawPool {
    /// Connects as often as the pool is large.
    pub async fn connect(url: &str) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = connect(url).await;
            let get = client.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id = $1")).await.expect("a statement");
            connections.push((client, get));
        }
        RawPool(Pool::of(connections))
    }
}

impl Shared for RawPool {
    async fn look_up(&mut self, id: i64) -> i64 {
        let taken = self.0.take().await;
        let (client, get) = &*taken;
        user(&client.query_one(get, &[&id]).await.expect("a user")).id
    }
}
