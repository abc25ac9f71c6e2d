use ommi::prelude::*;

#[derive(Value, Clone)]
struct Address {
    city: String,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    address: Address,
}

fn main() {}
