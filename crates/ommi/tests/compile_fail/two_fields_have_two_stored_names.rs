use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
    #[ommi(name = "title")]
    heading: String,
}

fn main() {}
