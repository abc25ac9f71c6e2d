//! Inserts that find the row there already.

use std::sync::Arc;

use ommi_core::query::Expr;
use ommi_core::query::statement::OnConflict;

use crate::fixture::*;

#[tokio::test]
async fn a_row_that_is_there_is_left_as_it_is() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(None, "a", Some("a@x"))]).await.unwrap();
    let rows = vec![a_user(None, "b", Some("a@x")), a_user(None, "c", Some("c@x"))];
    assert_eq!(db.upsert(&user, OnConflict::Ignore(vec![2]), rows).await.unwrap(), (1, vec![1, 2]));
    assert_eq!(db.all(&user).await, [a_user(Some(1), "a", Some("a@x")), a_user(Some(2), "c", Some("c@x"))]);
}

#[tokio::test]
async fn an_update_sees_the_old_row_and_the_new_one() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "old", Some("x"))]).await.unwrap();
    let swap = OnConflict::Update(vec![0], vec![(1, Expr::Inserted(1)), (2, Expr::Field(1))]);
    assert_eq!(db.upsert(&user, swap, vec![a_user(Some(1), "new", Some("y"))]).await.unwrap().0, 1);
    assert_eq!(db.all(&user).await, [a_user(Some(1), "new", Some("old"))]);
}

#[tokio::test]
async fn a_later_row_updates_an_earlier_one_of_the_same_call() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    let update = OnConflict::Update(vec![2], vec![(1, Expr::Inserted(1))]);
    let rows = vec![a_user(None, "a", Some("x")), a_user(None, "b", Some("x"))];
    assert_eq!(db.upsert(&user, update, rows).await.unwrap(), (2, vec![1, 1]));
    assert_eq!(db.all(&user).await, [a_user(Some(1), "b", Some("x"))]);
}

#[tokio::test]
async fn a_collision_in_another_group_is_a_constraint_error() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", Some("x"))]).await.unwrap();
    for on_conflict in [OnConflict::Ignore(vec![0]), OnConflict::Update(vec![0], vec![(1, Expr::Inserted(1))])] {
        let error = db.upsert(&user, on_conflict, vec![a_user(Some(2), "b", Some("x"))]).await.unwrap_err();
        assert!(error.is_unique_violation());
        assert_eq!(error.fields(), ["email"]);
    }
}

#[tokio::test]
async fn a_null_in_the_group_never_collides() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    let rows = vec![a_user(None, "a", None), a_user(None, "b", None)];
    assert_eq!(db.upsert(&user, OnConflict::Ignore(vec![2]), rows).await.unwrap(), (2, vec![1, 2]));
}
