use ommi::prelude::*;

#[derive(Value, Clone)]
enum Never {}

fn main() {}
