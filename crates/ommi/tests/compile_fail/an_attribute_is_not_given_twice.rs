use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(name = "a", name = "b")]
    title: String,
    #[ommi(unique)]
    #[ommi(unique)]
    isbn: String,
}

fn main() {}
