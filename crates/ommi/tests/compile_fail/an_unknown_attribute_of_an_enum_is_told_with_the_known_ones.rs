use ommi::prelude::*;

#[derive(Value, Clone)]
#[ommi(intger)]
enum Level {
    #[ommi(name = "low")]
    Low,
    #[ommi(integer)]
    High,
}

fn main() {}
