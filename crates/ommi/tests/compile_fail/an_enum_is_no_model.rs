use ommi::prelude::*;

#[derive(Model, Clone)]
enum Shape {
    Circle,
    Square,
}

fn main() {}
