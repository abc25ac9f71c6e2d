use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author)]
    author: String,
}

fn main() {}
