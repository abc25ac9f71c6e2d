//! What is run after a commit and after a rollback.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::fault::{Fault, Faults};
use crate::models::{Item, fill, item, named};

cases! { "callbacks":
    callbacks_of_a_commit_run_after_it_in_their_order needs TRANSACTIONS,
    callbacks_of_a_rollback_run_after_an_error needs TRANSACTIONS,
    callbacks_of_a_rollback_run_after_a_drop needs TRANSACTIONS,
    callbacks_of_a_rollback_run_after_a_failed_write_that_was_passed_over needs TRANSACTIONS,
    callbacks_run_for_explicit_transactions needs TRANSACTIONS,
    callbacks_of_a_nested_commit_wait_for_the_outermost needs SAVEPOINTS,
    callbacks_of_a_nested_rollback_run_at_once needs SAVEPOINTS,
    callbacks_of_a_nested_commit_follow_the_outer_rollback needs SAVEPOINTS,
    no_callback_runs_where_the_outcome_is_unknown needs TRANSACTIONS,
    callbacks_outside_a_transaction_run_at_once,
    callbacks_of_an_ended_transaction_know_its_end needs TRANSACTIONS,
    a_callback_can_use_the_database needs TRANSACTIONS,
    a_panic_in_a_callback_leaves_the_others_and_the_commit needs TRANSACTIONS,
}

/// What has run, in order.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Vec<&'static str>>>);

impl Ran {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Registers both callbacks.
    fn register(&self, db: &Db, committed: &'static str, rolled_back: &'static str) {
        let (after_commit, after_rollback) = (self.clone(), self.clone());
        db.after_commit(move || after_commit.note(committed));
        db.after_rollback(move || after_rollback.note(rolled_back));
    }
}

async fn callbacks_of_a_commit_run_after_it_in_their_order(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let ran = Ran::default();
    db.transaction(async |tx| {
        ran.register(tx, "first", "lost");
        tx.add(item(1, "")).await?;
        ran.register(tx, "second", "lost");
        ran.note("end of the closure");
        Ok(())
    })
    .await?;
    check_eq!(ran.take(), ["end of the closure", "first", "second"]);
    Ok(())
}

async fn callbacks_of_a_rollback_run_after_an_error(db: Db) -> Verdict {
    let ran = Ran::default();
    let answer: Result<()> = db
        .transaction(async |tx| {
            ran.register(tx, "kept", "lost");
            Err(Error::config("enough"))
        })
        .await;
    check!(refused(answer)?.is_config());
    check_eq!(ran.take(), ["lost"]);
    Ok(())
}

async fn callbacks_of_a_rollback_run_after_a_drop(db: Db) -> Verdict {
    let ran = Ran::default();
    let work = db.transaction(async |tx| {
        ran.register(tx, "kept", "lost");
        std::future::pending::<Result<()>>().await
    });
    check!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
    check_eq!(ran.take(), ["lost"]);
    let tx = db.begin().await?;
    ran.register(&tx, "kept", "lost");
    drop(tx);
    check_eq!(ran.take(), ["lost"]);
    Ok(())
}

async fn callbacks_of_a_rollback_run_after_a_failed_write_that_was_passed_over(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let ran = Ran::default();
    let answer = db
        .transaction(async |tx| {
            ran.register(tx, "kept", "lost");
            tx.add(item(1, "again")).await.ok();
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_transaction());
    check_eq!(ran.take(), ["lost"]);
    Ok(())
}

async fn callbacks_run_for_explicit_transactions(db: Db) -> Verdict {
    let ran = Ran::default();
    let tx = db.begin().await?;
    ran.register(&tx, "kept", "lost");
    tx.commit().await?;
    check_eq!(ran.take(), ["kept"]);
    let tx = db.begin().await?;
    ran.register(&tx, "kept", "lost");
    tx.rollback().await?;
    check_eq!(ran.take(), ["lost"]);
    Ok(())
}

async fn callbacks_of_a_nested_commit_wait_for_the_outermost(db: Db) -> Verdict {
    let ran = Ran::default();
    db.transaction(async |tx| {
        tx.transaction(async |tx| {
            ran.register(tx, "inner", "lost");
            tx.transaction(async |tx| {
                ran.register(tx, "innermost", "lost");
                Ok(())
            })
            .await
        })
        .await?;
        ran.register(tx, "outer", "lost");
        check_eq!(ran.take().len(), 0);
        Ok(())
    })
    .await?;
    check_eq!(ran.take(), ["inner", "innermost", "outer"]);
    Ok(())
}

async fn callbacks_of_a_nested_rollback_run_at_once(db: Db) -> Verdict {
    let ran = Ran::default();
    db.transaction(async |tx| {
        let answer: Result<()> = tx
            .transaction(async |tx| {
                ran.register(tx, "inner", "inner is lost");
                Err(Error::config("enough"))
            })
            .await;
        refused(answer)?;
        check_eq!(ran.take(), ["inner is lost"]);
        ran.register(tx, "outer", "outer is lost");
        Ok(())
    })
    .await?;
    check_eq!(ran.take(), ["outer"]);
    Ok(())
}

async fn callbacks_of_a_nested_commit_follow_the_outer_rollback(db: Db) -> Verdict {
    let ran = Ran::default();
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.transaction(async |tx| {
                ran.register(tx, "inner", "inner is lost");
                Ok(())
            })
            .await?;
            Err(Error::config("enough"))
        })
        .await;
    refused(answer)?;
    check_eq!(ran.take(), ["inner is lost"]);
    Ok(())
}

async fn no_callback_runs_where_the_outcome_is_unknown(db: Db) -> Verdict {
    let lost = Faults::new(|operation| {
        (operation == "commit").then(|| Fault::After(Error::unknown("the answer to the commit was lost")))
    });
    let db = Db::new(Arc::clone(db.driver()), &[Arc::new(lost)]);
    let ran = Ran::default();
    let answer = db
        .transaction(async |tx| {
            ran.register(tx, "kept", "lost");
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_unknown());
    check_eq!(ran.take().len(), 0);
    Ok(())
}

async fn callbacks_outside_a_transaction_run_at_once(db: Db) -> Verdict {
    let ran = Ran::default();
    ran.register(&db, "at once", "never");
    check_eq!(ran.take(), ["at once"]);
    Ok(())
}

async fn callbacks_of_an_ended_transaction_know_its_end(db: Db) -> Verdict {
    let ran = Ran::default();
    let tx = db.begin().await?;
    let handle = Db::clone(&tx);
    tx.commit().await?;
    ran.register(&handle, "kept", "lost");
    check_eq!(ran.take(), ["kept"]);
    let tx = db.begin().await?;
    let handle = Db::clone(&tx);
    drop(tx);
    ran.register(&handle, "kept", "lost");
    check_eq!(ran.take(), ["lost"]);
    Ok(())
}

async fn a_callback_can_use_the_database(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let (told, count) = tokio::sync::oneshot::channel();
    db.transaction(async |tx| {
        tx.add(item(1, "")).await?;
        let outside = db.clone();
        tx.after_commit(move || {
            tokio::spawn(async move {
                let _ = told.send(outside.find(Item::all()).count().await);
            });
        });
        Ok(())
    })
    .await?;
    check!(matches!(count.await, Ok(Ok(1))));
    Ok(())
}

async fn a_panic_in_a_callback_leaves_the_others_and_the_commit(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let ran = Ran::default();
    let (inside, noted) = (db.clone(), ran.clone());
    let task = tokio::spawn(async move {
        inside
            .transaction(async |tx| {
                tx.add(item(1, "")).await?;
                tx.after_commit(|| std::panic::resume_unwind(Box::new("on purpose")));
                noted.register(tx, "kept", "lost");
                Ok(())
            })
            .await
    });
    check!(task.await.is_err_and(|fault| fault.is_panic()));
    check_eq!(ran.take(), ["kept"]);
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}
