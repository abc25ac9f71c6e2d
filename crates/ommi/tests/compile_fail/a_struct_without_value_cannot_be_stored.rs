use ommi::prelude::*;

#[derive(Clone)]
struct Money(i64);

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    price: Money,
}

fn main() {}
