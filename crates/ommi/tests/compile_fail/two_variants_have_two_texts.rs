use ommi::prelude::*;

#[derive(Value, Clone)]
enum Color {
    Red,
    #[ommi(rename = "Red")]
    Crimson,
}

fn main() {}
