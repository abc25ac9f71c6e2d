use ommi::prelude::*;

#[derive(Model, Clone)]
struct Person {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Person)]
    manager_id: Option<i64>,
    #[ommi(index)]
    manager: One<Option<Person>>,
    #[ommi(unique, name = "people")]
    reports: Many<Person>,
}

fn main() {}
