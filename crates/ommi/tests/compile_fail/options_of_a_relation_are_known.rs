use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
    #[ommi(throuh = Link)]
    books: Many<Book>,
    #[ommi(by = writer)]
    others: Many<Book>,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author)]
    author_id: i64,
    #[ommi(by = written_by)]
    author: One<Author>,
}

fn main() {}
