//! Models that several subjects share, and what they are filled and read with.

use ommi::prelude::*;
use ommi::query::FilterOf;
use ommi::{Query, Result};

/// A thing with a name: the key is given, so that the model needs no capability.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Item {
    #[ommi(key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) note: Option<String>,
    pub(crate) quantity: Option<i32>,
    pub(crate) price: Option<Decimal>,
}

/// An item of a key and a name.
pub(crate) fn item(id: i64, name: &str) -> Item {
    Item { id, name: name.into(), ..Item::default() }
}

/// Items of the names, with keys from 1.
pub(crate) fn named(names: &[&str]) -> Vec<Item> {
    (1..).zip(names).map(|(id, name)| item(id, name)).collect()
}

/// Items of the quantities, with keys from 1.
pub(crate) fn counted(quantities: &[Option<i32>]) -> Vec<Item> {
    (1..).zip(quantities).map(|(id, quantity)| Item { quantity: *quantity, ..item(id, "") }).collect()
}

/// Items of the prices, with keys from 1.
pub(crate) fn priced(prices: &[Option<Decimal>]) -> Vec<Item> {
    (1..).zip(prices).map(|(id, price)| Item { price: *price, ..item(id, "") }).collect()
}

/// Creates the table of a model with some rows.
pub(crate) async fn fill<M: Model>(db: &Db, rows: Vec<M>) -> Result<Vec<M>> {
    db.create::<M>().await?;
    db.add_all(rows).await
}

/// The keys of the items of a query, in its order.
pub(crate) async fn keys(query: Query<Item>) -> Result<Vec<i64>> {
    Ok(query.all().await?.into_iter().map(|item| item.id).collect())
}

/// The keys of the items that pass a filter, sorted.
pub(crate) async fn matching(db: &Db, filter: impl FilterOf<Item>) -> Result<Vec<i64>> {
    let mut keys = keys(db.find(filter)).await?;
    keys.sort_unstable();
    Ok(keys)
}

/// The names of the items that pass a filter, sorted.
pub(crate) async fn names(db: &Db, filter: impl FilterOf<Item>) -> Result<Vec<String>> {
    let mut names: Vec<String> = db.find(filter).all().await?.into_iter().map(|item| item.name).collect();
    names.sort();
    Ok(names)
}

/// A user whose key the database assigns, with a unique address.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct User {
    #[ommi(key, auto)]
    pub(crate) id: i64,
    #[ommi(unique)]
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) visits: i32,
}

/// A user of an address.
pub(crate) fn user(email: &str) -> User {
    User { email: email.into(), ..User::default() }
}
