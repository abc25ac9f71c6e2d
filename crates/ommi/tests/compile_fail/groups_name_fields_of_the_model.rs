use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(unique(titel, id), index(pages), index(cached), index(notes), index(title.part), references((x) = Book))]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
    #[ommi(skip)]
    cached: i64,
    #[ommi(json)]
    notes: Vec<String>,
}

fn main() {}
