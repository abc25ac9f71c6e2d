//! Versions and times of writing.

use ommi::prelude::*;

use crate::check::{Verdict, present, refused};
use crate::models::fill;

cases! { "versions":
    a_new_row_has_version_one,
    a_save_counts_the_version_up,
    a_stale_save_is_a_conflict,
    a_stale_delete_is_a_conflict,
    a_stale_update_of_named_fields_is_a_conflict,
    a_save_of_a_deleted_row_is_stale,
    a_query_update_counts_the_version_up,
    a_stale_write_is_not_retryable,
    a_version_may_be_of_a_narrow_type,
    two_writers_of_a_version_do_not_both_win,
    created_is_set_once,
    updated_is_set_by_every_write,
    times_of_writing_are_given_back_as_they_are_stored,
    an_upsert_keeps_created_and_moves_updated,
    times_of_writing_may_be_naive,
    an_upsert_counts_the_version_up,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Document {
    #[ommi(key)]
    id: i64,
    text: String,
    #[ommi(version)]
    version: i64,
}

fn document(id: i64) -> Document {
    Document { id, text: "a".into(), version: 0 }
}

async fn a_new_row_has_version_one(db: Db) -> Verdict {
    check_eq!(fill(&db, vec![document(1)]).await?, [Document { version: 1, ..document(1) }]);
    let mut saved = document(2);
    db.save(&mut saved).await?;
    check_eq!(saved.version, 1);
    check_eq!(db.get::<Document>(2).await?, saved);
    Ok(())
}

async fn a_save_counts_the_version_up(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let mut row = db.get::<Document>(1).await?;
    for version in 2..6 {
        row.text = version.to_string();
        db.save(&mut row).await?;
        check_eq!(row.version, version);
        check_eq!(db.get::<Document>(1).await?, row);
    }
    Ok(())
}

async fn a_stale_save_is_a_conflict(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let mut mine = db.get::<Document>(1).await?;
    let mut theirs = mine.clone();
    theirs.text = "theirs".into();
    db.save(&mut theirs).await?;
    mine.text = "mine".into();
    let before = mine.clone();
    let error = refused(db.save(&mut mine).await)?;
    check!(error.is_conflict() && error.is_stale(), "{error}");
    check_eq!(mine, before);
    check_eq!(db.get::<Document>(1).await?, theirs);
    db.reload(&mut mine).await?;
    db.save(&mut mine).await?;
    check_eq!(mine.version, 3);
    Ok(())
}

async fn a_stale_delete_is_a_conflict(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let mine = db.get::<Document>(1).await?;
    db.save(&mut mine.clone()).await?;
    check!(refused(db.delete(&mine).await)?.is_stale());
    check_eq!(db.find(Document::all()).count().await?, 1);
    db.delete(&db.get::<Document>(1).await?).await?;
    check_eq!(db.find(Document::all()).count().await?, 0);
    Ok(())
}

async fn a_stale_update_of_named_fields_is_a_conflict(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let mine = Document { text: "mine".into(), ..db.get::<Document>(1).await? };
    db.update(&mine, Document::TEXT).await?;
    check_eq!(db.get::<Document>(1).await?, Document { version: 2, ..mine.clone() });
    check!(refused(db.update(&mine, Document::TEXT).await)?.is_stale());
    Ok(())
}

async fn a_save_of_a_deleted_row_is_stale(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let mut row = db.get::<Document>(1).await?;
    db.find(Document::all()).delete().await?;
    check!(refused(db.save(&mut row).await)?.is_stale());
    check_eq!(db.find(Document::all()).count().await?, 0);
    Ok(())
}

async fn a_query_update_counts_the_version_up(db: Db) -> Verdict {
    fill(&db, vec![document(1), document(2)]).await?;
    db.find(Document::ID.eq(1)).update(Document::TEXT.set("b")).await?;
    check_eq!(db.get::<Document>(1).await?.version, 2);
    check_eq!(db.get::<Document>(2).await?.version, 1);
    db.find(Document::all()).update(Document::TEXT.set("c")).await?;
    check_eq!(db.get::<Document>(1).await?.version, 3);
    Ok(())
}

async fn a_stale_write_is_not_retryable(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let error = refused(db.save(&mut Document { version: 9, ..document(1) }).await)?;
    check!(error.is_stale() && !error.is_retryable(), "{error}");
    check_eq!(error.model(), Some("Document"));
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Narrow {
    #[ommi(key)]
    id: i64,
    #[ommi(version)]
    version: u8,
}

async fn a_version_may_be_of_a_narrow_type(db: Db) -> Verdict {
    fill(&db, vec![Narrow::default()]).await?;
    let mut row = db.get::<Narrow>(0).await?;
    for _ in 0..254 {
        db.save(&mut row).await?;
    }
    check_eq!(row.version, 255);
    let error = refused(db.save(&mut row).await)?;
    check!(!error.is_stale(), "{error}");
    check_eq!(db.get::<Narrow>(0).await?.version, 255);
    Ok(())
}

async fn two_writers_of_a_version_do_not_both_win(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let row = db.get::<Document>(1).await?;
    let write = |db: Db, mut row: Document| async move { db.save(&mut row).await };
    let (first, second) =
        tokio::join!(tokio::spawn(write(db.clone(), row.clone())), tokio::spawn(write(db.clone(), row.clone())));
    let answers = [first, second].map(|answer| answer.map_err(|fault| Error::config(fault.to_string())));
    let mut won = 0;
    for answer in answers {
        match answer? {
            Ok(()) => won += 1,
            Err(error) => check!(error.is_conflict(), "{error}"),
        }
    }
    check_eq!(won, 1);
    check_eq!(db.get::<Document>(1).await?.version, 2);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Stamped {
    #[ommi(key)]
    id: i64,
    text: String,
    #[ommi(created)]
    created: Timestamp,
    #[ommi(updated)]
    updated: Option<Timestamp>,
}

async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

async fn created_is_set_once(db: Db) -> Verdict {
    let before = Timestamp::now();
    let added = fill(&db, vec![Stamped::default()]).await?;
    let created = present(added.first())?.created;
    check!(created >= before - Duration::from_millis(1) && created <= Timestamp::now(), "created is {created}");
    pause().await;
    let mut row = db.get::<Stamped>(0).await?;
    row.text = "x".into();
    db.save(&mut row).await?;
    check_eq!(row.created, created);
    check_eq!(db.get::<Stamped>(0).await?.created, created);
    let mut forged = Stamped { created: Timestamp::UNIX_EPOCH, ..row };
    db.save(&mut forged).await?;
    check_eq!(db.get::<Stamped>(0).await?.created, created);
    check_eq!(forged.created, created);
    Ok(())
}

async fn updated_is_set_by_every_write(db: Db) -> Verdict {
    fill(&db, vec![Stamped::default()]).await?;
    let mut last = present(db.get::<Stamped>(0).await?.updated)?;
    let mut row = db.get::<Stamped>(0).await?;
    pause().await;
    db.save(&mut row).await?;
    check!(row.updated > Some(last));
    check_eq!(db.get::<Stamped>(0).await?.updated, row.updated);
    last = present(row.updated)?;
    pause().await;
    db.find(Stamped::all()).update(Stamped::TEXT.set("y")).await?;
    let found = present(db.get::<Stamped>(0).await?.updated)?;
    check!(found > last);
    pause().await;
    db.update(&Stamped { text: "z".into(), ..row }, Stamped::TEXT).await?;
    check!(present(db.get::<Stamped>(0).await?.updated)? > found);
    Ok(())
}

async fn times_of_writing_are_given_back_as_they_are_stored(db: Db) -> Verdict {
    let added = fill(&db, (0..10).map(|id| Stamped { id, ..Stamped::default() }).collect()).await?;
    check_eq!(db.find(Stamped::all()).order_by(Stamped::ID.asc()).all().await?, added);
    Ok(())
}

async fn an_upsert_keeps_created_and_moves_updated(db: Db) -> Verdict {
    fill(&db, vec![Stamped::default()]).await?;
    let before = db.get::<Stamped>(0).await?;
    pause().await;
    let stored = db.upsert(Stamped { text: "x".into(), ..Stamped::default() }).await?;
    let after = db.get::<Stamped>(0).await?;
    check_eq!(stored, [after.clone()]);
    check_eq!(after.created, before.created);
    check!(after.updated > before.updated);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Naive {
    #[ommi(key)]
    id: i64,
    #[ommi(created)]
    created: DateTime,
    #[ommi(updated)]
    updated: DateTime,
}

async fn times_of_writing_may_be_naive(db: Db) -> Verdict {
    let added = fill(&db, vec![Naive::default()]).await?;
    check_eq!(db.find(Naive::all()).all().await?, added);
    let row = present(added.first())?;
    check!(row.created.year() >= 2024, "created is {}", row.created);
    check_eq!(row.created, row.updated);
    pause().await;
    db.find(Naive::all()).update(Naive::ID.set(1)).await?;
    check!(db.get::<Naive>(1).await?.updated > row.updated);
    Ok(())
}

async fn an_upsert_counts_the_version_up(db: Db) -> Verdict {
    fill(&db, vec![document(1)]).await?;
    let stored = db.upsert_all([Document { text: "b".into(), ..document(1) }, document(2)]).await?;
    check_eq!(stored.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 1]);
    Ok(())
}
