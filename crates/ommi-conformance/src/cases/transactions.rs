//! Transactions and nested transactions.

use std::sync::Arc;
use std::time::Duration;

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, User, fill, item, matching, named, user};

cases! { "transactions":
    what_a_transaction_writes_is_committed needs TRANSACTIONS,
    a_transaction_gives_the_value_of_its_closure needs TRANSACTIONS,
    an_error_rolls_back needs TRANSACTIONS,
    a_panic_rolls_back needs TRANSACTIONS,
    a_dropped_future_rolls_back needs TRANSACTIONS,
    a_transaction_reads_its_own_writes needs TRANSACTIONS,
    what_is_not_committed_is_not_seen_outside needs TRANSACTIONS,
    after_a_failed_write_further_calls_are_refused needs TRANSACTIONS,
    a_failed_write_that_is_passed_over_rolls_back needs TRANSACTIONS,
    a_refused_value_ends_a_transaction_on_every_driver needs TRANSACTIONS,
    a_row_that_is_not_found_does_not_end_a_transaction needs TRANSACTIONS,
    a_nested_transaction_is_committed_with_the_outer_one needs SAVEPOINTS,
    a_nested_transaction_is_rolled_back_alone needs SAVEPOINTS,
    an_outer_rollback_undoes_a_nested_commit needs SAVEPOINTS,
    a_failed_write_in_a_nested_transaction_leaves_the_outer_one_whole needs SAVEPOINTS,
    transactions_nest_deeply needs SAVEPOINTS,
    the_outer_handle_is_refused_while_a_nested_transaction_is_open needs SAVEPOINTS,
    a_dropped_nested_transaction_ends_the_outer_one needs SAVEPOINTS,
    the_database_is_refused_inside_its_transaction needs TRANSACTIONS,
    work_that_is_meant_to_be_outside_is_not_part_of_the_transaction needs TRANSACTIONS,
    a_batch_and_automatic_keys_roll_back needs TRANSACTIONS AUTO_INTEGERS UNIQUE,
    updates_and_deletes_roll_back needs TRANSACTIONS,
    two_transactions_do_not_lose_an_update needs TRANSACTIONS,
    a_transaction_after_a_rolled_back_one_is_clean needs TRANSACTIONS,
    tables_are_not_created_in_a_transaction needs TRANSACTIONS,
    a_transaction_is_refused_where_there_are_none,
    an_empty_transaction_changes_nothing needs TRANSACTIONS,
    rows_are_streamed_in_a_transaction needs TRANSACTIONS,
    get_or_create_works_in_a_transaction needs TRANSACTIONS UNIQUE AUTO_INTEGERS,
    the_database_is_refused_in_all_that_the_closure_polls needs TRANSACTIONS,
    a_spawned_task_is_outside_the_transaction needs TRANSACTIONS,
}

async fn what_a_transaction_writes_is_committed(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        tx.add(item(1, "a")).await?;
        tx.add_all([item(2, "b"), item(3, "c")]).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn a_transaction_gives_the_value_of_its_closure(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let count = db.transaction(async |tx| tx.find(Item::all()).count().await).await?;
    check_eq!(count, 2);
    Ok(())
}

async fn an_error_rolls_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            tx.find(Item::ID.eq(1)).update(Item::NAME.set("changed")).await?;
            Err(Error::config("enough"))
        })
        .await;
    let error = refused(answer)?;
    check!(error.is_config(), "the closure's own error is lost: {error}");
    check_eq!(db.find(Item::all()).all().await?, [item(1, "a")]);
    Ok(())
}

async fn a_panic_rolls_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let inside = db.clone();
    let task = tokio::spawn(async move {
        inside
            .transaction(async |tx| {
                tx.add(item(2, "b")).await?;
                std::panic::resume_unwind(Box::new("on purpose"));
                #[expect(unreachable_code, reason = "it says the type")]
                Ok(())
            })
            .await
    });
    check!(task.await.is_err_and(|fault| fault.is_panic()));
    check_eq!(matching(&db, Item::all()).await?, [1]);
    db.add(item(2, "c")).await?;
    Ok(())
}

async fn a_dropped_future_rolls_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let work = db.transaction(async |tx| {
        tx.add(item(2, "b")).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    check!(tokio::time::timeout(Duration::from_millis(50), work).await.is_err());
    check_eq!(matching(&db, Item::all()).await?, [1]);
    db.transaction(async |tx| tx.add(item(2, "c")).await).await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn a_transaction_reads_its_own_writes(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |tx| {
        tx.add(item(2, "b")).await?;
        check_eq!(tx.find(Item::all()).count().await?, 2);
        tx.find(Item::all()).update(Item::NAME.set("x")).await?;
        check_eq!(matching(tx, Item::NAME.eq("x")).await?, [1, 2]);
        tx.delete(&item(1, "")).await?;
        check_eq!(matching(tx, Item::all()).await?, [2]);
        check!(refused(tx.get::<Item>(1).await)?.is_not_found());
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [2]);
    Ok(())
}

async fn what_is_not_committed_is_not_seen_outside(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let (written, looked) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (other, told, go_on) = (db.clone(), Arc::clone(&written), Arc::clone(&looked));
    let task = tokio::spawn(async move {
        other
            .transaction(async |tx| {
                tx.add(item(2, "b")).await?;
                tx.find(Item::ID.eq(1)).update(Item::NAME.set("changed")).await?;
                told.notify_one();
                go_on.notified().await;
                Ok(())
            })
            .await
    });
    written.notified().await;
    let seen = tokio::time::timeout(Duration::from_secs(5), db.find(Item::all()).all()).await;
    looked.notify_one();
    let ended = task.await;
    // a database may also make the reader wait
    if let Ok(seen) = seen {
        check_eq!(seen?, [item(1, "a")]);
    }
    check!(ended.is_ok_and(|answer| answer.is_ok()));
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn after_a_failed_write_further_calls_are_refused(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let answer = db
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            check!(refused(tx.add(item(1, "again")).await)?.is_unique_violation());
            check!(refused(tx.find(Item::all()).count().await)?.is_transaction());
            check!(refused(tx.add(item(3, "c")).await)?.is_transaction());
            check!(refused(tx.find(Item::all()).delete().await)?.is_transaction());
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_transaction());
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_failed_write_that_is_passed_over_rolls_back(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let answer = db
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            tx.add(item(1, "again")).await.ok();
            Ok(())
        })
        .await;
    let error = refused(answer)?;
    check!(error.is_transaction(), "{error}");
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_refused_value_ends_a_transaction_on_every_driver(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let answer = db
        .transaction(async |tx| {
            tx.add(item(2, "b")).await?;
            check!(
                refused(
                    tx.find(Item::all())
                        .update(Item::QUANTITY.set(Item::QUANTITY + 1))
                        .await
                        .and(tx.add(item(3, "\0")).await)
                )?
                .is_query()
            );
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_transaction());
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn a_row_that_is_not_found_does_not_end_a_transaction(db: Db) -> Verdict {
    fill(&db, named(&["a", "a"])).await?;
    db.transaction(async |tx| {
        check!(refused(tx.get::<Item>(9).await)?.is_not_found());
        check!(refused(tx.find(Item::NAME.eq("a")).one().await)?.is_not_unique());
        check!(refused(tx.update(&item(9, "x"), Item::NAME).await)?.is_not_found());
        tx.add(item(3, "b")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn a_nested_transaction_is_committed_with_the_outer_one(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        tx.add(item(1, "outer")).await?;
        tx.transaction(async |tx| tx.add(item(2, "inner")).await).await?;
        tx.add(item(3, "outer")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn a_nested_transaction_is_rolled_back_alone(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        tx.add(item(1, "outer")).await?;
        let answer: Result<()> = tx
            .transaction(async |tx| {
                tx.add(item(2, "inner")).await?;
                tx.find(Item::ID.eq(1)).update(Item::NAME.set("changed")).await?;
                Err(Error::config("enough"))
            })
            .await;
        check!(refused(answer)?.is_config());
        check_eq!(tx.find(Item::all()).all().await?, [item(1, "outer")]);
        tx.add(item(3, "outer")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 3]);
    Ok(())
}

async fn an_outer_rollback_undoes_a_nested_commit(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.transaction(async |tx| tx.add(item(1, "inner")).await).await?;
            Err(Error::config("enough"))
        })
        .await;
    refused(answer)?;
    check_eq!(db.find(Item::all()).count().await?, 0);
    Ok(())
}

async fn a_failed_write_in_a_nested_transaction_leaves_the_outer_one_whole(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |tx| {
        tx.add(item(2, "b")).await?;
        let answer = tx.transaction(async |tx| tx.add_all([item(5, "x"), item(1, "again")]).await).await;
        check!(refused(answer)?.is_unique_violation());
        let answer = tx
            .transaction(async |tx| {
                tx.add(item(1, "again")).await.ok();
                Ok(())
            })
            .await;
        check!(refused(answer)?.is_transaction());
        tx.add(item(3, "c")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3]);
    Ok(())
}

async fn transactions_nest_deeply(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |tx| {
        tx.add(item(1, "")).await?;
        tx.transaction(async |tx| {
            tx.add(item(2, "")).await?;
            let third: Result<()> = tx
                .transaction(async |tx| {
                    tx.add(item(3, "")).await?;
                    tx.transaction(async |tx| tx.add(item(4, "")).await).await?;
                    Err(Error::config("enough"))
                })
                .await;
            refused(third)?;
            tx.transaction(async |tx| tx.add(item(5, "")).await).await?;
            Ok(())
        })
        .await
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 5]);
    Ok(())
}

async fn the_outer_handle_is_refused_while_a_nested_transaction_is_open(db: Db) -> Verdict {
    db.create::<Item>().await?;
    db.transaction(async |outer| {
        outer
            .transaction(async |inner| {
                check!(refused(outer.find(Item::all()).count().await)?.is_transaction());
                inner.add(item(2, "")).await?;
                Ok(())
            })
            .await?;
        outer.add(item(3, "")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [2, 3]);
    let answer = db
        .transaction(async |outer| {
            outer
                .transaction(async |_| {
                    check!(refused(outer.add(item(4, "")).await)?.is_transaction());
                    Ok(())
                })
                .await
        })
        .await;
    // the write did not happen, so what went on without it is not kept
    check!(refused(answer)?.is_transaction());
    check_eq!(matching(&db, Item::all()).await?, [2, 3]);
    Ok(())
}

async fn a_dropped_nested_transaction_ends_the_outer_one(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let answer = db
        .transaction(async |tx| {
            tx.add(item(1, "")).await?;
            let nested = tx.transaction(async |tx| {
                tx.add(item(2, "")).await?;
                std::future::pending::<()>().await;
                Ok(())
            });
            check!(tokio::time::timeout(Duration::from_millis(30), nested).await.is_err());
            check!(refused(tx.add(item(3, "")).await)?.is_transaction());
            Ok(())
        })
        .await;
    check!(refused(answer)?.is_transaction());
    check_eq!(db.find(Item::all()).count().await?, 0);
    Ok(())
}

async fn the_database_is_refused_inside_its_transaction(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |_| {
        check!(refused(db.find(Item::all()).count().await)?.is_transaction());
        check!(refused(db.add(item(2, "b")).await)?.is_transaction());
        check!(refused(db.transaction(async |_| Ok(())).await)?.is_transaction());
        Ok(())
    })
    .await?;
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn the_database_is_refused_in_all_that_the_closure_polls(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |tx| {
        let (joined, read) = tokio::join!(db.find(Item::all()).count(), tx.find(Item::all()).count());
        check!(refused(joined)?.is_transaction());
        check_eq!(read?, 1);
        let boxed: std::pin::Pin<Box<dyn Future<Output = Result<u64>> + Send>> =
            Box::pin(async { db.clone().find(Item::all()).count().await });
        check!(refused(boxed.await)?.is_transaction());
        tokio::task::yield_now().await;
        check!(refused(db.begin().await)?.is_transaction());
        check!(refused(db.find(Item::all()).stream().await)?.is_transaction());
        check!(refused(db.create::<Item>().await)?.is_transaction());
        if db.driver().capabilities().transaction.savepoints {
            tx.transaction(async |_| {
                check!(refused(db.find(Item::all()).count().await)?.is_transaction());
                Ok(())
            })
            .await?;
        }
        check!(refused(db.find(Item::all()).count().await)?.is_transaction());
        Ok(())
    })
    .await?;
    let retried = db.options().retry(3).transaction(|_| {
        let db = db.clone();
        async move { db.find(Item::all()).count().await }
    });
    check!(refused(retried.await)?.is_transaction());
    // outside of closures, an open transaction keeps nobody from using the database
    let tx = db.begin().await?;
    check_eq!(db.find(Item::all()).count().await?, 1);
    tx.rollback().await?;
    Ok(())
}

async fn a_spawned_task_is_outside_the_transaction(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |tx| {
        let other = db.clone();
        let task = tokio::spawn(async move { other.find(Item::all()).count().await });
        check_eq!(task.await.map_err(|fault| Error::config(fault.to_string()))??, 1);
        tx.add(item(2, "b")).await?;
        Ok(())
    })
    .await?;
    check_eq!(matching(&db, Item::all()).await?, [1, 2]);
    Ok(())
}

async fn work_that_is_meant_to_be_outside_is_not_part_of_the_transaction(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let answer: Result<()> = db
        .transaction(async |_| {
            // before the first write of the transaction, which another writer would wait for
            check_eq!(db.outside().find(Item::all()).count().await?, 1);
            Err(Error::config("enough"))
        })
        .await;
    check!(refused(answer)?.is_config());
    Ok(())
}

async fn a_batch_and_automatic_keys_roll_back(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.add_all((0..100).map(|n| user(&n.to_string()))).await?;
            Err(Error::config("enough"))
        })
        .await;
    refused(answer)?;
    check_eq!(db.find(User::all()).count().await?, 1);
    let next = db.add(user("b")).await?;
    check!(next.id > 1);
    Ok(())
}

async fn updates_and_deletes_roll_back(db: Db) -> Verdict {
    let rows = fill(&db, named(&["a", "b", "c"])).await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.find(Item::all()).update((Item::NAME.set("x"), Item::ID.set(Item::ID + 100))).await?;
            tx.find(Item::ID.eq(101)).delete().await?;
            tx.upsert(item(102, "y")).await?;
            Err(Error::config("enough"))
        })
        .await;
    refused(answer)?;
    check_eq!(db.find(Item::all()).order_by(Item::ID.asc()).all().await?, rows);
    Ok(())
}

async fn two_transactions_do_not_lose_an_update(db: Db) -> Verdict {
    fill(&db, vec![Item { quantity: Some(0), ..item(1, "") }]).await?;
    let count_up = |db: Db| async move {
        for _ in 0..25 {
            loop {
                let answer = db
                    .transaction(async |tx| {
                        tx.find(Item::ID.eq(1)).update(Item::QUANTITY.set(Item::QUANTITY + 1)).await?;
                        tokio::task::yield_now().await;
                        tx.find(Item::ID.eq(1)).update(Item::QUANTITY.set(Item::QUANTITY + 1)).await
                    })
                    .await;
                match answer {
                    Err(error) if error.is_retryable() => {}
                    answer => {
                        answer?;
                        break;
                    }
                }
            }
        }
        Ok::<_, Error>(())
    };
    let (first, second) = tokio::join!(tokio::spawn(count_up(db.clone())), tokio::spawn(count_up(db.clone())));
    for answer in [first, second] {
        answer.map_err(|fault| Error::config(fault.to_string()))??;
    }
    check_eq!(db.get::<Item>(1).await?.quantity, Some(100));
    Ok(())
}

async fn a_transaction_after_a_rolled_back_one_is_clean(db: Db) -> Verdict {
    db.create::<Item>().await?;
    for round in 0..10 {
        let answer: Result<()> = db
            .transaction(async |tx| {
                tx.add(item(1, "lost")).await?;
                Err(Error::config("enough"))
            })
            .await;
        refused(answer)?;
        db.transaction(async |tx| tx.add(item(100 + round, "kept")).await).await?;
    }
    check_eq!(db.find(Item::all()).count().await?, 10);
    Ok(())
}

async fn tables_are_not_created_in_a_transaction(db: Db) -> Verdict {
    db.transaction(async |tx| {
        check!(refused(tx.create::<Item>().await)?.is_transaction());
        check!(refused(tx.drop::<Item>().await)?.is_transaction());
        Ok(())
    })
    .await?;
    Ok(())
}

async fn a_transaction_is_refused_where_there_are_none(db: Db) -> Verdict {
    let answer = db.transaction(async |_| Ok(())).await;
    if db.driver().capabilities().transaction.transactions {
        answer?;
    } else {
        check!(refused(answer)?.is_unsupported());
    }
    Ok(())
}

async fn an_empty_transaction_changes_nothing(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    db.transaction(async |_| Ok(())).await?;
    check_eq!(matching(&db, Item::all()).await?, [1]);
    Ok(())
}

async fn rows_are_streamed_in_a_transaction(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let sum = db
        .transaction(async |tx| {
            tx.add_all((1..=2000).map(|id| item(id, ""))).await?;
            let mut rows = tx.find(Item::all()).stream().await?;
            let mut sum = 0;
            while let Some(row) = rows.next().await? {
                sum += row.id;
            }
            Ok(sum)
        })
        .await?;
    check_eq!(sum, 2_001_000);
    Ok(())
}

async fn get_or_create_works_in_a_transaction(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    db.transaction(async |tx| {
        check_eq!(tx.get_or_create(User::EMAIL.eq("a"), || user("a")).await?.id, 1);
        let created = tx.get_or_create(User::EMAIL.eq("b"), || user("b")).await?;
        check_eq!(tx.get_or_create(User::EMAIL.eq("b"), || user("b")).await?, created);
        Ok(())
    })
    .await?;
    check_eq!(db.find(User::all()).count().await?, 2);
    Ok(())
}
