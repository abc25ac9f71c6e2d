//! What the handle does between a query and its driver, the same on every driver.

#[path = "handle/bounds.rs"]
mod bounds;
#[path = "handle/dynamic.rs"]
mod dynamic;
#[path = "handle/layers.rs"]
mod layers;
#[path = "handle/transactions.rs"]
mod transactions;
#[path = "handle/upserts.rs"]
mod upserts;

use ommi::prelude::*;

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct User {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    #[ommi(unique)]
    email: Option<String>,
    points: i8,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Seat {
    #[ommi(key)]
    flight: i64,
    #[ommi(key)]
    place: String,
    taken: bool,
}

fn user(name: &str, points: i8) -> User {
    User { name: name.into(), points, ..Default::default() }
}

/// A fresh database of each driver, with the tables.
async fn databases() -> Result<Vec<Db>> {
    let mut databases = Vec::new();
    let urls = ["sqlite::memory:", "memory:", "memory:?capabilities=none"];
    for url in urls.iter().filter(|url| url.starts_with("sqlite") || cfg!(feature = "memory")) {
        let db = ommi::connect(url).await?;
        db.create::<(User, Seat)>().await?;
        databases.push(db);
    }
    Ok(databases)
}

/// The databases that have transactions.
async fn transactional() -> Result<Vec<Db>> {
    let mut databases = databases().await?;
    databases.retain(|db| db.driver().capabilities().transaction.transactions);
    Ok(databases)
}
