use ommi::prelude::*;

#[derive(Value, Clone)]
struct BookId(i64);

#[derive(Model, Clone)]
struct Book {
    #[ommi(key, auto)]
    id: BookId,
}

fn main() {}
