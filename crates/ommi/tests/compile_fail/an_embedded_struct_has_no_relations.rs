use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
}

#[derive(Value, Clone)]
struct Credits {
    author_id: i64,
    author: One<Author>,
}

fn main() {}
