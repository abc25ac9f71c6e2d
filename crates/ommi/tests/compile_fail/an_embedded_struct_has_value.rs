use ommi::prelude::*;

#[derive(Clone)]
struct Address {
    city: String,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(embed)]
    address: Address,
}

fn main() {}
