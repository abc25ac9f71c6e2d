use ommi::prelude::*;

#[derive(Model, Clone)]
struct Place {
    #[ommi(key)]
    country: String,
    #[ommi(key)]
    number: i32,
}

#[derive(Model, Clone)]
#[ommi(references((number, country) = Place))]
struct Book {
    #[ommi(key)]
    id: i64,
    number: i32,
    country: String,
}

fn main() {}
