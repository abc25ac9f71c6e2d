use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(version)]
    a: i64,
    #[ommi(version)]
    b: i64,
}

fn main() {}
