//! What sessions keep and forget: prepared statements, settings, what was lent.

use std::sync::Arc;

use ommi::postgres::tokio_postgres::Client;
use ommi::prelude::*;

use crate::database::Database;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Item {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    count: i32,
}

fn items(count: i32) -> impl Iterator<Item = Item> {
    (0..count).map(|number| Item { id: 0, name: format!("item {number}"), count: number })
}

async fn database(name: &str, options: &str) -> Option<(Database, Db)> {
    let database = Database::make(name, options).await?;
    let db = ommi::connect(&database.url.replace("pool=8", "pool=1")).await.unwrap();
    db.create::<Item>().await.unwrap();
    Some((database, db))
}

async fn number_of_rows(db: &Db, text: &str) -> i64 {
    let rows: Vec<(i64,)> = db.raw(text).tuples().await.unwrap();
    rows[0].0
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_the_server_lost_are_prepared_anew() {
    let Some((database, db)) = database("lost", "").await else { return };
    let ada = db.add(Item { name: "Ada".into(), ..Item::default() }).await.unwrap();
    assert_eq!(db.get::<Item>(ada.id).await.unwrap(), ada);
    // the driver does not see this one
    let forget = |client: Arc<Client>| async move { client.batch_execute("DEALLOCATE ALL").await };
    lend(&db, forget).await;
    assert_eq!(db.get::<Item>(ada.id).await.unwrap(), ada);
    db.add(Item { name: "Bob".into(), ..Item::default() }).await.unwrap();
    assert_eq!(db.find(Item::NAME.eq("Bob")).update(Item::COUNT.set(1)).await.unwrap(), 1);
    assert_eq!(db.find(Item::all()).count().await.unwrap(), 2);
    db.close().await.unwrap();
    database.drop().await;
}

/// Lends the driver's client to work that is waited for.
async fn lend<F>(db: &Db, work: impl FnOnce(Arc<Client>) -> F + Send + 'static)
where
    F: Future<Output = Result<(), ommi::postgres::tokio_postgres::Error>> + Send,
{
    let runtime = tokio::runtime::Handle::current();
    db.native(move |client: &mut Arc<Client>| runtime.block_on(work(Arc::clone(client)))).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_change_their_type_are_read_anew() {
    let Some((database, db)) = database("changed", "").await else { return };
    let ada = db.add(Item { name: "Ada".into(), count: 7, ..Item::default() }).await.unwrap();
    assert_eq!(db.find(Item::NAME.eq("Ada")).all().await.unwrap(), *std::slice::from_ref(&ada));
    let other = ommi::connect(&database.url).await.unwrap();
    other.raw("ALTER TABLE \"Item\" ALTER COLUMN count TYPE bigint").execute().await.unwrap();
    other.close().await.unwrap();
    assert_eq!(db.find(Item::NAME.eq("Ada")).all().await.unwrap(), *std::slice::from_ref(&ada));
    assert_eq!(db.get::<Item>(ada.id).await.unwrap(), ada);
    // rows are copied in the types of the columns
    db.add_all(items(2_000)).await.unwrap();
    assert_eq!(db.find(Item::all()).count().await.unwrap(), 2_001);
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lent_is_brought_back_to_order() {
    let Some((database, db)) = database("lent", "").await else { return };
    lend(&db, |client| async move {
        client.batch_execute("SET search_path TO nowhere; CREATE TEMP TABLE left_behind (); BEGIN").await
    })
    .await;
    assert_eq!(db.find(Item::all()).count().await.unwrap(), 0);
    assert_eq!(number_of_rows(&db, "SELECT count(*) FROM pg_class WHERE relname = 'left_behind'").await, 0);
    db.raw("SET search_path TO nowhere").execute().await.unwrap();
    assert_eq!(db.find(Item::all()).count().await.unwrap(), 0);
    let error = db.raw("BEGIN").execute().await.unwrap_err();
    assert!(error.is_transaction() && error.message().contains("`db.transaction`"), "{error}");
    let error = db.raw("  /* now */ CoMMiT").execute().await.unwrap_err();
    assert!(error.is_transaction(), "{error}");
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_prepared_by_name_behind_a_pooler() {
    let Some((database, db)) = database("unprepared", "&prepare=off").await else { return };
    let added = db.add_all(items(600)).await.unwrap();
    assert_eq!(db.get::<Item>(added[0].id).await.unwrap(), added[0]);
    db.find(Item::COUNT.lt(3)).update(Item::COUNT.set(0)).await.unwrap();
    db.transaction(async |tx| {
        tx.add(Item::default()).await?;
        tx.find(Item::all()).count().await
    })
    .await
    .unwrap();
    assert_eq!(number_of_rows(&db, "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 's%'").await, 0);
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_of_statements_is_bounded() {
    let Some((database, db)) = database("bounded", "&statement_cache=4").await else { return };
    for limit in 0..20usize {
        let mut query = db.find(Item::COUNT.gt(0));
        for _ in 0..limit {
            query = query.order_by(Item::NAME.asc());
        }
        query.all().await.unwrap();
    }
    let text = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT%\"Item\"%' AND statement NOT LIKE '%pg_%'";
    assert!(number_of_rows(&db, text).await <= 4);
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_are_copied_and_keep_their_keys() {
    let Some((database, db)) = database("copied", "").await else { return };
    let given = db.add_all(items(10_000)).await.unwrap();
    let stored = db.find(Item::all()).order_by(Item::COUNT.asc()).all().await.unwrap();
    assert_eq!(given, stored);
    let error = db.add_all(given.iter().take(1_000).cloned()).await.unwrap_err();
    assert!(error.is_constraint(), "{error}");
    assert_eq!(error.fields(), ["id"]);
    assert_eq!(db.find(Item::all()).count().await.unwrap(), 10_000);
    let later = db.add(Item::default()).await.unwrap();
    assert!(later.id > given.iter().map(|item| item.id).max().unwrap());
    db.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_plan_of_the_server() {
    let Some((database, db)) = database("explained", "").await else { return };
    let plan = db.find(Item::ID.eq(1)).explain().await.unwrap().to_string();
    assert!(plan.contains("Index Scan using \"Item_pkey\""), "{plan}");
    db.close().await.unwrap();
    database.drop().await;
}
