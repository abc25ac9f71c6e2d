//! References and what follows from them.

use std::sync::Arc;

use ommi_core::model::{FieldDef, ModelBuilder, ModelDef, OnChange, ReferenceDef, ReferenceTarget};
use ommi_core::query::{Comparison, Condition, Expr};
use ommi_core::value::ValueType;

use crate::fixture::*;

/// A book whose optional author is a user.
fn book(on_delete: OnChange, on_update: OnChange) -> Arc<ModelDef> {
    ModelBuilder::new("Book")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("author_id", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef { on_delete, on_update, ..reference(1, "User") })
        .build()
        .unwrap()
}

/// A node of a tree.
fn node(on_delete: OnChange, on_update: OnChange) -> Arc<ModelDef> {
    ModelBuilder::new("Node")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("parent", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef { on_delete, on_update, ..reference(1, "Node") })
        .build()
        .unwrap()
}

fn pair(id: i64, to: Option<i64>) -> Values {
    vec![int(id), to.map_or(NULL, int)]
}

#[tokio::test]
async fn a_row_cannot_reference_one_that_is_not_there() {
    let (user, book) = (user(), book(OnChange::Restrict, OnChange::Restrict));
    let driver = database(&[Arc::clone(&book), Arc::clone(&user)]).await;
    let db = on(&driver);
    let error = db.insert(&book, vec![pair(1, Some(1))]).await.unwrap_err();
    assert!(error.is_reference_violation());
    assert_eq!((error.model(), error.fields()), (Some("Book"), &["author_id".to_owned()][..]));
    db.insert(&user, vec![a_user(Some(1), "a", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1)), pair(2, None)]).await.unwrap();
    let error = db.update(&book, eq(0, int(2)), vec![(1, Expr::Literal(int(9)))]).await.unwrap_err();
    assert!(error.is_reference_violation());
    assert_eq!(db.all(&book).await, [pair(1, Some(1)), pair(2, None)]);
}

#[tokio::test]
async fn a_referenced_row_cannot_go_or_change_its_key() {
    let (user, book) = (user(), book(OnChange::Restrict, OnChange::Restrict));
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None), a_user(Some(2), "b", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1))]).await.unwrap();
    let error = db.delete(&user, anything()).await.unwrap_err();
    assert!(error.is_reference_violation());
    assert_eq!((error.model(), error.fields()), (Some("User"), &["id".to_owned()][..]));
    assert!(error.message().contains("Book"), "{error}");
    let change = vec![(0, Expr::Literal(int(5)))];
    assert!(db.update(&user, eq(0, int(1)), change.clone()).await.unwrap_err().is_reference_violation());
    db.update(&user, eq(0, int(1)), vec![(1, Expr::Literal(text("c")))]).await.unwrap();
    assert_eq!(db.delete(&user, eq(0, int(2))).await.unwrap(), 1);
    db.delete(&book, anything()).await.unwrap();
    db.update(&user, eq(0, int(1)), change).await.unwrap();
}

#[tokio::test]
async fn referencing_rows_go_with_the_row() {
    let (user, book) = (user(), book(OnChange::Cascade, OnChange::Restrict));
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None), a_user(Some(2), "b", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1)), pair(2, Some(2)), pair(3, Some(1)), pair(4, None)]).await.unwrap();
    assert_eq!(db.delete(&user, eq(0, int(1))).await.unwrap(), 1);
    assert_eq!(db.all(&book).await, [pair(2, Some(2)), pair(4, None)]);
}

#[tokio::test]
async fn referencing_fields_become_null() {
    let (user, book) = (user(), book(OnChange::SetNull, OnChange::SetNull));
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None), a_user(Some(2), "b", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1)), pair(2, Some(2))]).await.unwrap();
    db.delete(&user, eq(0, int(1))).await.unwrap();
    db.update(&user, eq(0, int(2)), vec![(0, Expr::Literal(int(3)))]).await.unwrap();
    assert_eq!(db.all(&book).await, [pair(1, None), pair(2, None)]);
}

#[tokio::test]
async fn referencing_fields_follow_the_key() {
    let (user, book) = (user(), book(OnChange::Restrict, OnChange::Cascade));
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None), a_user(Some(2), "b", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1)), pair(2, Some(2))]).await.unwrap();
    db.update(&user, eq(0, int(1)), vec![(0, Expr::Literal(int(7)))]).await.unwrap();
    assert_eq!(db.all(&book).await, [pair(1, Some(7)), pair(2, Some(2))]);
    assert_eq!(db.find(&book, eq(1, int(7))).await.unwrap(), [pair(1, Some(7))]);
}

#[tokio::test]
async fn rows_of_one_call_may_reference_each_other_in_any_order() {
    let node = node(OnChange::Restrict, OnChange::Restrict);
    let driver = database(&[Arc::clone(&node)]).await;
    let db = on(&driver);
    db.insert(&node, vec![pair(3, Some(2)), pair(2, Some(1)), pair(1, Some(3)), pair(4, Some(4))]).await.unwrap();
    assert!(db.insert(&node, vec![pair(5, Some(6))]).await.unwrap_err().is_reference_violation());
}

#[tokio::test]
async fn rows_that_reference_each_other_can_go_in_one_statement() {
    let node = node(OnChange::Restrict, OnChange::Restrict);
    let driver = database(&[Arc::clone(&node)]).await;
    let db = on(&driver);
    db.insert(&node, vec![pair(1, None), pair(2, Some(1)), pair(3, Some(2)), pair(4, Some(4))]).await.unwrap();
    let up_to_2 = Condition::Compare { operator: Comparison::Le, left: Expr::Field(0), right: Expr::Literal(int(2)) };
    assert!(db.delete(&node, up_to_2).await.unwrap_err().is_reference_violation());
    assert_eq!(db.all(&node).await.len(), 4);
    assert_eq!(db.delete(&node, anything()).await.unwrap(), 4);
}

#[tokio::test]
async fn a_cascade_goes_down_a_tree_and_round_a_circle() {
    let node = node(OnChange::Cascade, OnChange::Cascade);
    let driver = database(&[Arc::clone(&node)]).await;
    let db = on(&driver);
    let tree = vec![pair(1, None), pair(2, Some(1)), pair(3, Some(2)), pair(4, Some(1)), pair(9, None)];
    db.insert(&node, tree).await.unwrap();
    assert_eq!(db.delete(&node, eq(0, int(1))).await.unwrap(), 1);
    assert_eq!(db.all(&node).await, [pair(9, None)]);
    db.insert(&node, vec![pair(1, Some(2)), pair(2, Some(1)), pair(3, Some(3))]).await.unwrap();
    db.update(&node, eq(0, int(3)), vec![(0, Expr::Literal(int(4)))]).await.unwrap();
    db.update(&node, eq(0, int(1)), vec![(0, Expr::Literal(int(5)))]).await.unwrap();
    assert_eq!(db.all(&node).await, [pair(2, Some(5)), pair(4, Some(4)), pair(5, Some(2)), pair(9, None)]);
    db.delete(&node, eq(0, int(2))).await.unwrap();
    assert_eq!(db.all(&node).await, [pair(4, Some(4)), pair(9, None)]);
}

#[tokio::test]
async fn a_cascade_stops_at_a_rule_that_refuses_and_changes_nothing() {
    let (user, book) = (user(), book(OnChange::Cascade, OnChange::Cascade));
    let loan = ModelBuilder::new("Loan")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("book_id", ValueType::I64))
        .key(["id"])
        .reference(reference(1, "Book"))
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&loan), Arc::clone(&book), Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None)]).await.unwrap();
    db.insert(&book, vec![pair(1, Some(1))]).await.unwrap();
    db.insert(&loan, vec![pair(1, Some(1))]).await.unwrap();
    let error = db.delete(&user, anything()).await.unwrap_err();
    assert_eq!((error.model(), error.is_reference_violation()), (Some("Book"), true));
    assert_eq!((db.all(&user).await.len(), db.all(&book).await.len()), (1, 1));
}

#[tokio::test]
async fn a_composite_reference_with_a_null_is_not_checked() {
    let seat = ModelBuilder::new("Seat")
        .field(FieldDef::new("row", ValueType::I64))
        .field(FieldDef::new("place", ValueType::Text))
        .key(["row", "place"])
        .build()
        .unwrap();
    let ticket = ModelBuilder::new("Ticket")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("place", ValueType::Text).nullable(true))
        .field(FieldDef::new("row", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef {
            on_delete: OnChange::SetNull,
            ..ReferenceDef::new([2, 1], ReferenceTarget::Name("Seat".into()))
        })
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&seat), Arc::clone(&ticket)]).await;
    let db = on(&driver);
    db.insert(&seat, vec![vec![int(1), text("a")]]).await.unwrap();
    db.insert(&ticket, vec![vec![int(1), text("a"), int(1)], vec![int(2), text("z"), NULL]]).await.unwrap();
    let wrong = db.insert(&ticket, vec![vec![int(3), text("b"), int(1)]]).await.unwrap_err();
    assert_eq!(wrong.fields(), ["row", "place"]);
    db.delete(&seat, anything()).await.unwrap();
    assert_eq!(db.all(&ticket).await, [vec![int(1), NULL, NULL], vec![int(2), text("z"), NULL]]);
}

#[tokio::test]
async fn a_unique_group_can_be_referenced() {
    let user = user();
    let letter = ModelBuilder::new("Letter")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("to", ValueType::Text))
        .key(["id"])
        .reference(ReferenceDef {
            target_fields: vec!["email".into()],
            on_update: OnChange::Cascade,
            ..reference(1, "User")
        })
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&user), Arc::clone(&letter)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(None, "a", Some("a@x"))]).await.unwrap();
    db.insert(&letter, vec![vec![int(1), text("a@x")]]).await.unwrap();
    assert!(db.insert(&letter, vec![vec![int(2), text("b@x")]]).await.unwrap_err().is_reference_violation());
    db.update(&user, anything(), vec![(2, Expr::Literal(text("c@x")))]).await.unwrap();
    assert_eq!(db.all(&letter).await, [vec![int(1), text("c@x")]]);
    let error = db.update(&user, anything(), vec![(2, Expr::Literal(NULL))]).await.unwrap_err();
    assert_eq!(error.constraint_kind(), Some(ommi_core::ConstraintKind::NotNull));
}

#[tokio::test]
async fn a_reference_that_is_not_enforced_may_dangle() {
    let user = user();
    let book = ModelBuilder::new("Book")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("author_id", ValueType::I64).nullable(true))
        .key(["id"])
        .reference(ReferenceDef { enforced: false, ..reference(1, "User") })
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&user), Arc::clone(&book)]).await;
    on(&driver).insert(&book, vec![pair(1, Some(99))]).await.unwrap();
}
