//! Unique groups, required fields and checks.

use std::sync::Arc;

use ommi_core::ConstraintKind;
use ommi_core::model::{CheckDef, FieldDef, IndexDef, ModelBuilder, ModelDef};
use ommi_core::query::{ArithmeticOperator, Comparison, Condition, Expr};
use ommi_core::value::ValueType;

use crate::fixture::*;

#[tokio::test]
async fn a_second_row_with_the_same_key_is_refused() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", None)]).await.unwrap();
    let error = db.insert(&user, vec![a_user(Some(1), "b", None)]).await.unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!((error.model(), error.fields()), (Some("User"), &["id".to_owned()][..]));
    assert_eq!((error.driver(), error.operation()), (Some("memory"), Some("add")));
}

#[tokio::test]
async fn a_refused_batch_leaves_no_row_behind() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    let batch = vec![a_user(None, "a", Some("a@x")), a_user(None, "b", Some("b@x")), a_user(None, "c", Some("a@x"))];
    let error = db.insert(&user, batch).await.unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!(error.fields(), ["email"]);
    assert!(db.all(&user).await.is_empty());
    db.insert(&user, vec![a_user(None, "b", Some("b@x"))]).await.unwrap();
}

#[tokio::test]
async fn rows_with_null_in_a_unique_group_never_collide() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    on(&driver).insert(&user, vec![a_user(None, "a", None), a_user(None, "b", None)]).await.unwrap();
    assert_eq!(on(&driver).all(&user).await.len(), 2);
}

#[tokio::test]
async fn a_value_is_free_again_when_its_row_goes_or_changes() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(Some(1), "a", Some("x")), a_user(Some(2), "b", Some("y"))]).await.unwrap();
    db.delete(&user, eq(0, int(1))).await.unwrap();
    db.update(&user, eq(0, int(2)), vec![(2, Expr::Literal(text("x")))]).await.unwrap();
    db.insert(&user, vec![a_user(Some(3), "c", Some("y"))]).await.unwrap();
    let error = db.update(&user, eq(0, int(3)), vec![(2, Expr::Literal(text("x")))]).await.unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!(db.find(&user, eq(2, text("y"))).await.unwrap(), [a_user(Some(3), "c", Some("y"))]);
}

#[tokio::test]
async fn unique_groups_are_checked_when_all_rows_are_updated() {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let db = on(&driver);
    db.insert(&user, (1..=3).map(|id| a_user(Some(id), "a", None)).collect()).await.unwrap();
    let next = Expr::Arithmetic {
        operator: ArithmeticOperator::Add,
        left: Box::new(Expr::Field(0)),
        right: Box::new(Expr::Literal(int(1))),
        value_type: ValueType::I64,
    };
    assert_eq!(db.update(&user, anything(), vec![(0, next)]).await.unwrap(), 3);
    let ids: Vec<_> = db.all(&user).await.into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, [int(2), int(3), int(4)]);
}

#[tokio::test]
async fn a_partial_unique_group_holds_for_its_rows_only() {
    let active = IndexDef { condition: Some(eq(2, ommi_core::value::Datum::Bool(true))), ..IndexDef::unique([1]) };
    let model = ModelBuilder::new("Account")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("active", ValueType::Bool))
        .key(["id"])
        .index(active)
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&model)]).await;
    let db = on(&driver);
    let row = |active| vec![NULL, text("a"), ommi_core::value::Datum::Bool(active)];
    db.insert(&model, vec![row(false), row(false), row(true)]).await.unwrap();
    assert!(db.insert(&model, vec![row(true)]).await.unwrap_err().is_unique_violation());
    let activate = vec![(2, Expr::Literal(ommi_core::value::Datum::Bool(true)))];
    assert!(db.update(&model, eq(0, int(1)), activate).await.unwrap_err().is_unique_violation());
    assert_eq!(db.find(&model, eq(1, text("a"))).await.unwrap().len(), 3);
}

fn measured() -> Arc<ModelDef> {
    ModelBuilder::new("Measure")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("low", ValueType::I8))
        .field(FieldDef::new("high", ValueType::I8).nullable(true))
        .key(["id"])
        .check(CheckDef {
            name: "in_order".into(),
            condition: Condition::Compare { operator: Comparison::Le, left: Expr::Field(1), right: Expr::Field(2) },
        })
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_check_refuses_rows_for_which_it_is_false_not_unknown() {
    let model = measured();
    let driver = database(&[Arc::clone(&model)]).await;
    let db = on(&driver);
    db.insert(&model, vec![vec![int(1), int(5), NULL], vec![int(2), int(5), int(5)]]).await.unwrap();
    let error = db.insert(&model, vec![vec![int(3), int(5), int(4)]]).await.unwrap_err();
    assert_eq!(error.constraint_kind(), Some(ConstraintKind::Check));
    assert_eq!(error.fields(), ["low", "high"]);
    let error = db.update(&model, anything(), vec![(2, Expr::Literal(int(1)))]).await.unwrap_err();
    assert_eq!(error.constraint_kind(), Some(ConstraintKind::Check));
    assert_eq!(db.all(&model).await[1], [int(2), int(5), int(5)]);
}

#[tokio::test]
async fn a_required_field_refuses_null() {
    let model = measured();
    let driver = database(&[Arc::clone(&model)]).await;
    let db = on(&driver);
    let error = db.insert(&model, vec![vec![int(1), NULL, NULL]]).await.unwrap_err();
    assert_eq!((error.constraint_kind(), error.fields()), (Some(ConstraintKind::NotNull), &["low".to_owned()][..]));
    db.insert(&model, vec![vec![int(1), int(1), NULL]]).await.unwrap();
    let error = db.update(&model, anything(), vec![(1, Expr::Field(2))]).await.unwrap_err();
    assert_eq!(error.constraint_kind(), Some(ConstraintKind::NotNull));
    let error = db.update(&model, anything(), vec![(0, Expr::Literal(NULL))]).await.unwrap_err();
    assert_eq!(error.fields(), ["id"]);
}

#[tokio::test]
async fn a_value_outside_its_field_is_a_query_error() {
    let model = measured();
    let driver = database(&[Arc::clone(&model)]).await;
    let db = on(&driver);
    assert!(db.insert(&model, vec![vec![int(1), int(128), NULL]]).await.unwrap_err().is_query());
    db.insert(&model, vec![vec![int(1), int(127), NULL]]).await.unwrap();
    let error = db.update(&model, anything(), vec![(1, Expr::Literal(int(128)))]).await.unwrap_err();
    assert!(error.is_query());
    assert_eq!((error.model(), error.fields()), (Some("Measure"), &["low".to_owned()][..]));
}
