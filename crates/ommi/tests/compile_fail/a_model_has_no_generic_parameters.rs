use ommi::prelude::*;

#[derive(Model, Clone)]
struct Wrapper<T> {
    #[ommi(key)]
    id: i64,
    inner: T,
}

fn main() {}
