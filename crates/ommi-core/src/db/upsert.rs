//! Inserts that find the row there already.

use std::future::IntoFuture;

use super::add::assign_keys;
use super::engine::equal_fields;
use super::find::Query;
use super::source::{ModelRows, data_of, take};
use super::write::{check_assignments, touch};
use super::{Db, add, no_row};
use crate::driver::BoxFuture;
use crate::error::Result;
use crate::model::{Model, ModelDef, read_only};
use crate::query::statement::OnConflict;
use crate::query::{AssignmentOf, Expr, FieldOf};

/// What happens to a row that is there already.
#[derive(Debug)]
enum Existing {
    /// All fields but the key and `created` take the new values.
    UpdateAll,
    /// Some fields take the new values.
    UpdateFields(Vec<u16>),
    /// Fields take the values of expressions.
    Assign(Vec<(u16, Expr)>),
    /// Nothing.
    Ignore,
}

/// An insert that updates or leaves the rows that are there already. Awaited, it gives the rows as
/// they are stored then.
///
/// ```ignore
/// db.upsert(user).on(User::EMAIL).update(User::NAME).await?;
/// db.upsert_all(flights).do_nothing().await?;
/// ```
#[must_use = "an upsert does nothing until it is awaited"]
#[derive(Debug)]
pub struct Upsert<M> {
    db: Db,
    rows: Vec<M>,
    on: Option<Vec<u16>>,
    existing: Existing,
}

impl Db {
    /// Inserts a row, or updates all fields of the one with its key. See [`Upsert`].
    pub fn upsert<M: Model>(&self, row: M) -> Upsert<M> {
        self.upsert_all([row])
    }

    /// Inserts rows, or updates those that are there already; all or none, wherever the driver has
    /// transactions. See [`Upsert`].
    pub fn upsert_all<M: Model>(&self, rows: impl IntoIterator<Item = M>) -> Upsert<M> {
        Upsert { db: self.clone(), rows: rows.into_iter().collect(), on: None, existing: Existing::UpdateAll }
    }
}

impl<M: Model> Upsert<M> {
    /// Looks for rows by a unique group in place of the key. A row that collides in another group
    /// is a `Constraint` error.
    pub fn on(mut self, fields: impl FieldOf<M>) -> Self {
        self.on = Some(fields.indexes());
        self
    }

    /// Updates only some fields of a row that is there.
    pub fn update(mut self, fields: impl FieldOf<M>) -> Self {
        self.existing = Existing::UpdateFields(fields.indexes());
        self
    }

    /// Updates a row that is there by assignments, which see its old values:
    /// `.set(Page::HITS.set(Page::HITS + 1))`.
    pub fn set(mut self, assignments: impl AssignmentOf<M>) -> Self {
        self.existing = Existing::Assign(assignments.into_assignments());
        self
    }

    /// Leaves a row that is there as it is.
    pub fn do_nothing(mut self) -> Self {
        self.existing = Existing::Ignore;
        self
    }

    fn on_conflict(&self) -> Result<OnConflict> {
        let model = M::definition();
        if model.key().is_empty() {
            return Err(read_only(model));
        }
        let fields = self.on.clone().unwrap_or_else(|| model.key().to_vec());
        let inserted =
            |fields: Vec<u16>| fields.into_iter().map(|field| (field, Expr::Inserted(field))).collect::<Vec<_>>();
        let mut assignments = match &self.existing {
            Existing::Ignore => return Ok(OnConflict::Ignore(fields)),
            Existing::UpdateAll => inserted(
                all_but_key(model)
                    .into_iter()
                    .filter(|field| {
                        !fields.contains(field) && !model.field(*field).is_some_and(|of| of.created || of.version)
                    })
                    .collect(),
            ),
            Existing::UpdateFields(fields) => inserted(fields.clone()),
            Existing::Assign(assignments) => assignments.clone(),
        };
        if assignments.is_empty() {
            return Ok(OnConflict::Ignore(fields));
        }
        check_assignments(model, &assignments).map_err(|error| error.with_model(model.name()))?;
        touch(model, &mut assignments);
        Ok(OnConflict::Update(fields, assignments))
    }

    /// Writes the rows without reading them back, and gives how many were inserted or updated.
    ///
    /// # Errors
    ///
    /// `Constraint` if another rule refuses a row; `Query` if the fields named by `on` are not
    /// unique; and those of [`Db::add`].
    pub async fn count(self) -> Result<u64> {
        Ok(self.write().await?.1)
    }

    async fn write(mut self) -> Result<(Vec<M>, u64, Vec<u16>)> {
        let model = M::definition();
        let on = self.on.clone().unwrap_or_else(|| model.key().to_vec());
        if self.rows.is_empty() {
            return Ok((self.rows, 0, on));
        }
        let on_conflict = self.on_conflict()?;
        add::prepare(&mut self.rows);
        let inserted = self.db.insert(model, on_conflict, ModelRows(self.rows), "upsert").await?;
        let (ModelRows(mut rows), written, keys) = take::<ModelRows<M>>(inserted)?;
        if on == model.key() {
            assign_keys(&mut rows, keys)?;
        }
        Ok((rows, written, on))
    }
}

impl<M: Model> IntoFuture for Upsert<M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = BoxFuture<'static, Result<Vec<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let db = self.db.clone();
            db.in_one_transaction(async move |db| {
                let upsert = Upsert { db: db.clone(), ..self };
                let (rows, _, on) = upsert.write().await?;
                let mut stored = Vec::with_capacity(rows.len());
                for row in rows {
                    let values = data_of(&row)?;
                    if on.iter().any(|field| values.get(usize::from(*field)).is_none_or(crate::value::Datum::is_null)) {
                        // a null in the group: the row cannot have collided and is as it was given
                        stored.push(row);
                        continue;
                    }
                    let found = Query::<M>::new(db.clone(), equal_fields(&on, &values)).optional().await?;
                    stored.push(found.ok_or_else(no_row::<M>)?);
                }
                Ok(stored)
            })
            .await
        })
    }
}

/// All fields of a model but those of its key.
pub(super) fn all_but_key(model: &ModelDef) -> Vec<u16> {
    (0..).zip(model.fields()).map(|(index, _)| index).filter(|index| !model.is_key(*index)).collect()
}
