use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(max_length = 0)]
    a: String,
    #[ommi(max_length = "80")]
    b: String,
}

fn main() {}
