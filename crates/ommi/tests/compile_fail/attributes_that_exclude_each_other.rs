use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(skip, unique)]
    a: i64,
    #[ommi(json, max_length = 3)]
    b: String,
    #[ommi(embed, unique)]
    c: String,
    #[ommi(created, updated)]
    d: Timestamp,
}

fn main() {}
