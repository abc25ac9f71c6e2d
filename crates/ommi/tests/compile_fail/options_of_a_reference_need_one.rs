use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(on_delete = cascade)]
    a: i64,
    #[ommi(unenforced)]
    b: i64,
}

fn main() {}
