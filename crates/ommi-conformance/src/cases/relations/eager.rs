//! Related rows that are loaded with the rows of a query.

use ommi::prelude::*;

use super::library::{
    Author, Book, BookTag, Library, Review, Tag, author, book, book_tag, done, keys, library, names, review,
    statements_for, statements_through, tag,
};
use crate::check::{Failure, Verdict, present, refused};

cases! { "eager relations":
    a_relation_takes_one_statement_whatever_the_number_of_owners,
    relations_are_nested_to_any_depth,
    several_relations_take_a_statement_each,
    relations_of_one_query_may_come_in_several_calls,
    what_was_loaded_eagerly_is_not_asked_for_again,
    related_rows_are_filtered,
    related_rows_are_ordered_for_each_owner,
    related_rows_are_limited_for_each_owner,
    a_limit_of_nothing_loads_nothing,
    a_limit_beyond_all_rows_changes_nothing,
    nested_relations_have_filters_orders_and_limits_of_their_own,
    rows_by_way_of_a_link_model_are_filtered_ordered_and_limited,
    related_rows_are_filtered_by_their_own_relations,
    related_rows_are_ordered_by_a_field_of_another_model,
    one_related_row_is_filtered,
    filters_of_a_relation_are_combined,
    relations_are_loaded_for_the_rows_that_a_limit_leaves,
    relations_are_loaded_for_one_row,
    a_row_that_is_not_there_loads_nothing,
    several_rows_where_one_is_wanted_load_nothing,
    rows_without_related_ones_end_a_nested_load,
    the_same_relation_at_two_levels_is_loaded_at_both,
    more_owners_than_a_statement_takes_keep_their_limits,
    a_relation_without_a_field_is_refused_and_names_the_mend,
    related_rows_of_given_rows_have_filters_orders_limits_and_relations,
    an_unknown_condition_inside_leaves_rows_out,
    a_failed_load_fails_the_query,
}

async fn a_relation_takes_one_statement_whatever_the_number_of_owners(db: Db) -> Verdict {
    db.create::<Library>().await?;
    db.add_all((0..500).map(|id| author(id, "a"))).await?;
    db.add_all((0..1_500).map(|id| book(id, "b", None, Some(id % 500)))).await?;
    let (found, statements) =
        db.count_statements(async |db| db.find(Author::all()).with(Author::BOOKS).all().await).await;
    let found = found?;
    check_eq!((found.len(), statements), (500, 1 + statements_for(&db, 500)));
    for author in &found {
        check_eq!(keys(present(author.books.loaded())?), [author.id, author.id + 500, author.id + 1_000]);
    }
    Ok(())
}

async fn relations_are_nested_to_any_depth(db: Db) -> Verdict {
    library(&db).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let relations = Author::BOOKS.with(Book::REVIEWS.with(Review::BOOK.with(Book::AUTHOR.with(Author::BOOKS))));
            db.find(Author::all()).order_by(Author::ID.asc()).with(relations).all().await
        })
        .await;
    let found = found?;
    check_eq!(statements, 6);
    let (seen, statements) = db
        .count_statements(async |_| {
            let mut seen = Vec::new();
            for book in present(found.first())?.books.get().await? {
                for review in book.reviews.get().await? {
                    let author = present(review.book.get().await?.author.get().await?)?;
                    seen.push((review.id, author.id, keys(author.books.get().await?).len()));
                }
            }
            seen.sort_unstable();
            done(seen)
        })
        .await;
    check_eq!((seen?, statements), (vec![(1, 1, 2), (2, 1, 2)], 0));
    Ok(())
}

async fn several_relations_take_a_statement_each(db: Db) -> Verdict {
    library(&db).await?;
    let (found, statements) = db
        .count_statements(async |db| {
            let query = db.find(Book::all()).order_by(Book::ID.asc());
            query.with((Book::AUTHOR, Book::REVIEWS, Book::TAGS)).all().await
        })
        .await;
    check_eq!(statements, 1 + 2 + statements_through(&db, 5, 3));
    for book in &found? {
        check!(book.author.is_loaded() && book.reviews.is_loaded() && book.tags.is_loaded());
    }
    Ok(())
}

async fn relations_of_one_query_may_come_in_several_calls(db: Db) -> Verdict {
    library(&db).await?;
    let found = db.find(Book::ID.eq(11)).with(Book::AUTHOR).with(Book::TAGS.with(Tag::BOOKS)).one().await?;
    check_eq!(present(present(found.author.loaded())?)?.id, 1);
    let tags = present(found.tags.loaded())?;
    check_eq!(names(tags), ["fantasy", "science"]);
    for tag in tags {
        let expected = if tag.name == "fantasy" { [10, 11] } else { [11, 12] };
        check_eq!(keys(present(tag.books.loaded())?), expected);
    }
    Ok(())
}

async fn what_was_loaded_eagerly_is_not_asked_for_again(db: Db) -> Verdict {
    library(&db).await?;
    let query = db.find(Author::ID.eq(1)).with(Author::BOOKS.filter(Book::TITLE.eq("Lathe")));
    let mut first = query.one().await?;
    let (found, statements) = db.count_statements(async |_| first.books.get().await.map(keys)).await;
    // what the query said, not all that there are
    check_eq!((found?, statements), (vec![11], 0));
    first.books.reload().await?;
    check_eq!(keys(first.books.get().await?), [10, 11]);
    Ok(())
}

/// The titles of the books of each author, as they are loaded, by the key of the author.
fn titles(authors: &[Author]) -> Result<Vec<Vec<&str>>, Failure> {
    authors
        .iter()
        .map(|author| {
            let books = present(author.books.loaded())?;
            Ok(books.iter().map(|book| &*book.title).collect())
        })
        .collect()
}

async fn with(db: &Db, relation: impl ommi::relation::eager::With<Author>) -> Result<Vec<Author>> {
    db.find(Author::all()).order_by(Author::ID.asc()).with(relation).all().await
}

async fn related_rows_are_filtered(db: Db) -> Verdict {
    library(&db).await?;
    let found = with(&db, Author::BOOKS.filter(Book::PAGES.ge(200))).await?;
    check_eq!(titles(&found)?, [vec!["Earthsea"], vec!["Solaris"], vec![]]);
    Ok(())
}

async fn related_rows_are_ordered_for_each_owner(db: Db) -> Verdict {
    library(&db).await?;
    db.add(book(15, "Always", Some(200), Some(1))).await?;
    let found = with(&db, Author::BOOKS.order_by((Book::PAGES.desc(), Book::TITLE.asc()))).await?;
    check_eq!(titles(&found)?, [vec!["Always", "Earthsea", "Lathe"], vec!["Solaris"], vec![]]);
    let found = with(&db, Author::BOOKS.order_by(Book::PAGES.asc()).order_by(Book::TITLE.desc())).await?;
    check_eq!(titles(&found)?, [vec!["Lathe", "Earthsea", "Always"], vec!["Solaris"], vec![]]);
    Ok(())
}

async fn related_rows_are_limited_for_each_owner(db: Db) -> Verdict {
    library(&db).await?;
    db.add_all((20..30).map(|id| book(id, &id.to_string(), None, Some(id % 3 + 1)))).await?;
    let (found, statements) =
        db.count_statements(async |db| with(db, Author::BOOKS.order_by(Book::ID.desc()).limit(2)).await).await;
    check_eq!(titles(&found?)?, [["27", "24"], ["28", "25"], ["29", "26"]]);
    check_eq!(statements, 2);
    Ok(())
}

async fn a_limit_of_nothing_loads_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let found = with(&db, Author::BOOKS.limit(0)).await?;
    check_eq!(titles(&found)?, [[""; 0]; 3]);
    Ok(())
}

async fn a_limit_beyond_all_rows_changes_nothing(db: Db) -> Verdict {
    library(&db).await?;
    for limit in [2, 3, u64::from(u32::MAX), u64::MAX] {
        let found = with(&db, Author::BOOKS.order_by(Book::ID.asc()).limit(limit)).await?;
        check_eq!(titles(&found)?, [vec!["Earthsea", "Lathe"], vec!["Solaris"], vec![]]);
    }
    Ok(())
}

async fn nested_relations_have_filters_orders_and_limits_of_their_own(db: Db) -> Verdict {
    library(&db).await?;
    db.add_all([review(20, 4, 10), review(21, 2, 11), review(22, 5, 12)]).await?;
    let reviews = Book::REVIEWS.filter(Review::STARS.ge(3)).order_by(Review::STARS.asc()).limit(2);
    let found = with(&db, Author::BOOKS.order_by(Book::TITLE.desc()).with(reviews)).await?;
    let mut seen = Vec::new();
    for author in &found {
        for book in present(author.books.loaded())? {
            let stars = present(book.reviews.loaded())?.iter().map(|review| review.stars);
            seen.push((&*book.title, stars.collect::<Vec<_>>()));
        }
    }
    check_eq!(seen, [("Lathe", vec![]), ("Earthsea", vec![3, 4]), ("Solaris", vec![4, 5])]);
    Ok(())
}

async fn rows_by_way_of_a_link_model_are_filtered_ordered_and_limited(db: Db) -> Verdict {
    library(&db).await?;
    db.add_all([tag("a"), tag("b"), tag("c")]).await?;
    let links = [(10, "c"), (10, "a"), (10, "b"), (11, "b"), (12, "c"), (12, "a")];
    db.add_all(links.map(|(id, name)| book_tag(id, name, None))).await?;
    let tags = Book::TAGS.filter(Tag::NAME.ne("fantasy")).order_by(Tag::NAME.desc()).limit(2);
    let (found, statements) =
        db.count_statements(async |db| db.find(Book::all()).order_by(Book::ID.asc()).with(tags).all().await).await;
    let mut seen = Vec::new();
    for book in &found? {
        seen.push(present(book.tags.loaded())?.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>());
    }
    check_eq!(seen, [vec!["c", "b"], vec!["science", "b"], vec!["science", "c"], vec![], vec![]]);
    check_eq!(statements, 1 + statements_through(&db, 5, 6));
    Ok(())
}

async fn related_rows_are_filtered_by_their_own_relations(db: Db) -> Verdict {
    library(&db).await?;
    let found = with(&db, Author::BOOKS.filter(Book::TAGS.any(Tag::NAME.eq("science")))).await?;
    check_eq!(titles(&found)?, [vec!["Lathe"], vec!["Solaris"], vec![]]);
    let found = with(&db, Author::BOOKS.filter(Book::REVIEWS.none(Review::all()))).await?;
    check_eq!(titles(&found)?, [vec!["Lathe"], vec![], vec![]]);
    Ok(())
}

async fn related_rows_are_ordered_by_a_field_of_another_model(db: Db) -> Verdict {
    library(&db).await?;
    let books = Tag::BOOKS.order_by((Book::AUTHOR.at(Author::NAME).desc(), Book::ID.desc()));
    let tags = db.find(Tag::all()).order_by(Tag::NAME.asc()).with(books).all().await?;
    let found: Vec<Vec<i64>> = tags
        .iter()
        .filter_map(|tag| tag.books.loaded())
        .map(|books| books.iter().map(|book| book.id).collect())
        .collect();
    check_eq!(found, [vec![11, 10], vec![11, 12], vec![]]);
    Ok(())
}

async fn one_related_row_is_filtered(db: Db) -> Verdict {
    library(&db).await?;
    let query = db.find(Book::all()).order_by(Book::ID.asc());
    let books = query.with(Book::AUTHOR.filter(Author::NAME.starts_with("U"))).all().await?;
    let found: Vec<Option<i64>> =
        books.iter().map(|book| book.author.loaded().flatten().map(|author| author.id)).collect();
    check_eq!(found, [Some(1), Some(1), None, None, None]);
    // a row that has to be there, and that the filter leaves out
    let reviews = db.find(Review::ID.eq(1)).with(Review::BOOK.filter(Book::TITLE.eq("no"))).one().await?;
    check!(refused(reviews.book.get().await)?.is_not_found());
    Ok(())
}

async fn filters_of_a_relation_are_combined(db: Db) -> Verdict {
    library(&db).await?;
    let relation =
        Author::BOOKS.filter(Book::PAGES.gt(100)).filter(Book::TITLE.eq("Lathe") | Book::TITLE.eq("Solaris"));
    let found = with(&db, relation).await?;
    check_eq!(titles(&found)?, [vec!["Lathe"], vec!["Solaris"], vec![]]);
    Ok(())
}

async fn relations_are_loaded_for_the_rows_that_a_limit_leaves(db: Db) -> Verdict {
    library(&db).await?;
    let query = db.find(Author::all()).order_by(Author::ID.asc()).offset(1).limit(1);
    let found = query.with(Author::BOOKS).all().await?;
    check_eq!(titles(&found)?, [["Solaris"]]);
    Ok(())
}

async fn relations_are_loaded_for_one_row(db: Db) -> Verdict {
    library(&db).await?;
    let query = || db.find(Author::ID.eq(1)).with(Author::BOOKS.order_by(Book::ID.asc()));
    let (found, statements) = db
        .count_statements(async |_| {
            done([query().one().await?, present(query().first().await?)?, present(query().optional().await?)?])
        })
        .await;
    check_eq!(titles(&found?)?, [["Earthsea", "Lathe"]; 3]);
    check_eq!(statements, 6);
    Ok(())
}

async fn a_row_that_is_not_there_loads_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let query = || db.find(Author::ID.eq(99)).with(Author::BOOKS);
    let (found, statements) = db
        .count_statements(async |_| {
            done((query().first().await?.is_none(), query().optional().await?.is_none(), query().one().await.is_err()))
        })
        .await;
    check_eq!((found?, statements), ((true, true, true), 3));
    Ok(())
}

async fn several_rows_where_one_is_wanted_load_nothing(db: Db) -> Verdict {
    library(&db).await?;
    let (found, statements) =
        db.count_statements(async |db| db.find(Author::all()).with(Author::BOOKS).one().await).await;
    check!(refused(found)?.is_not_unique());
    check_eq!(statements, 1);
    Ok(())
}

async fn rows_without_related_ones_end_a_nested_load(db: Db) -> Verdict {
    library(&db).await?;
    let relations = Author::BOOKS.with((Book::TAGS.with(Tag::BOOKS), Book::REVIEWS));
    let (found, statements) =
        db.count_statements(async |db| db.find(Author::NAME.eq("Nobody")).with(relations).one().await).await;
    check!(present(found?.books.loaded())?.is_empty());
    check_eq!(statements, 2);
    Ok(())
}

async fn the_same_relation_at_two_levels_is_loaded_at_both(db: Db) -> Verdict {
    library(&db).await?;
    let inner = Author::BOOKS.order_by(Book::ID.desc()).limit(1);
    let found = with(&db, Author::BOOKS.order_by(Book::ID.asc()).with(Book::AUTHOR.with(inner))).await?;
    check_eq!(titles(&found)?, [vec!["Earthsea", "Lathe"], vec!["Solaris"], vec![]]);
    for book in found.iter().filter_map(|author| author.books.loaded()).flatten() {
        let author = present(present(book.author.loaded())?)?;
        let expected = if author.id == 1 { [11] } else { [12] };
        check_eq!(keys(present(author.books.loaded())?), expected);
    }
    Ok(())
}

async fn more_owners_than_a_statement_takes_keep_their_limits(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let list_values = db.driver().capabilities().limits.list_values;
    let owners = if list_values < 40_000 { list_values + 3 } else { 3_000 };
    let last = i64::try_from(owners).unwrap_or(i64::MAX);
    db.add_all((0..last).map(|id| author(id, "a"))).await?;
    // the last authors have their books all over
    db.add_all(
        (0..60).map(|id| book(id, "b", Some(100 - i32::try_from(id).unwrap_or_default()), Some(last - 1 - id % 6))),
    )
    .await?;
    let relation = Author::BOOKS.filter(Book::ID.lt(30)).order_by(Book::PAGES.asc()).limit(2);
    let (found, statements) = db.count_statements(async |db| with(db, relation).await).await;
    let found = found?;
    check_eq!(statements, 1 + statements_for(&db, owners));
    let some: Vec<(i64, Vec<i64>)> = found
        .iter()
        .rev()
        .map(|author| {
            (last - 1 - author.id, author.books.loaded().unwrap_or_default().iter().map(|book| book.id).collect())
        })
        .take(7)
        .collect();
    check_eq!(some.first(), Some(&(0, vec![24, 18])));
    check_eq!(some.get(5), Some(&(5, vec![29, 23])));
    check_eq!(some.get(6), Some(&(6, vec![])));
    Ok(())
}

async fn a_relation_without_a_field_is_refused_and_names_the_mend(db: Db) -> Verdict {
    library(&db).await?;
    let by_fields = Book::AUTHOR_ID.leads_to(Author::ID);
    let error = refused(db.find(Book::all()).with(by_fields).all().await)?;
    check!(error.is_query() && error.to_string().contains(".of(&db, &rows)"), "{error}");
    let error = refused(db.find(Author::all()).with(Book::AUTHOR.inverse()).all().await)?;
    check!(error.is_query(), "{error}");
    Ok(())
}

async fn related_rows_of_given_rows_have_filters_orders_limits_and_relations(db: Db) -> Verdict {
    library(&db).await?;
    let authors = super::library::authors(&db).await?;
    let relation = Author::BOOKS.filter(Book::PAGES.gt(0)).order_by(Book::TITLE.desc()).limit(1).with(Book::REVIEWS);
    let (found, statements) = db.count_statements(async |db| relation.of(db, &authors).await).await;
    let found = found?;
    check_eq!(statements, 2);
    check_eq!(found.len(), 3);
    let titles: Vec<Option<&str>> = found.iter().map(|books| books.first().map(|book| &*book.title)).collect();
    check_eq!(titles, [Some("Lathe"), Some("Solaris"), None]);
    check_eq!(present(present(found.get(1).first())?.reviews.loaded())?.len(), 1);
    check!(authors.iter().all(|author| author.books.is_unloaded()));
    check!(found.get(99).is_empty());
    Ok(())
}

async fn an_unknown_condition_inside_leaves_rows_out(db: Db) -> Verdict {
    library(&db).await?;
    db.add(book(20, "Unknown", None, Some(2))).await?;
    let found = with(&db, Author::BOOKS.filter(!Book::PAGES.gt(190)).order_by(Book::ID.asc())).await?;
    check_eq!(titles(&found)?, [vec!["Lathe"], vec![], vec![]]);
    let links = db.find(BookTag::all()).count().await?;
    check_eq!(links, 6);
    Ok(())
}

async fn a_failed_load_fails_the_query(db: Db) -> Verdict {
    // the books have no table
    db.create::<Author>().await?;
    db.add(author(1, "Ursula")).await?;
    let error = refused(db.find(Author::all()).with(Author::BOOKS).all().await)?;
    check!(error.is_schema(), "{error}");
    check_eq!(error.operation(), Some("load"));
    Ok(())
}
