use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(rename_all = "camel_case")]
struct Book {
    #[ommi(key)]
    id: i64,
}

fn main() {}
