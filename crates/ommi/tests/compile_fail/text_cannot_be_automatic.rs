use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key, auto)]
    id: String,
}

fn main() {}
