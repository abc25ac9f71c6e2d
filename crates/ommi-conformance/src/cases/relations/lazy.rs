//! Related rows that are loaded when they are asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ommi::driver::Operators;
use ommi::layer::Layer;
use ommi::prelude::*;
use tokio::time::timeout;

use super::library::{
    Author, Book, BookTag, Library, LoadedRows, Review, Tag, author, authors, book, book_tag, books, done, keys,
    library, names, review, statements_for, statements_through, tag,
};
use crate::check::{Failure, Verdict, present, refused};
use crate::fault::{Fault, Faults};

cases! { "lazy relations":
    nested_loops_over_a_thousand_owners_take_a_statement_a_relation,
    the_first_get_loads_for_all_rows_of_the_result,
    a_second_get_asks_nothing,
    each_relation_is_loaded_by_itself,
    rows_that_share_a_target_share_one_row,
    owners_without_related_rows_find_none,
    a_result_of_null_keys_asks_nothing,
    a_result_of_no_rows_asks_nothing,
    siblings_that_were_dropped_are_not_loaded_for,
    a_row_that_was_left_alone_loads_for_itself,
    rows_taken_out_of_their_result_load_together,
    concurrent_gets_share_one_load,
    gets_of_several_tasks_share_one_load,
    waiters_share_a_failed_load,
    a_failed_load_is_tried_again_by_the_next,
    a_waiter_takes_over_from_a_loader_that_was_dropped,
    a_get_that_is_dropped_leaves_the_relation_unloaded,
    get_one_only_loads_for_its_row_alone,
    get_one_only_of_loaded_rows_asks_nothing,
    a_get_after_get_one_only_loads_the_others,
    what_is_loaded_is_seen_without_a_query,
    debug_and_comparisons_do_not_load,
    a_clone_shares_what_was_loaded_before,
    a_clone_shares_what_is_loaded_after,
    a_clone_of_a_set_relation_is_its_own,
    a_reload_is_seen_by_its_row_alone,
    a_relation_that_was_set_and_not_saved_is_not_reloaded,
    a_dangling_reference_is_not_found_where_there_has_to_be_a_row,
    a_dangling_reference_is_none_where_there_may_be_none,
    a_null_reference_finds_nothing,
    a_dangling_link_leads_to_no_row,
    related_rows_load_their_own_relations_together,
    a_relation_shows_the_key_that_its_row_was_read_with,
    more_keys_than_a_statement_takes_are_loaded_in_several,
    rows_are_loaded_with_the_values_that_they_have_then,
    a_row_that_was_deleted_finds_what_references_it_still,
}

async fn nested_loops_over_a_thousand_owners_take_a_statement_a_relation(db: Db) -> Verdict {
    db.create::<Library>().await?;
    db.add_all((0..1_000).map(|id| author(id, "someone"))).await?;
    db.add_all((0..2_000).map(|id| book(id, "something", None, Some(id % 1_000)))).await?;
    db.add_all(["a", "b", "c"].map(tag)).await?;
    let links = (0..2_000).flat_map(|id| ["a", "b"].map(|name| book_tag(id, name, None)));
    db.add_all(links).await?;
    let (seen, statements) = db
        .count_statements(async |db| {
            let mut seen = (0, 0);
            for author in &authors(db).await? {
                for book in author.books.get().await? {
                    seen.0 += 1;
                    for tag in book.tags.get().await? {
                        check!(tag.name == "a" || tag.name == "b");
                        seen.1 += 1;
                    }
                }
            }
            done(seen)
        })
        .await;
    check_eq!(seen?, (2_000, 4_000));
    // the authors; their books; the tags of those, by joins or by the links
    let expected = 1 + statements_for(&db, 1_000) + statements_through(&db, 2_000, 2);
    check_eq!(statements, expected);
    Ok(())
}

async fn the_first_get_loads_for_all_rows_of_the_result(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    let [first, second, third] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    check!(first.books.is_unloaded() && third.books.is_unloaded());
    let (found, statements) = db.count_statements(async |_| second.books.get().await.map(keys)).await;
    check_eq!(found?, [12]);
    check_eq!(statements, 1);
    check!(first.books.is_loaded() && third.books.is_loaded());
    check_eq!(keys(present(first.books.loaded())?), [10, 11]);
    check!(present(third.books.loaded())?.is_empty());
    Ok(())
}

async fn a_second_get_asks_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    for author in &authors {
        author.books.get().await?;
    }
    let (_, statements) = db
        .count_statements(async |_| {
            for author in &authors {
                author.books.get().await?;
                author.books.get_one_only().await?;
            }
            Verdict::Ok(())
        })
        .await;
    check_eq!(statements, 0);
    Ok(())
}

async fn each_relation_is_loaded_by_itself(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let book = present(books.first())?;
    let (stars, statements) = db
        .count_statements(async |_| {
            let mut stars: Vec<i32> = book.reviews.get().await?.iter().map(|review| review.stars).collect();
            stars.sort_unstable();
            done(stars)
        })
        .await;
    check_eq!((stars?, statements), (vec![3, 5], 1));
    check!(book.author.is_unloaded() && book.tags.is_unloaded());
    let (name, statements) =
        db.count_statements(async |_| book.author.get().await.map(|of| of.map(|of| of.name.clone()))).await;
    check_eq!((name?.as_deref(), statements), (Some("Ursula"), 1));
    let (found, statements) = db.count_statements(async |_| book.tags.get().await.map(|tags| names(tags).len())).await;
    check_eq!((found?, statements), (1, statements_through(&db, 5, 3)));
    Ok(())
}

async fn rows_that_share_a_target_share_one_row(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let (one, other) = (present(books.first())?.author.get().await?, present(books.get(1))?.author.get().await?);
    check!(std::ptr::eq(present(one)?, present(other)?));
    Ok(())
}

async fn owners_without_related_rows_find_none(db: Db) -> Verdict {
    library(&db).await?;
    let nobody = db.find(Author::NAME.eq("Nobody")).one().await?;
    check!(nobody.books.get().await?.is_empty());
    check!(nobody.books.is_loaded());
    let unused = db.find(Tag::NAME.eq("unused")).one().await?;
    check!(unused.books.get().await?.is_empty());
    Ok(())
}

async fn a_result_of_null_keys_asks_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let anonymous = db.find(Book::ID.eq(13)).one().await?;
    let (author, statements) = db.count_statements(async |_| anonymous.author.get().await.map(|of| of.is_none())).await;
    check_eq!((author?, statements), (true, 0));
    check!(anonymous.author.is_loaded());
    Ok(())
}

async fn a_result_of_no_rows_asks_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            db.find(Author::NAME.eq("no one")).with(Author::BOOKS.with(Book::TAGS)).all().await
        })
        .await;
    check_eq!((found?.len(), statements), (0, 1));
    Ok(())
}

/// Whether loads read no other rows than they are for.
fn loads_are_exact(db: &Db) -> bool {
    db.driver().capabilities().filter.native.contains(Operators::IN)
}

async fn siblings_that_were_dropped_are_not_loaded_for(db: Db) -> Verdict {
    library(&db).await?;
    let (watched, loaded) = LoadedRows::watch(&db);
    let second = present(authors(&watched).await?.into_iter().nth(1))?;
    check_eq!(keys(second.books.get().await?), [12]);
    check_eq!(loaded.statements(), 1);
    // the first author, who is gone, has two books
    check!(!loads_are_exact(&db) || loaded.rows() == 1, "{} rows were loaded", loaded.rows());
    Ok(())
}

async fn a_row_that_was_left_alone_loads_for_itself(db: Db) -> Verdict {
    library(&db).await?;
    let mut all = authors(&db).await?;
    let kept = present(all.pop())?;
    let clone = present(all.first())?.clone();
    drop(all);
    check!(kept.books.get().await?.is_empty());
    // a clone keeps its row alive
    check_eq!(keys(present(clone.books.loaded())?), [10, 11]);
    Ok(())
}

async fn rows_taken_out_of_their_result_load_together(db: Db) -> Verdict {
    library(&db).await?;
    let mut all = authors(&db).await?;
    all.reverse();
    let (first, second) = (present(all.pop())?, present(all.pop())?);
    let boxed = Box::new(first);
    let (found, statements) =
        db.count_statements(async |_| done((keys(boxed.books.get().await?), keys(second.books.get().await?)))).await;
    check_eq!((found?, statements), ((vec![10, 11], vec![12]), 1));
    Ok(())
}

/// A handle whose first load is met by a fault, and the number of loads that were begun.
fn with_first_load(db: &Db, fault: Fault) -> (Db, Arc<AtomicU64>) {
    let fetches = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&fetches);
    // the first fetch reads the owners
    let faults = Faults::new(move |operation| match operation {
        "fetch" if count.fetch_add(1, Ordering::Relaxed) == 1 => Some(fault.clone()),
        _ => None,
    });
    (Db::new(faults.wrap(Arc::clone(db.driver())), &[]), fetches)
}

const SOON: Duration = Duration::from_millis(30);

async fn concurrent_gets_share_one_load(db: Db) -> Verdict {
    library(&db).await?;
    let (slow, fetches) = with_first_load(&db, Fault::Late(SOON, None));
    let authors = authors(&slow).await?;
    let [first, second, third] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    let (one, again, two, three) =
        tokio::join!(first.books.get(), first.books.get(), second.books.get(), third.books.get());
    check_eq!((keys(one?), keys(again?), keys(two?), keys(three?)), (vec![10, 11], vec![10, 11], vec![12], vec![]));
    check_eq!(fetches.load(Ordering::Relaxed), 2);
    Ok(())
}

async fn gets_of_several_tasks_share_one_load(db: Db) -> Verdict {
    library(&db).await?;
    let (slow, fetches) = with_first_load(&db, Fault::Late(SOON, None));
    let tasks: Vec<_> = authors(&slow)
        .await?
        .into_iter()
        .map(|author| tokio::spawn(async move { author.books.get().await.map(keys) }))
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.extend(task.await.map_err(|fault| Error::query(fault.to_string()))??);
    }
    check_eq!(found, [10, 11, 12]);
    check_eq!(fetches.load(Ordering::Relaxed), 2);
    Ok(())
}

async fn waiters_share_a_failed_load(db: Db) -> Verdict {
    library(&db).await?;
    let lost = Error::connection("the line is cut");
    let (slow, fetches) = with_first_load(&db, Fault::Late(SOON, Some(lost)));
    let authors = authors(&slow).await?;
    let [first, second, third] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    let (one, two, three) = tokio::join!(first.books.get(), second.books.get(), third.books.get());
    for answer in [one, two, three] {
        let error = refused(answer)?;
        check!(error.is_connection() && error.to_string().contains("the line is cut"), "{error}");
        check_eq!(error.operation(), Some("load"));
    }
    check_eq!(fetches.load(Ordering::Relaxed), 2);
    Ok(())
}

async fn a_failed_load_is_tried_again_by_the_next(db: Db) -> Verdict {
    library(&db).await?;
    let (once, fetches) = with_first_load(&db, Fault::Before(Error::connection("the line is cut")));
    let authors = authors(&once).await?;
    let first = present(authors.first())?;
    check!(refused(first.books.get().await)?.is_connection());
    check!(first.books.is_unloaded());
    check_eq!(keys(first.books.get().await?), [10, 11]);
    check_eq!(fetches.load(Ordering::Relaxed), 3);
    Ok(())
}

async fn a_waiter_takes_over_from_a_loader_that_was_dropped(db: Db) -> Verdict {
    library(&db).await?;
    let (stalled, fetches) = with_first_load(&db, Fault::Stall);
    let authors = authors(&stalled).await?;
    let [first, second, _] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    let (dropped, taken) = tokio::join!(timeout(SOON, first.books.get()), second.books.get());
    check!(dropped.is_err());
    check_eq!(keys(taken?), [12]);
    check_eq!(fetches.load(Ordering::Relaxed), 3);
    check_eq!(keys(present(first.books.loaded())?), [10, 11]);
    Ok(())
}

async fn a_get_that_is_dropped_leaves_the_relation_unloaded(db: Db) -> Verdict {
    library(&db).await?;
    let (stalled, _) = with_first_load(&db, Fault::Stall);
    let authors = authors(&stalled).await?;
    let first = present(authors.first())?;
    // a future that is never awaited does nothing
    drop(first.books.get());
    check!(timeout(SOON, first.books.get()).await.is_err());
    check!(first.books.is_unloaded() && first.books.loaded().is_none());
    check_eq!(keys(first.books.get().await?), [10, 11]);
    Ok(())
}

async fn get_one_only_loads_for_its_row_alone(db: Db) -> Verdict {
    library(&db).await?;
    let (watched, loaded) = LoadedRows::watch(&db);
    let authors = authors(&watched).await?;
    let [first, second, third] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    check_eq!(keys(second.books.get_one_only().await?), [12]);
    check!(!loads_are_exact(&db) || loaded.rows() == 1, "{} rows were loaded", loaded.rows());
    check!(second.books.is_loaded() && first.books.is_unloaded() && third.books.is_unloaded());
    let books = books(&watched).await?;
    let (first, third) = (present(books.first())?, present(books.get(2))?);
    check_eq!(present(third.author.get_one_only().await?)?.id, 2);
    check!(first.author.is_unloaded());
    Ok(())
}

async fn get_one_only_of_loaded_rows_asks_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    let [first, second, _] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    let (found, statements) = db
        .count_statements(async |_| {
            first.books.get_one_only().await?;
            first.books.get_one_only().await?;
            first.books.get().await?;
            second.books.get_one_only().await.map(keys)
        })
        .await;
    // each of the two for itself
    check_eq!((found?, statements), (vec![12], 2));
    Ok(())
}

async fn a_get_after_get_one_only_loads_the_others(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    let [first, second, third] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    first.books.get_one_only().await?;
    let (_, statements) = db
        .count_statements(async |_| {
            second.books.get().await?;
            third.books.get().await?;
            first.books.get().await?;
            Verdict::Ok(())
        })
        .await;
    check_eq!(statements, 1);
    check_eq!(keys(present(first.books.loaded())?), [10, 11]);
    Ok(())
}

async fn what_is_loaded_is_seen_without_a_query(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let (_, statements) = db
        .count_statements(async |_| {
            for book in &books {
                check!(book.author.is_unloaded() && !book.author.is_loaded() && book.author.loaded().is_none());
                check!(book.tags.is_unloaded() && !book.tags.is_loaded() && book.tags.loaded().is_none());
            }
            Verdict::Ok(())
        })
        .await;
    check_eq!(statements, 0);
    let first = present(books.first())?;
    first.author.get().await?;
    check_eq!(present(present(first.author.loaded())?)?.name, "Ursula");
    // loaded, and found to be nothing
    let anonymous = present(books.get(3))?;
    check!(anonymous.author.is_loaded() && anonymous.author.loaded() == Some(None));
    Ok(())
}

async fn debug_and_comparisons_do_not_load(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let first = present(books.first())?;
    let (shown, statements) = db
        .count_statements(async |_| {
            check!(*first == first.clone());
            check!(*first == book(10, "Earthsea", Some(200), Some(1)));
            done(format!("{first:?}"))
        })
        .await;
    check_eq!(statements, 0);
    let shown = shown?;
    check!(shown.contains("author: not loaded"), "{shown}");
    first.author.get().await?;
    let shown = format!("{first:?}");
    check!(shown.contains("author: loaded") && shown.contains("tags: not loaded"), "{shown}");
    check!(*first == first.clone());
    Ok(())
}

async fn a_clone_shares_what_was_loaded_before(db: Db) -> Verdict {
    library(&db).await?;
    let first = present(authors(&db).await?.into_iter().next())?;
    first.books.get().await?;
    let clone = first.clone();
    drop(first);
    check!(clone.books.is_loaded());
    check_eq!(keys(present(clone.books.loaded())?), [10, 11]);
    Ok(())
}

async fn a_clone_shares_what_is_loaded_after(db: Db) -> Verdict {
    library(&db).await?;
    let first = present(authors(&db).await?.into_iter().next())?;
    let clone = first.clone();
    let (_, statements) = db
        .count_statements(async |_| {
            clone.books.get().await?;
            first.books.get().await.map(drop)
        })
        .await;
    check_eq!(statements, 1);
    check!(std::ptr::eq(present(first.books.loaded())?, present(clone.books.loaded())?));
    Ok(())
}

async fn a_clone_of_a_set_relation_is_its_own(db: Db) -> Verdict {
    library(&db).await?;
    let first = present(books(&db).await?.into_iter().next())?;
    let mut clone = first.clone();
    clone.author.set(Some(author(2, "Stanisław")));
    check_eq!(present(clone.author.get().await?)?.id, 2);
    check_eq!(present(first.author.get().await?)?.id, 1);
    let mut other = clone.clone();
    other.author.set(None);
    check!(other.author.get().await?.is_none());
    check_eq!(present(clone.author.get().await?)?.id, 2);
    Ok(())
}

async fn a_reload_is_seen_by_its_row_alone(db: Db) -> Verdict {
    library(&db).await?;
    let mut authors = authors(&db).await?;
    let clone = present(authors.first())?.clone();
    clone.books.get().await?;
    db.add(book(20, "Dispossessed", None, Some(1))).await?;
    db.add(book(21, "Eden", None, Some(2))).await?;
    let first = present(authors.first_mut())?;
    let (answer, statements) = db.count_statements(async |_| first.books.reload().await).await;
    answer?;
    check_eq!(statements, 1);
    check_eq!(keys(first.books.get().await?), [10, 11, 20]);
    check_eq!(keys(clone.books.get().await?), [10, 11]);
    check_eq!(keys(present(authors.get(1))?.books.get().await?), [12]);
    let mut review = db.find(Review::ID.eq(1)).one().await?;
    check_eq!(review.book.get().await?.title, "Earthsea");
    db.find(Book::ID.eq(10)).update(Book::TITLE.set("A Wizard")).await?;
    check_eq!(review.book.get().await?.title, "Earthsea");
    review.book.reload().await?;
    check_eq!(review.book.get().await?.title, "A Wizard");
    Ok(())
}

async fn a_relation_that_was_set_and_not_saved_is_not_reloaded(db: Db) -> Verdict {
    library(&db).await?;
    let mut first = db.find(Book::ID.eq(10)).one().await?;
    first.author.set(None);
    let error = refused(first.author.reload().await)?;
    check!(error.is_query() && error.to_string().contains("save"), "{error}");
    check!(first.author.get().await?.is_none());
    Ok(())
}

async fn a_dangling_reference_is_not_found_where_there_has_to_be_a_row(db: Db) -> Verdict {
    library(&db).await?;
    let reviews = db.find(Review::all()).order_by(Review::ID.asc()).all().await?;
    let dangling = present(reviews.get(3))?;
    let error = refused(dangling.book.get().await)?;
    check!(error.is_not_found(), "{error}");
    check!(error.to_string().contains("One<Option<Book>>"), "{error}");
    check_eq!(error.model(), Some("Book"));
    // it is loaded: that there is none is known
    let (again, statements) = db.count_statements(async |_| dangling.book.get().await.map(drop)).await;
    check!(refused(again)?.is_not_found());
    check_eq!(statements, 0);
    check!(dangling.book.loaded().is_none());
    check_eq!(present(reviews.first())?.book.get().await?.id, 10);
    Ok(())
}

async fn a_dangling_reference_is_none_where_there_may_be_none(db: Db) -> Verdict {
    library(&db).await?;
    for book in books(&db).await? {
        let found = book.author.get().await?.map(|author| author.id);
        let expected = if book.id == 14 { None } else { book.author_id };
        check_eq!(found, expected, "the author of {}", book.title);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Draft {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author, unenforced)]
    author_id: Option<i64>,
    author: One<Author>,
}

async fn a_null_reference_finds_nothing(db: Db) -> Verdict {
    library(&db).await?;
    db.create::<Draft>().await?;
    let draft = |id, author_id| Draft { id, author_id, ..Default::default() };
    db.add_all([draft(1, None), draft(2, Some(1))]).await?;
    let drafts = db.find(Draft::all()).order_by(Draft::ID.asc()).all().await?;
    let [null, known] = drafts.as_slice() else { return Err(Failure::new("two drafts")) };
    check!(refused(null.author.get().await)?.is_not_found());
    check_eq!(known.author.get().await?.name, "Ursula");
    Ok(())
}

async fn a_dangling_link_leads_to_no_row(db: Db) -> Verdict {
    library(&db).await?;
    let books = books(&db).await?;
    let mut found = Vec::new();
    for book in &books {
        found.push(names(book.tags.get().await?));
    }
    check_eq!(found, [vec!["fantasy"], vec!["fantasy", "science"], vec!["science"], vec![], vec![]]);
    let science = db.find(Tag::NAME.eq("science")).one().await?;
    check_eq!(keys(science.books.get().await?), [11, 12]);
    let links = db.find(BookTag::BOOK_ID.eq(98)).all().await?;
    check!(refused(present(links.first())?.book.get().await)?.is_not_found());
    Ok(())
}

async fn related_rows_load_their_own_relations_together(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = Vec::new();
            for author in &authors {
                for book in author.books.get().await? {
                    for review in book.reviews.get().await? {
                        // back to where it came from: read again, for there is no identity map
                        let back = review.book.get().await?;
                        found.push((author.id, back.id, review.id));
                    }
                }
            }
            found.sort_unstable();
            done(found)
        })
        .await;
    check_eq!(found?, [(1, 10, 1), (1, 10, 2), (2, 12, 3)]);
    check_eq!(statements, 3);
    Ok(())
}

async fn a_relation_shows_the_key_that_its_row_was_read_with(db: Db) -> Verdict {
    library(&db).await?;
    let mut first = db.find(Book::ID.eq(10)).one().await?;
    first.author_id = Some(2);
    check_eq!(present(first.author.get().await?)?.id, 1);
    db.save(&mut first).await?;
    check_eq!(present(first.author.get().await?)?.id, 2);
    first.author_id = None;
    db.save(&mut first).await?;
    check!(first.author.get().await?.is_none());
    Ok(())
}

async fn more_keys_than_a_statement_takes_are_loaded_in_several(db: Db) -> Verdict {
    db.create::<(Author, Book)>().await?;
    let list_values = db.driver().capabilities().limits.list_values;
    // as many as the limit and one, where that is a number that a test can reach
    let owners = if list_values < 70_000 { list_values + 1 } else { 5_000 };
    let last = i64::try_from(owners).unwrap_or(i64::MAX);
    db.add_all((1..=last).map(|id| author(id, "a"))).await?;
    db.add_all((1..=last).step_by(1_000).map(|id| book(id, "b", None, Some(id)))).await?;
    let all = authors(&db).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = 0;
            for author in &all {
                let books = author.books.get().await?;
                check_eq!(books.len(), usize::from(author.id % 1_000 == 1));
                check!(books.iter().all(|book| book.author_id == Some(author.id)));
                found += books.len();
            }
            done(found)
        })
        .await;
    check_eq!(found?, (owners - 1) / 1_000 + 1);
    check_eq!(statements, statements_for(&db, owners));
    Ok(())
}

async fn rows_are_loaded_with_the_values_that_they_have_then(db: Db) -> Verdict {
    library(&db).await?;
    let authors = authors(&db).await?;
    db.find(Book::ID.eq(12)).delete().await?;
    db.find(Book::ID.eq(14)).update(Book::AUTHOR_ID.set(2)).await?;
    check_eq!(keys(present(authors.get(1))?.books.get().await?), [14]);
    Ok(())
}

async fn a_row_that_was_deleted_finds_what_references_it_still(db: Db) -> Verdict {
    library(&db).await?;
    let first = db.find(Author::ID.eq(1)).one().await?;
    db.delete(&first).await?;
    check_eq!(keys(first.books.get().await?), [10, 11]);
    for book in first.books.get().await? {
        check!(book.author.get().await?.is_none());
    }
    db.add(review(9, 1, 10)).await?;
    Ok(())
}
