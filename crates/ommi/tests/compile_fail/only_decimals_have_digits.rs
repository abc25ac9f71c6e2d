use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(decimal(10, 2))]
    price: f64,
}

fn main() {}
