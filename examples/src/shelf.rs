//! A shelf of books, on which the book shows relations.

use ommi::prelude::*;

/// A writer of books.
#[derive(Model, Clone, Debug, Default)]
pub struct Author {
    /// Assigned by the database.
    #[ommi(key, auto)]
    pub id: i64,
    /// The name.
    pub name: String,
    /// What the author wrote.
    pub books: Many<Book>,
}

/// A book of one author.
#[derive(Model, Clone, Debug, Default)]
pub struct Book {
    /// Assigned by the database.
    #[ommi(key, auto)]
    pub id: i64,
    /// The title.
    pub title: String,
    /// How many pages it has, where that is known.
    pub pages: Option<i32>,
    /// Who wrote it.
    #[ommi(references = Author)]
    pub author_id: i64,
    /// The same, as a row.
    pub author: One<Author>,
    /// What it is about.
    #[ommi(through = BookTag)]
    pub tags: Many<Tag>,
}

/// What books are about.
#[derive(Model, Clone, Debug, Default)]
pub struct Tag {
    /// The word.
    #[ommi(key)]
    pub name: String,
    /// The books about it.
    #[ommi(through = BookTag)]
    pub books: Many<Book>,
}

/// The link between a book and a tag.
#[derive(Model, Clone, Debug, Default)]
pub struct BookTag {
    /// The book.
    #[ommi(key, references = Book, on_delete = cascade)]
    pub book_id: i64,
    /// The tag.
    #[ommi(key, references = Tag, on_delete = cascade)]
    pub tag: String,
}

/// A fresh database in memory with two authors, three books and their tags.
///
/// # Errors
///
/// Those of Ommi.
pub async fn shelf() -> Result<Db> {
    let db = ommi::connect("sqlite::memory:").await?;
    db.create::<(Author, Book, Tag, BookTag)>().await?;
    let tags = ["fantasy", "science"].map(|name| Tag { name: name.into(), ..Default::default() });
    let [fantasy, science] = tags.clone();
    db.add_all(tags).await?;
    let book = |title: &str, pages, tags: &[&Tag]| Book {
        title: title.into(),
        pages: Some(pages),
        tags: tags.iter().map(|tag| (*tag).clone()).collect(),
        ..Default::default()
    };
    let author = |name: &str, books: Vec<Book>| Author { name: name.into(), books: books.into(), ..Default::default() };
    db.add_all([
        author("Ursula", vec![book("Earthsea", 205, &[&fantasy]), book("Lathe", 184, &[&fantasy, &science])]),
        author("Stanisław", vec![book("Solaris", 204, &[&science])]),
    ])
    .await?;
    Ok(db)
}
