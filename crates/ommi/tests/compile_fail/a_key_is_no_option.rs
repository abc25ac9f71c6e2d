use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: Option<i64>,
}

fn main() {}
