use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(tabel = "books")]
struct Book {
    #[ommi(key)]
    id: i64,
}

fn main() {}
