use ommi::prelude::*;

#[derive(Model, Clone)]
struct Nothing;

fn main() {}
