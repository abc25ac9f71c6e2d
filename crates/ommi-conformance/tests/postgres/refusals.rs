//! What is beyond the limits of the server, or in the wrong shape: one clear error each, and the connection
//! goes on.

use ommi::model::{FieldDef, ModelBuilder};
use ommi::prelude::*;
use ommi::value::ValueType;

use crate::database::Database;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Page {
    #[ommi(key)]
    id: i64,
    #[ommi(index)]
    text: String,
    number: i32,
}

async fn database(name: &str) -> Option<(Database, Db)> {
    let database = Database::make(name, "").await?;
    let db = ommi::connect(&database.url.replace("pool=8", "pool=1")).await.unwrap();
    Some((database, db))
}

async fn end(database: Database, db: Db) {
    // one connection, which is as good as before
    let rows: Vec<(i32,)> = db.raw("SELECT 1").tuples().await.unwrap();
    assert_eq!(rows, [(1,)]);
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn a_table_of_the_wrong_shape_is_a_schema_error_that_says_what_to_do() {
    let Some((database, db)) = database("shape").await else { return };
    db.raw(r#"CREATE TABLE "Page" (id text PRIMARY KEY, number integer NOT NULL)"#).execute().await.unwrap();
    let error = db.create::<Page>().await.unwrap_err();
    assert!(error.is_schema(), "{error}");
    for said in ["`Page.text`", "`Page.id`", "ALTER TABLE"] {
        assert!(error.message().contains(said), "{said}: {error}");
    }
    for error in [
        db.find(Page::all()).all().await.unwrap_err(),
        db.add(Page::default()).await.unwrap_err(),
        db.find(Page::TEXT.eq("a")).update(Page::NUMBER.set(1)).await.unwrap_err(),
    ] {
        assert!(error.is_schema() && error.message().contains("`db.create` lists the differences"), "{error}");
    }
    end(database, db).await;
}

#[tokio::test]
async fn a_column_of_another_type_is_a_schema_error_or_one_of_decoding() {
    let Some((database, db)) = database("type").await else { return };
    db.raw(r#"CREATE TABLE "Page" (id bigint PRIMARY KEY, "text" text, number jsonb)"#).execute().await.unwrap();
    db.raw(r#"INSERT INTO "Page" VALUES (1, 'a', '{}')"#).execute().await.unwrap();
    let error = db.find(Page::all()).all().await.unwrap_err();
    assert!(error.is_decode() && error.message().contains("`number`"), "{error}");
    let error = db.add(Page::default()).await.unwrap_err();
    assert!(error.is_schema(), "{error}");
    end(database, db).await;
}

#[tokio::test]
async fn a_value_that_an_index_cannot_hold_is_a_query_error() {
    let Some((database, db)) = database("indexed").await else { return };
    db.create::<Page>().await.unwrap();
    // a text that does not get shorter when it is compressed
    let mut random = fastrand::Rng::with_seed(1);
    let text: String = std::iter::repeat_with(|| random.alphanumeric()).take(40_000).collect();
    let error = db.add(Page { text, ..Page::default() }).await.unwrap_err();
    assert!(error.is_query() && error.code() == Some("54000"), "{error}");
    assert!(error.message().contains("beyond a limit of PostgreSQL"), "{error}");
    assert_eq!(error.model(), Some("Page"));
    assert_eq!(db.find(Page::all()).count().await.unwrap(), 0);
    end(database, db).await;
}

#[tokio::test]
async fn a_table_of_too_many_columns_is_refused() {
    let Some((database, db)) = database("columns").await else { return };
    let mut wide = ModelBuilder::new("Wide").field(FieldDef::new("id", ValueType::I64)).key(["id"]);
    for number in 0..1_600 {
        wide = wide.field(FieldDef::new(format!("f{number}"), ValueType::I64));
    }
    let error = db.create_models(&[wide.build().unwrap()]).await.unwrap_err();
    assert!(error.is_query() && error.message().contains("1600 columns"), "{error}");
    assert!(db.inspect().await.unwrap().tables.is_empty());
    end(database, db).await;
}

#[tokio::test]
async fn a_statement_with_too_many_parameters_is_refused() {
    let Some((database, db)) = database("parameters").await else { return };
    db.create::<Page>().await.unwrap();
    let many = (0..40_000).map(|id| Page::ID.eq(id) & Page::NUMBER.eq(7)).reduce(|all, one| all | one).unwrap();
    let error = db.find(many).all().await.unwrap_err();
    assert!(error.is_query() && error.message().contains("`in_`"), "{error}");
    let marks: Vec<String> = (1..=70_000).map(|mark| format!("${mark}")).collect();
    let mut raw = db.raw(format!("SELECT 1 WHERE 1 IN ({})", marks.join(", ")));
    for number in 0..70_000 {
        raw = raw.bind(number);
    }
    let error = raw.execute().await.unwrap_err();
    assert!(error.is_query() && error.message().contains("at most 65535 parameters"), "{error}");
    end(database, db).await;
}

#[tokio::test]
async fn an_expression_that_nests_too_deeply_is_a_query_error() {
    let Some((database, db)) = database("deep").await else { return };
    let deep = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let error = db.raw(deep).execute().await.unwrap_err();
    assert!(error.is_query(), "{error}");
    let deep = format!("SELECT 1{}", " + 1".repeat(100_000));
    let error = db.raw(deep).execute().await.unwrap_err();
    assert!(error.is_query() && error.code() == Some("54001"), "{error}");
    assert!(error.message().contains("beyond a limit of PostgreSQL"), "{error}");
    end(database, db).await;
}
