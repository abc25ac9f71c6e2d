use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
    title: String,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(check = Author::TITLE.ne("x"))]
    title: String,
    #[ommi(check = 1)]
    pages: i32,
}

fn main() {}
