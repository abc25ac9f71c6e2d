use ommi::prelude::*;

#[derive(Value, Clone)]
enum Shape {
    Circle(f64),
    Square { side: f64 },
    Nothing,
}

fn main() {}
