use ommi::prelude::*;

#[derive(Value, Clone)]
struct Pair(i64, i64);

fn main() {}
