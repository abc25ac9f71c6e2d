//! Related rows: what is asked of the server for them.

use ommi::prelude::*;

use crate::harness::{REPLICA_SET, STANDALONE, close, open};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Author {
    #[ommi(key)]
    name: String,
    country: String,
    books: Many<Book>,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author, unenforced)]
    author_name: String,
    weight: f64,
    author: One<Option<Author>>,
}

fn author(name: &str, country: &str) -> Author {
    Author { name: name.into(), country: country.into(), ..Author::default() }
}

fn book(id: i64, author: &str, weight: f64) -> Book {
    Book { id, author_name: author.into(), weight, ..Book::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_by_related_rows_read_their_keys_first() {
    for server in [REPLICA_SET, STANDALONE] {
        let Some((db, _)) = open(server).await else { return };
        db.create::<(Author, Book)>().await.unwrap();
        db.add_all([author("Ursula", "US"), author("Stanislaw", "PL")]).await.unwrap();
        db.add_all([book(1, "Ursula", 1.0), book(2, "Stanislaw", 2.0), book(3, "nobody", 3.0)]).await.unwrap();
        let polish = || Book::AUTHOR.has(Author::COUNTRY.eq("PL"));
        let explained = db.find(polish()).explain().await.unwrap();
        assert!(explained.is_native(), "{explained}");
        assert!(
            explained
                .native
                .starts_with(r#"{"find": "Book", "filter": {"author_name": {"$in": {"aggregate": "Author""#)
        );
        let ids = async |filter| {
            let books = db.find(filter).order_by(Book::ID.asc()).strict().all().await.unwrap();
            books.into_iter().map(|book| book.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(polish()).await, [2]);
        assert_eq!(ids(!polish()).await, [1, 3]);
        // no index finds the books of an author
        let with_books = db.find(Author::BOOKS.any(Book::WEIGHT.gt(1.5)));
        assert_eq!(with_books.strict().all().await.unwrap(), [author("Stanislaw", "PL")]);
        assert_eq!(db.find(polish()).delete().await.unwrap(), 1);
        close(db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_too_many_for_a_list_are_looked_up() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    db.create::<(Author, Book)>().await.unwrap();
    let name = |number: i64| format!("{number}{}", "x".repeat(1 << 20));
    for number in 0..10 {
        db.add(author(&name(number), "US")).await.unwrap();
        db.add(book(number, &name(number), 1.0)).await.unwrap();
    }
    db.add(author("Stanislaw", "PL")).await.unwrap();
    db.add_all([book(20, "Stanislaw", 1.0), book(21, "nobody", 1.0)]).await.unwrap();
    let american = || Book::AUTHOR.has(Author::COUNTRY.eq("US"));
    assert_eq!(db.find(american()).strict().count().await.unwrap(), 10);
    let others = db.find(!american()).order_by(Book::ID.asc()).strict().all().await.unwrap();
    assert_eq!(others.iter().map(|book| book.id).collect::<Vec<_>>(), [20, 21]);
    close(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floats_that_the_engine_sums_may_be_grouped_by_related_values() {
    let Some((db, _)) = open(REPLICA_SET).await else { return };
    let memory = ommi::connect("memory:").await.unwrap();
    let mut answers = Vec::new();
    for db in [&db, &memory] {
        db.create::<(Author, Book)>().await.unwrap();
        db.add_all([author("Ursula", "US"), author("Stanislaw", "PL"), author("Olga", "PL")]).await.unwrap();
        // large ones of both signs cancel out
        let books = [("Stanislaw", 1e17), ("Olga", 1.5), ("Stanislaw", -1e17), ("Ursula", 2.0), ("nobody", 4.0)];
        db.add_all((0..).zip(books).map(|(id, (author, weight))| book(id, author, weight))).await.unwrap();
        let country = || Book::AUTHOR.at(Author::COUNTRY);
        let mut sums = Vec::new();
        for filter in [Book::all(), Book::AUTHOR.has(Author::COUNTRY.ne("US"))] {
            let by_country = db.find(filter).group_by(country()).select((country(), Book::WEIGHT.sum()));
            sums.push(by_country.order_by(country().asc()).all().await.unwrap());
        }
        answers.push(sums);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][1], [(Some("PL".to_owned()), 1.5)]);
    close(db).await;
}
