//! Creating, comparing, dropping, reading back.

use std::sync::Arc;

use ommi_core::ErrorKind;
use ommi_core::model::{FieldDef, IndexDef, ModelBuilder, ReferenceDef, ReferenceTarget};
use ommi_core::value::{Datum, ValueType};

use crate::harness::*;

#[tokio::test]
async fn creating_twice_changes_nothing() {
    let driver = open("sqlite::memory:").await;
    let before = driver.inspect().await.unwrap();
    driver.create(&[post(), user()]).await.unwrap();
    assert_eq!(driver.inspect().await.unwrap(), before);
    let names: Vec<&str> = before.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["Post", "User"]);
    let user = before.table("User").unwrap();
    assert_eq!(user.key, ["id"]);
    assert_eq!(user.column("e-mail").unwrap().column_type, "TEXT");
    assert!(user.column("age").unwrap().nullable && !user.column("name").unwrap().nullable);
    assert_eq!(user.indexes[0].columns, [Some("e-mail".to_owned())]);
    assert!(user.indexes[0].unique);
    let references = &before.table("Post").unwrap().references;
    assert_eq!(references.len(), 2);
    assert!(references.iter().all(|reference| reference.table == "User" && reference.target_columns == ["id"]));
}

#[tokio::test]
async fn tables_that_do_not_fit_are_all_listed_and_nothing_is_made() {
    let driver = connect("sqlite::memory:").await.unwrap();
    raw(&*driver, "CREATE TABLE User (id INTEGER PRIMARY KEY, name BLOB, \"e-mail\" TEXT NOT NULL)").await.unwrap();
    let error = driver.create(&[user(), post()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.message().contains("`User.name`") && error.message().contains("`User.age`"), "{error}");
    assert!(driver.inspect().await.unwrap().table("Post").is_none());
}

#[tokio::test]
async fn missing_indexes_are_made_unless_rows_collide() {
    let driver = open("sqlite::memory:").await;
    raw(&*driver, "DROP INDEX \"User_e-mail_key\"").await.unwrap();
    raw(&*driver, "INSERT INTO User VALUES (1, 'a', 'a', 1), (2, 'b', 'a', 1)").await.unwrap();
    let error = driver.create(&[user(), post()]).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Schema && error.message().contains("unique"), "{error}");
    raw(&*driver, "DELETE FROM User WHERE id = 2").await.unwrap();
    driver.create(&[user(), post()]).await.unwrap();
    assert!(raw(&*driver, "INSERT INTO User VALUES (2, 'b', 'a', 1)").await.is_err());
}

#[tokio::test]
async fn dropping_takes_just_the_named_tables_unless_rows_reference_them() {
    let driver = open("sqlite::memory:").await;
    raw(&*driver, "INSERT INTO User VALUES (1, 'a', 'a', 1)").await.unwrap();
    raw(&*driver, "INSERT INTO Post VALUES (1, 1, NULL, '1.00')").await.unwrap();
    let error = driver.drop_models(&[user()]).await.unwrap_err();
    assert!(error.is_reference_violation(), "{error}");
    driver.drop_models(&[user(), post()]).await.unwrap();
    driver.drop_models(&[user(), post()]).await.unwrap();
    assert!(driver.inspect().await.unwrap().tables.is_empty());
    driver.create(&[user(), post()]).await.unwrap();
    // references are kept again
    assert!(raw(&*driver, "INSERT INTO Post VALUES (1, 1, NULL, '1.00')").await.is_err());
}

fn half(name: &str, other: &str) -> Arc<ommi_core::ModelDef> {
    ModelBuilder::new(name)
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("other", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef::new([1], ReferenceTarget::Name(other.into())))
        .build()
        .unwrap()
}

#[tokio::test]
async fn tables_that_reference_each_other_come_and_go() {
    let folder = Folder::new();
    let driver = connect(&folder.url()).await.unwrap();
    let models = [half("Egg", "Hen"), half("Hen", "Egg")];
    driver.create(&models).await.unwrap();
    for text in ["INSERT INTO Egg VALUES (1, NULL)", "INSERT INTO Hen VALUES (1, 1)", "UPDATE Egg SET other = 1"] {
        raw(&*driver, text).await.unwrap();
    }
    driver.drop_models(&models).await.unwrap();
    assert!(driver.inspect().await.unwrap().tables.is_empty());
}

#[tokio::test]
async fn names_with_quotes_and_spaces_work() {
    let driver = connect("sqlite::memory:").await.unwrap();
    let odd = ModelBuilder::new("Odd \"table\"; --")
        .field(FieldDef::new("se lect", ValueType::I64).auto())
        .field(FieldDef::new("a\"b", ValueType::Text))
        .key(["se lect"])
        .index(IndexDef::unique([1]))
        .build()
        .unwrap();
    driver.create(&[Arc::clone(&odd)]).await.unwrap();
    let insert = inserting(&*driver, &odd, Default::default());
    let text = "'; DROP TABLE x; --";
    let row = || vec![Datum::Null, Datum::Text(text.into())];
    let inserted = insert.insert(&*driver, vec![row()]).await.unwrap();
    assert_eq!(keys(&inserted), [1]);
    let rows = by(&*driver, &odd, 1).fetch(&*driver, &[Datum::Text(text.into())]).await.unwrap();
    assert_eq!(rows.len(), 1);
    let error = insert.insert(&*driver, vec![row()]).await.err().unwrap();
    assert_eq!(error.fields(), ["a\"b"], "{error}");
    driver.create(&[Arc::clone(&odd)]).await.unwrap();
    driver.drop_models(&[odd]).await.unwrap();
}

#[tokio::test]
async fn a_name_with_a_schema_is_refused() {
    let driver = connect("sqlite::memory:").await.unwrap();
    let model =
        ModelBuilder::new("A").table("other.A").field(FieldDef::new("id", ValueType::I64)).key(["id"]).build().unwrap();
    let error = driver.create(&[model]).await.unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}
