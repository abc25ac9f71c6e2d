//! Toasty: models, a pool, `include` for relations.

use std::borrow::Cow;

use lanes::Lane;
use lanes::Shared;
use lanes::data::{self, AUTHORS, Author};
use toasty::Db;
use toasty::db::{Capability, ConnectContext, Driver};
use toasty_core::driver::Connection;
use toasty_core::driver::operation::{RawSql, RawSqlRet};
use toasty_core::schema::db::Migration;
use toasty_core::schema::diff;
use toasty_core::schema::{Builder, app};
use toasty_driver_sqlite::Sqlite;

#[derive(Debug, toasty::Model)]
#[table = "users"]
pub struct User {
    #[key]
    #[auto]
    id: u64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
    #[has_many]
    posts: toasty::Deferred<Vec<Post>>,
}

#[derive(Debug, toasty::Model)]
#[table = "posts"]
pub struct Post {
    #[key]
    #[auto]
    id: u64,
    #[index]
    user_id: u64,
    #[belongs_to]
    user: toasty::Deferred<User>,
    title: String,
    body: String,
    #[has_many]
    comments: toasty::Deferred<Vec<Comment>>,
}

#[derive(Debug, toasty::Model)]
#[table = "comments"]
pub struct Comment {
    #[key]
    #[auto]
    id: u64,
    #[index]
    post_id: u64,
    #[belongs_to]
    post: toasty::Deferred<Post>,
    text: String,
}

/// Keys are `u64`, as in Toasty's guide: relations over automatic keys of `i64` panic in 0.11.
fn signed(key: u64) -> i64 {
    key.try_into().expect("a small key")
}

fn unsigned(key: i64) -> u64 {
    key.try_into().expect("a positive key")
}

impl From<User> for data::User {
    fn from(User { id, name, hair_color, age, created_at, .. }: User) -> data::User {
        data::User { id: signed(id), name, hair_color, age, created_at }
    }
}

impl From<User> for Author {
    fn from(user: User) -> Author {
        let posts = user.posts.get().iter().map(|post| data::Post {
            id: signed(post.id),
            user_id: signed(post.user_id),
            title: post.title.clone(),
            body: post.body.clone(),
            comments: post
                .comments
                .get()
                .iter()
                .map(|comment| data::Comment {
                    id: signed(comment.id),
                    post_id: signed(comment.post_id),
                    text: comment.text.clone(),
                })
                .collect(),
        });
        Author { posts: posts.collect(), user: user.into() }
    }
}

/// The driver of SQLite with the settings that all lanes have, which its URLs cannot say.
#[derive(Debug)]
struct Configured(Sqlite);

#[async_trait::async_trait]
impl Driver for Configured {
    fn url(&self) -> Cow<'_, str> {
        self.0.url()
    }

    fn capability(&self) -> &'static Capability {
        self.0.capability()
    }

    async fn connect(&self, context: &ConnectContext) -> toasty::Result<Box<dyn Connection>> {
        let mut connection = self.0.connect(context).await?;
        let schema = Builder::new().build(app::Schema::default(), self.capability())?.into();
        for sql in ["PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON"] {
            let pragma = RawSql { sql: sql.into(), params: Vec::new(), ret: RawSqlRet::None };
            connection.exec(&schema, pragma.into()).await?;
        }
        Ok(connection)
    }

    fn max_connections(&self) -> Option<usize> {
        self.0.max_connections()
    }

    fn generate_migration(&self, schema_diff: &diff::Schema<'_>) -> Migration {
        self.0.generate_migration(schema_diff)
    }

    async fn reset_db(&self) -> toasty::Result<()> {
        self.0.reset_db().await
    }
}

#[derive(Clone)]
pub struct Toasty(Db);

impl Toasty {
    /// The journal is a property of the file, and the file is in WAL mode.
    pub async fn open_sqlite(path: &str, pool: u32) -> Self {
        let mut builder = Db::builder();
        builder.models(toasty::models!(User, Post, Comment)).max_pool_size(pool as usize);
        Toasty(builder.build(Configured(Sqlite::open(path))).await.expect("a database"))
    }

    pub async fn connect(url: &str, pool: u32) -> Self {
        let url = url.replacen("postgres://", "postgresql://", 1);
        let mut builder = Db::builder();
        builder.models(toasty::models!(User, Post, Comment)).max_pool_size(pool as usize);
        Toasty(builder.connect(&url).await.expect("a database"))
    }
}

impl Lane for Toasty {
    type User = User;
    type Author = User;

    async fn get(&mut self, id: i64) -> User {
        User::get_by_id(&mut self.0, unsigned(id)).await.expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<User> {
        User::filter(User::fields().id().le(unsigned(last))).exec(&mut self.0).await.expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<User> {
        User::filter(User::fields().age().eq(age).and(User::fields().hair_color().eq("black")))
            .order_by(User::fields().name().asc())
            .limit(50)
            .exec(&mut self.0)
            .await
            .expect("users")
    }

    async fn insert(&mut self, user: data::User) -> User {
        let data::User { name, hair_color, age, created_at, .. } = user;
        toasty::create!(User { name, hair_color, age, created_at }).exec(&mut self.0).await.expect("an insert")
    }

    async fn insert_all(&mut self, users: Vec<data::User>) -> Vec<User> {
        let mut create = User::create_many();
        for data::User { name, hair_color, age, created_at, .. } in users {
            create = create.item(toasty::create!(User { name, hair_color, age, created_at }));
        }
        create.exec(&mut self.0).await.expect("inserts")
    }

    async fn tree(&mut self) -> Vec<User> {
        User::filter(User::fields().id().le(unsigned(AUTHORS)))
            .include(User::fields().posts().comments())
            .exec(&mut self.0)
            .await
            .expect("authors")
    }

    /// Toasty gives no number of rows.
    async fn update(&mut self, id: i64, color: &str) -> u64 {
        User::update_by_id(unsigned(id)).hair_color(color).exec(&mut self.0).await.expect("an update");
        1
    }

    async fn transaction(&mut self, users: Vec<data::User>) -> Vec<User> {
        let mut transaction = self.0.transaction().await.expect("a transaction");
        let mut inserted = Vec::with_capacity(users.len());
        for data::User { name, hair_color, age, created_at, .. } in users {
            let create = toasty::create!(User { name, hair_color, age, created_at });
            inserted.push(create.exec(&mut transaction).await.expect("an insert"));
        }
        transaction.commit().await.expect("a commit");
        inserted
    }
}

impl Shared for Toasty {
    async fn look_up(&mut self, id: i64) -> i64 {
        User::get_by_id(&mut self.0, unsigned(id)).await.map(|user| signed(user.id)).expect("a user")
    }
}
