//! Rows by their keys.

use std::collections::HashMap;

use super::Db;
use super::find::Query;
use super::sink::{First, Whole};
use super::source::{data_of, datum_of};
use crate::error::{Error, Result};
use crate::evaluate::GroupKey;
use crate::model::Model;
use crate::query::statement::SelectStatement;
use crate::query::{Comparison, Condition, Expr, FilterOf, KeyOperand};
use crate::value::Datum;

impl Db {
    /// The row of a key: `db.get::<Book>(1)`, `db.get::<Seat>((flight, "12A"))`.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `Decode` if a stored value does not fit its field, and the
    /// database's.
    pub async fn get<M: Model>(&self, key: impl KeyOperand<M, M::Key>) -> Result<M> {
        let select = SelectStatement::new(M::definition().clone(), key_condition::<M>(key.into_key()));
        let found = self.select(M::definition(), select, First::<Whole<M>>::default(), "get").await?;
        found.first.ok_or_else(no_key::<M>)
    }

    /// The rows of some keys, in the order of the keys; keys without a row are left out, keys that
    /// are named twice give their row twice.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`].
    pub async fn get_many<M: Model, K: KeyOperand<M, M::Key>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<M>> {
        let keys: Vec<Vec<Expr>> = keys.into_iter().map(KeyOperand::into_key).collect();
        let model = M::definition();
        let mut found: Vec<(Vec<Datum>, M)> = Vec::with_capacity(keys.len());
        match model.key() {
            [field] => {
                let values = keys.iter().filter_map(|key| key.first().cloned());
                let condition = Condition::is_in(Expr::Field(*field), values);
                let rows = Query::<M>::new(self.clone(), condition).all().await?;
                for row in rows {
                    found.push((vec![datum_of(&row, *field)?], row));
                }
            }
            fields => {
                // bounded statements: a key of several fields is a condition of its own
                for chunk in keys.chunks(100) {
                    let any =
                        chunk.iter().fold(Condition::Const(false), |any, key| any.or(key_condition::<M>(key.clone())));
                    for row in Query::<M>::new(self.clone(), any).all().await? {
                        let all = data_of(&row)?;
                        let key = fields.iter().filter_map(|field| all.get(usize::from(*field)).cloned()).collect();
                        found.push((key, row));
                    }
                }
            }
        }
        let mut by_key = HashMap::with_capacity(found.len());
        for (key, row) in found {
            by_key.insert(group_keys(&key), row);
        }
        Ok(keys
            .into_iter()
            .filter_map(|key| {
                let values: Vec<Datum> = key
                    .into_iter()
                    .map(|expr| match expr {
                        Expr::Literal(value) => value,
                        _ => Datum::Null,
                    })
                    .collect();
                by_key.get(&group_keys(&values)).cloned()
            })
            .collect())
    }

    /// The row that passes a filter, or else a new one.
    ///
    /// The filter should name the key or a unique group: if another writer adds the row in between,
    /// the unique rule refuses ours and theirs is found.
    ///
    /// # Errors
    ///
    /// `NotUnique` if several rows pass, and those of [`Query::all`] and [`Db::add`].
    pub async fn get_or_create<M: Model>(&self, filter: impl FilterOf<M>, new: impl FnOnce() -> M) -> Result<M> {
        let condition = filter.into_condition();
        let find = || Query::<M>::new(self.clone(), condition.clone()).optional();
        if let Some(found) = find().await? {
            return Ok(found);
        }
        let new = new();
        // inside a transaction a refused write must not end the whole of it
        let added = match &self.scope {
            super::Scope::Transaction(_) => Box::pin(self.transaction(async |tx| tx.add(new).await)).await,
            _ => self.add(new).await,
        };
        match added {
            Err(error) if error.is_unique_violation() => find().await?.ok_or(error),
            added => added,
        }
    }
}

/// Values that are compared as keys are.
fn group_keys(values: &[Datum]) -> Vec<GroupKey> {
    values.iter().map(GroupKey::new).collect()
}

#[cold]
fn no_key<M: Model>() -> Error {
    let model = M::definition();
    match model.key() {
        [] => crate::model::read_only(model),
        _ => Error::not_found("no row has this key").with_model(model.name()),
    }
}

/// The condition that the key has some values.
#[inline]
fn key_condition<M: Model>(key: Vec<Expr>) -> Condition {
    let fields = M::definition().key();
    let mut all = Condition::Const(fields.is_empty());
    if fields.len() != key.len() || fields.is_empty() {
        return Condition::Const(false);
    }
    for (index, (field, value)) in fields.iter().zip(key).enumerate() {
        let part = Condition::compare(Expr::Field(*field), Comparison::Eq, value);
        all = if index == 0 { part } else { all.and(part) };
    }
    all
}
