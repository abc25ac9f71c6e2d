//! Where rows come from that can load what they are related to.

use ommi::prelude::*;

use super::library::{
    Author, Book, BookTag, Library, Review, Tag, author, authors, book, books, done, keys, library, names, review,
    statements_for, statements_through, tag,
};
use crate::check::{Failure, Verdict, present, refused};

cases! { "attached relations":
    every_end_of_a_query_gives_rows_that_load,
    rows_of_an_explicit_selection_load_as_all_do,
    a_row_of_a_key_loads,
    rows_of_several_keys_load_together,
    a_row_that_was_found_or_created_loads,
    an_added_row_loads,
    added_rows_load_together,
    an_upserted_row_loads,
    a_saved_row_loads,
    a_reloaded_row_loads_anew,
    rows_of_a_page_load_together,
    rows_of_a_raw_statement_load_together needs SQL,
    the_batch_of_a_stream_loads_together,
    a_stream_of_which_each_row_is_dropped_loads_once_a_batch,
    a_stream_loads_relations_with_its_rows,
    a_new_instance_is_detached_and_says_how_to_attach_it,
    an_attached_instance_loads,
    attached_instances_load_together,
    an_attached_instance_forgets_what_it_knew,
    rows_that_were_read_elsewhere_load_from_there,
    a_deserialized_instance_is_detached_until_it_is_attached,
    what_is_loaded_is_serialized,
    rows_of_an_open_transaction_load_through_it needs TRANSACTIONS,
    rows_of_a_committed_transaction_load_from_the_database needs TRANSACTIONS,
    rows_of_a_transaction_that_was_rolled_back_are_detached needs TRANSACTIONS,
    what_a_lost_transaction_had_loaded_is_still_there needs TRANSACTIONS,
    rows_added_in_a_transaction_load_after_its_commit needs TRANSACTIONS,
    rows_of_a_nested_transaction_follow_the_one_around_it needs TRANSACTIONS SAVEPOINTS,
    rows_of_a_nested_transaction_that_was_rolled_back_are_detached needs TRANSACTIONS SAVEPOINTS,
    rows_that_were_read_before_load_outside_of_a_transaction needs TRANSACTIONS,
    eager_rows_of_a_transaction_are_of_it needs TRANSACTIONS,
}

async fn every_end_of_a_query_gives_rows_that_load(db: Db) -> Verdict {
    library(&db).await?;
    let find = || db.find(Author::ID.eq(1));
    let mut rows = find().all().await?;
    rows.push(find().one().await?);
    rows.push(present(find().first().await?)?);
    rows.push(present(find().optional().await?)?);
    rows.extend(find().limit(5).fetch_page().await?.rows);
    rows.extend(find().stream().await?.collect().await?);
    check_eq!(rows.len(), 6);
    for row in &rows {
        let (found, statements) = db.count_statements(async |_| row.books.get().await.map(keys)).await;
        check_eq!((found?, statements), (vec![10, 11], 1));
    }
    Ok(())
}

async fn rows_of_an_explicit_selection_load_as_all_do(db: Db) -> Verdict {
    library(&db).await?;
    let query =
        db.find(Book::AUTHOR_ID.is_not_null()).order_by((Book::PAGES.desc(), Book::ID.asc())).limit(2).offset(1);
    let books = query.all().await?;
    check_eq!(books.iter().map(|book| book.id).collect::<Vec<_>>(), [10, 11]);
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for book in &books {
                found.push(book.author.get().await?.map(|author| author.id));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![Some(1), Some(1)], 1));
    Ok(())
}

async fn a_row_of_a_key_loads(db: Db) -> Verdict {
    library(&db).await?;
    let first = db.get::<Book>(11).await?;
    check_eq!(present(first.author.get().await?)?.name, "Ursula");
    check_eq!(names(first.tags.get().await?), ["fantasy", "science"]);
    let link = db.get::<BookTag>((11, "science")).await?;
    check_eq!((link.book.get().await?.id, &*link.tag.get().await?.name), (11, "science"));
    Ok(())
}

async fn rows_of_several_keys_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let books = db.get_many::<Book, _>([12, 10, 14, 10]).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for book in &books {
                found.push(book.author.get().await?.map(|author| author.id));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![Some(2), Some(1), None, Some(1)], 1));
    let links = db.get_many::<BookTag, _>([(10, "fantasy"), (12, "science")]).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            done((present(links.first())?.book.get().await?.id, present(links.get(1))?.book.get().await?.id))
        })
        .await;
    check_eq!((found?, statements), ((10, 12), 1));
    Ok(())
}

async fn a_row_that_was_found_or_created_loads(db: Db) -> Verdict {
    library(&db).await?;
    let found = db.get_or_create(Book::ID.eq(10), || book(10, "no", None, None)).await?;
    check_eq!(present(found.author.get().await?)?.id, 1);
    let created = db.get_or_create(Book::ID.eq(30), || book(30, "yes", None, Some(2))).await?;
    check_eq!(present(created.author.get().await?)?.id, 2);
    Ok(())
}

async fn an_added_row_loads(db: Db) -> Verdict {
    library(&db).await?;
    let added = db.add(book(30, "Eden", None, Some(2))).await?;
    check!(added.author.is_unloaded() && added.reviews.is_unloaded());
    check_eq!(present(added.author.get().await?)?.name, "Stanisław");
    check!(added.reviews.get().await?.is_empty());
    // an owner that is there already
    let adopted = db.add(author(77, "Found")).await?;
    check_eq!(keys(adopted.books.get().await?), [14]);
    Ok(())
}

async fn added_rows_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let added = db.add_all((30..40).map(|id| book(id, "Eden", None, Some(id % 3)))).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = 0;
            for book in &added {
                let author = book.author.get().await?.map(|author| author.id);
                check_eq!(author, book.author_id.filter(|id| *id > 0));
                found += 1;
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (10, 1));
    Ok(())
}

async fn an_upserted_row_loads(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.upsert_all([book(10, "Earthsea", None, Some(2)), book(30, "Eden", None, Some(2))]).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for book in &rows {
                found.push(book.author.get().await?.map(|author| author.id));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![Some(2), Some(2)], 1));
    Ok(())
}

async fn a_saved_row_loads(db: Db) -> Verdict {
    library(&db).await?;
    let mut new = book(30, "Eden", None, Some(2));
    db.save(&mut new).await?;
    check_eq!(present(new.author.get().await?)?.id, 2);
    // what is loaded stays so, as long as the key is the same
    new.title = "Fiasko".into();
    db.save(&mut new).await?;
    check!(new.author.is_loaded());
    Ok(())
}

async fn a_reloaded_row_loads_anew(db: Db) -> Verdict {
    library(&db).await?;
    let mut first = db.get::<Book>(10).await?;
    first.author.get().await?;
    db.find(Book::ID.eq(10)).update(Book::AUTHOR_ID.set(2)).await?;
    db.reload(&mut first).await?;
    check!(first.author.is_unloaded());
    check_eq!(present(first.author.get().await?)?.id, 2);
    Ok(())
}

async fn rows_of_a_page_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let query = || db.find(Book::all()).order_by(Book::TITLE.asc()).limit(3).with(Book::REVIEWS);
    let (page, statements) = db.count_statements(async |_| query().fetch_page().await).await;
    let page = page?;
    check_eq!(statements, 2);
    check!(page.rows.iter().all(|book| book.reviews.is_loaded()));
    let rest = query().after(page.next()).fetch_page().await?;
    check_eq!(rest.rows.len(), 2);
    let (found, statements) = db
        .count_statements(async |_| {
            for book in &rest.rows {
                book.author.get().await?;
            }
            done(())
        })
        .await;
    found?;
    // Lathe and Solaris
    check_eq!(statements, 1);
    Ok(())
}

async fn rows_of_a_raw_statement_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let books: Vec<Book> = db.raw("SELECT * FROM \"Book\" ORDER BY id").models().await?;
    check_eq!(books.len(), 5);
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for book in &books {
                found.push(book.author.get().await?.map(|author| author.id));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![Some(1), Some(1), Some(2), None, None], 1));
    Ok(())
}

/// Many books of a few authors.
async fn shelf(db: &Db, count: i64) -> Result<()> {
    db.create::<Library>().await?;
    db.add_all((0..7).map(|id| author(id, "someone"))).await?;
    db.add_all((0..count).map(|id| book(id, "something", None, Some(id % 7)))).await?;
    Ok(())
}

async fn the_batch_of_a_stream_loads_together(db: Db) -> Verdict {
    shelf(&db, 2_000).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let mut rows = db.find(Book::all()).stream().await?;
            let (mut kept, mut batches) = (Vec::new(), 0);
            while let Some(book) = rows.next().await? {
                batches += u64::from(book.author.is_unloaded());
                check_eq!(present(book.author.get().await?)?.id, book.id % 7);
                kept.push(book);
            }
            done((kept.len(), batches))
        })
        .await;
    let (rows, batches) = found?;
    check_eq!(rows, 2_000);
    check!(batches < 50, "{batches} batches");
    check_eq!(statements, 1 + batches);
    Ok(())
}

async fn a_stream_of_which_each_row_is_dropped_loads_once_a_batch(db: Db) -> Verdict {
    shelf(&db, 2_000).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let mut rows = db.find(Book::all()).stream().await?;
            let mut batches = 0;
            while let Some(book) = rows.next().await? {
                batches += u64::from(book.author.is_unloaded());
                check_eq!(present(book.author.get().await?)?.id, book.id % 7);
            }
            done(batches)
        })
        .await;
    let batches = found?;
    check!(batches < 50, "{batches} batches");
    check_eq!(statements, 1 + batches);
    Ok(())
}

async fn a_stream_loads_relations_with_its_rows(db: Db) -> Verdict {
    shelf(&db, 1_500).await?;
    let mut rows = db.find(Book::all()).with(Book::AUTHOR).stream().await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut count = 0;
            while let Some(book) = rows.next().await? {
                check_eq!(present(present(book.author.loaded())?)?.id, book.id % 7);
                count += 1;
            }
            done(count)
        })
        .await;
    check_eq!(found?, 1_500);
    check!(statements > 0 && statements < 50, "{statements} statements");
    Ok(())
}

async fn a_new_instance_is_detached_and_says_how_to_attach_it(db: Db) -> Verdict {
    library(&db).await?;
    let mut new = book(10, "Earthsea", None, Some(1));
    for error in [
        refused(new.author.get().await)?,
        refused(new.author.get_one_only().await)?,
        refused(new.tags.get().await)?,
        refused(new.author.reload().await)?,
    ] {
        check!(error.is_detached(), "{error}");
        check!(error.to_string().contains("db.attach("), "{error}");
    }
    check!(new.author.is_unloaded() && new.author.loaded().is_none());
    Ok(())
}

async fn an_attached_instance_loads(db: Db) -> Verdict {
    library(&db).await?;
    let mut new = book(10, "Earthsea", None, Some(2));
    let (attached, statements) = db.count_statements(async |db| db.attach(&mut new)).await;
    attached?;
    check_eq!(statements, 0);
    // by the key that the instance has, not the one that is stored
    check_eq!(present(new.author.get().await?)?.id, 2);
    check_eq!(names(new.tags.get().await?), ["fantasy"]);
    Ok(())
}

async fn attached_instances_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let mut new = [book(10, "", None, Some(2)), book(11, "", None, None), book(12, "", None, Some(1))];
    db.attach_all(&mut new)?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for book in &new {
                found.push((book.author.get().await?.map(|of| of.id), names(book.tags.get().await?).len()));
            }
            done(found)
        })
        .await;
    check_eq!(found?, [(Some(2), 1), (None, 2), (Some(1), 1)]);
    check_eq!(statements, statements_for(&db, 2) + statements_through(&db, 3, 2));
    Ok(())
}

async fn an_attached_instance_forgets_what_it_knew(db: Db) -> Verdict {
    library(&db).await?;
    let mut first = db.get::<Book>(10).await?;
    first.author.get().await?;
    first.author_id = Some(2);
    db.attach(&mut first)?;
    check!(first.author.is_unloaded());
    check_eq!(present(first.author.get().await?)?.id, 2);
    // but what it was given is still to be written
    first.author.set(Some(author(3, "Nobody")));
    db.attach(&mut first)?;
    check_eq!(present(first.author.get().await?)?.id, 3);
    Ok(())
}

async fn rows_that_were_read_elsewhere_load_from_there(db: Db) -> Verdict {
    library(&db).await?;
    let other = ommi::connect("memory:").await?;
    other.create::<Library>().await?;
    other.add(author(1, "Another")).await?;
    let mut first = db.get::<Book>(10).await?;
    check_eq!(present(first.author.get().await?)?.name, "Ursula");
    other.attach(&mut first)?;
    check_eq!(present(first.author.get().await?)?.name, "Another");
    db.save(&mut first).await?;
    check_eq!(present(first.author.get().await?)?.name, "Ursula");
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Shelf {
    #[ommi(key)]
    id: i64,
    #[serde(default, skip_serializing_if = "Many::is_unloaded")]
    boxes: Many<Crate>,
}

#[derive(Model, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Crate {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Shelf, unenforced)]
    shelf_id: Option<i64>,
    #[serde(default, skip_serializing_if = "One::is_unloaded")]
    shelf: One<Option<Shelf>>,
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::query(error.to_string()))
}

async fn shelves(db: &Db) -> Result<()> {
    db.create::<(Shelf, Crate)>().await?;
    db.add_all([1, 2].map(|id| Shelf { id, ..Default::default() })).await?;
    db.add_all([(5, Some(1)), (6, None)].map(|(id, shelf_id)| Crate { id, shelf_id, ..Default::default() })).await?;
    Ok(())
}

async fn a_deserialized_instance_is_detached_until_it_is_attached(db: Db) -> Verdict {
    shelves(&db).await?;
    let parse = |text: &str| serde_json::from_str::<Crate>(text).map_err(|error| Failure::new(error.to_string()));
    let mut crates = vec![
        parse(r#"{"id": 5, "shelf_id": 1}"#)?,
        parse(r#"{"id": 5, "shelf_id": 1, "shelf": null}"#)?,
        parse(&json(&db.get::<Crate>(5).await?)?)?,
    ];
    for of in &mut crates {
        check!(refused(of.shelf.get().await)?.is_detached());
        db.attach(of)?;
        check_eq!(present(of.shelf.get().await?)?.id, 1);
    }
    Ok(())
}

async fn what_is_loaded_is_serialized(db: Db) -> Verdict {
    shelves(&db).await?;
    let one = db.get::<Crate>(5).await?;
    check_eq!(json(&one)?, r#"{"id":5,"shelf_id":1}"#);
    one.shelf.get().await?;
    check_eq!(json(&one)?, r#"{"id":5,"shelf_id":1,"shelf":{"id":1}}"#);
    let none = db.get::<Crate>(6).await?;
    none.shelf.get().await?;
    check_eq!(json(&none)?, r#"{"id":6,"shelf_id":null,"shelf":null}"#);
    let shelves = db.find(Shelf::all()).order_by(Shelf::ID.asc()).with(Shelf::BOXES).all().await?;
    check_eq!(json(&shelves)?, r#"[{"id":1,"boxes":[{"id":5,"shelf_id":1}]},{"id":2,"boxes":[]}]"#);
    Ok(())
}

async fn rows_of_an_open_transaction_load_through_it(db: Db) -> Verdict {
    library(&db).await?;
    let answer = db
        .transaction(async |tx| {
            let first = tx.get::<Author>(1).await?;
            tx.add(book(30, "Uncommitted", None, Some(1))).await?;
            let (found, statements) = tx.count_statements(async |_| first.books.get().await.map(keys)).await;
            check_eq!((found?, statements), (vec![10, 11, 30], 1));
            for book in first.books.get().await? {
                check_eq!(present(book.author.get().await?)?.id, 1);
            }
            Ok(())
        })
        .await;
    Ok(answer?)
}

async fn rows_of_a_committed_transaction_load_from_the_database(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.transaction(async |tx| authors(tx).await).await?;
    db.add(book(30, "Later", None, Some(1))).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for author in &rows {
                found.extend(keys(author.books.get().await?));
            }
            done(found)
        })
        .await;
    check_eq!((found?, statements), (vec![10, 11, 30, 12], 1));
    let tx = db.begin().await?;
    let first = tx.get::<Author>(1).await?;
    tx.commit().await?;
    check_eq!(keys(first.books.get().await?), [10, 11, 30]);
    Ok(())
}

async fn rows_of_a_transaction_that_was_rolled_back_are_detached(db: Db) -> Verdict {
    library(&db).await?;
    let mut lost = None;
    let answer: Result<()> = db
        .transaction(async |tx| {
            lost = Some((tx.get::<Author>(1).await?, tx.add(book(30, "Never", None, Some(1))).await?));
            Err(Error::query("no"))
        })
        .await;
    check!(answer.is_err());
    let (mut author, book) = present(lost)?;
    let error = refused(author.books.get().await)?;
    check!(error.is_detached() && error.to_string().contains("books"), "{error}");
    check!(refused(book.author.get().await)?.is_detached());
    check!(refused(author.books.reload().await)?.is_detached());
    db.attach(&mut author)?;
    check_eq!(keys(author.books.get().await?), [10, 11]);
    let tx = db.begin().await?;
    let dropped = tx.get::<Author>(1).await?;
    drop(tx);
    check!(refused(dropped.books.get().await)?.is_detached());
    Ok(())
}

async fn what_a_lost_transaction_had_loaded_is_still_there(db: Db) -> Verdict {
    library(&db).await?;
    let tx = db.begin().await?;
    let first = tx.get::<Author>(1).await?;
    first.books.get().await?;
    tx.rollback().await?;
    check_eq!(keys(first.books.get().await?), [10, 11]);
    check!(refused(present(present(first.books.loaded())?.first())?.reviews.get().await)?.is_detached());
    Ok(())
}

async fn rows_added_in_a_transaction_load_after_its_commit(db: Db) -> Verdict {
    library(&db).await?;
    let added = db
        .transaction(async |tx| {
            let added = tx.add(author(4, "New")).await?;
            tx.add(book(30, "Newer", None, Some(4))).await?;
            Ok(added)
        })
        .await?;
    check_eq!(keys(added.books.get().await?), [30]);
    Ok(())
}

async fn rows_of_a_nested_transaction_follow_the_one_around_it(db: Db) -> Verdict {
    library(&db).await?;
    let row = db
        .transaction(async |tx| {
            let (row, again) = tx
                .transaction(async |nested| {
                    nested.add(book(30, "Nested", None, Some(1))).await?;
                    Ok((nested.get::<Author>(1).await?, nested.get::<Author>(1).await?))
                })
                .await?;
            // the nested one is over, the outer one open
            check_eq!(keys(row.books.get().await?), [10, 11, 30]);
            Ok(again)
        })
        .await?;
    check_eq!(keys(row.books.get().await?), [10, 11, 30]);
    let mut lost = None;
    let answer: Result<()> = db
        .transaction(async |tx| {
            lost = Some(tx.transaction(async |nested| nested.get::<Author>(1).await).await?);
            Err(Error::query("no"))
        })
        .await;
    check!(answer.is_err());
    check!(refused(present(lost)?.books.get().await)?.is_detached());
    Ok(())
}

async fn rows_of_a_nested_transaction_that_was_rolled_back_are_detached(db: Db) -> Verdict {
    library(&db).await?;
    let mut lost = None;
    let kept = db
        .transaction(async |tx| {
            let kept = tx.get::<Author>(2).await?;
            let nested: Result<()> = tx
                .transaction(async |nested| {
                    lost = Some(nested.get::<Author>(1).await?);
                    Err(Error::query("no"))
                })
                .await;
            check!(nested.is_err());
            check_eq!(keys(kept.books.get().await?), [12]);
            Ok(kept)
        })
        .await?;
    check!(kept.books.is_loaded());
    check!(refused(present(lost)?.books.get().await)?.is_detached());
    Ok(())
}

async fn rows_that_were_read_before_load_outside_of_a_transaction(db: Db) -> Verdict {
    library(&db).await?;
    let before = db.get::<Author>(1).await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            // it would not be part of the transaction: as with `db` itself, that is an error
            let error = refused(before.books.get().await)?;
            check!(error.is_transaction(), "{error}");
            let mut moved = before.clone();
            tx.attach(&mut moved)?;
            check_eq!(keys(moved.books.get().await?), [10, 11]);
            Ok(())
        })
        .await;
    answer?;
    check_eq!(keys(before.books.get().await?), [10, 11]);
    Ok(())
}

async fn eager_rows_of_a_transaction_are_of_it(db: Db) -> Verdict {
    library(&db).await?;
    db.add(tag("late")).await?;
    let rows = db
        .transaction(async |tx| {
            tx.add(review(9, 2, 12)).await?;
            let rows = tx.find(Author::all()).order_by(Author::ID.asc()).with(Author::BOOKS).all().await?;
            let solaris = present(rows.get(1).and_then(|author| author.books.loaded()?.first()))?;
            check_eq!(solaris.reviews.get().await?.len(), 2);
            Ok(rows)
        })
        .await?;
    let earthsea = present(rows.first().and_then(|author| author.books.loaded()?.first()))?;
    check!(!earthsea.tags.get().await?.is_empty());
    check_eq!(db.find(Review::all()).count().await?, 5);
    check_eq!(books(&db).await?.len(), 5);
    check_eq!(db.find(Tag::all()).count().await?, 4);
    Ok(())
}
