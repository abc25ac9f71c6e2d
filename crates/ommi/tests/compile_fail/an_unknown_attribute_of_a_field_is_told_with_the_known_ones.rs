use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(uniqe)]
    title: String,
    #[ommi(colour = "red")]
    cover: String,
}

fn main() {}
