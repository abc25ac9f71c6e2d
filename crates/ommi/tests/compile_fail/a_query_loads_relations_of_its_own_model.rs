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

fn queries(db: &Db) {
    let _ = db.find(Author::all()).with(Book::AUTHOR);
}

fn main() {}
