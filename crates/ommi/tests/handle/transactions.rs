//! Transactions: what ends them, and what they leave.

use std::sync::Mutex;
use std::time::Duration;

use ommi::prelude::*;

use super::{User, transactional, user};

#[tokio::test]
async fn of_two_nested_transactions_at_once_one_is_refused() {
    for db in transactional().await.unwrap() {
        let (first, second) = db
            .transaction(async |tx| {
                let first = tx.transaction(async |tx| {
                    tx.add(user("a", 1)).await?;
                    tokio::task::yield_now().await;
                    tx.add(user("b", 1)).await
                });
                let second = tx.transaction(async |tx| tx.add(user("c", 1)).await);
                Ok(futures_util::future::join(first, second).await)
            })
            .await
            .unwrap();
        assert!(first.is_ok() && second.unwrap_err().is_transaction());
        assert_eq!(db.find(User::all()).count().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn what_escapes_a_dropped_transaction_neither_holds_nor_uses_it() {
    for db in transactional().await.unwrap() {
        let escaped = Mutex::new(None);
        let work = db.transaction(async |tx| {
            tx.add(user("a", 1)).await?;
            *escaped.lock().unwrap() = Some(tx.find(User::all()));
            std::future::pending::<Result<()>>().await
        });
        assert!(tokio::time::timeout(Duration::from_millis(50), work).await.is_err());
        let query = escaped.into_inner().unwrap().unwrap();
        db.add(user("b", 1)).await.unwrap();
        assert!(query.all().await.unwrap_err().is_transaction());
        assert_eq!(db.find(User::all()).select(User::NAME).all().await.unwrap(), ["b"]);
    }
}

#[tokio::test]
async fn rows_of_a_stream_end_with_their_transaction() {
    for db in transactional().await.unwrap() {
        db.add_all((0..2000).map(|_| user("a", 1))).await.unwrap();
        let mut rows = db.transaction(async |tx| tx.find(User::all()).stream().await).await.unwrap();
        assert!(rows.next().await.unwrap_err().is_transaction());
        assert!(rows.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn tables_are_not_created_inside_a_closure() {
    for db in transactional().await.unwrap() {
        let created = db.transaction(async |_| Ok(db.create::<User>().await)).await.unwrap();
        assert!(created.unwrap_err().is_transaction());
    }
}

/// A database with transactions, in which the engine writes row by row.
#[cfg(feature = "memory")]
async fn row_by_row() -> Result<Db> {
    use ommi::driver::Capabilities;
    use ommi::driver::capability::WriteCapability;

    let memory = ommi::connect("memory:").await?;
    let capabilities = Capabilities { write: WriteCapability::default(), ..*memory.driver().capabilities() };
    let db = Db::new(std::sync::Arc::new(ommi_memory::MemoryDriver::new(capabilities)), &[]);
    db.create::<User>().await?;
    Ok(db)
}

#[cfg(feature = "memory")]
#[tokio::test]
async fn a_write_that_fails_between_rows_ends_its_transaction() {
    let db = row_by_row().await.unwrap();
    db.add_all([user("a", 1), user("b", i8::MAX)]).await.unwrap();
    let done = db
        .transaction(async |tx| {
            let updated = tx.find(User::all()).update(User::POINTS.set(User::POINTS + 1)).await;
            assert!(updated.unwrap_err().is_query());
            Ok(())
        })
        .await;
    assert!(done.unwrap_err().is_transaction());
    let points = db.find(User::all()).order_by(User::NAME.asc()).select(User::POINTS).all().await.unwrap();
    assert_eq!(points, [1, i8::MAX]);
}

#[cfg(feature = "memory")]
#[tokio::test]
async fn a_write_that_fails_between_rows_says_how_many_it_leaves_where_nothing_undoes_them() {
    let db = ommi::connect("memory:?capabilities=none").await.unwrap();
    db.create::<User>().await.unwrap();
    db.add_all([user("a", 1), user("b", i8::MAX)]).await.unwrap();
    let error = db.find(User::all()).update(User::POINTS.set(User::POINTS + 1)).await.unwrap_err();
    assert!(error.is_query() && error.message().ends_with("rows written before: 1"), "{error}");
    assert_eq!(error.operation(), Some("update"));
}
