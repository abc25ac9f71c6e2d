//! Transactions that belong to a value: `begin`, `commit`, `rollback`, drop.

use std::time::Duration;

use ommi::Transaction;
use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, item, matching, named};

cases! { "explicit transactions":
    what_was_written_before_a_commit_stays needs TRANSACTIONS,
    what_was_written_before_a_rollback_is_undone needs TRANSACTIONS,
    a_dropped_transaction_is_rolled_back needs TRANSACTIONS,
    a_transaction_is_moved_to_another_task needs TRANSACTIONS,
    a_commit_after_a_failed_write_rolls_back_and_says_why needs TRANSACTIONS,
    a_rollback_after_a_failed_write_is_in_order needs TRANSACTIONS,
    handles_of_an_ended_transaction_are_refused needs TRANSACTIONS,
    a_nested_commit_becomes_part_of_the_outer_transaction needs SAVEPOINTS,
    a_nested_rollback_leaves_the_outer_transaction_usable needs SAVEPOINTS,
    a_dropped_nested_transaction_ends_the_one_around_it needs SAVEPOINTS,
    the_outer_transaction_is_refused_while_the_nested_one_is_open needs SAVEPOINTS,
    a_commit_around_an_open_nested_transaction_rolls_back_both needs SAVEPOINTS,
    a_rollback_around_an_open_nested_transaction_ends_both needs SAVEPOINTS,
    a_closure_nests_in_an_explicit_transaction_and_the_reverse needs SAVEPOINTS,
    a_begin_is_refused_where_there_are_no_transactions,
    a_nested_begin_is_refused_where_there_are_no_savepoints needs TRANSACTIONS,
    the_database_is_not_closed_in_a_transaction needs TRANSACTIONS,
}

async fn what_was_written_before_a_commit_stays(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.begin().await?;
    tx.add(item(2, "b")).await?;
    check_eq!(tx.find(Item::all()).count().await?, 2);
    tx.find(Item::ID.eq(1)).delete().await?;
    tx.commit().await?;
    check_eq!(matching(&db, Item::all()).await?, [2]);
    Ok(())
}

async fn what_was_written_before_a_rollback_is_undone(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.begin().await?;
    tx.add(item(2, "b")).await?;
    tx.find(Item::ID.eq(1)).delete().await?;
    tx.rollback().await?;
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_dropped_transaction_is_rolled_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    for round in 0..20 {
        let tx = db.begin().await?;
        tx.add(item(2, "b")).await?;
        drop(tx);
        db.add(item(100 + round, "after")).await?;
    }
    check!(db.find(Item::ID.eq(2)).optional().await?.is_none());
    check_eq!(db.find(Item::all()).count().await?, 21);
    Ok(())
}

async fn a_transaction_is_moved_to_another_task(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.begin().await?;
    let task = tokio::spawn(async move {
        tx.add(item(2, "b")).await?;
        tx.commit().await
    });
    task.await.map_err(|fault| Error::config(fault.to_string()))??;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn a_commit_after_a_failed_write_rolls_back_and_says_why(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.begin().await?;
    tx.add(item(2, "b")).await?;
    check!(refused(tx.add(item(1, "again")).await)?.is_unique_violation());
    let error = refused(tx.find(Item::all()).count().await)?;
    check!(error.is_transaction() && error.message().contains("constraint"), "{error}");
    let error = refused(tx.commit().await)?;
    check!(error.is_transaction() && error.message().contains("constraint"), "{error}");
    check!(std::error::Error::source(&error).is_some());
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_rollback_after_a_failed_write_is_in_order(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let tx = db.begin().await?;
    refused(tx.add_all([item(2, "b"), item(1, "again")]).await)?;
    tx.rollback().await?;
    db.add(item(2, "c")).await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn handles_of_an_ended_transaction_are_refused(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let ended = |tx: &Transaction| (tx.find(Item::all()), Db::clone(tx));
    let tx = db.begin().await?;
    let committed = ended(&tx);
    tx.commit().await?;
    let tx = db.begin().await?;
    let rolled_back = ended(&tx);
    tx.rollback().await?;
    let tx = db.begin().await?;
    let dropped = ended(&tx);
    drop(tx);
    for ((query, handle), end) in
        [committed, rolled_back, dropped].into_iter().zip(["was committed", "rolled back", "rolled back"])
    {
        let error = refused(query.all().await)?;
        check!(error.is_transaction() && error.message().contains(end), "{error}");
        check!(refused(handle.add(item(2, "b")).await)?.is_transaction());
        check!(refused(handle.begin().await)?.is_transaction());
        check!(refused(handle.transaction(async |_| Ok(())).await)?.is_transaction());
    }
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_nested_commit_becomes_part_of_the_outer_transaction(db: Db) -> Verdict {
    db.create::<Item>().await?;
    for kept in [true, false] {
        let outer = db.begin().await?;
        outer.add(item(1, "outer")).await?;
        let inner = outer.begin().await?;
        inner.add(item(2, "inner")).await?;
        inner.commit().await?;
        outer.add(item(3, "outer")).await?;
        match kept {
            true => outer.commit().await?,
            false => outer.rollback().await?,
        }
        check_eq!(db.find(Item::all()).delete().await?, if kept { 3 } else { 0 });
    }
    Ok(())
}

async fn a_nested_rollback_leaves_the_outer_transaction_usable(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let outer = db.begin().await?;
    outer.add(item(2, "outer")).await?;
    for _ in 0..3 {
        let inner = outer.begin().await?;
        inner.add(item(3, "inner")).await?;
        let innermost = inner.begin().await?;
        refused(innermost.add(item(1, "again")).await)?;
        innermost.rollback().await?;
        inner.add(item(4, "inner")).await?;
        inner.rollback().await?;
        check_eq!(outer.find(Item::all()).count().await?, 2);
    }
    outer.add(item(5, "outer")).await?;
    outer.commit().await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 5]);
    Ok(())
}

async fn a_dropped_nested_transaction_ends_the_one_around_it(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let outer = db.begin().await?;
    outer.add(item(1, "outer")).await?;
    let inner = outer.begin().await?;
    inner.add(item(2, "inner")).await?;
    drop(inner);
    check!(refused(outer.add(item(3, "outer")).await)?.is_transaction());
    check!(refused(outer.commit().await)?.is_transaction());
    check_eq!(db.find(Item::all()).count().await?, 0);
    Ok(())
}

async fn the_outer_transaction_is_refused_while_the_nested_one_is_open(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let outer = db.begin().await?;
    let inner = outer.begin().await?;
    check!(refused(outer.find(Item::all()).count().await)?.is_transaction());
    check!(refused(outer.begin().await)?.is_transaction());
    inner.add(item(1, "inner")).await?;
    inner.commit().await?;
    outer.add(item(2, "outer")).await?;
    outer.commit().await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn a_commit_around_an_open_nested_transaction_rolls_back_both(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let outer = db.begin().await?;
    outer.add(item(1, "outer")).await?;
    let inner = outer.begin().await?;
    inner.add(item(2, "inner")).await?;
    check!(refused(outer.commit().await)?.is_transaction());
    check!(refused(inner.add(item(3, "inner")).await)?.is_transaction());
    check!(refused(inner.commit().await)?.is_transaction());
    check_eq!(db.find(Item::all()).count().await?, 0);
    Ok(())
}

async fn a_rollback_around_an_open_nested_transaction_ends_both(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let outer = db.begin().await?;
    let inner = outer.begin().await?;
    inner.add(item(1, "inner")).await?;
    outer.rollback().await?;
    check!(refused(inner.find(Item::all()).count().await)?.is_transaction());
    check!(refused(inner.rollback().await)?.is_transaction());
    db.add(item(2, "after")).await?;
    check_eq!(matching(&db, Item::all()).await?, [2]);
    Ok(())
}

async fn a_closure_nests_in_an_explicit_transaction_and_the_reverse(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let tx = db.begin().await?;
    let refused_inside: Result<()> = tx
        .transaction(async |tx| {
            tx.add(item(1, "lost")).await?;
            Err(Error::config("enough"))
        })
        .await;
    check!(refused(refused_inside)?.is_config());
    tx.transaction(async |tx| tx.add(item(2, "kept")).await).await?;
    tx.commit().await?;
    db.transaction(async |tx| {
        let inner = tx.begin().await?;
        inner.add(item(3, "lost")).await?;
        inner.rollback().await?;
        let inner = tx.begin().await?;
        inner.add(item(4, "kept")).await?;
        inner.commit().await
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [2, 4]);
    Ok(())
}

async fn a_begin_is_refused_where_there_are_no_transactions(db: Db) -> Verdict {
    match db.driver().capabilities().transaction.transactions {
        true => db.begin().await?.rollback().await?,
        false => {
            let error = refused(db.begin().await)?;
            check!(error.is_unsupported() && error.message().contains("transaction.transactions"), "{error}");
        }
    }
    Ok(())
}

async fn a_nested_begin_is_refused_where_there_are_no_savepoints(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let has_savepoints = db.driver().capabilities().transaction.savepoints;
    let tx = db.begin().await?;
    tx.add(item(1, "outer")).await?;
    let mut has_run = false;
    let nested = tx
        .transaction(async |tx| {
            has_run = true;
            tx.add(item(2, "inner")).await
        })
        .await;
    if has_savepoints {
        nested?;
        tx.begin().await?.commit().await?;
    } else {
        for error in [refused(nested)?, refused(tx.begin().await)?] {
            check!(error.is_unsupported() && error.message().contains("transaction.savepoints"), "{error}");
        }
    }
    check_eq!(has_run, has_savepoints);
    // nothing ran, so nothing is lost
    tx.add(item(3, "outer")).await?;
    tx.commit().await?;
    check_eq!(db.find(Item::all()).count().await?, if has_savepoints { 3 } else { 2 });
    Ok(())
}

async fn the_database_is_not_closed_in_a_transaction(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |tx| {
        check!(refused(tx.close().await)?.is_transaction());
        check!(refused(db.close().await)?.is_transaction());
        check!(refused(tx.inspect().await)?.is_transaction());
        check!(refused(db.inspect().await)?.is_transaction());
        Ok(())
    })
    .await?;
    let close = db.begin().await?;
    check!(refused(close.close().await)?.is_transaction());
    close.rollback().await?;
    let answer = tokio::time::timeout(Duration::from_secs(20), db.find(Item::all()).count()).await;
    check!(matches!(answer, Ok(Ok(1))), "{answer:?}");
    Ok(())
}
