use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    pages: usize,
    large: i128,
    letter: char,
    title: &'static str,
    nested: Vec<Vec<i32>>,
    holes: Vec<Option<i32>>,
    pair: (i32, i32),
}

fn main() {}
