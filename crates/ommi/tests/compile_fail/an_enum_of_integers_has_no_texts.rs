use ommi::prelude::*;

#[derive(Value, Clone)]
#[ommi(integer, rename_all = "snake_case")]
enum Level {
    #[ommi(rename = "low")]
    Low,
}

fn main() {}
