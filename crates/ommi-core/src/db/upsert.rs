//! Inserts that find the row there already.

use std::future::IntoFuture;

use super::source::{ModelRows, values_of};
use super::write::{check_assignments, touch};
use super::{Db, add, no_row};
use crate::driver::BoxFuture;
use crate::error::{Error, Result};
use crate::model::{Model, ModelDef, read_only};
use crate::query::statement::OnConflict;
use crate::query::{AssignmentOf, Expr, FieldOf};
use crate::relation::write::Known;
use crate::value::Datum;

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
        let on = self.on_fields();
        let refuse = |field: u16, reason: &str| {
            Err(Error::query(format!("`{}` is {reason}, and stays as it is", model.field_name(field)))
                .with_model(model.name())
                .with_operation("upsert"))
        };
        let updated: Vec<u16> = match &self.existing {
            Existing::Ignore => return Ok(OnConflict::Ignore(on)),
            Existing::Assign(assignments) => {
                if let Some((field, _)) = assignments.iter().find(|(field, _)| on.contains(field)) {
                    return refuse(*field, "what the upsert looks for rows by");
                }
                return self.update_by(on, assignments.clone());
            }
            Existing::UpdateAll => all_but_key(model)
                .into_iter()
                .filter(|field| !model.field(*field).is_some_and(|of| of.created || of.version))
                .collect(),
            Existing::UpdateFields(fields) => {
                if let Some(field) = fields.iter().find(|field| model.is_key(**field) && !on.contains(field)) {
                    return refuse(*field, "part of the key of the row that is there");
                }
                fields.clone()
            }
        };
        let inserted = updated.into_iter().filter(|field| !on.contains(field));
        let assignments: Vec<_> = inserted.map(|field| (field, Expr::Inserted(field))).collect();
        match assignments.is_empty() {
            true => Ok(OnConflict::Ignore(on)),
            false => self.update_by(on, assignments),
        }
    }

    fn update_by(&self, on: Vec<u16>, mut assignments: Vec<(u16, Expr)>) -> Result<OnConflict> {
        let model = M::definition();
        check_assignments(model, &mut assignments).map_err(|error| error.with_operation("upsert"))?;
        touch(model, &mut assignments);
        Ok(OnConflict::Update(on, assignments))
    }

    /// The fields by which rows are looked for.
    fn on_fields(&self) -> Vec<u16> {
        self.on.clone().unwrap_or_else(|| M::definition().key().to_vec())
    }

    /// Writes the rows without reading them back, and gives how many were inserted or updated.
    ///
    /// # Errors
    ///
    /// `Constraint` if another rule refuses a row; `Query` if the fields named by `on` are not
    /// unique; and those of [`Db::add`].
    pub async fn count(mut self) -> Result<u64> {
        let on_conflict = self.on_conflict()?;
        add::prepare(&mut self.rows);
        if self.rows.is_empty() {
            return Ok(0);
        }
        Ok(self.db.insert(M::definition(), on_conflict, ModelRows(self.rows), "upsert").await?.rows)
    }

    /// Writes the rows, and gives them as they are stored then.
    async fn stored(mut self) -> Result<Vec<M>> {
        let (on, on_conflict) = (self.on_fields(), self.on_conflict()?);
        add::prepare(&mut self.rows);
        // a row with a null in the group collides with none: it is added, which tells its key
        let (mut new, mut known, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_new = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let group = values_of(&row, &on)?;
            let collides_with_none = group.iter().any(Datum::is_null);
            is_new.push(collides_with_none);
            if collides_with_none {
                new.push(row);
            } else {
                known.push(row);
                groups.push(group);
            }
        }
        let mut new = self.db.add_prepared(new, "upsert").await?;
        self.db.attach_rows(&mut new, Known::Written)?;
        let mut new = new.into_iter();
        if !known.is_empty() {
            self.db.insert(M::definition(), on_conflict, ModelRows(known), "upsert").await?;
        }
        let there = self.db.rows_by::<M>(&on, &groups).await?;
        let mut groups = groups.into_iter();
        let stored = is_new.into_iter().map(|is_new| match is_new {
            true => new.next(),
            false => groups.next().and_then(|group| there.get(&group)),
        });
        stored.map(|row| row.ok_or_else(no_row::<M>)).collect()
    }
}

impl<M: Model> IntoFuture for Upsert<M> {
    type Output = Result<Vec<M>>;
    type IntoFuture = BoxFuture<'static, Result<Vec<M>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let db = self.db.clone();
            db.in_one_transaction(async move |db| Upsert { db: db.clone(), ..self }.stored().await).await
        })
    }
}

/// All fields of a model but those of its key.
pub(super) fn all_but_key(model: &ModelDef) -> Vec<u16> {
    (0..).zip(model.fields()).map(|(index, _)| index).filter(|index| !model.is_key(*index)).collect()
}
