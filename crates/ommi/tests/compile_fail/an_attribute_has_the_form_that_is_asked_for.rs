use ommi::prelude::*;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    #[ommi(unique = 1)]
    a: String,
    #[ommi(max_length)]
    b: String,
    #[ommi(json = true)]
    c: String,
    #[ommi(name = )]
    d: String,
    #[ommi]
    e: String,
    #[ommi(version i)]
    f: i64,
}

fn main() {}
