//! Automatic integer keys.

use std::sync::Arc;

use ommi_core::driver::TransactionOptions;
use ommi_core::model::{FieldDef, ModelBuilder};
use ommi_core::query::Expr;
use ommi_core::value::ValueType;

use crate::fixture::*;

#[tokio::test]
async fn keys_are_assigned_in_the_order_of_the_rows() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    let rows = vec![a_user(None, "a", None), a_user(Some(10), "b", None), a_user(None, "c", None)];
    assert_eq!(db.insert(&user, rows).await.unwrap(), (3, vec![1, 11]));
    assert_eq!(db.find(&user, eq(0, int(11))).await.unwrap(), [a_user(Some(11), "c", None)]);
}

#[tokio::test]
async fn a_deleted_rows_key_is_not_assigned_again() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(None, "a", None), a_user(None, "b", None)]).await.unwrap();
    db.delete(&user, anything()).await.unwrap();
    assert_eq!(db.insert(&user, vec![a_user(None, "c", None)]).await.unwrap().1, [3]);
}

#[tokio::test]
async fn explicit_keys_push_the_next_beyond_them() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(-5), "a", None), a_user(Some(7), "b", None)]).await.unwrap();
    assert_eq!(db.insert(&user, vec![a_user(None, "c", None)]).await.unwrap().1, [8]);
    db.update(&user, eq(0, int(8)), vec![(0, Expr::Literal(int(20)))]).await.unwrap();
    assert_eq!(db.insert(&user, vec![a_user(None, "d", None)]).await.unwrap().1, [21]);
}

#[tokio::test]
async fn a_rolled_back_key_does_not_collide() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
    let inside = on(&driver).through(&*transaction);
    inside.insert(&user, vec![a_user(None, "a", None), a_user(None, "b", None)]).await.unwrap();
    transaction.rollback().await.unwrap();
    let db = on(&driver);
    let (_, first) = db.insert(&user, vec![a_user(None, "c", None)]).await.unwrap();
    let (_, second) = db.insert(&user, vec![a_user(None, "d", None)]).await.unwrap();
    assert!(first < second);
}

#[tokio::test]
async fn keys_that_are_used_up_are_an_error() {
    let small =
        ModelBuilder::new("Small").field(FieldDef::new("id", ValueType::I8).auto()).key(["id"]).build().unwrap();
    let driver = database(&[Arc::clone(&small)]).await;
    let db = on(&driver);
    db.insert(&small, vec![vec![int(127)]]).await.unwrap();
    let error = db.insert(&small, vec![vec![NULL]]).await.unwrap_err();
    assert!(error.is_query() && error.message().contains("used up"), "{error}");
}
