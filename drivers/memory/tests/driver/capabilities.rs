//! A driver that does no more than it must.

use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::{Driver, TransactionOptions};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{AggregateFunction, Comparison, Condition, Direction, Expr, OrderBy};
use ommi_core::value::ValueType;
use ommi_memory::{MemoryDriver, least};

use crate::fixture::*;

async fn least_driver() -> (Arc<dyn Driver>, Arc<ModelDef>) {
    let user = user();
    let driver: Arc<dyn Driver> = Arc::new(MemoryDriver::new(least()));
    driver.create(&[Arc::clone(&user)]).await.unwrap();
    (driver, user)
}

fn by_key() -> Condition {
    Condition::Compare { operator: Comparison::Eq, left: Expr::Field(0), right: Expr::Parameter(0) }
}

#[tokio::test]
async fn all_rows_and_the_row_of_a_key_can_be_read_and_written() {
    let (driver, user) = least_driver().await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(None, "a", None), a_user(None, "b", None)]).await.unwrap();
    let all = SelectStatement::new(Arc::clone(&user), anything());
    assert_eq!(db.select(all, &[]).await.unwrap().len(), 2);
    let one = SelectStatement::new(Arc::clone(&user), by_key());
    assert_eq!(db.select(one, &[int(2)]).await.unwrap(), [a_user(Some(2), "b", None)]);
    let update =
        UpdateStatement { model: Arc::clone(&user), condition: by_key(), assignments: vec![(1, Expr::Parameter(1))] };
    assert_eq!(db.execute(Statement::Update(update), &[int(2), text("c")]).await.unwrap(), 1);
    let delete = DeleteStatement { model: Arc::clone(&user), condition: by_key() };
    assert_eq!(db.execute(Statement::Delete(delete), &[int(1)]).await.unwrap(), 1);
    let all = SelectStatement::new(user, anything());
    assert_eq!(db.select(all, &[]).await.unwrap(), [a_user(Some(2), "c", None)]);
}

#[tokio::test]
async fn rules_are_kept() {
    let (driver, user) = least_driver().await;
    let db = on(&driver);
    db.insert(&user, vec![a_user(None, "a", Some("x"))]).await.unwrap();
    assert!(db.insert(&user, vec![a_user(None, "b", Some("x"))]).await.unwrap_err().is_unique_violation());
}

#[tokio::test]
async fn whatever_else_is_refused() {
    let (driver, user) = least_driver().await;
    let prepare = |statement: Statement| -> Result<()> {
        driver.prepare(&statement, &[ValueType::I64, ValueType::Text]).map(drop)
    };
    let select = |change: &dyn Fn(&mut SelectStatement)| {
        let mut select = SelectStatement::new(Arc::clone(&user), anything());
        change(&mut select);
        Statement::Select(select)
    };
    let update = |condition, value| {
        Statement::Update(UpdateStatement { model: Arc::clone(&user), condition, assignments: vec![(1, value)] })
    };
    let delete = |condition| Statement::Delete(DeleteStatement { model: Arc::clone(&user), condition });
    let order = |expr| OrderBy { expr, direction: Direction::Ascending, nulls: None };
    let count = || Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false };
    let upsert =
        Statement::Insert(InsertStatement { model: Arc::clone(&user), on_conflict: OnConflict::Ignore(vec![0]) });
    for (statement, what) in [
        (select(&|select| select.condition = eq(1, text("a"))), "EQ"),
        (select(&|select| select.condition = by_key().and(eq(1, text("a")))), "EQ"),
        (select(&|select| select.condition = Condition::Const(false)), "a filter"),
        (select(&|select| select.order_by = vec![order(Expr::Field(0))]), "ordering"),
        (select(&|select| select.limit = Some(Expr::Parameter(0))), "a limit"),
        (select(&|select| select.offset = Some(Expr::Parameter(0))), "an offset"),
        (select(&|select| select.output = vec![Expr::Field(0)]), "a selection"),
        (select(&|select| select.output = vec![count()]), "an aggregate"),
        (select(&|select| select.distinct = true), "distinct"),
        (select(&|select| select.group_by = vec![Expr::Field(0)]), "groups"),
        (update(anything(), Expr::Parameter(1)), "an update by a filter"),
        (update(by_key().and(eq(1, text("a"))), Expr::Parameter(1)), "an update by a filter"),
        (update(by_key(), Expr::Field(2)), "an update by expressions"),
        (delete(anything()), "a deletion"),
        (upsert, "an upsert"),
    ] {
        let error = prepare(statement).expect_err(what);
        assert!(error.is_unsupported());
        assert!(error.message().contains(what), "{what}: {error}");
    }
    assert!(driver.begin(&TransactionOptions::default()).await.err().unwrap().is_unsupported());
}
