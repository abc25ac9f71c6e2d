use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    created_at: Timestamp,
    #[ommi(constant = CREATED_AT)]
    made: Timestamp,
}

fn main() {}
