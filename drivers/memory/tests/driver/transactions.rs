//! Transactions, savepoints and isolation.

use std::sync::Arc;
use std::time::Duration;

use ommi_core::driver::{Driver, Isolation, TransactionOptions};
use ommi_core::model::ModelDef;
use ommi_core::query::Expr;

use crate::fixture::*;

async fn with_user() -> (Arc<dyn Driver>, Arc<ModelDef>) {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    on(&driver).insert(&user, vec![a_user(Some(1), "a", Some("a@x"))]).await.unwrap();
    (driver, user)
}

fn read_only(isolation: Isolation) -> TransactionOptions {
    TransactionOptions { isolation: Some(isolation), read_only: true, ..TransactionOptions::default() }
}

#[tokio::test]
async fn others_see_the_writes_of_a_transaction_once_it_is_committed() {
    let (driver, user) = with_user().await;
    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
    let (outside, inside) = (on(&driver), on(&driver).through(&*transaction));
    inside.insert(&user, vec![a_user(Some(2), "b", None)]).await.unwrap();
    inside.update(&user, eq(0, int(1)), vec![(2, Expr::Literal(text("b@x")))]).await.unwrap();
    assert_eq!(inside.all(&user).await.len(), 2);
    assert_eq!(inside.find(&user, eq(2, text("b@x"))).await.unwrap().len(), 1);
    assert!(inside.find(&user, eq(2, text("a@x"))).await.unwrap().is_empty());
    assert_eq!(outside.all(&user).await, [a_user(Some(1), "a", Some("a@x"))]);
    assert_eq!(outside.find(&user, eq(2, text("a@x"))).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(outside.all(&user).await, [a_user(Some(1), "a", Some("b@x")), a_user(Some(2), "b", None)]);
}

#[tokio::test]
async fn a_rolled_back_or_dropped_transaction_leaves_nothing() {
    let (driver, user) = with_user().await;
    let before = on(&driver).all(&user).await;
    for explicit in [true, false] {
        let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
        let inside = on(&driver).through(&*transaction);
        inside.delete(&user, anything()).await.unwrap();
        inside.insert(&user, vec![a_user(None, "b", Some("a@x"))]).await.unwrap();
        if explicit {
            transaction.rollback().await.unwrap();
        }
        drop(transaction);
        assert_eq!(on(&driver).all(&user).await, before);
        on(&driver).update(&user, anything(), vec![(1, Expr::Field(1))]).await.unwrap();
    }
}

#[tokio::test]
async fn a_savepoint_takes_back_what_came_after_it() {
    let (driver, user) = with_user().await;
    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
    let inside = on(&driver).through(&*transaction);
    let names = async || {
        let rows = inside.all(&user).await;
        rows.into_iter().map(|row| row[1].clone()).collect::<Vec<_>>()
    };
    inside.insert(&user, vec![a_user(None, "b", Some("b@x"))]).await.unwrap();
    transaction.savepoint(1).await.unwrap();
    inside.delete(&user, anything()).await.unwrap();
    transaction.savepoint(2).await.unwrap();
    inside.insert(&user, vec![a_user(None, "c", Some("b@x"))]).await.unwrap();
    transaction.release(2).await.unwrap();
    assert_eq!(names().await, [text("c")]);
    transaction.rollback_to(1).await.unwrap();
    assert_eq!(names().await, [text("a"), text("b")]);
    assert!(transaction.rollback_to(1).await.unwrap_err().is_transaction());
    assert!(inside.insert(&user, vec![a_user(None, "d", Some("b@x"))]).await.unwrap_err().is_unique_violation());
    transaction.savepoint(1).await.unwrap();
    inside.insert(&user, vec![a_user(None, "e", None)]).await.unwrap();
    transaction.release(1).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(on(&driver).all(&user).await.len(), 3);
}

#[tokio::test]
async fn a_failed_statement_keeps_the_writes_before_it() {
    let (driver, user) = with_user().await;
    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
    let inside = on(&driver).through(&*transaction);
    inside.insert(&user, vec![a_user(None, "b", None)]).await.unwrap();
    let batch = vec![a_user(None, "c", None), a_user(None, "d", Some("a@x"))];
    assert!(inside.insert(&user, batch).await.unwrap_err().is_unique_violation());
    assert_eq!(inside.all(&user).await.len(), 2);
}

#[tokio::test]
async fn a_transaction_that_is_over_can_do_nothing() {
    let (driver, user) = with_user().await;
    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
    transaction.commit().await.unwrap();
    let inside = on(&driver).through(&*transaction);
    assert!(inside.find(&user, anything()).await.unwrap_err().is_transaction());
    assert!(inside.delete(&user, anything()).await.unwrap_err().is_transaction());
    assert!(transaction.commit().await.unwrap_err().is_transaction());
    assert!(transaction.rollback().await.unwrap_err().is_transaction());
    assert!(transaction.savepoint(1).await.unwrap_err().is_transaction());
}

#[tokio::test]
async fn a_read_only_transaction_writes_nothing_and_blocks_nobody() {
    let (driver, user) = with_user().await;
    let transaction = driver.begin(&read_only(Isolation::ReadCommitted)).await.unwrap();
    let inside = on(&driver).through(&*transaction);
    assert!(inside.delete(&user, anything()).await.unwrap_err().is_transaction());
    on(&driver).insert(&user, vec![a_user(None, "b", None)]).await.unwrap();
    assert_eq!(inside.all(&user).await.len(), 2);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_repeatable_read_sees_what_was_committed_when_it_began() {
    let (driver, user) = with_user().await;
    for isolation in [Isolation::RepeatableRead, Isolation::Serializable] {
        let transaction = driver.begin(&read_only(isolation)).await.unwrap();
        let inside = on(&driver).through(&*transaction);
        let before = inside.all(&user).await;
        on(&driver).update(&user, anything(), vec![(1, Expr::Literal(text(&format!("{isolation:?}"))))]).await.unwrap();
        on(&driver).insert(&user, vec![a_user(None, "b", None)]).await.unwrap();
        assert_eq!(inside.all(&user).await, before);
        assert_eq!(on(&driver).all(&user).await.len(), before.len() + 1);
    }
}

#[tokio::test]
async fn one_transaction_writes_at_a_time() {
    let (driver, user) = with_user().await;
    let options = TransactionOptions { name: Some("import".into()), ..Default::default() };
    let first = driver.begin(&options).await.unwrap();
    let impatient = TransactionOptions { begin_timeout: Some(Duration::from_millis(1)), ..Default::default() };
    let error = driver.begin(&impatient).await.err().unwrap();
    assert!(error.is_timeout() && error.message().contains("`import`"), "{error}");
    let (waiting_driver, model) = (Arc::clone(&driver), Arc::clone(&user));
    let waiting =
        tokio::spawn(async move { on(&waiting_driver).insert(&model, vec![a_user(None, "waited", None)]).await });
    tokio::task::yield_now().await;
    assert_eq!(on(&driver).all(&user).await.len(), 1);
    on(&driver).through(&*first).insert(&user, vec![a_user(None, "first", None)]).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().1, [3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_from_many_tasks_are_all_counted() {
    let (driver, user) = with_user().await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (driver, user) = (Arc::clone(&driver), Arc::clone(&user));
            tokio::spawn(async move {
                for _ in 0..25 {
                    let transaction = driver.begin(&TransactionOptions::default()).await.unwrap();
                    let inside = on(&driver).through(&*transaction);
                    let row = inside.find(&user, eq(0, int(1))).await.unwrap().remove(0);
                    let longer =
                        if let ommi_core::value::Datum::Text(name) = &row[1] { format!("{name}.") } else { panic!() };
                    tokio::task::yield_now().await;
                    inside.update(&user, eq(0, int(1)), vec![(1, Expr::Literal(text(&longer)))]).await.unwrap();
                    transaction.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let row = on(&driver).all(&user).await.remove(0);
    assert_eq!(row[1], text(&format!("a{}", ".".repeat(16 * 25))));
}
