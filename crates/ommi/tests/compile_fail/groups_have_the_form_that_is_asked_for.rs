use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(unique(), index(title, title), index(desc(id, title)), unique(name = "x"), index(title, when = true), references(id = Book), references((id) = Book(a, b)))]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
}

fn main() {}
