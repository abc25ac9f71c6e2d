//! Several tasks at once, and futures that are dropped.

use std::time::Duration;

use ommi::prelude::*;
use tokio::task::JoinSet;

use crate::check::{Verdict, refused};
use crate::models::{Item, User, fill, item, named, user};

cases! { "concurrency":
    many_tasks_add_rows needs AUTO_INTEGERS UNIQUE,
    many_tasks_read_while_one_writes,
    updates_from_many_tasks_are_all_counted needs WHOLE_UPDATES,
    one_of_many_tasks_wins_a_unique_value needs UNIQUE AUTO_INTEGERS,
    get_or_create_from_many_tasks_creates_one_row needs UNIQUE AUTO_INTEGERS,
    upserts_from_many_tasks_leave_one_row needs UNIQUE,
    dropped_reads_leave_the_handle_usable,
    dropped_writes_leave_the_handle_usable,
    a_dropped_batch_is_written_whole_or_not_at_all needs TRANSACTIONS,
    a_handle_is_used_from_clones_and_threads,
    tables_are_created_by_many_tasks_at_once,
    a_read_does_not_wait_for_an_open_transaction_for_ever needs TRANSACTIONS,
}

/// Runs a piece of work in many tasks at once, and gives what each came to.
async fn in_tasks<F, T>(tasks: i64, work: impl Fn(i64) -> F) -> Result<Vec<Result<T>>>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let mut set = JoinSet::new();
    (0..tasks).for_each(|task| _ = set.spawn(work(task)));
    let mut answers = Vec::new();
    while let Some(answer) = set.join_next().await {
        answers.push(answer.map_err(|fault| Error::config(fault.to_string()))?);
    }
    Ok(answers)
}

/// Does a piece of work anew while it conflicts with another.
async fn retried<T, F: Future<Output = Result<T>>>(work: impl Fn() -> F) -> Result<T> {
    loop {
        match work().await {
            Err(error) if error.is_retryable() => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

async fn many_tasks_add_rows(db: Db) -> Verdict {
    db.create::<User>().await?;
    let answers = in_tasks(16, |task| {
        let db = db.clone();
        async move {
            for n in 0..20 {
                retried(|| db.add(user(&format!("{task} {n}")))).await?;
            }
            Ok(())
        }
    })
    .await?;
    answers.into_iter().collect::<Result<Vec<()>>>()?;
    let mut ids: Vec<i64> = db.find(User::all()).select(User::ID).all().await?;
    ids.sort_unstable();
    ids.dedup();
    check_eq!(ids.len(), 320);
    Ok(())
}

/// The least and the greatest quantity, in one read.
async fn extremes(db: &Db) -> ommi::Result<(Option<i32>, Option<i32>)> {
    db.find(Item::all()).aggregate((Item::QUANTITY.min(), Item::QUANTITY.max())).await
}

async fn many_tasks_read_while_one_writes(db: Db) -> Verdict {
    fill(&db, (0..500).map(|id| Item { quantity: Some(0), ..item(id, "") }).collect()).await?;
    let can = db.driver().capabilities().transaction;
    let is_atomic = can.transactions || can.snapshot_reads;
    let writer = db.clone();
    let writing = tokio::spawn(async move {
        for round in 1..=20 {
            retried(|| async { writer.find(Item::all()).update(Item::QUANTITY.set(round)).await }).await?;
        }
        Ok::<_, Error>(())
    });
    let answers = in_tasks(4, |_| {
        let db = db.clone();
        async move {
            let mut torn = 0;
            for _ in 0..20 {
                let (least, greatest) = match can.snapshot_reads || !can.transactions {
                    true => extremes(&db).await?,
                    false => db.transaction(async |tx| extremes(tx).await).await?,
                };
                torn += usize::from(least != greatest);
            }
            Ok(torn)
        }
    })
    .await?;
    writing.await.map_err(|fault| Error::config(fault.to_string()))??;
    let torn: usize = answers.into_iter().collect::<Result<Vec<_>>>()?.into_iter().sum();
    check!(torn == 0 || !is_atomic, "{torn} reads saw half an update");
    check_eq!(db.find(Item::QUANTITY.eq(20)).count().await?, 500);
    Ok(())
}

async fn updates_from_many_tasks_are_all_counted(db: Db) -> Verdict {
    fill(&db, vec![Item { quantity: Some(0), ..item(1, "") }]).await?;
    let answers = in_tasks(8, |_| {
        let db = db.clone();
        async move {
            for _ in 0..25 {
                retried(|| async { db.find(Item::ID.eq(1)).update(Item::QUANTITY.set(Item::QUANTITY + 1)).await })
                    .await?;
            }
            Ok(())
        }
    })
    .await?;
    answers.into_iter().collect::<Result<Vec<()>>>()?;
    check_eq!(db.get::<Item>(1).await?.quantity, Some(200));
    Ok(())
}

async fn one_of_many_tasks_wins_a_unique_value(db: Db) -> Verdict {
    db.create::<User>().await?;
    let answers = in_tasks(16, |_| {
        let db = db.clone();
        async move { retried(|| db.add(user("the one"))).await }
    })
    .await?;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    check_eq!(won.len(), 1);
    for answer in lost {
        check!(refused(answer)?.is_unique_violation());
    }
    Ok(())
}

async fn get_or_create_from_many_tasks_creates_one_row(db: Db) -> Verdict {
    db.create::<User>().await?;
    let answers = in_tasks(16, |_| {
        let db = db.clone();
        async move { retried(|| db.get_or_create(User::EMAIL.eq("a"), || user("a"))).await }
    })
    .await?;
    let rows = answers.into_iter().collect::<Result<Vec<User>>>()?;
    check_eq!(db.find(User::all()).count().await?, 1);
    let one = db.find(User::all()).one().await?;
    check!(rows.iter().all(|row| *row == one));
    Ok(())
}

async fn upserts_from_many_tasks_leave_one_row(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let has_upsert = db.driver().capabilities().write.upsert || db.driver().capabilities().transaction.transactions;
    let answers = in_tasks(12, |task| {
        let db = db.clone();
        async move { retried(|| async { db.upsert(item(1, &task.to_string())).count().await }).await }
    })
    .await?;
    for answer in answers {
        match answer {
            Ok(written) => check_eq!(written, 1),
            // without either, another task may add the row between the look and the insert
            Err(error) => check!(!has_upsert && error.is_unique_violation(), "{error}"),
        }
    }
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn dropped_reads_leave_the_handle_usable(db: Db) -> Verdict {
    fill(&db, (0..5000).map(|id| item(id, "name")).collect()).await?;
    for micros in (0..2000).step_by(100) {
        let read = db.find(Item::NAME.regex("^n.*e$")).order_by(Item::ID.desc()).all();
        let _ = tokio::time::timeout(Duration::from_micros(micros), read).await;
        let get = db.get::<Item>(7);
        let _ = tokio::time::timeout(Duration::ZERO, get).await;
    }
    check_eq!(db.find(Item::all()).count().await?, 5000);
    Ok(())
}

async fn dropped_writes_leave_the_handle_usable(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    for round in 0..30 {
        let write = db.add(item(100 + round, "maybe"));
        let _ = tokio::time::timeout(Duration::from_micros(u64::try_from(round).unwrap_or_default() * 20), write).await;
    }
    // each was written or not, and the next is
    db.add(item(2, "b")).await?;
    let rows = db.find(Item::ID.ge(100)).all().await?;
    check!(rows.len() <= 30 && rows.iter().all(|row| row.name == "maybe"));
    check_eq!(db.get::<Item>(2).await?.name, "b");
    Ok(())
}

async fn a_dropped_batch_is_written_whole_or_not_at_all(db: Db) -> Verdict {
    db.create::<Item>().await?;
    for round in 0..12 {
        let rows: Vec<Item> = (0..3000).map(|id| item(round * 10_000 + id, "")).collect();
        let _ = tokio::time::timeout(Duration::from_micros(1 << round), db.add_all(rows)).await;
    }
    // a dropped write may still be on its way: what comes after it waits for it
    db.add(item(-1, "")).await?;
    for round in 0..12 {
        let count = db.find(Item::ID.between(round * 10_000, round * 10_000 + 9_999)).count().await?;
        check!(count == 0 || count == 3000, "{count} rows of a batch are there");
    }
    Ok(())
}

async fn a_handle_is_used_from_clones_and_threads(db: Db) -> Verdict {
    fill(&db, (0..50).map(|id| item(id, "")).collect()).await?;
    let answers = in_tasks(32, |task| {
        let db = db.clone();
        async move {
            let mut found = 0;
            for id in 0..50 {
                found += i64::from(db.get::<Item>(id).await?.id == id);
                found += i64::from(db.find(Item::ID.eq(id + 1000 * task)).exists().await? == (task == 0));
            }
            Ok(found)
        }
    })
    .await?;
    check!(answers.into_iter().collect::<Result<Vec<_>>>()?.into_iter().all(|found| found == 100));
    Ok(())
}

async fn tables_are_created_by_many_tasks_at_once(db: Db) -> Verdict {
    let answers = in_tasks(8, |_| {
        let db = db.clone();
        async move { retried(|| db.create::<(Item, User)>()).await }
    })
    .await?;
    if db.driver().capabilities().constraint.unique && db.driver().capabilities().constraint.auto_integers {
        answers.into_iter().collect::<Result<Vec<()>>>()?;
        check_eq!(db.inspect().await?.tables.len(), 2);
    }
    Ok(())
}

async fn a_read_does_not_wait_for_an_open_transaction_for_ever(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let open = db.clone();
    let (told, written) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        open.transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            let _ = told.send(());
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(())
        })
        .await
    });
    check!(written.await.is_ok());
    let read = tokio::time::timeout(Duration::from_secs(20), db.find(Item::all()).count()).await;
    check!(matches!(read, Ok(Ok(1 | 2))), "the read came to {read:?}");
    let write = tokio::time::timeout(Duration::from_secs(20), retried(|| db.add(item(3, "c")))).await;
    check!(matches!(write, Ok(Ok(_))), "the write came to {write:?}");
    check!(task.await.is_ok_and(|answer| answer.is_ok()));
    check_eq!(db.find(Item::all()).count().await?, 3);
    Ok(())
}
