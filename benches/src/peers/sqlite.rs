//! SQLite: the file of all lanes, and rusqlite used well.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use lanes::data::{AUTHORS, Author, Comment, Post, USERS, User};
use lanes::{CONNECTIONS, Lane, POOL, Run, Runner, Shared};
use rusqlite::{Connection, Result, Row, params};

use super::Store;
use super::ommi::Ommi;
use super::pool::Pool;

/// A file of this process alone, which is removed at the end.
pub struct File {
    path: PathBuf,
    connection: Connection,
    /// Further options of Ommi.
    options: &'static str,
}

impl File {
    /// Makes a file with tables and rows.
    pub fn create() -> Self {
        Self::of(USERS)
    }

    /// The same without what a thread does from time to time, to count instructions.
    pub fn counted() -> Self {
        let mut file = Self::create();
        file.options = "&standing_read=off";
        file
    }

    /// The same with so many users.
    pub fn of(users: i64) -> Self {
        let path = std::env::temp_dir().join(format!("ommi-bench-{}.db", std::process::id()));
        remove(&path);
        let one = crate::one_thread();
        one.block_on(async { Ommi::fill(&url(&path, POOL), users).await.0.close().await }).expect("a good end");
        let connection = open(&path);
        connection.execute_batch("ANALYZE").expect("statistics");
        File { path, connection, options: "" }
    }

    /// The address for Ommi.
    pub fn url(&self) -> String {
        self.url_for(POOL)
    }

    fn url_for(&self, pool: u32) -> String {
        url(&self.path, pool) + self.options
    }

    /// The same for many tasks.
    pub fn pooled_url(&self) -> String {
        self.url_for(CONNECTIONS)
    }

    /// The raw lane.
    pub fn raw(&self) -> Raw {
        Raw(open(&self.path))
    }

    /// The raw lane for many tasks.
    pub fn raw_pool(&self) -> RawPool {
        RawPool::open(&self.path)
    }

    /// Removes the users whose keys are above one.
    pub fn clean_after(&self, last: i64) {
        self.connection.execute("DELETE FROM users WHERE id > ?1", [last]).expect("a deletion");
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for File {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

fn url(path: &Path, pool: u32) -> String {
    format!("sqlite://{}?synchronous=normal&readers={pool}", path.display())
}

impl Store for File {
    fn address(&self) -> String {
        self.path.display().to_string()
    }

    fn version(&mut self) -> String {
        let version = self.connection.query_row("SELECT sqlite_version()", [], |row| row.get::<_, String>(0));
        format!("SQLite {}", version.expect("a version"))
    }

    fn lanes(&mut self) -> Vec<Box<dyn Run>> {
        let one = Rc::new(crate::one_thread());
        let many = Rc::new(lanes::tasks());
        let ommi = (one.block_on(Ommi::connect(&self.url())), many.block_on(Ommi::connect(&self.pooled_url())));
        vec![
            Runner::boxed("raw", (&one, self.raw()), (&many, self.raw_pool())),
            Runner::boxed("Ommi", (&one, ommi.0), (&many, ommi.1)),
        ]
    }

    fn users(&mut self, keys: &[i64]) -> Vec<User> {
        keys.iter().map(|key| get(&self.connection, *key).expect("a user")).collect()
    }

    fn clean(&mut self) {
        self.clean_after(USERS);
    }
}

/// A connection with the settings that all lanes have.
pub fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a connection");
    connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    connection.pragma_update(None, "synchronous", "NORMAL").expect("synchronous");
    connection.pragma_update(None, "foreign_keys", "ON").expect("foreign keys");
    connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a time to wait for locks");
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

fn user(row: &Row<'_>) -> Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, hair_color: row.get(2)?, age: row.get(3)?, created_at: row.get(4)? })
}

fn insert(connection: &Connection, mut user: User) -> Result<User> {
    let mut statement =
        connection.prepare_cached("INSERT INTO users (name, hair_color, age, created_at) VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![user.name, user.hair_color, user.age, user.created_at])?;
    user.id = connection.last_insert_rowid();
    Ok(user)
}

fn get(connection: &Connection, id: i64) -> Result<User> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, hair_color, age, created_at FROM users WHERE id = ?1")?;
    statement.query_row([id], user)
}

fn rows(connection: &Connection, last: i64) -> Result<Vec<User>> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, hair_color, age, created_at FROM users WHERE id <= ?1")?;
    statement.query_map([last], user)?.collect()
}

fn filter(connection: &Connection, age: i64) -> Result<Vec<User>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, hair_color, age, created_at FROM users \
         WHERE age = ?1 AND hair_color = ?2 ORDER BY name LIMIT ?3",
    )?;
    statement.query_map(params![age, "black", 50], user)?.collect()
}

fn insert_all(connection: &Connection, users: Vec<User>) -> Result<Vec<User>> {
    let transaction = connection.unchecked_transaction()?;
    let users = users.into_iter().map(|user| insert(connection, user)).collect::<Result<_>>()?;
    transaction.commit()?;
    Ok(users)
}

/// Three queries, put together by maps of keys.
fn tree(connection: &Connection) -> Result<Vec<Author>> {
    let mut authors: Vec<Author> =
        rows(connection, AUTHORS)?.into_iter().map(|user| Author { user, posts: Vec::new() }).collect();
    let places: HashMap<i64, usize> =
        authors.iter().enumerate().map(|(place, author)| (author.user.id, place)).collect();
    let mut of_post: HashMap<i64, (usize, usize)> = HashMap::new();
    let mut statement =
        connection.prepare_cached("SELECT id, user_id, title, body FROM posts WHERE user_id <= ?1 ORDER BY user_id")?;
    let mut rows = statement.query([AUTHORS])?;
    while let Some(row) = rows.next()? {
        let post =
            Post { id: row.get(0)?, user_id: row.get(1)?, title: row.get(2)?, body: row.get(3)?, comments: Vec::new() };
        let place = places[&post.user_id];
        of_post.insert(post.id, (place, authors[place].posts.len()));
        authors[place].posts.push(post);
    }
    let mut statement = connection.prepare_cached(
        "SELECT c.id, c.post_id, c.text FROM posts p JOIN comments c ON c.post_id = p.id WHERE p.user_id <= ?1",
    )?;
    let mut rows = statement.query([AUTHORS])?;
    while let Some(row) = rows.next()? {
        let comment = Comment { id: row.get(0)?, post_id: row.get(1)?, text: row.get(2)? };
        let (author, post) = of_post[&comment.post_id];
        authors[author].posts[post].comments.push(comment);
    }
    Ok(authors)
}

/// rusqlite, with its cache of prepared statements.
pub struct Raw(pub Connection);

impl Lane for Raw {
    type User = User;
    type Author = Author;

    async fn get(&mut self, id: i64) -> User {
        get(&self.0, id).expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        rows(&self.0, last).expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        filter(&self.0, age).expect("users")
    }

    async fn insert(&mut self, user: User) -> User {
        insert(&self.0, user).expect("an insert")
    }

    async fn insert_all(&mut self, users: Vec<User>) -> Vec<User> {
        insert_all(&self.0, users).expect("inserts")
    }

    async fn tree(&mut self) -> Vec<Author> {
        tree(&self.0).expect("authors")
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        let mut statement =
            self.0.prepare_cached("UPDATE users SET hair_color = ?1 WHERE id = ?2").expect("a statement");
        statement.execute(params![color, id]).expect("an update") as u64
    }

    async fn transaction(&mut self, users: Vec<User>) -> Vec<User> {
        insert_all(&self.0, users).expect("inserts")
    }
}

/// Connections that are used where the look-up is asked for.
#[derive(Clone)]
pub struct RawPool(Arc<Pool<Connection>>);

impl RawPool {
    /// Opens the file as often as the pool is large.
    pub fn open(path: &Path) -> Self {
        RawPool(Pool::of((0..CONNECTIONS).map(|_| open(path)).collect()))
    }
}

impl Shared for RawPool {
    async fn look_up(&mut self, id: i64) -> i64 {
        let connection = self.0.take().await;
        get(&connection, id).expect("a user").id
    }
}
