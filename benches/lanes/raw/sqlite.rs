//! The raw lane of SQLite: rusqlite used well.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lanes::data::{AUTHORS, Author, Comment, Post, USERS, User};
use lanes::lane::Lane;
use lanes::schema;
use lanes::shared::{self, Pool, Shared};
use rusqlite::{Connection, Result, Row, params};

/// A file of this process alone, which is removed at the end.
pub struct File(PathBuf);

impl File {
    /// Makes a file with tables and rows.
    pub fn create() -> Self {
        let file = File(std::env::temp_dir().join(format!("ommi-bench-{}.db", std::process::id())));
        file.remove();
        let connection = open(file.path());
        connection.execute_batch(schema::SQLITE).expect("tables");
        fill(&connection).expect("rows");
        file
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
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

fn fill(connection: &Connection) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for user in (1..=USERS).map(User::numbered) {
        insert(connection, user)?;
    }
    let mut posts = connection.prepare("INSERT INTO posts (user_id, title, body) VALUES (?1, ?2, ?3)")?;
    for post in (0..AUTHORS * 10).map(Post::numbered) {
        posts.execute(params![post.user_id, post.title, post.body])?;
    }
    let mut comments = connection.prepare("INSERT INTO comments (post_id, text) VALUES (?1, ?2)")?;
    for comment in (0..AUTHORS * 100).map(Comment::numbered) {
        comments.execute(params![comment.post_id, comment.text])?;
    }
    transaction.commit()?;
    connection.execute_batch("ANALYZE")
}

/// Removes the rows that were inserted, and begins the log of the file anew.
pub fn clean(connection: &Connection) {
    connection.execute("DELETE FROM users WHERE id > ?1", [USERS]).expect("a deletion");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
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
        RawPool(Pool::new((0..shared::CONNECTIONS).map(|_| open(path)).collect()))
    }
}

impl Shared for RawPool {
    async fn look_up(&mut self, id: i64) -> i64 {
        let connection = self.0.take().await;
        get(&connection, id).expect("a user").id
    }
}
