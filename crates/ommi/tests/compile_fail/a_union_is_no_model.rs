use ommi::prelude::*;

#[derive(Model, Clone, Copy)]
union Either {
    number: i64,
    float: f64,
}

fn main() {}
