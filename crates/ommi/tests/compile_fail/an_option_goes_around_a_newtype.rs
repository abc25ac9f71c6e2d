use ommi::prelude::*;

#[derive(Value, Clone)]
struct Email(Option<String>);

fn main() {}
