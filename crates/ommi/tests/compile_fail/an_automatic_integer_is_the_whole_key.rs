use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key, auto)]
    id: i64,
    #[ommi(key)]
    edition: i32,
    #[ommi(auto)]
    other: u32,
}

fn main() {}
