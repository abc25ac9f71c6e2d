//! Writes along relations: graphs of new rows, rows that are led elsewhere, deletions.

use ommi::prelude::*;

use super::library::done;

use crate::check::{Failure, Verdict, present, refused};

cases! { "writes along relations":
    an_owner_is_added_with_its_new_rows needs AUTO_INTEGERS,
    owners_are_added_with_their_rows_in_a_statement_a_model needs AUTO_INTEGERS,
    what_a_row_references_is_added_before_it needs AUTO_INTEGERS,
    a_reference_to_a_row_that_is_there_takes_its_key needs AUTO_INTEGERS,
    a_graph_of_several_levels_is_added_in_a_statement_a_model needs AUTO_INTEGERS,
    a_graph_goes_both_ways needs AUTO_INTEGERS,
    new_rows_are_linked_to_their_owner needs AUTO_INTEGERS,
    rows_that_are_there_are_linked_to_a_new_owner needs AUTO_INTEGERS,
    a_graph_of_nothing_adds_its_owner_alone needs AUTO_INTEGERS,
    a_graph_takes_the_keys_of_its_owner_whatever_its_rows_say needs AUTO_INTEGERS,
    a_graph_of_rows_with_given_keys_is_added,
    a_graph_of_a_tree_is_added needs AUTO_INTEGERS,
    a_refused_row_of_a_graph_leaves_nothing needs AUTO_INTEGERS UNIQUE TRANSACTIONS,
    a_graph_is_part_of_the_transaction_around_it needs AUTO_INTEGERS TRANSACTIONS,
    a_new_row_is_saved_with_its_graph needs AUTO_INTEGERS,
    what_a_graph_holds_is_loaded_and_attached needs AUTO_INTEGERS,
    a_row_that_is_set_is_written_by_save needs AUTO_INTEGERS,
    a_new_row_that_is_set_is_added_by_save needs AUTO_INTEGERS,
    a_relation_that_is_set_to_none_is_written_as_null needs AUTO_INTEGERS,
    a_set_relation_and_another_key_are_a_contradiction needs AUTO_INTEGERS,
    a_set_relation_and_its_own_key_are_none needs AUTO_INTEGERS,
    a_refused_save_leaves_the_instance_as_it_was needs AUTO_INTEGERS UNIQUE TRANSACTIONS,
    given_rows_of_a_row_that_is_there_are_refused_by_save needs AUTO_INTEGERS,
    a_row_of_several_fields_is_led_elsewhere,
    a_deletion_cascades_to_related_rows needs REFERENCES AUTO_INTEGERS,
    a_deletion_is_restricted_by_related_rows needs REFERENCES AUTO_INTEGERS,
    a_deletion_lets_related_rows_go needs REFERENCES AUTO_INTEGERS,
    a_deletion_cascades_over_links_and_leaves_the_other_end needs REFERENCES AUTO_INTEGERS,
    rows_found_across_are_deleted_with_what_hangs_on_them needs REFERENCES AUTO_INTEGERS,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    title: String,
    #[ommi(references = Author, unenforced)]
    author_id: Option<i64>,
    author: One<Option<Author>>,
    chapters: Many<Chapter>,
    #[ommi(through = Label)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Chapter {
    #[ommi(key, auto)]
    id: i64,
    number: i32,
    #[ommi(references = Book, unenforced)]
    book_id: i64,
    book: One<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Tag {
    #[ommi(key, auto)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Label {
    #[ommi(key, references = Book, unenforced)]
    book_id: i64,
    #[ommi(key, references = Tag, unenforced)]
    tag_id: i64,
    weight: Option<i32>,
}

type Library = (Author, Book, Chapter, Tag, Label);

fn author(name: &str) -> Author {
    Author { name: name.into(), ..Default::default() }
}

fn book(title: &str) -> Book {
    Book { title: title.into(), ..Default::default() }
}

fn chapters(count: i32) -> Many<Chapter> {
    (1..=count).map(|number| Chapter { number, ..Default::default() }).collect()
}

fn tag(name: &str) -> Tag {
    Tag { name: name.into(), ..Default::default() }
}

/// Whether the driver upserts by itself: the engine does it by a read and a write for each row.
fn upserts(db: &Db) -> bool {
    db.driver().capabilities().write.upsert
}

/// The number of authors, books, chapters, tags and links.
async fn stored(db: &Db) -> Result<[u64; 5]> {
    Ok([
        db.find(Author::all()).count().await?,
        db.find(Book::all()).count().await?,
        db.find(Chapter::all()).count().await?,
        db.find(Tag::all()).count().await?,
        db.find(Label::all()).count().await?,
    ])
}

async fn an_owner_is_added_with_its_new_rows(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = Author { books: Many::new([book("a"), book("b")]), ..author("x") };
    let (added, statements) = db.count_statements(async |db| db.add(new).await).await;
    let added = added?;
    check_eq!(statements, 2);
    check!(added.id > 0);
    let books = present(added.books.loaded())?;
    check_eq!(books.iter().map(|book| &*book.title).collect::<Vec<_>>(), ["a", "b"]);
    for book in books {
        check!(book.id > 0 && book.author_id == Some(added.id), "{book:?}");
        check_eq!(db.get::<Book>(book.id).await?, *book);
    }
    check_eq!(stored(&db).await?, [1, 2, 0, 0, 0]);
    Ok(())
}

async fn owners_are_added_with_their_rows_in_a_statement_a_model(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let owner = |number: usize| {
        let books = (0..number % 3).map(|of| book(&format!("{number} {of}")));
        Author { books: books.collect(), ..author(&number.to_string()) }
    };
    let (added, statements) = db.count_statements(async |db| db.add_all((0..100).map(owner)).await).await;
    let added = added?;
    check_eq!((added.len(), statements), (100, 2));
    for author in &added {
        let books = author.books.get().await?;
        check!(books.iter().all(|book| book.author_id == Some(author.id)));
        let titles: Vec<String> = books.iter().map(|book| book.title.clone()).collect();
        let number: usize = author.name.parse().map_err(|_| Failure::new("a number"))?;
        check_eq!(titles, (0..number % 3).map(|of| format!("{number} {of}")).collect::<Vec<_>>());
    }
    check_eq!(stored(&db).await?, [100, 99, 0, 0, 0]);
    Ok(())
}

async fn what_a_row_references_is_added_before_it(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = Book { author: One::new(Some(author("x"))), ..book("a") };
    let (added, statements) = db.count_statements(async |db| db.add(new).await).await;
    let added = added?;
    check_eq!(statements, 2);
    let author = present(present(added.author.loaded())?)?;
    check!(author.id > 0 && added.author_id == Some(author.id));
    check_eq!(db.get::<Author>(author.id).await?.name, "x");
    let first = Chapter {
        number: 1,
        book: One::new(Book { author: One::new(Some(self::author("y"))), ..book("b") }),
        ..Default::default()
    };
    let (added, statements) = db.count_statements(async |db| db.add(first).await).await;
    let added = added?;
    check_eq!(statements, 3);
    check_eq!(present(added.book.get().await?.author.get().await?)?.name, "y");
    check_eq!(stored(&db).await?, [2, 2, 1, 0, 0]);
    Ok(())
}

async fn a_reference_to_a_row_that_is_there_takes_its_key(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let ursula = db.add(author("Ursula")).await?;
    let new = Book { author: One::new(Some(ursula.clone())), ..book("a") };
    let (added, statements) = db.count_statements(async |db| db.add_all([new, book("b")]).await).await;
    let added = added?;
    check_eq!(statements, 1);
    check_eq!(added.iter().map(|book| book.author_id).collect::<Vec<_>>(), [Some(ursula.id), None]);
    check!(present(added.get(1))?.author.get().await?.is_none());
    check_eq!(stored(&db).await?, [1, 2, 0, 0, 0]);
    Ok(())
}

async fn a_graph_of_several_levels_is_added_in_a_statement_a_model(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = ["x", "y"].map(|name| {
        let books =
            [("a", 2), ("b", 0), ("c", 3)].map(|(title, count)| Book { chapters: chapters(count), ..book(title) });
        Author { books: Many::new(books), ..author(name) }
    });
    let (added, statements) = db.count_statements(async |db| db.add_all(new).await).await;
    let added = added?;
    check_eq!(statements, 3);
    check_eq!(stored(&db).await?, [2, 6, 10, 0, 0]);
    for author in &added {
        for (book, count) in author.books.get().await?.iter().zip([2, 0, 3]) {
            let chapters = book.chapters.get().await?;
            check_eq!(chapters.len(), count);
            check!(chapters.iter().all(|chapter| chapter.book_id == book.id));
        }
    }
    let chapters = Chapter::BOOK.has(Book::AUTHOR.has(Author::NAME.eq("y")) & Book::TITLE.eq("c"));
    check_eq!(db.find(chapters).count().await?, 3);
    Ok(())
}

async fn a_graph_goes_both_ways(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new =
        Book { author: One::new(Some(author("x"))), chapters: chapters(2), tags: Many::new([tag("t")]), ..book("a") };
    let (added, statements) = db.count_statements(async |db| db.add(new).await).await;
    let added = added?;
    // the author, the book, its chapters, its tag, the link
    check!(!upserts(&db) || statements == 5, "{statements} statements");
    check_eq!(stored(&db).await?, [1, 1, 2, 1, 1]);
    let read = db.find(Book::ID.eq(added.id)).with((Book::AUTHOR, Book::CHAPTERS, Book::TAGS)).one().await?;
    check_eq!(present(read.author.get().await?)?.name, "x");
    check_eq!((read.chapters.get().await?.len(), read.tags.get().await?), (2, added.tags.get().await?));
    Ok(())
}

async fn new_rows_are_linked_to_their_owner(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = [("a", vec!["s", "t"]), ("b", vec![]), ("c", vec!["u"])];
    let new = new.map(|(title, names)| Book { tags: names.into_iter().map(tag).collect(), ..book(title) });
    let (added, statements) = db.count_statements(async |db| db.add_all(new).await).await;
    let added = added?;
    // books, tags, links
    check!(!upserts(&db) || statements == 3, "{statements} statements");
    check_eq!(stored(&db).await?, [0, 3, 0, 3, 3]);
    for book in &added {
        let again = db.get::<Book>(book.id).await?;
        let mut names: Vec<&str> = again.tags.get().await?.iter().map(|tag| &*tag.name).collect();
        names.sort_unstable();
        let expected: &[&str] = match &*book.title {
            "a" => &["s", "t"],
            "c" => &["u"],
            _ => &[],
        };
        check_eq!(names, expected);
    }
    Ok(())
}

async fn rows_that_are_there_are_linked_to_a_new_owner(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let there = db.add_all([tag("s"), tag("t")]).await?;
    let new = Book { tags: there.into_iter().chain([tag("new")]).collect(), ..book("a") };
    let (added, statements) = db.count_statements(async |db| db.add(new).await).await;
    check!(!upserts(&db) || statements == 3, "{statements} statements");
    check_eq!(stored(&db).await?, [0, 1, 0, 3, 3]);
    check_eq!(db.get::<Book>(added?.id).await?.tags.get().await?.len(), 3);
    Ok(())
}

async fn a_graph_of_nothing_adds_its_owner_alone(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = Book { author: One::new(None), chapters: Many::new([]), tags: Many::new([]), ..book("a") };
    let (added, statements) = db.count_statements(async |db| db.add(new).await).await;
    let added = added?;
    check_eq!((added.author_id, statements), (None, 1));
    check!(added.chapters.get().await?.is_empty() && added.tags.get().await?.is_empty());
    check_eq!(stored(&db).await?, [0, 1, 0, 0, 0]);
    Ok(())
}

async fn a_graph_takes_the_keys_of_its_owner_whatever_its_rows_say(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = Author { books: Many::new([Book { author_id: Some(99), ..book("a") }]), ..author("x") };
    let added = db.add(new).await?;
    check_eq!(present(added.books.get().await?.first())?.author_id, Some(added.id));
    let new = Book { author_id: Some(99), author: One::new(Some(author("y"))), ..book("b") };
    let added = db.add(new).await?;
    check_eq!(present(added.author.get().await?)?.name, "y");
    check_eq!(db.find(Book::AUTHOR_ID.eq(99)).count().await?, 0);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Country {
    #[ommi(key)]
    code: String,
    cities: Many<City>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct City {
    #[ommi(key)]
    id: Uuid,
    #[ommi(references = Country, unenforced)]
    country_code: String,
    country: One<Country>,
}

async fn a_graph_of_rows_with_given_keys_is_added(db: Db) -> Verdict {
    db.create::<(Country, City)>().await?;
    let city = |id| City { id: Uuid::from_u128(id), ..Default::default() };
    let new = [("DE", vec![1, 2]), ("FR", vec![3])];
    let new = new.map(|(code, ids)| Country { code: code.into(), cities: ids.into_iter().map(city).collect() });
    let (added, statements) = db.count_statements(async |db| db.add_all(new).await).await;
    check_eq!((added?.len(), statements), (2, 2));
    let cities = db.find(City::all()).order_by(City::ID.asc()).select(City::COUNTRY_CODE).all().await?;
    check_eq!(cities, ["DE", "DE", "FR"]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Node {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    #[ommi(references = Node, unenforced)]
    parent_id: Option<i64>,
    parent: One<Option<Node>>,
    children: Many<Node>,
}

async fn a_graph_of_a_tree_is_added(db: Db) -> Verdict {
    fn tree(name: &str, depth: usize) -> Node {
        let children = ["l", "r"].iter().filter(|_| depth > 0).map(|side| tree(&format!("{name}{side}"), depth - 1));
        Node { name: name.into(), children: children.collect(), ..Default::default() }
    }
    db.create::<Node>().await?;
    let (added, statements) = db.count_statements(async |db| db.add(tree("n", 5)).await).await;
    let added = added?;
    // a level at a time
    check_eq!(statements, 6);
    check_eq!(db.find(Node::all()).count().await?, 63);
    let leaf = db.find(Node::NAME.eq("nlrlrl")).one().await?;
    let mut place = &leaf;
    while let Some(parent) = place.parent.get().await? {
        check!(place.name.starts_with(&parent.name) && place.name.len() == parent.name.len() + 1);
        place = parent;
    }
    check_eq!(place.id, added.id);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Album {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(unique)]
    name: String,
    songs: Many<Song>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Song {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(unique)]
    name: String,
    #[ommi(references = Album, unenforced)]
    album_id: Option<i64>,
    album: One<Option<Album>>,
}

fn song(name: &str) -> Song {
    Song { name: name.into(), ..Default::default() }
}

async fn a_refused_row_of_a_graph_leaves_nothing(db: Db) -> Verdict {
    db.create::<(Album, Song)>().await?;
    db.add(song("taken")).await?;
    let album = Album { name: "x".into(), songs: Many::new([song("free"), song("taken")]), ..Default::default() };
    let error = refused(db.add(album).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.model(), Some("Song"));
    let lonely = Song { album: One::new(Some(Album { name: "y".into(), ..Default::default() })), ..song("taken") };
    check!(refused(db.add(lonely).await)?.is_unique_violation());
    check_eq!((db.find(Album::all()).count().await?, db.find(Song::all()).count().await?), (0, 1));
    Ok(())
}

async fn a_graph_is_part_of_the_transaction_around_it(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let new = || Author { books: Many::new([book("a"), book("b")]), ..author("x") };
    let answer: Result<()> = db
        .transaction(async |tx| {
            let added = tx.add(new()).await?;
            check_eq!(stored(tx).await?, [1, 2, 0, 0, 0]);
            check_eq!(added.books.get().await?.len(), 2);
            Err(Error::query("no"))
        })
        .await;
    check!(refused(answer)?.is_query());
    check_eq!(stored(&db).await?, [0; 5]);
    let added = db.transaction(async |tx| tx.add(new()).await).await?;
    let books = added.books.get().await?;
    check!(present(present(books.first())?.author.get().await?)?.id == added.id);
    check_eq!(stored(&db).await?, [1, 2, 0, 0, 0]);
    Ok(())
}

async fn a_new_row_is_saved_with_its_graph(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let mut new = Author { books: Many::new([book("a")]), ..author("x") };
    db.save(&mut new).await?;
    check!(new.id > 0);
    check_eq!(present(new.books.get().await?.first())?.author_id, Some(new.id));
    // what was added is not added again
    new.name = "y".into();
    db.save(&mut new).await?;
    check_eq!(stored(&db).await?, [1, 1, 0, 0, 0]);
    Ok(())
}

async fn what_a_graph_holds_is_loaded_and_attached(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let added =
        db.add_all(["x", "y"].map(|name| Author { books: Many::new([book("a"), book("b")]), ..author(name) })).await?;
    let (found, statements) = db
        .count_statements(async |_| {
            let mut found = 0;
            for author in &added {
                check!(author.books.is_loaded());
                for book in author.books.get().await? {
                    check_eq!(present(book.author.get().await?)?.id, author.id);
                    check!(book.chapters.get().await?.is_empty());
                    found += 1;
                }
            }
            done(found)
        })
        .await;
    check_eq!(found?, 4);
    // the authors of all books, and the chapters of all books: they were added together
    check_eq!(statements, 2);
    Ok(())
}

async fn a_row_that_is_set_is_written_by_save(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let authors = db.add_all([author("x"), author("y")]).await?;
    let [x, y] = authors.as_slice() else { return Err(Failure::new("two authors")) };
    let mut row = db.add(Book { author_id: Some(x.id), ..book("a") }).await?;
    row.author.set(Some(y.clone()));
    check!(row.author.is_loaded());
    // nothing is written before
    check_eq!((row.author_id, db.get::<Book>(row.id).await?.author_id), (Some(x.id), Some(x.id)));
    let (saved, statements) = db.count_statements(async |db| db.save(&mut row).await).await;
    saved?;
    check!(!upserts(&db) || statements == 1, "{statements} statements");
    check_eq!(row.author_id, Some(y.id));
    check_eq!(present(present(row.author.loaded())?)?.name, "y");
    let read = db.get::<Book>(row.id).await?;
    check_eq!(present(read.author.get().await?)?.name, "y");
    // it is as if it had been read
    row.author.reload().await?;
    check_eq!(present(row.author.get().await?)?.name, "y");
    Ok(())
}

async fn a_new_row_that_is_set_is_added_by_save(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let mut row = db.add(book("a")).await?;
    row.author.set(Some(author("new")));
    let (saved, statements) = db.count_statements(async |db| db.save(&mut row).await).await;
    saved?;
    check!(!upserts(&db) || statements == 2, "{statements} statements");
    let author = present(db.get::<Book>(row.id).await?.author_id)?;
    check_eq!((row.author_id, db.get::<Author>(author).await?.name), (Some(author), "new".into()));
    let mut first = Chapter { number: 1, ..Default::default() };
    first.book.set(row);
    db.save(&mut first).await?;
    check_eq!(first.book_id, first.book.get().await?.id);
    check_eq!(stored(&db).await?, [1, 1, 1, 0, 0]);
    Ok(())
}

async fn a_relation_that_is_set_to_none_is_written_as_null(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let mut row = db.add(Book { author: One::new(Some(author("x"))), ..book("a") }).await?;
    check!(row.author_id.is_some());
    row.author.set(None);
    db.save(&mut row).await?;
    check_eq!(row.author_id, None);
    check!(row.author.get().await?.is_none());
    check_eq!(db.get::<Book>(row.id).await?.author_id, None);
    check_eq!(stored(&db).await?, [1, 1, 0, 0, 0]);
    Ok(())
}

async fn a_set_relation_and_another_key_are_a_contradiction(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let authors = db.add_all([author("x"), author("y"), author("z")]).await?;
    let [x, y, z] = authors.as_slice() else { return Err(Failure::new("three authors")) };
    let mut row = db.add(Book { author_id: Some(x.id), ..book("a") }).await?;
    row.author.set(Some(y.clone()));
    row.author_id = Some(z.id);
    let error = refused(db.save(&mut row).await)?;
    check!(error.is_query(), "{error}");
    for part in ["author", "author_id"] {
        check!(error.to_string().contains(part), "{error}");
    }
    check_eq!(db.get::<Book>(row.id).await?.author_id, Some(x.id));
    Ok(())
}

async fn a_set_relation_and_its_own_key_are_none(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let authors = db.add_all([author("x"), author("y")]).await?;
    let [x, y] = authors.as_slice() else { return Err(Failure::new("two authors")) };
    let mut row = db.add(Book { author_id: Some(x.id), ..book("a") }).await?;
    row.author.set(Some(y.clone()));
    row.author_id = Some(y.id);
    db.save(&mut row).await?;
    check_eq!(db.get::<Book>(row.id).await?.author_id, Some(y.id));
    Ok(())
}

async fn a_refused_save_leaves_the_instance_as_it_was(db: Db) -> Verdict {
    db.create::<(Album, Song)>().await?;
    db.add(Album { name: "taken".into(), ..Default::default() }).await?;
    let mut row = db.add(song("a")).await?;
    row.album.set(Some(Album { name: "taken".into(), ..Default::default() }));
    row.name = "b".into();
    check!(refused(db.save(&mut row).await)?.is_unique_violation());
    check_eq!((&*row.name, row.album_id), ("b", None));
    check_eq!(present(row.album.get().await?)?.id, 0);
    row.album.set(Some(Album { name: "free".into(), ..Default::default() }));
    db.save(&mut row).await?;
    check_eq!(row.album_id, present(row.album.get().await?).map(|album| Some(album.id))?);
    check_eq!(db.find(Album::all()).count().await?, 2);
    Ok(())
}

async fn given_rows_of_a_row_that_is_there_are_refused_by_save(db: Db) -> Verdict {
    db.create::<Library>().await?;
    let mut row = db.add(author("x")).await?;
    row.books = Many::new([book("a")]);
    let error = refused(db.save(&mut row).await)?;
    check!(error.is_query() && error.to_string().contains("books"), "{error}");
    check_eq!(stored(&db).await?, [1, 0, 0, 0, 0]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Flight {
    #[ommi(key)]
    carrier: String,
    #[ommi(key)]
    number: i32,
    tickets: Many<Ticket>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(references((carrier, number) = Flight, unenforced))]
struct Ticket {
    #[ommi(key)]
    id: i64,
    carrier: Option<String>,
    number: Option<i32>,
    flight: One<Option<Flight>>,
}

async fn a_row_of_several_fields_is_led_elsewhere(db: Db) -> Verdict {
    db.create::<(Flight, Ticket)>().await?;
    let ticket = |id| Ticket { id, ..Default::default() };
    let flight = |carrier: &str, number, ids: &[i64]| Flight {
        carrier: carrier.into(),
        number,
        tickets: ids.iter().copied().map(ticket).collect(),
    };
    let flights = db.add_all([flight("a", 1, &[1, 2]), flight("b", 2, &[3])]).await?;
    check_eq!(db.find(Ticket::CARRIER.eq("a") & Ticket::NUMBER.eq(1)).count().await?, 2);
    let mut row = db.get::<Ticket>(1).await?;
    row.flight.set(flights.into_iter().next_back());
    db.save(&mut row).await?;
    check_eq!((row.carrier.as_deref(), row.number), (Some("b"), Some(2)));
    row.flight.set(None);
    db.save(&mut row).await?;
    check_eq!((row.carrier, row.number), (None, None));
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Owner {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    pets: Many<Pet>,
    letters: Many<Letter>,
    #[ommi(by = owner_id)]
    houses: Many<House>,
    #[ommi(through = Membership)]
    clubs: Many<Club>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Pet {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(references = Owner, on_delete = cascade)]
    owner_id: i64,
    owner: One<Owner>,
    toys: Many<Toy>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Toy {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(references = Pet, on_delete = cascade)]
    pet_id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Letter {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(references = Owner, on_delete = set_null)]
    owner_id: Option<i64>,
    owner: One<Option<Owner>>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct House {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(references = Owner)]
    owner_id: i64,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Club {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    #[ommi(through = Membership)]
    members: Many<Owner>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Membership {
    #[ommi(key, references = Owner, on_delete = cascade)]
    owner_id: i64,
    #[ommi(key, references = Club, on_delete = cascade)]
    club_id: i64,
}

type Town = (Owner, Pet, Toy, Letter, House, Club, Membership);

/// Two owners: the first with pets, letters and a club, the second with a house and a club.
async fn town(db: &Db) -> Result<Vec<Owner>> {
    db.create::<Town>().await?;
    let clubs = db.add_all(["chess", "tea"].map(|name| Club { name: name.into(), ..Default::default() })).await?;
    let toys = |count| std::iter::repeat_with(Toy::default).take(count).collect();
    db.add_all([
        Owner {
            name: "first".into(),
            pets: Many::new([Pet { toys: toys(2), ..Default::default() }, Pet { toys: toys(1), ..Default::default() }]),
            letters: Many::new([Letter::default()]),
            clubs: Many::new(clubs.clone()),
            ..Default::default()
        },
        Owner {
            name: "second".into(),
            pets: Many::new([Pet { toys: toys(1), ..Default::default() }]),
            houses: Many::new([House::default()]),
            clubs: clubs.into_iter().take(1).collect(),
            ..Default::default()
        },
    ])
    .await
}

async fn a_deletion_cascades_to_related_rows(db: Db) -> Verdict {
    let owners = town(&db).await?;
    check_eq!(db.find(Toy::all()).count().await?, 4);
    let first = present(owners.first())?;
    db.delete(first).await?;
    check_eq!((db.find(Pet::all()).count().await?, db.find(Toy::all()).count().await?), (1, 1));
    let pets = db.find(Pet::all()).with(Pet::OWNER).all().await?;
    check_eq!(present(pets.first())?.owner.get().await?.name, "second");
    // what was loaded before is not taken away; read anew, it is gone
    let mut known = first.clone();
    check_eq!(known.pets.get().await?.len(), 2);
    known.pets.reload().await?;
    check!(known.pets.get().await?.is_empty());
    Ok(())
}

async fn a_deletion_is_restricted_by_related_rows(db: Db) -> Verdict {
    let owners = town(&db).await?;
    let second = present(owners.get(1))?;
    check!(refused(db.delete(second).await)?.is_reference_violation());
    // nothing of it was done
    check_eq!((db.find(Pet::all()).count().await?, db.find(Membership::all()).count().await?), (3, 3));
    check!(refused(db.find(Owner::HOUSES.any(House::all())).delete().await)?.is_reference_violation());
    db.find(House::all()).delete().await?;
    db.delete(second).await?;
    check_eq!(db.find(Owner::all()).count().await?, 1);
    Ok(())
}

async fn a_deletion_lets_related_rows_go(db: Db) -> Verdict {
    let owners = town(&db).await?;
    let before = db.find(Letter::all()).with(Letter::OWNER).one().await?;
    db.delete(present(owners.first())?).await?;
    let mut letter = db.find(Letter::all()).one().await?;
    check_eq!(letter.owner_id, None);
    check!(letter.owner.get().await?.is_none());
    check!(before.owner.get().await?.is_some());
    letter.owner.set(owners.into_iter().next_back());
    db.save(&mut letter).await?;
    check_eq!(db.find(Owner::LETTERS.any(Letter::all())).one().await?.name, "second");
    Ok(())
}

async fn a_deletion_cascades_over_links_and_leaves_the_other_end(db: Db) -> Verdict {
    let owners = town(&db).await?;
    db.delete(present(owners.first())?).await?;
    check_eq!((db.find(Membership::all()).count().await?, db.find(Club::all()).count().await?), (1, 2));
    let clubs = db.find(Club::all()).order_by(Club::NAME.asc()).with(Club::MEMBERS).all().await?;
    let members: Vec<usize> = clubs.iter().filter_map(|club| club.members.loaded()).map(<[Owner]>::len).collect();
    check_eq!(members, [1, 0]);
    db.delete(present(clubs.first())?).await?;
    check_eq!((db.find(Membership::all()).count().await?, db.find(Owner::all()).count().await?), (0, 1));
    Ok(())
}

async fn rows_found_across_are_deleted_with_what_hangs_on_them(db: Db) -> Verdict {
    town(&db).await?;
    check_eq!(db.find(Owner::CLUBS.any(Club::NAME.eq("tea"))).delete().await?, 1);
    check_eq!(db.find(Owner::all()).one().await?.name, "second");
    check_eq!((db.find(Pet::all()).count().await?, db.find(Toy::all()).count().await?), (1, 1));
    check_eq!(db.find(Pet::OWNER.has(Owner::NAME.eq("second"))).delete().await?, 1);
    check_eq!(db.find(Toy::all()).count().await?, 0);
    Ok(())
}
