use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key, unique)]
    id: i64,
}

fn main() {}
