use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(key)]
struct Book {
    #[ommi(key, table = "books")]
    id: i64,
}

fn main() {}
