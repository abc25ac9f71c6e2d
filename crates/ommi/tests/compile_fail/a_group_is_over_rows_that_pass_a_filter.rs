use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(unique(title, where = true))]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
}

fn main() {}
