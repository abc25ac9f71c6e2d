use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(decimal(29, 2))]
    a: Decimal,
    #[ommi(decimal(4, 5))]
    b: Decimal,
    #[ommi(decimal(4))]
    c: Decimal,
    #[ommi(decimal = 4)]
    d: Decimal,
}

fn main() {}
