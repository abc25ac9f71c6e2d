//! The next user of the database, who has to find it clean.

use std::time::Duration;

use ommi::prelude::*;

use super::operation::{KEPT, kept};
use crate::models::{Item, item};

/// The key of the row that the next user counts in.
pub(super) const COUNTER: i64 = -1;
/// How many read at once, so that each connection of a usual pool has its turn.
const READERS: usize = 12;
/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The row that the next user counts in.
pub(super) fn counter() -> Item {
    Item { quantity: Some(0), ..item(COUNTER, "counter") }
}

/// Uses the database: writes, reads from many tasks at once what was written and what was there,
/// and does it once more in a transaction.
pub(super) async fn use_database(db: &Db, count: i32) -> Result<()> {
    match tokio::time::timeout(PATIENCE, use_in_time(db, count)).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::timeout(format!("the next user had no answer after {PATIENCE:?}"))),
    }
}

async fn use_in_time(db: &Db, count: i32) -> Result<()> {
    let counter = Item::ID.eq(COUNTER);
    let written = retried(async || db.find(counter.clone()).update(Item::QUANTITY.set(count)).await).await?;
    check_eq!(written, 1, "the rows that the next user wrote");
    read(db, count).await?;
    if db.driver().capabilities().transaction.transactions {
        let in_transaction = retried(async || {
            db.transaction(async |tx| {
                tx.find(counter.clone()).update(Item::QUANTITY.set(count + 1)).await?;
                Ok(tx.get::<Item>(COUNTER).await?.quantity)
            })
            .await
        });
        check_eq!(in_transaction.await?, Some(count + 1), "what a transaction reads of its own");
        read(db, count + 1).await?;
    }
    Ok(())
}

/// Runs work again that met with a conflict: what was dropped may still hold its locks.
async fn retried<T>(work: impl AsyncFn() -> Result<T>) -> Result<T> {
    loop {
        match work().await {
            Err(error) if error.is_retryable() => tokio::time::sleep(Duration::from_millis(2)).await,
            answer => return answer,
        }
    }
}

/// Reads from many tasks at once.
async fn read(db: &Db, count: i32) -> Result<()> {
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let db = db.clone();
            tokio::spawn(async move {
                check_eq!(db.get::<Item>(COUNTER).await?.quantity, Some(count), "what a reader sees");
                let id = i64::try_from(reader).unwrap_or_default() * 90;
                let page = db.find(Item::ID.between(id, id + 19)).order_by(Item::ID.asc()).all().await?;
                check_eq!(page, (id..id + 20).map(kept).collect::<Vec<_>>(), "the rows that nobody changes");
                Ok::<_, Error>(())
            })
        })
        .collect();
    for reader in readers {
        reader.await.map_err(|fault| Error::config(fault.to_string()))??;
    }
    let all = db.find(Item::ID.between(0, KEPT - 1)).count().await?;
    check_eq!(all, KEPT.unsigned_abs(), "the number of rows that nobody changes");
    Ok(())
}
