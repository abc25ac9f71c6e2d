//! Values that look like MongoDB's own language stay values.

use ommi::mongodb::mongodb::bson::{Bson, doc};
use ommi::prelude::*;
use serde_json::json;

use crate::harness::{REPLICA_SET, close, open, stored};

#[derive(Model, Clone, Debug, PartialEq)]
struct Note {
    #[ommi(key)]
    id: String,
    text: String,
    data: Option<Json>,
    #[ommi(name = "$price.of")]
    price: Option<i64>,
    #[ommi(name = "_id")]
    other: Option<i64>,
}

fn note(id: &str, data: Option<Json>) -> Note {
    Note { id: id.into(), text: id.into(), data, price: Some(1), other: Some(2) }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_as_values_are_data() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Note>().await.unwrap();
    let documents = [
        json!({"$gt": ""}),
        json!({"$where": "sleep(1)"}),
        json!({"a.b": 1, "$set": {"c": 2}}),
        json!([{"$ne": null}]),
        json!("$text"),
        json!({"$literal": 1}),
        json!({"$ref": "x", "$id": 1}),
    ];
    let texts = ["$text", "$$ROOT", "{\"$gt\": \"\"}", "$$REMOVE", "$_id", "/.*/", ""];
    let rows: Vec<Note> = texts.iter().zip(&documents).map(|(text, data)| note(text, Some(data.clone()))).collect();
    db.add_all(rows.clone()).await.unwrap();
    for row in &rows {
        assert_eq!(db.get::<Note>(&row.id).await.unwrap(), *row);
        assert_eq!(db.find(Note::TEXT.eq(&row.text)).one().await.unwrap(), *row);
        assert_eq!(db.find(Note::TEXT.in_([&row.text])).one().await.unwrap(), *row);
        assert_eq!(db.find(Note::DATA.eq(row.data.clone().unwrap())).all().await.unwrap(), *std::slice::from_ref(row));
        let long = (0..20).map(|n| n.to_string()).chain([row.text.clone()]);
        assert_eq!(db.find(Note::TEXT.in_(long)).one().await.unwrap(), *row);
    }
    for (row, data) in rows.iter().zip(documents.iter().rev()) {
        let set = (Note::DATA.set(data.clone()), Note::TEXT.set(Note::ID));
        assert_eq!(db.find(Note::ID.eq(&row.id)).update(set).await.unwrap(), 1);
        assert_eq!(db.get::<Note>(&row.id).await.unwrap().data.as_ref(), Some(data));
        let set = Note::DATA.set(row.data.clone().unwrap());
        assert_eq!(db.find(Note::ID.eq(&row.id)).update(set).await.unwrap(), 1);
        assert_eq!(db.upsert(note(&row.id, Some(data.clone()))).await.unwrap()[0].data.as_ref(), Some(data));
    }
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_mongodb_does_not_allow_are_written_with_percent_signs() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Note>().await.unwrap();
    db.add(note("a", None)).await.unwrap();
    let found = db.find(Note::PRICE.eq(1) & Note::OTHER.gt(1)).one().await.unwrap();
    assert_eq!(found, note("a", None));
    let document = stored(&db, "Note").await.remove(0);
    assert_eq!(document.get("%24price%2Eof"), Some(&Bson::Int64(1)));
    assert_eq!(document.get("%5Fid"), Some(&Bson::Int64(2)));
    assert!(!document.contains_key("data"), "a `None` of JSON is absent");
    let schema = db.inspect().await.unwrap();
    let columns: Vec<_> = schema.tables[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["id", "text", "data", "$price.of", "_id"]);
    close(db).await;
}

#[derive(Value, Clone, Debug, Default, PartialEq)]
struct Address {
    city: String,
    zip: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Reading {
    #[ommi(key)]
    station: String,
    #[ommi(key)]
    at: Timestamp,
    #[ommi(embed)]
    place: Address,
    value: Decimal,
    count: u64,
    tags: Vec<Timestamp>,
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_documents_with_the_types_of_bson() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<Reading>().await.unwrap();
    let at = Timestamp::from_microsecond(1_357_020_000_123_456).unwrap();
    let reading = Reading {
        station: "JFK".into(),
        at,
        place: Address { city: "New York".into(), zip: None },
        value: dec!(1.50),
        count: u64::MAX,
        tags: vec![at],
    };
    db.add(reading.clone()).await.unwrap();
    assert_eq!(db.get::<Reading>(("JFK", at)).await.unwrap(), reading);
    let document = stored(&db, "Reading").await.remove(0);
    let key = document.get_document("_id").unwrap();
    assert_eq!(key.keys().collect::<Vec<_>>(), ["at", "at$us", "station"], "sorted by name");
    assert_eq!(key.get_datetime("at").unwrap().timestamp_millis(), 1_357_020_000_123);
    assert_eq!(key.get_i32("at$us").unwrap(), 456);
    assert_eq!(document.get_document("place").unwrap(), &doc! { "city": "New York", "zip": null });
    assert!(matches!(document.get("value"), Some(Bson::Decimal128(_))));
    assert!(matches!(document.get("count"), Some(Bson::Decimal128(_))));
    // one microsecond apart
    let other = Reading { at: Timestamp::from_microsecond(1_357_020_000_123_455).unwrap(), ..reading.clone() };
    db.add(other.clone()).await.unwrap();
    let sorted = db.find(Reading::STATION.eq("JFK")).order_by(Reading::AT.desc()).all().await.unwrap();
    assert_eq!(sorted, [reading.clone(), other]);
    assert_eq!(db.find(Reading::AT.ge(at)).all().await.unwrap(), *std::slice::from_ref(&reading));
    assert_eq!(db.find(Reading::PLACE.at(Address::CITY).eq("New York")).count().await.unwrap(), 2);
    assert_eq!(db.find(Reading::TAGS.contains(at)).count().await.unwrap(), 2);
    close(db).await;
}
