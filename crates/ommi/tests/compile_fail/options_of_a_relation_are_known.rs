use ommi::prelude::*;

#[derive(Model, Clone)]
struct Person {
    #[ommi(key)]
    id: i64,
    #[ommi(references = Person)]
    manager_id: Option<i64>,
    #[ommi(throuh = Membership)]
    teams: Many<Person>,
    #[ommi(by = manager_id, order = name)]
    reports: Many<Person>,
}

fn main() {}
