use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
    #[ommi(unique)]
    email: String,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author::EMAIL)]
    author: i64,
}

fn main() {}
