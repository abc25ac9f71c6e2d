//! Writing, reading again and deleting one instance.

use super::get::equal_data;
use super::sink::{First, Whole};
use super::source::{ModelRows, data_of, take, values_of};
use super::upsert::all_but_key;
use super::write::touch;
use super::{Db, add};
use crate::error::{Error, Result};
use crate::model::{Model, Touch, read_only};
use crate::query::condition::{Comparison, Condition};
use crate::query::statement::{DeleteStatement, OnConflict, SelectStatement, Statement, UpdateStatement};
use crate::query::{Expr, FieldOf};
use crate::relation::write::{SavedRelations, has_given};
use crate::value::{Datum, Timestamp};

impl Db {
    /// Writes all fields of an instance: adds it if its automatic key is still to be assigned, and
    /// otherwise inserts it or updates the row of its key.
    ///
    /// With a `version` field, 0 adds the row, and any other number updates it if the row still has
    /// that version. Afterwards the instance is as it was stored.
    ///
    /// A [`One`](crate::relation::One) that was set gives the instance the key of its row, which is
    /// added first if its automatic key is still to be assigned.
    ///
    /// # Errors
    ///
    /// A `Conflict` with [`is_stale`](Error::is_stale) if the row was changed or deleted since it
    /// was read; and those of [`Db::add`].
    pub async fn save<M: Model>(&self, row: &mut M) -> Result<()> {
        let mut new = row.clone();
        if has_given(std::slice::from_mut(&mut new)) {
            let is_new = new.is_unassigned() || new.version() == Some(0);
            *row = match is_new {
                true => self.add(new).await?,
                false => {
                    let saved = self.in_one_transaction(async |db| {
                        let saved = db.save_given(&mut new).await?;
                        db.save_row(&mut new).await?;
                        Ok(saved)
                    });
                    let saved = Box::pin(saved).await?;
                    self.settle_saved(&mut new, saved)?;
                    new
                }
            };
            return Ok(());
        }
        self.save_row(&mut new).await?;
        self.settle_saved(&mut new, SavedRelations::none())?;
        *row = new;
        Ok(())
    }

    /// Writes all fields of an instance, and leaves its relations.
    async fn save_row<M: Model>(&self, row: &mut M) -> Result<()> {
        let model = M::definition();
        let mut new = row.clone();
        match new.version() {
            Some(0) => {
                *row = self.add(new).await?;
                return Ok(());
            }
            Some(version) => {
                new.touch(Touch::Update, Timestamp::now());
                new.normalize();
                new.set_version(next_version(version)?)?;
                let values = data_of(&new)?;
                let fields = all_but_key(model);
                let created = |field: &u16| model.field(*field).is_some_and(|field| field.created);
                let assignments =
                    fields.iter().filter(|field| !created(field)).map(|field| (*field, literal(&values, *field)));
                let condition = self.row_condition(&new, Some(version))?;
                let statement = UpdateStatement { model: model.clone(), condition, assignments: assignments.collect() };
                if self.write(model, Statement::Update(statement), "save").await? == 0 {
                    return Err(stale::<M>("save"));
                }
            }
            None if new.is_unassigned() => {
                *row = self.add(new).await?;
                return Ok(());
            }
            None => {
                add::prepare(std::slice::from_mut(&mut new));
                if model.key().is_empty() {
                    return Err(read_only(model));
                }
                let updates = all_but_key(model)
                    .into_iter()
                    .filter(|field| model.field(*field).is_some_and(|field| !field.created))
                    .map(|field| (field, Expr::Inserted(field)))
                    .collect();
                let on_conflict = OnConflict::Update(model.key().to_vec(), updates);
                let inserted = self.insert(model, on_conflict, ModelRows(vec![new]), "save").await?;
                let (ModelRows(mut rows), _, keys) = take::<ModelRows<M>>(inserted)?;
                add::assign_keys(&mut rows, keys)?;
                new = rows.pop().ok_or_else(|| Error::decode("the driver lost the row: a fault of the driver"))?;
                if model.fields().iter().any(|field| field.created) {
                    // the row may have been there, with an earlier time
                    self.reload(&mut new).await?;
                }
            }
        }
        *row = new;
        Ok(())
    }

    /// Writes some fields of an instance to the row of its key, and leaves the others:
    /// `db.update(&book, (Book::PRICE, Book::TITLE))`. A `version` is counted up in the database
    /// and, with `updated`, is not in the instance: `reload` it before the next write.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such row; a stale `Conflict` if the model has a version and the
    /// row another one; and those of [`Db::add`].
    pub async fn update<M: Model>(&self, row: &M, fields: impl FieldOf<M>) -> Result<()> {
        let model = M::definition();
        let mut new = row.clone();
        new.normalize();
        let values = data_of(&new)?;
        let mut assignments: Vec<(u16, Expr)> = Vec::new();
        for field in fields.indexes() {
            if model.is_key(field) {
                return Err(Error::query(format!(
                    "`{}` is part of the key, by which the row is found: change keys by `find(..).update(..)`",
                    model.field_name(field)
                ))
                .with_model(model.name()));
            }
            if !assignments.iter().any(|(assigned, _)| *assigned == field) {
                assignments.push((field, literal(&values, field)));
            }
        }
        if let (Some(field), Some(version)) = (model.version(), new.version())
            && !assignments.iter().any(|(assigned, _)| *assigned == field)
        {
            // known beforehand: every driver can write a constant
            new.set_version(next_version(version)?)?;
            assignments.push((field, literal(&values_of(&new, &[field])?, 0)));
            new.set_version(version)?;
        }
        touch(model, &mut assignments);
        let condition = self.row_condition(&new, new.version())?;
        let statement = UpdateStatement { model: model.clone(), condition, assignments };
        if self.write(model, Statement::Update(statement), "update").await? > 0 {
            return Ok(());
        }
        match new.version() {
            Some(_) => Err(stale::<M>("update")),
            None => Err(gone::<M>("update")),
        }
    }

    /// Reads all fields of an instance anew from the row of its key.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such row any more; and those of [`Db::get`].
    pub async fn reload<M: Model>(&self, row: &mut M) -> Result<()> {
        let model = M::definition();
        let condition = self.row_condition(row, None)?;
        let select = SelectStatement::new(model.clone(), condition);
        let sink = First::<Whole<M>>::new(self);
        let (found, _) = self.select(model, select, sink, "reload").await?.finish();
        *row = found.ok_or_else(|| gone::<M>("reload"))?;
        Ok(())
    }

    /// Deletes the row of an instance's key.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no such row; a stale `Conflict` if the model has a version and the
    /// row another one; `Constraint` if the row is still referenced; and the database's.
    pub async fn delete<M: Model>(&self, row: &M) -> Result<()> {
        let model = M::definition();
        let condition = self.row_condition(row, row.version())?;
        let statement = DeleteStatement { model: model.clone(), condition };
        if self.write(model, Statement::Delete(statement), "delete").await? > 0 {
            return Ok(());
        }
        match row.version() {
            Some(_) => Err(stale::<M>("delete")),
            None => Err(gone::<M>("delete")),
        }
    }

    /// The condition on the key of an instance, and on its version.
    fn row_condition<M: Model>(&self, row: &M, version: Option<i64>) -> Result<Condition> {
        let model = M::definition();
        if model.key().is_empty() {
            return Err(read_only(model));
        }
        if row.is_unassigned() {
            return Err(Error::query("the instance has no key yet: `add` it first").with_model(model.name()));
        }
        let key = equal_data(model.key(), &values_of(row, model.key())?);
        Ok(match (model.version(), version) {
            (Some(field), Some(version)) => {
                key.and(Condition::compare(Expr::Field(field), Comparison::Eq, Expr::Literal(Datum::Int(version))))
            }
            _ => key,
        })
    }
}

fn next_version(version: i64) -> Result<i64> {
    version.checked_add(1).ok_or_else(|| Error::query("the version is at its end"))
}

fn literal(values: &[Datum], field: u16) -> Expr {
    Expr::Literal(values.get(usize::from(field)).cloned().unwrap_or_default())
}

#[cold]
fn stale<M: Model>(operation: &'static str) -> Error {
    Error::stale("the row was changed or deleted since it was read: reload it and decide anew")
        .with_model(M::definition().name())
        .with_operation(operation)
}

#[cold]
fn gone<M: Model>(operation: &'static str) -> Error {
    Error::not_found("no row has the key of this instance").with_model(M::definition().name()).with_operation(operation)
}
