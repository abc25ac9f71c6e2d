//! Selects and streams.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ommi_core::driver::{Call, Driver, TransactionOptions};
use ommi_core::model::{FieldDef, ModelBuilder, ModelDef};
use ommi_core::query::statement::{SelectStatement, Statement};
use ommi_core::query::{AggregateFunction, ArithmeticOperator, Comparison, Condition, Expr, InList};
use ommi_core::value::{Datum, ValueType};

use crate::fixture::*;

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future had to wait"),
    }
}

async fn with_users() -> (Arc<dyn Driver>, Arc<ModelDef>) {
    let user = user();
    let driver = database(&[Arc::clone(&user)]).await;
    let rows = (1..=3000).map(|id| a_user(None, &format!("n{}", id % 7), Some(&format!("u{id}@x")))).collect();
    on(&driver).insert(&user, rows).await.unwrap();
    (driver, user)
}

#[tokio::test]
async fn a_key_lookup_answers_without_waiting_even_while_somebody_writes() {
    let (driver, user) = with_users().await;
    let writing = driver.begin(&TransactionOptions::default()).await.unwrap();
    let found = ready(on(&driver).select(SelectStatement::new(Arc::clone(&user), eq(0, int(7))), &[])).unwrap();
    assert_eq!(found, [a_user(Some(7), "n0", Some("u7@x"))]);
    let inside = on(&driver).through(&*writing);
    assert_eq!(ready(inside.find(&user, eq(2, text("u9@x")))).unwrap().len(), 1);
}

/// A condition that overflows for every row but that of id 1.
fn overflows_elsewhere() -> Condition {
    Condition::Compare {
        operator: Comparison::Gt,
        left: Expr::Arithmetic {
            operator: ArithmeticOperator::Add,
            left: Box::new(Expr::Field(0)),
            right: Box::new(Expr::Literal(int(i64::MAX - 1))),
            value_type: ValueType::I64,
        },
        right: Expr::Literal(int(0)),
    }
}

#[tokio::test]
async fn key_and_unique_lookups_look_at_no_other_row() {
    let (driver, user) = with_users().await;
    let db = on(&driver);
    let with = |lookup| Condition::And(vec![overflows_elsewhere(), lookup]);
    assert_eq!(db.find(&user, with(eq(0, int(1)))).await.unwrap().len(), 1);
    assert_eq!(db.find(&user, with(eq(2, text("u1@x")))).await.unwrap().len(), 1);
    let among = Condition::In {
        expr: Expr::Field(0),
        list: InList::Whole(Expr::Literal(Datum::List(vec![int(1), int(1), int(99_999)]))),
        negated: false,
    };
    assert_eq!(db.find(&user, with(among)).await.unwrap().len(), 1);
    assert!(db.find(&user, with(eq(1, text("n1")))).await.unwrap_err().is_query());
}

#[tokio::test]
async fn a_lookup_by_null_finds_nothing() {
    let (driver, user) = with_users().await;
    assert!(on(&driver).find(&user, eq(0, NULL)).await.unwrap().is_empty());
    assert!(on(&driver).find(&user, eq(2, NULL)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_scan_filters_groups_and_limits() {
    let (driver, user) = with_users().await;
    let mut select = SelectStatement::new(user, anything());
    select.group_by = vec![Expr::Field(1)];
    select.output =
        vec![Expr::Field(1), Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }];
    select.having = Condition::Compare {
        operator: Comparison::Gt,
        left: Expr::Aggregate { function: AggregateFunction::Min, of: Some(Box::new(Expr::Field(0))), distinct: false },
        right: Expr::Parameter(0),
    };
    let rows = on(&driver).select(select, &[int(5)]).await.unwrap();
    let mut names: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
    names.sort_by_key(|name| format!("{name:?}"));
    assert_eq!(names, [text("n0"), text("n6")]);
    assert!(rows.iter().all(|row| matches!(row[1], Datum::Int(428 | 429))));
}

#[tokio::test]
async fn a_sink_that_has_enough_gets_no_more() {
    let (driver, user) = with_users().await;
    let prepared =
        driver.prepare(&Statement::Select(SelectStatement::new(Arc::clone(&user), anything())), &[]).unwrap();
    let call = Call { prepared: &prepared, parameters: &[], model: user.name(), operation: "find" };
    let mut sink = Collected::new(3);
    sink.enough = 2;
    assert_eq!(Collected::of(driver.fetch(call, Box::new(sink)).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn a_stream_reads_a_snapshot_in_batches() {
    let (driver, user) = with_users().await;
    for ordered in [false, true] {
        let mut select = SelectStatement::new(Arc::clone(&user), eq(1, text("n1")));
        if ordered {
            select.limit = Some(Expr::Literal(int(429)));
        }
        let prepared = driver.prepare(&Statement::Select(select), &[]).unwrap();
        let call = Call { prepared: &prepared, parameters: &[], model: user.name(), operation: "find" };
        let mut stream = driver.stream(call).await.unwrap();
        let (sink, more) = stream.next(Box::new(Collected::new(3)), 100).await.unwrap();
        assert!(more);
        assert_eq!(Collected::of(sink).len(), 100);
        on(&driver).insert(&user, vec![a_user(None, "n1", None)]).await.unwrap();
        let mut rows = 100;
        loop {
            let (sink, more) = stream.next(Box::new(Collected::new(3)), 100).await.unwrap();
            let batch = Collected::of(sink).len();
            assert!(batch <= 100);
            rows += batch;
            if !more {
                break;
            }
        }
        assert_eq!(rows, 429);
        on(&driver).delete(&user, Condition::IsNull { expr: Expr::Field(2), negated: false }).await.unwrap();
    }
}

#[tokio::test]
async fn a_long_scan_lets_others_run() {
    let (driver, user) = with_users().await;
    let mut scan = pin!(on(&driver).select(SelectStatement::new(user, anything()), &[]));
    let context = &mut Context::from_waker(Waker::noop());
    assert!(scan.as_mut().poll(context).is_pending());
    let rows = loop {
        if let Poll::Ready(rows) = scan.as_mut().poll(context) {
            break rows.unwrap();
        }
    };
    assert_eq!(rows.len(), 3000);
}

#[tokio::test]
async fn a_composite_key_is_found_by_all_its_fields() {
    let flight = ModelBuilder::new("Flight")
        .field(FieldDef::new("carrier", ValueType::Text))
        .field(FieldDef::new("number", ValueType::I32))
        .field(FieldDef::new("delay", ValueType::I32).nullable(true))
        .key(["carrier", "number"])
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&flight)]).await;
    let db = on(&driver);
    let row = |carrier, number| vec![text(carrier), int(number), NULL];
    db.insert(&flight, vec![row("UA", 1), row("UA", 2), row("AA", 1)]).await.unwrap();
    let found = db.find(&flight, Condition::And(vec![eq(1, int(1)), eq(0, text("AA"))])).await.unwrap();
    assert_eq!(found, [row("AA", 1)]);
    assert_eq!(db.find(&flight, eq(0, text("UA"))).await.unwrap().len(), 2);
    let error = db.insert(&flight, vec![row("UA", 2)]).await.unwrap_err();
    assert_eq!(error.fields(), ["carrier", "number"]);
}

#[tokio::test]
async fn values_come_back_in_the_form_of_their_fields() {
    let item = ModelBuilder::new("Item")
        .field(FieldDef::new("id", ValueType::U64))
        .field(FieldDef::new("document", ValueType::Json).nullable(true))
        .field(FieldDef::new("tags", ValueType::List(Box::new(ValueType::Text))))
        .field(FieldDef::new("ratio", ValueType::F32))
        .key(["id"])
        .build()
        .unwrap();
    let driver = database(&[Arc::clone(&item)]).await;
    let document = Datum::Json(Box::new(serde_json::json!({"a": [1, null]})));
    let row = vec![Datum::UInt(u64::MAX), document, Datum::List(vec![text("x")]), Datum::Float(-0.0)];
    on(&driver).insert(&item, vec![row.clone()]).await.unwrap();
    assert_eq!(on(&driver).all(&item).await, [row]);
    assert!(matches!(on(&driver).all(&item).await[0][3], Datum::Float(zero) if zero.is_sign_positive()));
    let nan = vec![int(1), NULL, Datum::List(vec![]), Datum::Float(f64::NAN)];
    assert!(on(&driver).insert(&item, vec![nan]).await.unwrap_err().is_query());
    let too_large = vec![int(-1), NULL, Datum::List(vec![]), Datum::Float(0.0)];
    assert!(on(&driver).insert(&item, vec![too_large]).await.unwrap_err().is_query());
}
