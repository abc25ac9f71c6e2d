//! Transactions that are run anew after a conflict, and those that must not be.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::fault::{Fault, Faults};
use crate::models::{Item, fill, item, matching, named};

cases! { "retries":
    a_conflict_at_the_commit_is_run_anew needs TRANSACTIONS,
    a_conflict_of_a_statement_is_run_anew needs TRANSACTIONS,
    a_conflict_that_is_passed_over_is_run_anew needs TRANSACTIONS,
    a_run_without_conflict_is_the_only_one needs TRANSACTIONS,
    nothing_but_a_retryable_conflict_is_run_anew needs TRANSACTIONS,
    an_unknown_commit_is_not_run_anew needs TRANSACTIONS,
    an_end_of_the_runs_gives_the_last_conflict needs TRANSACTIONS,
    all_runs_share_one_timeout needs TRANSACTIONS,
    each_run_has_its_own_callbacks needs TRANSACTIONS,
    a_nested_transaction_is_not_run_anew needs SAVEPOINTS,
    transactions_that_collide_are_all_done_in_the_end needs TRANSACTIONS,
}

fn conflict() -> Error {
    Error::conflict("could not serialize access: injected by a test")
}

/// The same database, on which the calls of an operation meet faults, one after the other.
fn faulty(db: &Db, operation: &'static str, faults: impl IntoIterator<Item = Fault>) -> Db {
    let left: Mutex<VecDeque<Fault>> = Mutex::new(faults.into_iter().collect());
    let layer = Faults::new(move |met| match met == operation {
        true => left.lock().unwrap_or_else(PoisonError::into_inner).pop_front(),
        false => None,
    });
    Db::new(Arc::clone(db.driver()), &[Arc::new(layer)])
}

/// Adds a row in a transaction that may be run three more times; gives how often it was run, too.
async fn add_retrying(db: &Db, id: i64) -> (u32, Result<Item>) {
    let runs = AtomicU32::new(0);
    let answer = db
        .options()
        .retry(3)
        .transaction(|tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            async move { tx.add(item(id, "added")).await }
        })
        .await;
    (runs.into_inner(), answer)
}

async fn a_conflict_at_the_commit_is_run_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let colliding = faulty(&db, "commit", [Fault::Before(conflict()), Fault::Before(conflict())]);
    let (runs, answer) = add_retrying(&colliding, 2).await;
    check_eq!(answer?, item(2, "added"));
    check_eq!(runs, 3);
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn a_conflict_of_a_statement_is_run_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    for (id, fault) in (2..).zip([Fault::Before(conflict()), Fault::After(conflict())]) {
        let colliding = faulty(&db, "insert", [fault]);
        let (runs, answer) = add_retrying(&colliding, id).await;
        answer?;
        check_eq!(runs, 2);
    }
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn a_conflict_that_is_passed_over_is_run_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let colliding = faulty(&db, "insert", [Fault::Before(conflict())]);
    let mut runs = 0;
    colliding
        .options()
        .retry(3)
        .transaction(|tx| {
            runs += 1;
            async move {
                tx.add(item(2, "b")).await.ok();
                Ok(())
            }
        })
        .await?;
    check_eq!(runs, 2);
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn a_run_without_conflict_is_the_only_one(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let (runs, answer) = add_retrying(&db, 2).await;
    answer?;
    check_eq!(runs, 1);
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn nothing_but_a_retryable_conflict_is_run_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let (runs, answer) = add_retrying(&db, 1).await;
    check!(refused(answer)?.is_unique_violation());
    check_eq!(runs, 1);
    let others = [
        Error::stale("the row was changed"),
        Error::timeout("too late"),
        Error::connection("gone"),
        Error::unknown("not answered"),
        Error::query("wrong"),
    ];
    for error in others {
        let kind = error.kind();
        let failing = faulty(&db, "insert", [Fault::Before(error)]);
        let (runs, answer) = add_retrying(&failing, 2).await;
        check_eq!(refused(answer)?.kind(), kind);
        check_eq!(runs, 1, "the runs after {kind:?}");
    }
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn an_unknown_commit_is_not_run_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let lost = || Error::unknown("the answer to the commit was lost");
    let losing = faulty(&db, "commit", [Fault::After(lost())]);
    let (runs, answer) = add_retrying(&losing, 2).await;
    let error = refused(answer)?;
    check!(error.is_unknown() && !error.is_retryable(), "{error}");
    check_eq!(runs, 1);
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    let losing = faulty(&db, "insert", [Fault::After(lost())]);
    check!(refused(losing.add(item(3, "c")).await)?.is_unknown());
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn an_end_of_the_runs_gives_the_last_conflict(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let colliding = faulty(&db, "commit", std::iter::repeat_n(Fault::Before(conflict()), 100));
    let (runs, answer) = add_retrying(&colliding, 2).await;
    let error = refused(answer)?;
    check!(error.is_conflict() && error.message().contains("4 times"), "{error}");
    check_eq!(runs, 4);
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn all_runs_share_one_timeout(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let colliding = faulty(&db, "commit", std::iter::repeat_n(Fault::Before(conflict()), 100_000));
    let begun = Instant::now();
    let answer = colliding
        .options()
        .timeout(Duration::from_millis(100))
        .retry(u32::MAX)
        .transaction(|tx| async move { tx.add(item(2, "b")).await })
        .await;
    let error = refused(answer)?;
    check!(error.is_conflict() || error.is_timeout(), "{error}");
    check!(begun.elapsed() < Duration::from_secs(30));
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn each_run_has_its_own_callbacks(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let colliding = faulty(&db, "commit", [Fault::Before(conflict()), Fault::Before(conflict())]);
    let (committed, rolled_back) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    colliding
        .options()
        .retry(5)
        .transaction(|tx| {
            let (committed, rolled_back) = (Arc::clone(&committed), Arc::clone(&rolled_back));
            async move {
                tx.after_commit(move || _ = committed.fetch_add(1, Ordering::Relaxed));
                tx.after_rollback(move || _ = rolled_back.fetch_add(1, Ordering::Relaxed));
                tx.add(item(1, "")).await
            }
        })
        .await?;
    check_eq!(committed.load(Ordering::Relaxed), 1);
    check_eq!(rolled_back.load(Ordering::Relaxed), 2);
    Ok(())
}

async fn a_nested_transaction_is_not_run_anew(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        let mut runs = 0;
        let nested = tx.options().retry(3).transaction(|_| {
            runs += 1;
            async { Ok(()) }
        });
        check!(refused(nested.await)?.is_transaction());
        check_eq!(runs, 0);
        tx.add(item(1, "")).await?;
        Ok(())
    })
    .await?;
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn transactions_that_collide_are_all_done_in_the_end(db: Db) -> Verdict {
    let rows = 4;
    fill(&db, (0..rows).map(|id| Item { quantity: Some(0), ..item(id, "") }).collect()).await?;
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let db = db.clone();
            tokio::spawn(async move {
                for round in 0..20 {
                    // two rows in an order that makes some wait for each other
                    let (first, second) = ((task + round) % rows, (task + 2 * round + 1) % rows);
                    db.options()
                        .retry(1000)
                        .transaction(|tx| async move {
                            for id in [first, second] {
                                tx.find(Item::ID.eq(id)).update(Item::QUANTITY.set(Item::QUANTITY + 1)).await?;
                                tokio::task::yield_now().await;
                            }
                            Ok(())
                        })
                        .await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|fault| Error::config(fault.to_string()))??;
    }
    let sum: i64 = db.find(Item::all()).aggregate(Item::QUANTITY.sum()).await?.unwrap_or_default();
    check_eq!(sum, 160);
    Ok(())
}
