use ommi::prelude::*;

#[derive(Value, Clone)]
struct Address {
    city: Option<String>,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(embed)]
    address: Option<Address>,
}

fn main() {}
