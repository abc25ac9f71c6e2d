//! Raw commands, and the driver's own handle.

use ommi::mongodb::mongodb::{ClientSession, Database};
use ommi::prelude::*;

use crate::harness::{REPLICA_SET, close, open};

#[derive(Model, Clone, Debug, PartialEq)]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
    price: Decimal,
    came: Timestamp,
    tags: Vec<String>,
    more: Option<Json>,
}

fn book(id: i64, title: &str) -> Book {
    Book {
        id,
        title: title.into(),
        price: Decimal::new(id * 100, 2),
        came: Timestamp::from_microsecond(1_357_020_000_000_001 + id).unwrap(),
        tags: vec!["a".into()],
        more: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_give_models_and_tuples() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Book>().await.unwrap();
    let books = db.add_all([book(1, "Earth"), book(2, "Sea"), book(3, "$gt")]).await.unwrap();
    let found: Vec<Book> = db
        .raw(r#"{"find": "Book", "filter": {"price": {"$gte": ?2}, "title": {"$ne": ?1}}, "sort": {"_id": 1}}"#)
        .bind("Sea")
        .bind(dec!(1))
        .models()
        .await
        .unwrap();
    assert_eq!(found, [books[0].clone(), books[2].clone()]);
    let found: Vec<Book> = db.raw(r#"{"find": "Book", "filter": {"title": ?}}"#).bind("$gt").models().await.unwrap();
    assert_eq!(found.len(), 1);
    let grouped: Vec<(String, i64)> = db
        .raw(r#"{"aggregate": "Book", "pipeline": [{"$unwind": "$tags"}, {"$group": {"_id": "$tags", "n": {"$sum": 1}}}]}"#)
        .tuples()
        .await
        .unwrap();
    assert_eq!(grouped, [("a".to_owned(), 3)]);
    let counted: Vec<(i64,)> =
        db.raw(r#"{"count": "Book", "query": {"_id": {"$gt": ?}}}"#).bind(1_i64).tuples().await.unwrap();
    assert_eq!(counted, [(2,)]);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_write_and_say_how_many() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Book>().await.unwrap();
    db.add_all([book(1, "Earth"), book(2, "Sea")]).await.unwrap();
    let update =
        r#"{"update": "Book", "updates": [{"q": {"_id": {"$in": ?}}, "u": {"$set": {"title": ?}}, "multi": true}]}"#;
    assert_eq!(db.raw(update).bind(vec![1_i64, 2, 3]).bind("?").execute().await.unwrap(), 2);
    assert_eq!(db.find(Book::TITLE.eq("?")).count().await.unwrap(), 2);
    let rolled_back: Result<()> = db
        .transaction(async |tx| {
            tx.raw(r#"{"delete": "Book", "deletes": [{"q": {}, "limit": 0}]}"#).execute().await?;
            assert_eq!(tx.find(Book::all()).count().await?, 0);
            Err(Error::config("back"))
        })
        .await;
    assert!(rolled_back.unwrap_err().is_config());
    assert_eq!(db.find(Book::all()).count().await.unwrap(), 2);
    for wrong in ["SELECT 1", r#"{"noSuchCommand": 1}"#, r#"{"find": "Book", "filter": {"$nope": 1}}"#] {
        assert!(db.raw(wrong).execute().await.unwrap_err().is_query(), "{wrong}");
    }
    assert!(db.raw(r#"{"commitTransaction": 1}"#).execute().await.unwrap_err().is_query());
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_handle_is_lent() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    let name = db.native(|database: &mut Database| database.name().to_owned()).await.unwrap();
    assert!(name.starts_with("ommi_test_"));
    let in_transaction = db
        .transaction(async |tx| tx.native(|session: &mut ClientSession| session.id().is_empty()).await)
        .await
        .unwrap();
    assert!(!in_transaction);
    assert!(db.native(|_: &mut String| ()).await.unwrap_err().is_config());
    close(db).await;
}
