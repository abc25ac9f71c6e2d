use ommi::prelude::*;

#[derive(Value, Clone)]
enum Subject {
    Post(i64),
    Photo(String),
}

fn main() {}
