use ommi::prelude::*;

#[derive(Value, Clone)]
struct Wrapper<T>(T);

fn main() {}
