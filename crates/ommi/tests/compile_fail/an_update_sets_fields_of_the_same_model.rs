use ommi::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[ommi(key)]
    id: i64,
    name: String,
    age: i32,
    born: Option<Date>,
    price: Decimal,
    tags: Vec<String>,
    notes: Json,
    active: bool,
}

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
}

fn update(db: &Db) {
    let _ = db.find(User::all()).update(Book::TITLE.set("x"));
    let _ = db.find(User::all()).update(User::AGE.set("x"));
}

fn main() {}
