//! SeaORM: entities in the dense format, its loader for relations.

use lanes::Lane;
use lanes::Shared;
use lanes::data::{self, AUTHORS, Author, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectOptions, Database, QueryOrder, QuerySelect, TransactionTrait};

mod users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub hair_color: Option<String>,
        pub age: i64,
        pub created_at: i64,
        #[sea_orm(has_many)]
        pub posts: HasMany<super::posts::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod posts {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: i64,
        pub title: String,
        pub body: String,
        #[sea_orm(belongs_to, from = "user_id", to = "id")]
        pub user: BelongsTo<super::users::Entity>,
        #[sea_orm(has_many)]
        pub comments: HasMany<super::comments::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod comments {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub post_id: i64,
        pub text: String,
        #[sea_orm(belongs_to, from = "post_id", to = "id")]
        pub post: BelongsTo<super::posts::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<users::Model> for User {
    fn from(users::Model { id, name, hair_color, age, created_at }: users::Model) -> User {
        User { id, name, hair_color, age, created_at }
    }
}

impl From<users::ModelEx> for Author {
    fn from(author: users::ModelEx) -> Author {
        let users::ModelEx { id, name, hair_color, age, created_at, posts } = author;
        let posts = posts.into_iter().map(|post| data::Post {
            id: post.id,
            user_id: post.user_id,
            title: post.title,
            body: post.body,
            comments: post
                .comments
                .into_iter()
                .map(|comment| data::Comment { id: comment.id, post_id: comment.post_id, text: comment.text })
                .collect(),
        });
        Author { user: User { id, name, hair_color, age, created_at }, posts: posts.collect() }
    }
}

fn active(User { name, hair_color, age, created_at, .. }: User) -> users::ActiveModel {
    users::ActiveModel {
        name: Set(name),
        hair_color: Set(hair_color),
        age: Set(age),
        created_at: Set(created_at),
        ..Default::default()
    }
}

#[derive(Clone)]
pub struct SeaOrm(DatabaseConnection);

impl SeaOrm {
    pub async fn open_sqlite(path: &str, pool: u32) -> Self {
        let mut options = ConnectOptions::new(format!("sqlite://{}", path));
        options.max_connections(pool).sqlx_logging(false).map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
                .foreign_keys(true)
        });
        SeaOrm(Database::connect(options).await.expect("a pool"))
    }

    pub async fn connect(url: &str, pool: u32) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(pool).sqlx_logging(false);
        SeaOrm(Database::connect(options).await.expect("a pool"))
    }
}

impl Lane for SeaOrm {
    type User = users::Model;
    type Author = users::ModelEx;

    async fn get(&mut self, id: i64) -> users::Model {
        users::Entity::find_by_id(id).one(&self.0).await.expect("an answer").expect("a user")
    }

    async fn rows(&mut self, last: i64) -> Vec<users::Model> {
        users::Entity::find().filter(users::COLUMN.id.lte(last)).all(&self.0).await.expect("users")
    }

    async fn filter(&mut self, age: i64) -> Vec<users::Model> {
        users::Entity::find()
            .filter(users::COLUMN.age.eq(age))
            .filter(users::COLUMN.hair_color.eq("black"))
            .order_by_asc(users::COLUMN.name)
            .limit(50)
            .all(&self.0)
            .await
            .expect("users")
    }

    async fn insert(&mut self, user: User) -> users::Model {
        active(user).insert(&self.0).await.expect("an insert")
    }

    async fn insert_all(&mut self, users: Vec<User>) -> Vec<users::Model> {
        users::Entity::insert_many(users.into_iter().map(active)).exec_with_returning(&self.0).await.expect("inserts")
    }

    async fn tree(&mut self) -> Vec<users::ModelEx> {
        users::Entity::load()
            .filter(users::COLUMN.id.lte(AUTHORS))
            .with((posts::Entity, comments::Entity))
            .all(&self.0)
            .await
            .expect("authors")
    }

    async fn update(&mut self, id: i64, color: &str) -> u64 {
        let done = users::Entity::update_many()
            .col_expr(users::Column::HairColor, Expr::value(color))
            .filter(users::COLUMN.id.eq(id))
            .exec(&self.0)
            .await
            .expect("an update");
        done.rows_affected
    }

    async fn transaction(&mut self, users: Vec<User>) -> Vec<users::Model> {
        let transaction = self.0.begin().await.expect("a transaction");
        let mut inserted = Vec::with_capacity(users.len());
        for user in users {
            inserted.push(active(user).insert(&transaction).await.expect("an insert"));
        }
        transaction.commit().await.expect("a commit");
        inserted
    }
}

impl Shared for SeaOrm {
    async fn look_up(&mut self, id: i64) -> i64 {
        users::Entity::find_by_id(id).one(&self.0).await.expect("an answer").expect("a user").id
    }
}
