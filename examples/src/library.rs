//! A small library, on which the book shows queries.

use ommi::prelude::*;

/// A writer of books.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Author {
    /// Assigned by the database.
    #[ommi(key, auto)]
    pub id: i64,
    /// The full name.
    #[ommi(unique)]
    pub name: String,
    /// The day of birth, where it is known.
    pub born: Option<Date>,
}

/// A book of one author.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// Assigned by the database.
    #[ommi(key, auto)]
    pub id: i64,
    /// The title.
    #[ommi(index)]
    pub title: String,
    /// Who wrote it.
    #[ommi(references = Author)]
    pub author_id: i64,
    /// What it costs.
    #[ommi(decimal(8, 2))]
    pub price: Decimal,
    /// The day of publication, where it is known.
    pub published: Option<Date>,
    /// How many copies were sold.
    pub sold: i32,
    /// How many copies are in stock.
    pub stock: i32,
    /// What it is about.
    pub tags: Vec<String>,
    /// Paper or else.
    pub form: Form,
    /// What else is known.
    pub details: Option<Json>,
}

/// The form of a book.
#[derive(Value, Clone, Copy, Debug, Default, PartialEq)]
pub enum Form {
    /// On paper.
    #[default]
    Paper,
    /// As a file.
    File,
    /// Read aloud.
    Audio,
}

/// A fresh database in memory with some authors and books.
///
/// # Errors
///
/// Those of Ommi.
pub async fn library() -> Result<Db> {
    let db = ommi::connect("sqlite::memory:").await?;
    db.create::<(Author, Book)>().await?;
    let authors =
        [("Ursula", Some(Date::constant(1929, 10, 21))), ("Ada", Some(Date::constant(1815, 12, 10))), ("Noor", None)];
    db.add_all(authors.map(|(name, born)| Author { id: 0, name: name.into(), born })).await?;
    let day = |year, month| Some(Date::constant(year, month, 1));
    db.add_all([
        Book {
            title: "The Earth and the Sea".into(),
            author_id: 1,
            price: dec!(9.50),
            published: day(1968, 5),
            sold: 120,
            stock: 4,
            tags: vec!["fantasy".into(), "sea".into()],
            details: Some(serde_json::json!({"pages": 205, "prizes": [{"name": "Harbour", "year": 1969}]})),
            ..Default::default()
        },
        Book {
            title: "Down to Earth".into(),
            author_id: 1,
            price: dec!(12.00),
            published: day(1974, 3),
            sold: 80,
            stock: 2,
            tags: vec!["fantasy".into()],
            form: Form::Audio,
            ..Default::default()
        },
        Book {
            title: "Notes on an Engine".into(),
            author_id: 2,
            price: dec!(25.00),
            published: day(1843, 9),
            sold: 15,
            stock: 20,
            tags: vec!["mathematics".into()],
            details: Some(serde_json::json!({"pages": 66, "language": "en"})),
            ..Default::default()
        },
        Book {
            title: "Tables 100% correct".into(),
            author_id: 2,
            price: dec!(25.00),
            form: Form::File,
            ..Default::default()
        },
        Book {
            title: "Über die Zahlen".into(),
            author_id: 2,
            price: dec!(7.25),
            published: day(1851, 11),
            sold: 40,
            stock: 1,
            tags: vec!["mathematics".into(), "travel".into()],
            form: Form::File,
            ..Default::default()
        },
    ])
    .await?;
    Ok(db)
}
