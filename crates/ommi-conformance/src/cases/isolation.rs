//! Options of transactions: isolation, read-only, deferrable, timeouts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ommi::driver::Isolation;
use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::fault::{Fault, Faults};
use crate::models::{Item, fill, item, matching, named};

cases! { "isolation and timeouts":
    an_isolation_is_given_or_refused_before_anything_ran needs TRANSACTIONS,
    a_repeatable_read_sees_one_moment needs REPEATABLE_READ READ_ONLY,
    serializable_transactions_do_not_skew needs SERIALIZABLE,
    a_read_only_transaction_reads_and_refuses_writes needs READ_ONLY,
    read_only_is_refused_where_there_is_none needs TRANSACTIONS,
    a_deferrable_transaction_is_read_only_and_serializable needs TRANSACTIONS,
    a_nested_transaction_takes_no_options needs SAVEPOINTS,
    a_transaction_that_takes_too_long_is_rolled_back needs TRANSACTIONS,
    an_idle_transaction_ends_at_its_timeout needs TRANSACTIONS,
    a_transaction_in_time_is_not_ended needs TRANSACTIONS,
    a_stalled_statement_ends_at_the_timeout needs TRANSACTIONS,
    a_stalled_begin_and_a_stalled_rollback_end_at_the_timeout needs TRANSACTIONS,
    a_commit_that_is_not_answered_in_time_is_unknown needs TRANSACTIONS,
    waiting_for_a_transaction_is_bounded_and_names_its_holder needs TRANSACTIONS,
}

const SHORT: Duration = Duration::from_millis(60);

/// The same database, with the faults that a function chooses.
fn faulty(db: &Db, choose: impl Fn(&'static str) -> Option<Fault> + Send + Sync + 'static) -> Db {
    Db::new(Arc::clone(db.driver()), &[Arc::new(Faults::new(choose))])
}

async fn an_isolation_is_given_or_refused_before_anything_ran(db: Db) -> Verdict {
    let can = db.driver().capabilities().transaction;
    let levels = [
        (Isolation::ReadCommitted, true, ""),
        (Isolation::RepeatableRead, can.repeatable_read, "transaction.repeatable_read"),
        (Isolation::Serializable, can.serializable, "transaction.serializable"),
    ];
    db.create::<Item>().await?;
    for (id, (isolation, is_there, capability)) in (1..).zip(levels) {
        let mut has_run = false;
        let answer = db
            .options()
            .isolation(isolation)
            .transaction(async |tx| {
                has_run = true;
                tx.add(item(id, "")).await
            })
            .await;
        check_eq!(has_run, is_there);
        if is_there {
            answer?;
        } else {
            let error = refused(answer)?;
            check!(error.is_unsupported() && error.message().contains(capability), "{error}");
        }
        check_eq!(db.find(Item::ID.eq(id)).exists().await?, is_there);
    }
    Ok(())
}

async fn a_repeatable_read_sees_one_moment(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.options().isolation(Isolation::RepeatableRead).read_only().begin().await?;
    check_eq!(tx.find(Item::all()).count().await?, 1);
    // a database may also make the writer wait for the reader
    let written = tokio::time::timeout(Duration::from_millis(300), db.add(item(2, "b"))).await;
    check_eq!(tx.find(Item::all()).count().await?, 1);
    tx.commit().await?;
    if let Ok(written) = written {
        written?;
        check_eq!(db.find(Item::all()).count().await?, 2);
    }
    Ok(())
}

async fn serializable_transactions_do_not_skew(db: Db) -> Verdict {
    db.create::<Item>().await?;
    for round in 0..10 {
        let both = [item(round * 2, "on call"), item(round * 2 + 1, "on call")];
        db.add_all(both).await?;
        // each may leave if another stays
        let leave = |db: Db, id: i64| async move {
            let stays = Item::NAME.eq("on call") & Item::ID.between(round * 2, round * 2 + 1);
            db.options()
                .isolation(Isolation::Serializable)
                .retry(100)
                .transaction(|tx| {
                    let stays = stays.clone();
                    async move {
                        if tx.find(stays).count().await? == 2 {
                            tokio::task::yield_now().await;
                            tx.find(Item::ID.eq(id)).update(Item::NAME.set("away")).await?;
                        }
                        Ok(())
                    }
                })
                .await
        };
        let (first, second) =
            tokio::join!(tokio::spawn(leave(db.clone(), round * 2)), tokio::spawn(leave(db.clone(), round * 2 + 1)));
        for answer in [first, second] {
            answer.map_err(|fault| Error::config(fault.to_string()))??;
        }
        check_eq!(db.find(Item::NAME.eq("on call")).delete().await?, 1, "round {round}: those who stay");
    }
    Ok(())
}

async fn a_read_only_transaction_reads_and_refuses_writes(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let count = db.options().read_only().transaction(async |tx| tx.find(Item::all()).count().await).await?;
    check_eq!(count, 1);
    let answer = db
        .options()
        .read_only()
        .transaction(async |tx| {
            check!(refused(tx.add(item(2, "b")).await)?.is_transaction());
            check!(refused(tx.find(Item::all()).count().await)?.is_transaction());
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_transaction());
    for round in 0..3 {
        let tx = db.options().read_only().begin().await?;
        let refusal = match round {
            0 => refused(tx.find(Item::all()).update(Item::NAME.set("x")).await)?,
            1 => refused(tx.find(Item::all()).delete().await)?,
            _ => refused(tx.upsert(item(1, "x")).count().await)?,
        };
        check!(refusal.is_transaction(), "{refusal}");
        tx.rollback().await?;
    }
    // the connection can write again
    db.add(item(2, "b")).await?;
    db.transaction(async |tx| tx.add(item(3, "c")).await).await?;
    check_eq!(db.find(Item::NAME.in_(["a", "b", "c"])).count().await?, 3);
    Ok(())
}

async fn read_only_is_refused_where_there_is_none(db: Db) -> Verdict {
    let answer = db.options().read_only().transaction(async |_| Ok(())).await;
    match db.driver().capabilities().transaction.read_only {
        true => answer?,
        false => check!(refused(answer)?.is_unsupported()),
    }
    Ok(())
}

async fn a_deferrable_transaction_is_read_only_and_serializable(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let can = db.driver().capabilities().transaction;
    check!(refused(db.options().deferrable().transaction(async |_| Ok(())).await)?.is_transaction());
    let whole = db.options().deferrable().read_only().isolation(Isolation::Serializable);
    let answer = whole.transaction(async |tx| tx.find(Item::all()).count().await).await;
    match can.deferrable && can.read_only && can.serializable {
        true => check_eq!(answer?, 0),
        false => check!(refused(answer)?.is_unsupported()),
    }
    Ok(())
}

async fn a_nested_transaction_takes_no_options(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        for options in [
            tx.options().isolation(Isolation::Serializable),
            tx.options().read_only(),
            tx.options().timeout(SHORT),
            tx.options().begin_timeout(SHORT),
        ] {
            check!(refused(options.clone().transaction(async |_| Ok(())).await)?.is_transaction());
            check!(refused(options.begin().await)?.is_transaction());
        }
        tx.options().name("inner").transaction(async |tx| tx.add(item(1, "")).await).await?;
        Ok(())
    })
    .await?;
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn a_transaction_that_takes_too_long_is_rolled_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let begun = Instant::now();
    let answer: Result<()> = db
        .options()
        .timeout(SHORT)
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            std::future::pending().await
        })
        .await;
    let error = refused(answer)?;
    check!(error.is_timeout() && error.message().contains("timeout"), "{error}");
    check!(begun.elapsed() >= SHORT);
    check_eq!(matching(&db, Item::all()).await?, [1]);
    db.transaction(async |tx| tx.add(item(2, "c")).await).await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn an_idle_transaction_ends_at_its_timeout(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let first = db.options().timeout(SHORT).begin().await?;
    first.add(item(2, "b")).await?;
    let second = async {
        tokio::time::sleep(SHORT * 2).await;
        // nobody has ended the first, which no longer keeps anyone waiting
        tokio::time::timeout(Duration::from_secs(20), db.add(item(2, "c"))).await
    };
    let answer = second.await;
    check!(matches!(answer, Ok(Ok(_))), "{answer:?}");
    check!(refused(first.find(Item::all()).count().await)?.is_timeout());
    check!(refused(first.commit().await)?.is_transaction());
    let untouched = db.options().timeout(SHORT).begin().await?;
    tokio::time::sleep(SHORT * 2).await;
    check!(refused(untouched.commit().await)?.is_timeout());
    let rolled_back = db.options().timeout(SHORT).begin().await?;
    tokio::time::sleep(SHORT * 2).await;
    rolled_back.rollback().await?;
    check_eq!(db.get::<Item>(2).await?.name, "c");
    Ok(())
}

async fn a_transaction_in_time_is_not_ended(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let patient = || db.options().timeout(Duration::from_secs(300));
    patient().transaction(async |tx| tx.add(item(1, "a")).await).await?;
    let tx = patient().begin().await?;
    tx.add_all([item(2, "b"), item(3, "c")]).await?;
    let mut rows = tx.find(Item::all()).stream().await?;
    check!(rows.next().await?.is_some());
    drop(rows);
    if db.driver().capabilities().transaction.savepoints {
        let inner = tx.begin().await?;
        inner.find(Item::ID.eq(3)).delete().await?;
        inner.rollback().await?;
    }
    tx.commit().await?;
    db.options().timeout(Duration::MAX).transaction(async |tx| tx.add(item(4, "d")).await).await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3, 4]);
    Ok(())
}

async fn a_stalled_statement_ends_at_the_timeout(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    for stalled in ["fetch", "insert"] {
        let slow = faulty(&db, move |operation| (operation == stalled).then_some(Fault::Stall));
        let work = async |tx: &Tx| {
            tx.find(Item::all()).all().await?;
            tx.add(item(2, "b")).await
        };
        check!(refused(slow.options().timeout(SHORT).transaction(work).await)?.is_timeout());
        let tx = slow.options().timeout(SHORT).begin().await?;
        check!(refused(work(&tx).await)?.is_timeout());
        check!(refused(tx.find(Item::all()).count().await)?.is_transaction());
        check!(refused(tx.commit().await)?.is_transaction());
    }
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_stalled_begin_and_a_stalled_rollback_end_at_the_timeout(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let slow = faulty(&db, |operation| (operation == "begin").then_some(Fault::Stall));
    let answer = slow.options().timeout(SHORT).transaction(async |tx| tx.add(item(2, "b")).await).await;
    check!(refused(answer)?.is_timeout());
    check!(refused(slow.options().timeout(SHORT).begin().await)?.is_timeout());
    let slow = faulty(&db, |operation| (operation == "rollback").then_some(Fault::Stall));
    let answer: Result<()> = slow
        .options()
        .timeout(SHORT)
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            Err(Error::config("enough"))
        })
        .await;
    check!(refused(answer)?.is_config());
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_commit_that_is_not_answered_in_time_is_unknown(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let slow = faulty(&db, |operation| (operation == "commit").then_some(Fault::StallAfter));
    let answer = slow.options().timeout(SHORT).transaction(async |tx| tx.add(item(1, "a")).await).await;
    check!(refused(answer)?.is_unknown());
    let tx = slow.options().timeout(SHORT).begin().await?;
    tx.add(item(2, "b")).await?;
    check!(refused(tx.commit().await)?.is_unknown());
    // it was done, which nobody was told
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn waiting_for_a_transaction_is_bounded_and_names_its_holder(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let holder = db.begin().await?;
    holder.add(item(1, "")).await?;
    check_wait(&db, "isolation.rs").await?;
    holder.rollback().await?;
    let holder = db.options().name("nightly import").begin().await?;
    holder.add(item(1, "")).await?;
    check_wait(&db, "`nightly import`").await?;
    holder.rollback().await?;
    db.options().begin_timeout(SHORT).transaction(async |tx| tx.add(item(1, "")).await).await?;
    Ok(())
}

/// Begins a transaction while another one is open: there is room for it, or the error names who
/// takes it.
async fn check_wait(db: &Db, holder: &str) -> Verdict {
    match db.options().begin_timeout(SHORT).begin().await {
        Ok(tx) => tx.rollback().await?,
        Err(error) => check!(error.is_timeout() && error.message().contains(holder), "{error}"),
    }
    Ok(())
}
