//! Creating, checking, dropping and reading back tables.

use std::sync::Arc;

use ommi_core::ConstraintKind;
use ommi_core::driver::Driver;
use ommi_core::model::{FieldDef, ModelBuilder, ModelDef, OnChange, ReferenceDef};
use ommi_core::query::{Condition, Expr};
use ommi_core::value::ValueType;
use ommi_memory::MemoryDriver;

use crate::fixture::*;

fn book() -> Arc<ModelDef> {
    ModelBuilder::new("Book")
        .table("shop.books")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("author", ValueType::I64).stored_as("author_id"))
        .key(["id"])
        .reference(ReferenceDef { on_delete: OnChange::Cascade, ..reference(1, "User") })
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_table_that_was_not_created_is_a_schema_error() {
    let user = user();
    let driver: Arc<dyn Driver> = Arc::new(MemoryDriver::default());
    let db = on(&driver);
    for error in [
        db.find(&user, anything()).await.unwrap_err(),
        db.insert(&user, vec![a_user(None, "a", None)]).await.unwrap_err(),
        db.delete(&user, anything()).await.unwrap_err(),
    ] {
        assert!(error.is_schema());
        assert!(error.message().contains("`User`") && error.message().contains("create"), "{error}");
    }
}

#[tokio::test]
async fn creating_again_changes_nothing() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    on(&driver).insert(&user, vec![a_user(None, "a", None)]).await.unwrap();
    let same = crate::fixture::user();
    driver.create(&[Arc::clone(&user), same.clone()]).await.unwrap();
    assert_eq!(on(&driver).all(&same).await.len(), 1);
}

#[tokio::test]
async fn a_table_that_does_not_fit_is_refused_with_each_difference() {
    let driver = database(&[user()]).await;
    let other = ModelBuilder::new("User")
        .field(FieldDef::new("id", ValueType::Text))
        .field(FieldDef::new("email", ValueType::Text))
        .field(FieldDef::new("age", ValueType::I32))
        .key(["id"])
        .build()
        .unwrap();
    let error = driver.create(&[other]).await.unwrap_err();
    assert!(error.is_schema());
    for part in ["`id` is of type i64", "`email` may be null", "no column `age`", "`name` is required"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_failed_creation_creates_nothing() {
    let driver = database(&[user()]).await;
    let wrong = ModelBuilder::new("User").field(FieldDef::new("key", ValueType::Bool)).key(["key"]).build().unwrap();
    let fine = ModelBuilder::new("Fine").field(FieldDef::new("id", ValueType::I64)).key(["id"]).build().unwrap();
    assert!(driver.create(&[Arc::clone(&fine), wrong]).await.unwrap_err().is_schema());
    assert!(on(&driver).find(&fine, anything()).await.unwrap_err().is_schema());
    assert!(driver.create(&[book_alone()]).await.unwrap_err().message().contains("Nobody"));
    assert_eq!(driver.inspect().await.unwrap().tables.len(), 1);
}

fn book_alone() -> Arc<ModelDef> {
    ModelBuilder::new("Alone")
        .field(FieldDef::new("id", ValueType::I64))
        .key(["id"])
        .reference(reference(0, "Nobody"))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_model_without_some_optional_columns_reads_and_writes_the_table() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", Some("a@x"))]).await.unwrap();
    let slim = ModelBuilder::new("Slim")
        .table("User")
        .field(FieldDef::new("title", ValueType::Text).stored_as("name"))
        .field(FieldDef::new("id", ValueType::I64).auto())
        .key(["id"])
        .build()
        .unwrap();
    driver.create(&[Arc::clone(&slim)]).await.unwrap();
    assert_eq!(db.all(&slim).await, [[text("a"), int(1)]]);
    assert_eq!(db.insert(&slim, vec![vec![text("b"), NULL]]).await.unwrap().1, [2]);
    assert_eq!(db.update(&slim, eq(1, int(1)), vec![(0, Expr::Literal(text("c")))]).await.unwrap(), 1);
    assert_eq!(db.all(&user).await, [a_user(Some(1), "c", Some("a@x")), a_user(Some(2), "b", None)]);
    assert_eq!(db.delete(&slim, eq(0, text("b"))).await.unwrap(), 1);
}

#[tokio::test]
async fn a_missing_unique_group_is_added_if_the_rows_keep_it() {
    let plain = |unique: bool| {
        let model = ModelBuilder::new("Tag")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("name", ValueType::Text))
            .key(["id"]);
        if unique { model.unique(["name"]).build().unwrap() } else { model.build().unwrap() }
    };
    let driver = database(&[plain(false)]).await;
    let db = on(&driver);
    let tag = plain(true);
    db.insert(&tag, vec![vec![int(1), text("a")], vec![int(2), text("a")]]).await.unwrap();
    assert!(driver.create(&[Arc::clone(&tag)]).await.unwrap_err().is_unique_violation());
    db.delete(&tag, eq(0, int(2))).await.unwrap();
    driver.create(&[Arc::clone(&tag)]).await.unwrap();
    assert!(db.insert(&tag, vec![vec![int(2), text("a")]]).await.unwrap_err().is_unique_violation());
    assert_eq!(db.find(&tag, eq(1, text("a"))).await.unwrap().len(), 1);
}

#[tokio::test]
async fn models_that_reference_each_other_are_created_together() {
    let one = |name: &str, other: &str| {
        ModelBuilder::new(name)
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("other", ValueType::I64).nullable(true))
            .key(["id"])
            .reference(reference(1, other))
            .build()
            .unwrap()
    };
    let (hen, egg) = (one("Hen", "Egg"), one("Egg", "Hen"));
    let driver = database(&[Arc::clone(&hen), Arc::clone(&egg)]).await;
    let db = on(&driver);
    db.insert(&hen, vec![vec![int(1), NULL]]).await.unwrap();
    db.insert(&egg, vec![vec![int(1), int(1)]]).await.unwrap();
    db.update(&hen, anything(), vec![(1, Expr::Literal(int(1)))]).await.unwrap();
    driver.drop_models(&[hen, egg]).await.unwrap();
}

#[tokio::test]
async fn a_table_that_another_references_is_not_dropped_alone() {
    let (user, book) = (user(), book());
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    let error = driver.drop_models(&[Arc::clone(&user)]).await.unwrap_err();
    assert_eq!((error.constraint_kind(), error.model()), (Some(ConstraintKind::Reference), Some("User")));
    driver.drop_models(&[Arc::clone(&user), Arc::clone(&book)]).await.unwrap();
    driver.drop_models(&[user, book]).await.unwrap();
    assert!(driver.inspect().await.unwrap().tables.is_empty());
}

#[tokio::test]
async fn the_schema_is_read_back() {
    let (user, book) = (user(), book());
    let driver = database(&[user, book]).await;
    let schema = driver.inspect().await.unwrap();
    let names: Vec<_> = schema.tables.iter().map(|table| (table.schema.as_deref(), table.name.as_str())).collect();
    assert_eq!(names, [(None, "User"), (Some("shop"), "books")]);
    let users = schema.table("User").unwrap();
    assert_eq!((users.key.as_slice(), users.is_view), (&["id".to_owned()][..], false));
    assert!(users.column("email").unwrap().nullable);
    assert_eq!(users.column("name").unwrap().column_type, "text");
    let index = &users.indexes[0];
    assert_eq!((index.name.as_str(), index.unique, index.partial), ("User_email_key", true, false));
    let books = schema.table("books").unwrap();
    assert!(books.indexes.is_empty());
    let reference = &books.references[0];
    assert_eq!((reference.columns[0].as_str(), reference.table.as_str()), ("author_id", "User"));
    assert_eq!((reference.on_delete.as_str(), reference.on_update.as_str()), ("CASCADE", "RESTRICT"));
}

#[tokio::test]
async fn a_model_without_a_key_reads_a_table_that_another_made() {
    let user = user();
    let view = ModelBuilder::new("Names")
        .table("User")
        .field(FieldDef::new("name", ValueType::Text))
        .read_only()
        .build()
        .unwrap();
    let driver: Arc<dyn Driver> = Arc::new(MemoryDriver::default());
    assert!(driver.create(&[Arc::clone(&view)]).await.unwrap_err().is_schema());
    driver.create(&[Arc::clone(&user)]).await.unwrap();
    driver.create(&[Arc::clone(&view)]).await.unwrap();
    on(&driver).insert(&user, vec![a_user(None, "a", None)]).await.unwrap();
    assert_eq!(on(&driver).find(&view, Condition::Const(true)).await.unwrap(), [[text("a")]]);
}
