//! The models that the cases share, and how many statements the loading of them takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi::layer::{Layer, Observation, Observer, Span};
use ommi::prelude::*;

use crate::check::Failure;

// The references may dangle, so that the models need no capability.

#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Author {
    #[ommi(key)]
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Book {
    #[ommi(key)]
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) pages: Option<i32>,
    #[ommi(references = Author, unenforced, index)]
    pub(super) author_id: Option<i64>,
    pub(super) author: One<Option<Author>>,
    #[ommi(through = BookTag)]
    pub(super) tags: Many<Tag>,
    pub(super) reviews: Many<Review>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Review {
    #[ommi(key)]
    pub(super) id: i64,
    pub(super) stars: i32,
    #[ommi(references = Book, unenforced, index)]
    pub(super) book_id: i64,
    pub(super) book: One<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Tag {
    #[ommi(key)]
    pub(super) name: String,
    pub(super) label: Option<String>,
    #[ommi(through = BookTag)]
    pub(super) books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct BookTag {
    #[ommi(key, references = Book, unenforced)]
    pub(super) book_id: i64,
    #[ommi(key, references = Tag, unenforced)]
    pub(super) tag_name: String,
    pub(super) weight: Option<i32>,
    pub(super) book: One<Book>,
    pub(super) tag: One<Tag>,
}

pub(super) type Library = (Author, Book, Review, Tag, BookTag);

pub(super) fn author(id: i64, name: &str) -> Author {
    Author { id, name: name.into(), ..Default::default() }
}

pub(super) fn book(id: i64, title: &str, pages: Option<i32>, author_id: Option<i64>) -> Book {
    Book { id, title: title.into(), pages, author_id, ..Default::default() }
}

pub(super) fn review(id: i64, stars: i32, book_id: i64) -> Review {
    Review { id, stars, book_id, ..Default::default() }
}

pub(super) fn tag(name: &str) -> Tag {
    Tag { name: name.into(), ..Default::default() }
}

pub(super) fn book_tag(book_id: i64, tag_name: &str, weight: Option<i32>) -> BookTag {
    BookTag { book_id, tag_name: tag_name.into(), weight, ..Default::default() }
}

/// Three authors, five books, four reviews and three tags; among the keys are null ones and ones
/// that lead nowhere.
pub(super) async fn library(db: &Db) -> Result<()> {
    db.create::<Library>().await?;
    db.add_all([author(1, "Ursula"), author(2, "Stanisław"), author(3, "Nobody")]).await?;
    db.add_all([
        book(10, "Earthsea", Some(200), Some(1)),
        book(11, "Lathe", Some(180), Some(1)),
        book(12, "Solaris", Some(204), Some(2)),
        book(13, "Anonymous", None, None),
        book(14, "Lost", Some(20), Some(77)),
    ])
    .await?;
    db.add_all([review(1, 5, 10), review(2, 3, 10), review(3, 4, 12), review(4, 1, 99)]).await?;
    db.add_all([tag("fantasy"), tag("science"), tag("unused")]).await?;
    db.add_all([
        book_tag(10, "fantasy", Some(3)),
        book_tag(11, "fantasy", Some(1)),
        book_tag(11, "science", None),
        book_tag(12, "science", Some(2)),
        book_tag(14, "gone", Some(9)),
        book_tag(98, "science", Some(9)),
    ])
    .await?;
    Ok(())
}

/// All authors in the order of their keys.
pub(super) async fn authors(db: &Db) -> Result<Vec<Author>> {
    db.find(Author::all()).order_by(Author::ID.asc()).all().await
}

/// All books in the order of their keys.
pub(super) async fn books(db: &Db) -> Result<Vec<Book>> {
    db.find(Book::all()).order_by(Book::ID.asc()).all().await
}

/// The keys of books, sorted.
pub(super) fn keys(books: &[Book]) -> Vec<i64> {
    let mut keys: Vec<i64> = books.iter().map(|book| book.id).collect();
    keys.sort_unstable();
    keys
}

/// The names of tags, sorted.
pub(super) fn names(tags: &[Tag]) -> Vec<&str> {
    let mut names: Vec<&str> = tags.iter().map(|tag| &*tag.name).collect();
    names.sort_unstable();
    names
}

/// How many statements read the related rows of a number of distinct keys of one field.
pub(super) fn statements_for(db: &Db, keys: usize) -> u64 {
    u64::try_from(keys.div_ceil(db.driver().capabilities().limits.list_values.max(1))).unwrap_or(u64::MAX)
}

/// How many statements read rows by way of a link model: one for the links more where the database
/// cannot join.
pub(super) fn statements_through(db: &Db, keys: usize, targets: usize) -> u64 {
    match db.driver().capabilities().relation.joins {
        true => statements_for(db, keys),
        false => statements_for(db, keys) + statements_for(db, targets),
    }
}

/// Counts the rows that loads of related rows give.
#[derive(Debug, Default)]
pub(super) struct LoadedRows {
    statements: AtomicU64,
    rows: AtomicU64,
}

impl LoadedRows {
    /// A handle whose loads are watched, and the count.
    pub(super) fn watch(db: &Db) -> (Db, Arc<LoadedRows>) {
        let loaded = Arc::new(LoadedRows::default());
        (Db::new(loaded.wrap(Arc::clone(db.driver())), &[]), loaded)
    }

    /// How many statements loaded related rows.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How many rows they gave.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}

impl Observer for LoadedRows {
    fn span(&self, _: &'static str, _: &str) -> Span {
        Span::none()
    }

    fn observe(&self, observation: &Observation<'_>) {
        if observation.operation == "load" {
            self.statements.fetch_add(1, Ordering::Relaxed);
            self.rows.fetch_add(observation.rows, Ordering::Relaxed);
        }
    }
}

/// The answer of a closure whose checks may fail.
pub(super) fn done<T>(answer: T) -> Result<T, Failure> {
    Ok(answer)
}
