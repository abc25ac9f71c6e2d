use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    title: String,
}

fn main() {}
