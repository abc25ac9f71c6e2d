//! Collections that other programs made.

use ommi::mongodb::mongodb::bson::{DateTime as BsonDateTime, doc};
use ommi::prelude::*;

use crate::harness::{REPLICA_SET, close, foreign, open, stored};

#[derive(Model, Clone, Debug, PartialEq)]
#[ommi(table = "people")]
struct Person {
    #[ommi(key)]
    id: i64,
    name: String,
    age: Option<i64>,
    seen: Option<Timestamp>,
    tags: Option<Vec<String>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_fields_are_null_and_unknown_fields_are_kept() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    let seen = BsonDateTime::from_millis(1_357_020_000_123);
    let documents = vec![
        doc! { "_id": 1, "name": "Ada", "shoe": 38, "seen": seen },
        doc! { "_id": 2_i64, "name": "Noor", "age": 40.0, "tags": ["a"], "more": { "x": 1 } },
    ];
    foreign(&db, "people", documents).await;
    db.create::<Person>().await.unwrap();
    let people = db.find(Person::all()).order_by(Person::ID.asc()).all().await.unwrap();
    let at = Timestamp::from_millisecond(1_357_020_000_123).unwrap();
    let ada = Person { id: 1, name: "Ada".into(), age: None, seen: Some(at), tags: None };
    let noor = Person { id: 2, name: "Noor".into(), age: Some(40), seen: None, tags: Some(vec!["a".into()]) };
    assert_eq!(people, [ada.clone(), noor]);
    // a date without its companion has no microseconds
    assert_eq!(db.find(Person::SEEN.eq(at)).one().await.unwrap(), ada);
    assert_eq!(db.find(Person::SEEN.lt(at)).count().await.unwrap(), 0);
    assert_eq!(db.find(Person::AGE.is_null() & Person::TAGS.is_null()).count().await.unwrap(), 1);

    assert_eq!(db.find(Person::ID.eq(1)).update(Person::AGE.set(36)).await.unwrap(), 1);
    assert_eq!(db.find(Person::all()).update(Person::AGE.set(Person::AGE + 1)).await.unwrap(), 2);
    let documents = stored(&db, "people").await;
    assert_eq!(documents[0].get_i32("shoe").unwrap(), 38);
    assert_eq!(documents[0].get_i64("age").unwrap(), 37);
    assert_eq!(documents[1].get_document("more").unwrap(), &doc! { "x": 1 });
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_of_the_wrong_shape_is_refused_with_each_difference() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    foreign(&db, "people", vec![doc! { "_id": 1, "name": "Ada" }, doc! { "_id": 2, "name": 7, "age": "old" }]).await;
    let error = db.create::<Person>().await.unwrap_err();
    assert!(error.is_schema(), "{error}");
    assert!(error.message().contains("`name` is of type int where string"), "{error}");
    assert!(error.message().contains("`age` is of type string"), "{error}");
    let error = db.find(Person::all()).order_by(Person::ID.asc()).all().await.unwrap_err();
    assert!(error.is_decode(), "{error}");
    close(db).await;
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Stock {
    #[ommi(key)]
    id: i64,
    #[ommi(unique)]
    code: Option<String>,
    left: i32,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_validator_keeps_the_types_whoever_writes() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Stock>().await.unwrap();
    let refused = db.raw(r#"{"insert": "Stock", "documents": [{"_id": 1, "left": "many"}]}"#).execute().await;
    assert!(refused.unwrap_err().is_constraint());
    assert_eq!(db.raw(r#"{"insert": "Stock", "documents": [{"_id": 1, "left": 3}]}"#).execute().await.unwrap(), 1);
    assert_eq!(db.get::<Stock>(1).await.unwrap(), Stock { id: 1, code: None, left: 3 });
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_serve_keys_and_unique_fields_that_may_be_null() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Stock>().await.unwrap();
    let rows = (0..50).map(|id| Stock { id, code: (id % 2 == 0).then(|| id.to_string()), left: 0 });
    db.add_all(rows).await.unwrap();
    let by_code = db.find(Stock::CODE.eq("4")).explain().await.unwrap();
    assert!(by_code.database_plan.as_deref().is_some_and(|plan| plan.contains("Stock_code_key")), "{by_code}");
    let by_key = db.find(Stock::ID.eq(4)).explain().await.unwrap();
    let plan = by_key.database_plan.unwrap();
    assert!(plan.contains("IDHACK") || plan.contains("_id_"), "{plan}");
    assert_eq!(by_key.native, r#"{"find": "Stock", "filter": {"_id": ?1}}"#);
    close(db).await;
}
