use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(read_only)]
struct Book {
    #[ommi(key)]
    id: i64,
}

fn main() {}
