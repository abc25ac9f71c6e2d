//! Transactions, and what is done in them.

use std::time::Duration;

use ommi::Error;
use ommi::prelude::*;

use super::{KEPT, kept, operations};
use crate::cancellation::cut::{Cut, Ended, cut};
use crate::models::{Item, item};

/// Rows of a name, from the first key on.
fn rows(first: i64, number: i64, name: &str) -> Vec<Item> {
    (first..first + number).map(|id| item(id, name)).collect()
}

/// Ends work that is to be rolled back.
fn enough<T>() -> Result<T> {
    Err(Error::config("enough"))
}

/// Takes the end that is wanted for none.
fn unless_enough<T>(answer: Result<T>) -> Result<()> {
    match answer {
        Err(error) if error.is_config() => Ok(()),
        answer => answer.map(drop),
    }
}

/// Reads in a transaction, which goes on if the reading is dropped.
async fn read_and_go_on(
    db: Db,
    first: i64,
    cut: Cut,
    query: impl AsyncFnOnce(&Db, Cut) -> Result<bool>,
) -> Result<bool> {
    let tx = db.begin().await?;
    tx.add(item(first, "added")).await?;
    let is_done = query(&tx, cut).await?;
    check_eq!(tx.find(Item::ID.between(0, KEPT - 1)).count().await?, KEPT.unsigned_abs());
    check_eq!(tx.get::<Item>(first).await?, item(first, "added"));
    tx.add(item(first + 1, "added")).await?;
    tx.commit().await?;
    Ok(is_done)
}

operations! {
    "begin" needs TRANSACTIONS => |db, _, cut| {
        let tx = cut!(cut, db.begin());
        tx.rollback().await?;
        Ok(true)
    }
    "begin, read only" needs READ_ONLY => |db, _, cut| {
        let tx = cut!(cut, db.options().read_only().begin());
        check_eq!(tx.get::<Item>(3).await?, kept(3));
        tx.commit().await?;
        Ok(true)
    }
    "commit" needs TRANSACTIONS, after |first| rows(first, 2, "added") => |db, first, cut| {
        let tx = db.begin().await?;
        tx.add(item(first, "added")).await?;
        tx.add(item(first + 1, "added")).await?;
        cut!(cut, tx.commit());
        Ok(true)
    }
    "rollback" needs TRANSACTIONS, before |first| rows(first, 1, "old"), after |first| rows(first, 1, "old")
    => |db, first, cut| {
        let tx = db.begin().await?;
        tx.find(Item::ID.eq(first)).update(Item::NAME.set("new")).await?;
        tx.add(item(first + 1, "added")).await?;
        cut!(cut, tx.rollback());
        Ok(true)
    }
    "write in a transaction that is dropped" needs TRANSACTIONS => |db, first, cut| {
        let tx = db.begin().await?;
        cut!(cut, tx.add_all(rows(first, 50, "added")));
        Ok(true)
    }
    "write in a transaction that is rolled back" needs TRANSACTIONS => |db, first, cut| {
        let tx = db.begin().await?;
        let ended = cut.of(tx.add_all(rows(first, 50, "added"))).await;
        if matches!(ended, Ended::Dropped) && cut.polls > 0 {
            // the outcome of a dropped write is not known, so nothing is built on it
            check!(tx.find(Item::all()).count().await.is_err_and(|error| error.is_transaction()));
        }
        tx.rollback().await?;
        match ended {
            Ended::Done(answer) => answer.map(|_| true),
            Ended::Dropped => Ok(false),
        }
    }
    "write in a transaction that is committed all the same" needs TRANSACTIONS, before |first| rows(first, 50, "old"),
    after |first| rows(first, 50, "new") => |db, first, cut| {
        let tx = db.begin().await?;
        let ended = cut.of(tx.find(Item::ID.between(first, first + 50)).update(Item::NAME.set("new"))).await;
        match ended {
            Ended::Done(answer) => {
                answer?;
                tx.commit().await?;
                Ok(true)
            }
            Ended::Dropped if cut.polls == 0 => tx.commit().await.map(|()| false),
            Ended::Dropped => {
                check!(tx.commit().await.is_err_and(|error| error.is_transaction()));
                Ok(false)
            }
        }
    }
    "read in a transaction that goes on" needs TRANSACTIONS, after |first| rows(first, 2, "added"), goes_on true => |db, first, cut| {
        read_and_go_on(db, first, cut, async |tx, cut| {
            let query = tx.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc());
            check_eq!(cut!(cut, query.all()), (0..KEPT).map(kept).collect::<Vec<_>>());
            Ok(true)
        })
        .await
    }
    "get in a transaction that goes on" needs TRANSACTIONS, after |first| rows(first, 2, "added"), goes_on true => |db, first, cut| {
        read_and_go_on(db, first, cut, async |tx, cut| {
            check_eq!(cut!(cut, tx.get::<Item>(5)), kept(5));
            Ok(true)
        })
        .await
    }
    "stream in a transaction that goes on" needs TRANSACTIONS, after |first| rows(first, 2, "added"), goes_on true => |db, first, cut| {
        read_and_go_on(db, first, cut, async |tx, cut| {
            let half = async {
                let mut rows = tx.find(Item::ID.between(0, KEPT - 1)).order_by(Item::ID.asc()).stream().await?;
                for id in 0..KEPT / 2 {
                    check_eq!(rows.next().await?, Some(kept(id)));
                }
                Ok::<_, Error>(())
            };
            cut!(cut, half);
            Ok(true)
        })
        .await
    }
    "closure that is committed" needs TRANSACTIONS, before |first| rows(first, 1, "old"),
    after |first| rows(first, 2, "new") => |db, first, cut| {
        let work = db.transaction(async |tx| {
            tx.find(Item::ID.eq(first)).update(Item::NAME.set("new")).await?;
            check_eq!(tx.get::<Item>(first).await?.name, "new");
            tx.add(item(first + 1, "new")).await
        });
        cut!(cut, work);
        Ok(true)
    }
    "closure that gives an error" needs TRANSACTIONS => |db, first, cut| {
        let work = db.transaction(async |tx| {
            tx.add(item(first, "added")).await?;
            enough::<()>()
        });
        cut!(cut, async { unless_enough(work.await) });
        Ok(true)
    }
    "closure with a failed write" needs TRANSACTIONS => |db, first, cut| {
        let work = db.transaction(async |tx| {
            tx.add(item(first, "added")).await?;
            check!(tx.add(item(first, "again")).await.is_err_and(|error| error.is_unique_violation()));
            Ok(())
        });
        // a conflict with the one before it in the line is an error as ever
        cut!(cut, async {
            match work.await {
                Err(error) if error.is_transaction() => Ok(()),
                Err(error) => Err(error),
                Ok(()) => Err(Error::detached("a failed write that was passed over was committed")),
            }
        });
        Ok(true)
    }
    "closure that only reads" needs READ_ONLY => |db, _, cut| {
        let work = db.options().read_only().transaction(async |tx| {
            check_eq!(tx.get::<Item>(4).await?, kept(4));
            tx.find(Item::ID.between(0, KEPT - 1)).count().await
        });
        check_eq!(cut!(cut, work), KEPT.unsigned_abs());
        Ok(true)
    }
    "closure that may be run anew" needs TRANSACTIONS, after |first| rows(first, 2, "added") => |db, first, cut| {
        let work = db.options().retry(3).transaction(|tx| async move {
            tx.add(item(first, "added")).await?;
            tx.add(item(first + 1, "added")).await
        });
        cut!(cut, work);
        Ok(true)
    }
    "closure with a timeout" needs TRANSACTIONS, after |first| rows(first, 2, "added") => |db, first, cut| {
        let work = db.options().timeout(Duration::from_secs(60)).transaction(async |tx| {
            tx.add(item(first, "added")).await?;
            tx.add(item(first + 1, "added")).await
        });
        cut!(cut, work);
        Ok(true)
    }
    "begin with a timeout, and commit" needs TRANSACTIONS, after |first| rows(first, 1, "added") => |db, first, cut| {
        let work = async {
            let tx = db.options().timeout(Duration::from_secs(60)).begin().await?;
            tx.add(item(first, "added")).await?;
            tx.commit().await
        };
        cut!(cut, work);
        Ok(true)
    }
    "nested closures" needs SAVEPOINTS, after |first| rows(first, 3, "added") => |db, first, cut| {
        let work = db.transaction(async |tx| {
            tx.add(item(first, "added")).await?;
            let lost = tx.transaction(async |tx| {
                tx.add(item(first + 1, "lost")).await?;
                enough::<()>()
            });
            unless_enough(lost.await)?;
            tx.transaction(async |tx| tx.add(item(first + 1, "added")).await).await?;
            tx.add(item(first + 2, "added")).await
        });
        cut!(cut, work);
        Ok(true)
    }
    "nested closure that is dropped alone" needs SAVEPOINTS => |db, first, cut| {
        let mut is_done = false;
        let work = db.transaction(async |tx| {
            tx.add(item(first, "lost")).await?;
            let inner = tx.transaction(async |tx| {
                tx.add(item(first + 1, "lost")).await?;
                tx.find(Item::ID.between(0, KEPT - 1)).count().await
            });
            match cut.of(inner).await {
                Ended::Done(answer) => {
                    answer?;
                    is_done = true;
                }
                Ended::Dropped => {}
            }
            enough::<()>()
        });
        unless_enough(work.await)?;
        Ok(is_done)
    }
    "nested begin" needs SAVEPOINTS => |db, first, cut| {
        let outer = db.begin().await?;
        outer.add(item(first, "lost")).await?;
        let inner = cut!(cut, outer.begin());
        inner.rollback().await?;
        outer.rollback().await?;
        Ok(true)
    }
    "nested commit" needs SAVEPOINTS => |db, first, cut| {
        let outer = db.begin().await?;
        let inner = outer.begin().await?;
        inner.add(item(first, "lost")).await?;
        cut!(cut, inner.commit());
        outer.rollback().await?;
        Ok(true)
    }
    "nested rollback" needs SAVEPOINTS => |db, first, cut| {
        let outer = db.begin().await?;
        let inner = outer.begin().await?;
        inner.add(item(first, "lost")).await?;
        cut!(cut, inner.rollback());
        outer.rollback().await?;
        Ok(true)
    }
}
