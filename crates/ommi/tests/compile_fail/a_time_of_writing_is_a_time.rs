use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(created)]
    created: Date,
    #[ommi(updated)]
    updated: i64,
}

fn main() {}
