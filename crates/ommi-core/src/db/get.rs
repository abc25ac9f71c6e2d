//! Rows by their keys.

use std::collections::HashMap;
use std::sync::Arc;

use super::Db;
use super::find::Query;
use super::sink::{First, Whole};
use super::source::values_of;
use crate::error::{Error, Result};
use crate::evaluate::GroupKey;
use crate::model::{Model, ModelDef};
use crate::plan::Plan;
use crate::query::statement::{SelectStatement, Statement};
use crate::query::{Comparison, Condition, Expr, FilterOf, KeyOperand, Parameters};
use crate::value::{Datum, check};

impl Db {
    /// The row of a key: `db.get::<Book>(1)`, `db.get::<Seat>((flight, "12A"))`.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `Decode` if a stored value does not fit its field, and the
    /// database's.
    pub async fn get<M: Model>(&self, key: impl KeyOperand<M, M::Key>) -> Result<M> {
        let (plan, parameters) = self.plan_of_key(M::definition(), key.into_key())?;
        let sink = First::<Whole<M>>::new(self);
        let (found, _) = self.run_select(M::definition(), &plan, &parameters, sink, "get").await?.finish();
        found.ok_or_else(|| no_key(M::definition()))
    }

    /// The plan of reading the row of a key, and the key's values. A look-up of one model is always of
    /// one shape, so no statement is made where the plan is known.
    #[inline]
    pub(super) fn plan_of_key(&self, model: &Arc<ModelDef>, key: Vec<Expr>) -> Result<(Arc<Plan>, Parameters)> {
        let is_plain = key.len() == model.key().len()
            && key.iter().all(|value| matches!(value, Expr::Literal(value) if !value.is_null()));
        if is_plain && let Some(plan) = self.shared.plans.of_key(model.id()) {
            let values = key.into_iter().filter_map(|value| match value {
                Expr::Literal(value) => Some(value),
                _ => None,
            });
            let parameters: Parameters = values.collect();
            // as the walk over a statement checks its constants
            parameters
                .iter()
                .try_for_each(|value| check::cell(value.cell()))
                .map_err(|error| about_key(error, model))?;
            self.check_plan(&plan, &parameters, model, "get")?;
            return Ok((plan, parameters));
        }
        let condition = equal_condition(model.key(), key);
        let planned = self.plan(Statement::Select(SelectStatement::new(Arc::clone(model), condition)))?;
        if is_plain {
            self.shared.plans.keep_of_key(model.id(), &planned.0);
        }
        Ok(planned)
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
        let model = M::definition();
        let keys = keys.into_iter().map(|key| key_values::<M>(key.into_key())).collect::<Result<Vec<_>>>()?;
        let rows = self.rows_by::<M>(model.key(), &keys).await?;
        Ok(keys.iter().filter_map(|key| rows.get(key)).collect())
    }

    /// The rows of some values of the key's fields, or of a unique group's.
    pub(super) async fn rows_by<M: Model>(&self, fields: &[u16], values: &[Vec<Datum>]) -> Result<RowsBy<M>> {
        let mut rows = HashMap::with_capacity(values.len());
        let mut take = |found: Vec<M>| {
            found.into_iter().try_for_each(|row| {
                rows.insert(group_keys(&values_of(&row, fields)?), row);
                Ok(())
            })
        };
        match fields {
            [field] => {
                let values = values.iter().flatten().cloned().map(Expr::Literal);
                let condition = Condition::is_in(Expr::Field(*field), values);
                take(Query::<M>::new(self.clone(), condition).all().await?)?;
            }
            fields => {
                // bounded statements: the values of several fields are a condition of their own
                for chunk in values.chunks(100) {
                    let any =
                        chunk.iter().fold(Condition::Const(false), |any, values| any.or(equal_data(fields, values)));
                    take(Query::<M>::new(self.clone(), any).all().await?)?;
                }
            }
        }
        Ok(RowsBy(rows))
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
        // inside a transaction a refused write must not end the whole of it, where that can be helped
        let added = match &self.scope {
            super::Scope::Transaction(_) if self.shared.driver.capabilities().transaction.savepoints => {
                Box::pin(self.transaction(async |tx| tx.add(new).await)).await
            }
            _ => self.add(new).await,
        };
        match added {
            Err(error) if error.is_unique_violation() => find().await?.ok_or(error),
            added => added,
        }
    }
}

/// Rows, by the values that they were looked for.
pub(super) struct RowsBy<M>(HashMap<Vec<GroupKey>, M>);

impl<M: Clone> RowsBy<M> {
    /// The row of some values.
    pub(super) fn get(&self, values: &[Datum]) -> Option<M> {
        self.0.get(&group_keys(values)).cloned()
    }
}

/// Values that are compared as keys are.
fn group_keys(values: &[Datum]) -> Vec<GroupKey> {
    values.iter().map(GroupKey::new).collect()
}

#[cold]
fn about_key(error: Error, model: &ModelDef) -> Error {
    error.with_model(model.name()).with_operation("get")
}

/// The error of a key that no row has.
#[cold]
pub(super) fn no_key(model: &ModelDef) -> Error {
    match model.key() {
        [] => crate::model::read_only(model),
        _ => Error::not_found("no row has this key").with_model(model.name()),
    }
}

/// The values of a key.
#[inline]
fn key_values<M: Model>(key: Vec<Expr>) -> Result<Vec<Datum>> {
    key.into_iter()
        .map(|value| match value {
            Expr::Literal(value) => Ok(value),
            _ => Err(Error::query("a key is given by values: use `find` to compare fields with each other")
                .with_model(M::definition().name())),
        })
        .collect()
}

/// The condition that some fields have some values; none passes it where there are no fields.
#[inline]
pub(super) fn equal_condition(fields: &[u16], values: Vec<Expr>) -> Condition {
    let equal = |(field, value): (&u16, Expr)| Condition::compare(Expr::Field(*field), Comparison::Eq, value);
    fields.iter().zip(values).map(equal).reduce(Condition::and).unwrap_or(Condition::Const(false))
}

/// The condition that some fields have the values of a row in them.
pub(crate) fn equal_data(fields: &[u16], values: &[Datum]) -> Condition {
    equal_condition(fields, values.iter().cloned().map(Expr::Literal).collect())
}
