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
    #[ommi(references = Author, on_delete = set_null)]
    author_id: i64,
}

fn main() {}
