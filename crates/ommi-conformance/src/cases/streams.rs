//! Rows as streams.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, item, named};

cases! { "streams":
    a_stream_gives_all_rows_in_order,
    a_stream_of_no_rows_ends_at_once,
    a_stream_of_exactly_one_batch_ends,
    a_stream_is_filtered,
    a_stream_is_limited,
    a_stream_may_be_left_half_read,
    several_streams_are_read_at_once,
    a_dropped_read_of_a_stream_loses_no_row,
    rows_are_written_while_a_stream_is_read,
    a_stream_of_a_missing_table_is_a_schema_error,
    the_rest_of_a_stream_is_collected,
    an_ended_stream_stays_ended,
}

async fn rows(db: &Db, count: i64) -> Result<()> {
    fill(db, (1..=count).map(|id| item(id, &format!("name {id}"))).collect()).await?;
    Ok(())
}

async fn ids(mut rows: ommi::Rows<Item>) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    while let Some(row) = rows.next().await? {
        ids.push(row.id);
    }
    Ok(ids)
}

async fn a_stream_gives_all_rows_in_order(db: Db) -> Verdict {
    rows(&db, 3000).await?;
    let stream = db.find(Item::all()).order_by(Item::ID.desc()).stream().await?;
    check!(ids(stream).await? == (1..=3000).rev().collect::<Vec<_>>());
    let mut unordered = ids(db.find(Item::all()).stream().await?).await?;
    unordered.sort_unstable();
    check!(unordered == (1..=3000).collect::<Vec<_>>());
    Ok(())
}

async fn a_stream_of_no_rows_ends_at_once(db: Db) -> Verdict {
    rows(&db, 3).await?;
    check_eq!(ids(db.find(Item::ID.gt(100)).stream().await?).await?, Vec::<i64>::new());
    Ok(())
}

async fn a_stream_of_exactly_one_batch_ends(db: Db) -> Verdict {
    rows(&db, 1030).await?;
    for count in [1, 255, 256, 511, 512, 513, 1023, 1024, 1025] {
        let found = ids(db.find(Item::ID.le(count)).order_by(Item::ID.asc()).stream().await?).await?;
        check!(found == (1..=count).collect::<Vec<_>>(), "a stream of {count} rows gave {}", found.len());
    }
    Ok(())
}

async fn a_stream_is_filtered(db: Db) -> Verdict {
    rows(&db, 2000).await?;
    let stream = db.find(Item::NAME.regex("7$") & Item::ID.gt(1000)).order_by(Item::ID.asc()).stream().await?;
    let found = ids(stream).await?;
    check!(found == (1001..=2000).filter(|id| id % 10 == 7).collect::<Vec<_>>());
    Ok(())
}

async fn a_stream_is_limited(db: Db) -> Verdict {
    rows(&db, 2000).await?;
    let stream = db.find(Item::all()).order_by(Item::ID.asc()).offset(700).limit(600).stream().await?;
    check!(ids(stream).await? == (701..=1300).collect::<Vec<_>>());
    Ok(())
}

async fn a_stream_may_be_left_half_read(db: Db) -> Verdict {
    rows(&db, 3000).await?;
    for _ in 0..30 {
        let mut stream = db.find(Item::all()).order_by(Item::ID.asc()).stream().await?;
        check_eq!(stream.next().await?.map(|row| row.id), Some(1));
    }
    check_eq!(db.find(Item::all()).count().await?, 3000);
    db.find(Item::all()).update(Item::NAME.set("x")).await?;
    db.drop::<Item>().await?;
    Ok(())
}

async fn several_streams_are_read_at_once(db: Db) -> Verdict {
    rows(&db, 1500).await?;
    let mut first = db.find(Item::all()).order_by(Item::ID.asc()).stream().await?;
    let mut second = db.find(Item::all()).order_by(Item::ID.desc()).stream().await?;
    for id in 1..=1500 {
        check_eq!(first.next().await?.map(|row| row.id), Some(id));
        check_eq!(second.next().await?.map(|row| row.id), Some(1501 - id));
    }
    check!(first.next().await?.is_none() && second.next().await?.is_none());
    Ok(())
}

async fn a_dropped_read_of_a_stream_loses_no_row(db: Db) -> Verdict {
    rows(&db, 2000).await?;
    let mut stream = db.find(Item::all()).order_by(Item::ID.asc()).stream().await?;
    let mut found = Vec::new();
    for round in 0.. {
        // a future that is polled once and dropped, again and again
        let dropped = if round % 3 == 0 { std::time::Duration::ZERO } else { std::time::Duration::from_secs(5) };
        match tokio::time::timeout(dropped, stream.next()).await {
            Ok(row) => match row? {
                Some(row) => found.push(row.id),
                None => break,
            },
            Err(_) => tokio::task::yield_now().await,
        }
    }
    check!(found == (1..=2000).collect::<Vec<_>>(), "{} rows came", found.len());
    Ok(())
}

async fn rows_are_written_while_a_stream_is_read(db: Db) -> Verdict {
    rows(&db, 1500).await?;
    let mut stream = db.find(Item::ID.le(1500)).order_by(Item::ID.asc()).stream().await?;
    let mut read = 0;
    while let Some(row) = stream.next().await? {
        read += 1;
        if row.id % 500 == 0 {
            let write = db.add(item(row.id + 10_000, "new"));
            let wrote = tokio::time::timeout(std::time::Duration::from_secs(20), write).await;
            check!(wrote.is_ok(), "a write waits for a stream to end");
            wrote.map_err(|_| Error::timeout(""))??;
        }
    }
    check_eq!(read, 1500);
    check_eq!(db.find(Item::ID.gt(10_000)).count().await?, 3);
    Ok(())
}

async fn a_stream_of_a_missing_table_is_a_schema_error(db: Db) -> Verdict {
    let error = match db.find(Item::all()).stream().await {
        Ok(mut stream) => refused(stream.next().await)?,
        Err(error) => error,
    };
    check!(error.is_schema(), "{error}");
    Ok(())
}

async fn the_rest_of_a_stream_is_collected(db: Db) -> Verdict {
    rows(&db, 600).await?;
    let mut stream = db.find(Item::all()).order_by(Item::ID.asc()).stream().await?;
    stream.next().await?;
    let rest = stream.collect().await?;
    check_eq!(rest.len(), 599);
    check_eq!(rest.first().map(|row| row.id), Some(2));
    Ok(())
}

async fn an_ended_stream_stays_ended(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let mut stream = db.find(Item::all()).stream().await?;
    check!(stream.next().await?.is_some());
    for _ in 0..3 {
        check!(stream.next().await?.is_none());
    }
    Ok(())
}
