use ommi::prelude::*;

#[derive(Clone)]
struct Cover {
    color: String,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(json)]
    cover: Cover,
}

fn main() {}
