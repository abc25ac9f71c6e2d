use ommi::prelude::*;

#[derive(Value, Clone)]
struct Address {
    #[ommi(unique)]
    city: String,
    #[ommi(key)]
    id: i64,
    #[ommi(references = Address)]
    other: i64,
}

fn main() {}
