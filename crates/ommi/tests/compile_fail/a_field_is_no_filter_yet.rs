use ommi::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[ommi(key)]
    id: i64,
    name: String,
    age: i32,
    born: Option<Date>,
    price: Decimal,
    tags: Vec<String>,
    notes: Json,
    active: bool,
}

async fn find(db: &Db) -> Result<()> {
    db.find(User::ACTIVE).all().await?;
    Ok(())
}

fn main() {}
