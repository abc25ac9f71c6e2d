use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(max_length = 80)]
    pages: i32,
}

fn main() {}
