use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    books: Many<Book>,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    title: String,
    #[ommi(references = Author)]
    author_id: i64,
    author: One<Author>,
}

fn queries() {
    let _ = Author::BOOKS.has(Book::TITLE.eq("Dawn"));
    let _ = Book::AUTHOR.any(Author::NAME.eq("Ursula"));
}

fn main() {}
