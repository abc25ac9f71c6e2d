use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(default = "many")]
    pages: i32,
    #[ommi(default = 1)]
    title: String,
}

fn main() {}
