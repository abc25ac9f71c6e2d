use ommi::prelude::*;

struct Author {
    id: i64,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    author_id: i64,
    author: One<Author>,
}

fn main() {}
