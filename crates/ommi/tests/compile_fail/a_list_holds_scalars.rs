use ommi::prelude::*;
use std::collections::BTreeMap;

#[derive(Model, Clone)]
struct Book {
    #[ommi(key)]
    id: i64,
    counts: Vec<BTreeMap<String, i32>>,
}

fn main() {}
