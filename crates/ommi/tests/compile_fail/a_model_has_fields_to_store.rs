use ommi::prelude::*;

#[derive(Model, Clone)]
#[ommi(read_only)]
struct Empty {
    #[ommi(skip)]
    skipped: i64,
}

fn main() {}
