use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
    #[ommi(index)]
    books: Many<Book>,
    #[ommi(key)]
    first: One<Book>,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author)]
    author_id: i64,
}

fn main() {}
