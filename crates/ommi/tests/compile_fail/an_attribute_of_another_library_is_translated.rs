use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(primary_key)]
    id: i64,
    #[ommi(column = "t")]
    title: String,
}

fn main() {}
