use ommi::prelude::*;

#[derive(Model, Clone)]
struct Author {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone)]
#[ommi(references((a) = Author, enforced))]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Author, on_delete = cascde)]
    a: i64,
    #[ommi(references = Author, unenforced, on_update = cascade)]
    b: i64,
}

fn main() {}
