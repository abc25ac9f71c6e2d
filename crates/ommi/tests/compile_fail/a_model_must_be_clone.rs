use ommi::prelude::*;

#[derive(Model)]
struct Book {
    #[ommi(key)]
    id: i64,
}

fn main() {}
