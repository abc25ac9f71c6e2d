//! Filters, orders and values across relations, as they are written with models.

use ommi::prelude::*;

use super::library::{Author, Book, BookTag, Review, Tag, book, book_tag, keys, library, names, review};
use crate::check::{Verdict, present, refused};

cases! { "filters across relations":
    rows_are_found_by_the_row_that_they_lead_to,
    has_of_a_null_or_dangling_reference_is_false,
    not_has_finds_rows_that_lead_nowhere,
    rows_are_found_by_any_of_their_related_rows,
    rows_are_found_by_all_of_their_related_rows,
    rows_are_found_by_none_of_their_related_rows,
    an_unknown_condition_is_neither_passed_by_any_nor_by_all,
    rows_are_found_through_a_link_model,
    rows_are_found_by_the_fields_of_a_link,
    filters_nest_over_several_models,
    filters_come_back_to_the_model_that_they_began_with,
    filters_across_are_combined_with_others,
    a_filtered_relation_is_asked_for_what_is_left,
    rows_are_found_by_the_number_of_related_ones,
    rows_are_found_by_an_aggregate_of_related_ones,
    an_aggregate_of_no_related_rows_is_null,
    a_field_of_the_related_row_is_compared,
    a_field_of_the_related_row_is_compared_with_an_own_one,
    rows_are_ordered_by_the_related_row,
    rows_are_ordered_by_the_number_of_related_ones,
    values_of_related_rows_are_selected,
    values_through_a_link_model_are_selected,
    values_nest,
    rows_are_grouped_by_a_field_of_the_related_row,
    rows_are_counted_and_looked_for_across,
    rows_found_across_are_paged,
    rows_found_across_are_streamed,
    rows_found_across_are_updated,
    rows_found_across_are_deleted,
    related_filters_in_a_transaction_see_its_writes needs TRANSACTIONS,
    two_conditions_on_one_related_row_differ_from_two_related_rows,
    an_eager_load_does_not_change_what_is_found,
}

async fn found(db: &Db, filter: impl ommi::query::FilterOf<Book>) -> Result<Vec<i64>> {
    Ok(keys(&db.find(filter).all().await?))
}

async fn authors(db: &Db, filter: impl ommi::query::FilterOf<Author>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Author::ID.asc()).all().await?;
    Ok(rows.iter().map(|author| author.id).collect())
}

async fn rows_are_found_by_the_row_that_they_lead_to(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(found(&db, Book::AUTHOR.has(Author::NAME.eq("Ursula"))).await?, [10, 11]);
    check_eq!(found(&db, Book::AUTHOR.has(Author::NAME.contains("s"))).await?, [10, 11, 12]);
    check_eq!(found(&db, Book::AUTHOR.has(Author::all())).await?, [10, 11, 12]);
    check!(found(&db, Book::AUTHOR.has(Author::NAME.eq("Nobody"))).await?.is_empty());
    Ok(())
}

async fn has_of_a_null_or_dangling_reference_is_false(db: Db) -> Verdict {
    library(&db).await?;
    // neither null nor a key that leads nowhere has a row of which anything were true
    for filter in [Author::ID.eq(77), Author::ID.ne(1), Author::NAME.is_not_null(), !Author::ID.eq(1)] {
        let found = found(&db, Book::AUTHOR.has(filter) & Book::ID.ge(13)).await?;
        check!(found.is_empty(), "{found:?}");
    }
    Ok(())
}

async fn not_has_finds_rows_that_lead_nowhere(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(found(&db, !Book::AUTHOR.has(Author::NAME.eq("Ursula"))).await?, [12, 13, 14]);
    check_eq!(found(&db, !Book::AUTHOR.has(Author::all())).await?, [13, 14]);
    check_eq!(found(&db, !!Book::AUTHOR.has(Author::ID.eq(2))).await?, [12]);
    Ok(())
}

async fn rows_are_found_by_any_of_their_related_rows(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.any(Book::PAGES.lt(190))).await?, [1]);
    check_eq!(authors(&db, Author::BOOKS.any(Book::all())).await?, [1, 2]);
    check_eq!(authors(&db, !Author::BOOKS.any(Book::PAGES.lt(190))).await?, [2, 3]);
    check_eq!(found(&db, Book::REVIEWS.any(Review::STARS.eq(3))).await?, [10]);
    Ok(())
}

async fn rows_are_found_by_all_of_their_related_rows(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.all(Book::PAGES.ge(190))).await?, [2, 3]);
    check_eq!(authors(&db, Author::BOOKS.all(Book::PAGES.ge(100))).await?, [1, 2, 3]);
    check_eq!(authors(&db, !Author::BOOKS.all(Book::PAGES.ge(190))).await?, [1]);
    Ok(())
}

async fn rows_are_found_by_none_of_their_related_rows(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.none(Book::TITLE.eq("Solaris"))).await?, [1, 3]);
    check_eq!(authors(&db, Author::BOOKS.none(Book::all())).await?, [3]);
    check_eq!(found(&db, Book::TAGS.none(Tag::all())).await?, [13, 14]);
    Ok(())
}

async fn an_unknown_condition_is_neither_passed_by_any_nor_by_all(db: Db) -> Verdict {
    library(&db).await?;
    db.add(book(20, "Unknown", None, Some(3))).await?;
    check_eq!(authors(&db, Author::BOOKS.any(Book::PAGES.gt(0)) & Author::ID.eq(3)).await?, [0; 0]);
    check_eq!(authors(&db, Author::BOOKS.all(Book::PAGES.gt(0)) & Author::ID.eq(3)).await?, [0; 0]);
    check_eq!(authors(&db, Author::BOOKS.none(Book::PAGES.gt(0)) & Author::ID.eq(3)).await?, [3]);
    check_eq!(authors(&db, Author::BOOKS.any(!Book::PAGES.gt(0)) & Author::ID.eq(3)).await?, [0; 0]);
    check_eq!(authors(&db, Author::BOOKS.any(Book::PAGES.is_null())).await?, [3]);
    Ok(())
}

async fn rows_are_found_through_a_link_model(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(found(&db, Book::TAGS.any(Tag::NAME.eq("science"))).await?, [11, 12]);
    check_eq!(found(&db, Book::TAGS.any(Tag::all())).await?, [10, 11, 12]);
    check_eq!(found(&db, Book::TAGS.all(Tag::NAME.eq("fantasy"))).await?, [10, 13, 14]);
    let tags = db.find(Tag::BOOKS.any(Book::PAGES.ge(200))).all().await?;
    check_eq!(names(&tags), ["fantasy", "science"]);
    // a link to a tag that is not there leads to none
    check!(found(&db, Book::TAGS.any(Tag::NAME.eq("gone"))).await?.is_empty());
    Ok(())
}

async fn rows_are_found_by_the_fields_of_a_link(db: Db) -> Verdict {
    library(&db).await?;
    let links = BookTag::BOOK.inverse();
    check_eq!(found(&db, links.any(BookTag::WEIGHT.ge(2) & BookTag::TAG.has(Tag::all()))).await?, [10, 12]);
    check_eq!(found(&db, links.filter(BookTag::WEIGHT.is_null()).count().eq(1)).await?, [11]);
    Ok(())
}

async fn filters_nest_over_several_models(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.any(Book::REVIEWS.any(Review::STARS.ge(5)))).await?, [1]);
    check_eq!(authors(&db, Author::BOOKS.any(Book::TAGS.any(Tag::NAME.eq("science")))).await?, [1, 2]);
    let stars = Review::BOOK.has(Book::AUTHOR.has(Author::BOOKS.any(Book::TAGS.any(Tag::NAME.eq("fantasy")))));
    check_eq!(db.find(stars).count().await?, 2);
    Ok(())
}

async fn filters_come_back_to_the_model_that_they_began_with(db: Db) -> Verdict {
    library(&db).await?;
    // books by whoever wrote Lathe
    check_eq!(found(&db, Book::AUTHOR.has(Author::BOOKS.any(Book::TITLE.eq("Lathe")))).await?, [10, 11]);
    // books that share a tag with Solaris
    check_eq!(found(&db, Book::TAGS.any(Tag::BOOKS.any(Book::TITLE.eq("Solaris")))).await?, [11, 12]);
    Ok(())
}

async fn filters_across_are_combined_with_others(db: Db) -> Verdict {
    library(&db).await?;
    let by_ursula = || Book::AUTHOR.has(Author::NAME.eq("Ursula"));
    check_eq!(found(&db, by_ursula() & Book::PAGES.lt(190)).await?, [11]);
    check_eq!(found(&db, by_ursula() | Book::PAGES.is_null()).await?, [10, 11, 13]);
    check_eq!(found(&db, !(by_ursula() | Book::REVIEWS.any(Review::all()))).await?, [13, 14]);
    check_eq!(found(&db, !(by_ursula() & Book::REVIEWS.any(Review::all()))).await?, [11, 12, 13, 14]);
    let twice = db.find(by_ursula()).filter(Book::TAGS.any(Tag::NAME.eq("science"))).all().await?;
    check_eq!(keys(&twice), [11]);
    Ok(())
}

async fn a_filtered_relation_is_asked_for_what_is_left(db: Db) -> Verdict {
    library(&db).await?;
    let long = || Author::BOOKS.filter(Book::PAGES.ge(200));
    check_eq!(authors(&db, long().any(Book::all())).await?, [1, 2]);
    check_eq!(authors(&db, long().any(Book::TITLE.eq("Lathe"))).await?, [0; 0]);
    check_eq!(authors(&db, long().none(Book::TITLE.eq("Solaris"))).await?, [1, 3]);
    // all of those that are long, not all of them
    check_eq!(authors(&db, long().all(Book::TITLE.eq("Earthsea"))).await?, [1, 3]);
    check_eq!(found(&db, Book::AUTHOR.filter(Author::ID.gt(1)).has(Author::all())).await?, [12]);
    Ok(())
}

async fn rows_are_found_by_the_number_of_related_ones(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.count().gt(1)).await?, [1]);
    check_eq!(authors(&db, Author::BOOKS.count().eq(0)).await?, [3]);
    check_eq!(authors(&db, Author::BOOKS.count().between(1, 2)).await?, [1, 2]);
    check_eq!(authors(&db, Author::BOOKS.filter(Book::PAGES.gt(190)).count().eq(1)).await?, [1, 2]);
    check_eq!(found(&db, Book::REVIEWS.count().eq(2) | Book::REVIEWS.count().eq(1)).await?, [10, 12]);
    Ok(())
}

async fn rows_are_found_by_an_aggregate_of_related_ones(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.aggregate(Book::PAGES.sum()).gt(300)).await?, [1]);
    check_eq!(authors(&db, Author::BOOKS.aggregate(Book::TITLE.max()).eq("Lathe")).await?, [1]);
    check_eq!(found(&db, Book::REVIEWS.aggregate(Review::STARS.avg()).eq(dec!(4))).await?, [10, 12]);
    Ok(())
}

async fn an_aggregate_of_no_related_rows_is_null(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(authors(&db, Author::BOOKS.aggregate(Book::PAGES.max()).is_null()).await?, [3]);
    check_eq!(authors(&db, !Author::BOOKS.aggregate(Book::PAGES.max()).gt(500)).await?, [1, 2]);
    let rows = db.find(Author::all()).order_by(Author::ID.asc());
    let rows =
        rows.select((Author::ID, Author::BOOKS.aggregate(Book::PAGES.min()), Author::BOOKS.count())).all().await?;
    check_eq!(rows, [(1, Some(180), 2), (2, Some(204), 1), (3, None, 0)]);
    Ok(())
}

async fn a_field_of_the_related_row_is_compared(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(found(&db, Book::AUTHOR.at(Author::NAME).eq("Ursula")).await?, [10, 11]);
    // unlike `has`, it is null where there is no row
    check_eq!(found(&db, Book::AUTHOR.at(Author::NAME).is_null()).await?, [13, 14]);
    check_eq!(found(&db, !Book::AUTHOR.at(Author::NAME).eq("Ursula")).await?, [12]);
    check_eq!(found(&db, Book::AUTHOR.at(Author::ID + 1).eq(3)).await?, [12]);
    Ok(())
}

async fn a_field_of_the_related_row_is_compared_with_an_own_one(db: Db) -> Verdict {
    library(&db).await?;
    db.add(book(20, "Ursula", None, Some(1))).await?;
    check_eq!(found(&db, Book::AUTHOR.at(Author::NAME).eq(Book::TITLE)).await?, [20]);
    Ok(())
}

async fn rows_are_ordered_by_the_related_row(db: Db) -> Verdict {
    library(&db).await?;
    let ordered = async |order: (ommi::query::Order<Book>, ommi::query::Order<Book>)| -> Result<Vec<i64>> {
        Ok(db.find(Book::all()).order_by(order).all().await?.iter().map(|book| book.id).collect())
    };
    // those without one come first: null sorts lowest
    check_eq!(ordered((Book::AUTHOR.at(Author::NAME).asc(), Book::ID.asc())).await?, [13, 14, 12, 10, 11]);
    check_eq!(ordered((Book::AUTHOR.at(Author::NAME).desc(), Book::ID.desc())).await?, [11, 10, 12, 14, 13]);
    let limited =
        db.find(Book::all()).order_by((Book::AUTHOR.at(Author::NAME).desc(), Book::ID.asc())).offset(1).limit(2);
    check_eq!(limited.all().await?.iter().map(|book| book.id).collect::<Vec<_>>(), [11, 12]);
    Ok(())
}

async fn rows_are_ordered_by_the_number_of_related_ones(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.find(Author::all()).order_by((Author::BOOKS.count().desc(), Author::ID.asc())).limit(2).all().await?;
    check_eq!(rows.iter().map(|author| author.id).collect::<Vec<_>>(), [1, 2]);
    let order = Author::BOOKS.filter(Book::PAGES.gt(190)).aggregate(Book::PAGES.max());
    let rows = db.find(Author::all()).order_by(order.desc()).all().await?;
    check_eq!(rows.iter().map(|author| author.id).collect::<Vec<_>>(), [2, 1, 3]);
    Ok(())
}

async fn values_of_related_rows_are_selected(db: Db) -> Verdict {
    library(&db).await?;
    let rows =
        db.find(Book::all()).order_by(Book::ID.asc()).select((Book::ID, Book::AUTHOR.at(Author::NAME))).all().await?;
    let expected = [(10, Some("Ursula")), (11, Some("Ursula")), (12, Some("Stanisław")), (13, None), (14, None)];
    check_eq!(rows, expected.map(|(id, name)| (id, name.map(str::to_owned))));
    Ok(())
}

async fn values_through_a_link_model_are_selected(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.find(Tag::all()).order_by(Tag::NAME.asc());
    let rows = rows.select((Tag::NAME, Tag::BOOKS.count(), Tag::BOOKS.aggregate(Book::PAGES.sum()))).all().await?;
    let expected = [("fantasy", 2, Some(380)), ("science", 2, Some(384)), ("unused", 0, None)];
    check_eq!(rows, expected.map(|(name, count, pages)| (name.to_owned(), count, pages)));
    let long = Tag::BOOKS.filter(Book::PAGES.gt(190)).aggregate(Book::TITLE.min());
    let rows = db.find(long.is_not_null()).order_by(Tag::NAME.asc()).all().await?;
    check_eq!(names(&rows), ["fantasy", "science"]);
    Ok(())
}

async fn values_nest(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.find(Review::all()).order_by(Review::ID.asc());
    let rows = rows.select((Review::ID, Review::BOOK.at(Book::AUTHOR.at(Author::NAME)))).all().await?;
    let expected = [(1, Some("Ursula")), (2, Some("Ursula")), (3, Some("Stanisław")), (4, None)];
    check_eq!(rows, expected.map(|(id, name)| (id, name.map(str::to_owned))));
    check_eq!(found(&db, Book::AUTHOR.at(Author::BOOKS.count()).eq(2)).await?, [10, 11]);
    Ok(())
}

async fn rows_are_grouped_by_a_field_of_the_related_row(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.find(Book::AUTHOR.has(Author::all()));
    let name = || Book::AUTHOR.at(Author::NAME);
    let mut rows = rows.group_by(name()).select((name(), count(), Book::PAGES.sum())).all().await?;
    rows.sort();
    check_eq!(rows, [(Some("Stanisław".to_owned()), 1, Some(204)), (Some("Ursula".to_owned()), 2, Some(380))]);
    Ok(())
}

async fn rows_are_counted_and_looked_for_across(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(db.find(Book::AUTHOR.has(Author::NAME.eq("Ursula"))).count().await?, 2);
    check!(db.find(Book::AUTHOR.has(Author::NAME.eq("Ursula"))).exists().await?);
    check!(!db.find(Book::AUTHOR.has(Author::NAME.eq("Nobody"))).exists().await?);
    check_eq!(db.find(Author::BOOKS.any(Book::TITLE.eq("Solaris"))).one().await?.name, "Stanisław");
    let pages = db.find(Book::AUTHOR.has(Author::ID.eq(1))).aggregate(Book::PAGES.sum()).await?;
    check_eq!(pages, Some(380));
    Ok(())
}

async fn rows_found_across_are_paged(db: Db) -> Verdict {
    library(&db).await?;
    let query = || db.find(Book::AUTHOR.has(Author::all())).order_by(Book::PAGES.desc()).limit(2);
    let first = query().fetch_page().await?;
    check_eq!(first.rows.iter().map(|book| book.id).collect::<Vec<_>>(), [12, 10]);
    let second = query().after(first.next()).fetch_page().await?;
    check_eq!(second.rows.iter().map(|book| book.id).collect::<Vec<_>>(), [11]);
    check!(second.next().is_none());
    Ok(())
}

async fn rows_found_across_are_streamed(db: Db) -> Verdict {
    library(&db).await?;
    let rows = db.find(Book::TAGS.any(Tag::all())).stream().await?.collect().await?;
    check_eq!(keys(&rows), [10, 11, 12]);
    check_eq!(names(present(rows.iter().find(|book| book.id == 11))?.tags.get().await?), ["fantasy", "science"]);
    Ok(())
}

async fn rows_found_across_are_updated(db: Db) -> Verdict {
    library(&db).await?;
    let matched = db.find(Book::AUTHOR.has(Author::NAME.eq("Ursula"))).update(Book::PAGES.set(Book::PAGES + 1)).await?;
    check_eq!(matched, 2);
    let pages = db.find(Book::all()).order_by(Book::ID.asc()).select(Book::PAGES).all().await?;
    check_eq!(pages, [Some(201), Some(181), Some(204), None, Some(20)]);
    let matched = db.find(Author::BOOKS.none(Book::all())).update(Author::NAME.set("Silent")).await?;
    check_eq!(matched, 1);
    check_eq!(db.get::<Author>(3).await?.name, "Silent");
    let matched = db.find(Book::TAGS.any(Tag::NAME.eq("science"))).update(Book::AUTHOR_ID.set(3)).await?;
    check_eq!((matched, found(&db, Book::AUTHOR.has(Author::NAME.eq("Silent"))).await?), (2, vec![11, 12]));
    Ok(())
}

async fn rows_found_across_are_deleted(db: Db) -> Verdict {
    library(&db).await?;
    check_eq!(db.find(!Review::BOOK.has(Book::all())).delete().await?, 1);
    check_eq!(db.find(Book::REVIEWS.none(Review::all()) & Book::TAGS.none(Tag::all())).delete().await?, 2);
    check_eq!(found(&db, Book::all()).await?, [10, 11, 12]);
    check_eq!(db.find(Author::BOOKS.none(Book::all())).delete().await?, 1);
    check_eq!(db.find(BookTag::TAG.has(Tag::NAME.eq("fantasy"))).delete().await?, 2);
    check_eq!(db.find(BookTag::all()).count().await?, 4);
    Ok(())
}

async fn related_filters_in_a_transaction_see_its_writes(db: Db) -> Verdict {
    library(&db).await?;
    let answer: Result<()> = db
        .transaction(async |tx| {
            tx.add(review(9, 5, 11)).await?;
            check_eq!(found(tx, Book::REVIEWS.any(Review::STARS.eq(5))).await?, [10, 11]);
            check_eq!(found(&db.outside(), Book::REVIEWS.any(Review::STARS.eq(5))).await?, [10]);
            Ok(())
        })
        .await;
    Ok(answer?)
}

async fn two_conditions_on_one_related_row_differ_from_two_related_rows(db: Db) -> Verdict {
    library(&db).await?;
    // Lathe has few pages and Earthsea many, but no book both
    let both = Author::BOOKS.any(Book::PAGES.lt(190)) & Author::BOOKS.any(Book::PAGES.gt(190));
    check_eq!(authors(&db, both).await?, [1]);
    check_eq!(authors(&db, Author::BOOKS.any(Book::PAGES.lt(190) & Book::PAGES.gt(190))).await?, [0; 0]);
    db.add(book_tag(10, "science", None)).await?;
    let both = Book::TAGS.any(Tag::NAME.eq("science")) & Book::TAGS.any(Tag::NAME.eq("fantasy"));
    check_eq!(found(&db, both).await?, [10, 11]);
    Ok(())
}

async fn an_eager_load_does_not_change_what_is_found(db: Db) -> Verdict {
    library(&db).await?;
    let query = db.find(Author::all()).order_by(Author::ID.asc());
    let all = query.with(Author::BOOKS.filter(Book::TITLE.eq("no"))).all().await?;
    check_eq!(all.len(), 3);
    let some = db.find(Author::BOOKS.any(Book::PAGES.lt(190))).with(Author::BOOKS).one().await?;
    check_eq!(keys(present(some.books.loaded())?), [10, 11]);
    check!(refused(db.find(Book::AUTHOR.has(Author::NAME.eq("Ursula"))).one().await)?.is_not_unique());
    Ok(())
}
