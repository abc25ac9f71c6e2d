use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    title: Option<Option<String>>,
}

fn main() {}
