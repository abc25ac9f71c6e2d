//! Models without a Rust type: rows are lists of values in the order of the definition's fields.

use std::sync::Arc;

use super::get::{equal_condition, no_key};
use super::page::{continue_after, keyset};
use super::sink::Untyped;
use super::source::{UntypedRows, take};
use super::write::{check_assignments, touch};
use super::{Batches, Db};
use crate::driver::{AssignedKeys, RowSink, RowSource};
use crate::error::{Error, Result};
use crate::evaluate;
use crate::model::ModelDef;
use crate::plan::Explanation;
use crate::query::statement::{DeleteStatement, OnConflict, SelectStatement, Statement, UpdateStatement};
use crate::query::{Condition, Cursor, Expr, OrderBy};
use crate::value::{Datum, Timestamp, Uuid, ValueType, iso};

/// A model of a database, known by its definition alone.
#[derive(Clone, Debug)]
pub struct Dynamic {
    db: Db,
    model: Arc<ModelDef>,
}

impl Db {
    /// A model that was defined at run time.
    pub fn model(&self, model: &Arc<ModelDef>) -> Dynamic {
        Dynamic { db: self.clone(), model: Arc::clone(model) }
    }
}

impl Dynamic {
    /// The model's definition.
    pub fn model(&self) -> &Arc<ModelDef> {
        &self.model
    }

    /// Begins a query of the rows that pass a condition.
    pub fn find(&self, condition: Condition) -> DynamicQuery {
        DynamicQuery { db: self.db.clone(), select: SelectStatement::new(Arc::clone(&self.model), condition) }
    }

    /// The row of a key.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, and those of [`Dynamic::get_into`].
    pub async fn get(&self, key: &[Datum]) -> Result<Vec<Datum>> {
        let mut rows = self.get_into(key, Untyped::of_model(&self.model)).await?.rows;
        rows.pop().ok_or_else(|| no_key(&self.model).with_operation("get"))
    }

    /// Reads the row of a key into a sink, which gets none where there is no such row.
    ///
    /// # Errors
    ///
    /// `Query` if the key has another number of values than the model's, what the sink refuses, and the
    /// database's.
    pub async fn get_into<S: RowSink + 'static>(&self, key: &[Datum], sink: S) -> Result<S> {
        let model = &self.model;
        if key.len() != model.key().len() {
            let (given, needed) = (key.len(), model.key().len());
            return Err(Error::query(format!("a key of {given} values was given, {needed} are needed"))
                .with_model(model.name())
                .with_operation("get"));
        }
        let values = key.iter().cloned().map(Expr::Literal).collect();
        let is_usual = key.iter().zip(model.key()).all(|(value, field)| is_usual(model, *field, value));
        let (plan, parameters) = match is_usual {
            true => self.db.plan_of_key(model, values)?,
            false => {
                let condition = equal_condition(model.key(), values);
                self.db.plan(Statement::Select(SelectStatement::new(Arc::clone(model), condition)))?
            }
        };
        self.db.run_select(model, &plan, &parameters, sink, "get").await
    }

    /// Adds rows, each with all fields; null in an automatic field is assigned. Gives the rows back
    /// as they were stored.
    ///
    /// # Errors
    ///
    /// Those of [`Db::add_all`].
    pub async fn add_all(&self, rows: Vec<Vec<Datum>>) -> Result<Vec<Vec<Datum>>> {
        Ok(self.upsert_all(rows, OnConflict::Fail).await?.0)
    }

    /// Inserts rows, and does what is said with those that are there; gives the rows as they were
    /// sent, and how many were written. Read rows anew for what an update made of them, and for
    /// automatic keys.
    ///
    /// # Errors
    ///
    /// Those of [`Upsert`](super::Upsert).
    pub async fn upsert_all(
        &self,
        mut rows: Vec<Vec<Datum>>,
        mut on_conflict: OnConflict,
    ) -> Result<(Vec<Vec<Datum>>, u64)> {
        if rows.is_empty() {
            return Ok((rows, 0));
        }
        if let OnConflict::Update(_, assignments) = &mut on_conflict {
            check_assignments(&self.model, assignments)?;
            touch(&self.model, assignments);
        }
        let fails = matches!(on_conflict, OnConflict::Fail);
        rows.iter_mut().try_for_each(|row| self.prepare(row))?;
        let rows = UntypedRows { model: Arc::clone(&self.model), rows };
        let inserted = self.db.insert(&self.model, on_conflict, rows, "add").await?;
        let (UntypedRows { mut rows, .. }, written, keys) = take::<UntypedRows>(inserted)?;
        if let (AssignedKeys::List(keys), Some(auto), true) = (keys, self.model.auto(), fails) {
            let unassigned =
                rows.iter_mut().filter_map(|row| row.get_mut(usize::from(auto))).filter(|key| key.is_null());
            unassigned.zip(keys).for_each(|(slot, key)| *slot = Datum::Int(key));
        }
        Ok((rows, written))
    }

    /// Inserts the rows of a source, which shows each in the form in which it is stored, and does
    /// what is said with those that are there. Gives the source back, how many rows were written,
    /// and the automatic keys that were assigned.
    ///
    /// # Errors
    ///
    /// Those of [`Db::add_all`].
    pub async fn insert<S: RowSource + 'static>(
        &self,
        rows: S,
        mut on_conflict: OnConflict,
    ) -> Result<(S, u64, AssignedKeys)> {
        let operation = match &mut on_conflict {
            OnConflict::Fail => "add",
            OnConflict::Ignore(_) => "upsert",
            OnConflict::Update(_, assignments) => {
                check_assignments(&self.model, assignments)?;
                touch(&self.model, assignments);
                "upsert"
            }
        };
        if rows.is_empty() {
            return Ok((rows, 0, AssignedKeys::None));
        }
        take(self.db.insert(&self.model, on_conflict, rows, operation).await?)
    }

    fn prepare(&self, row: &mut [Datum]) -> Result<()> {
        let fields = self.model.fields();
        if row.len() != fields.len() {
            return Err(Error::query(format!("a row of {} values was given, {} are needed", row.len(), fields.len()))
                .with_model(self.model.name()));
        }
        let now = iso::cut_timestamp(Timestamp::now());
        for (value, field) in row.iter_mut().zip(fields) {
            if field.auto && value.is_null() && field.value_type == ValueType::Uuid {
                *value = Datum::Uuid(Uuid::now_v7());
            }
            if field.created || field.updated {
                *value = match field.value_type {
                    ValueType::DateTime => Datum::DateTime(iso::utc(now)),
                    _ => Datum::Timestamp(now),
                };
            }
            if field.version && matches!(value, Datum::Null | Datum::Int(0)) {
                *value = Datum::Int(1);
            }
            let given = std::mem::take(value);
            *value = evaluate::fit(field, given).map_err(|error| error.with_model(self.model.name()))?;
        }
        Ok(())
    }
}

/// Whether a value of a key is of its field's type, as those of a model with a Rust type always are: there is
/// one plan for them.
fn is_usual(model: &ModelDef, field: u16, value: &Datum) -> bool {
    let Some(of) = model.field(field).map(|field| &field.value_type) else { return false };
    match value {
        Datum::Int(_) => of.is_integer() && *of != ValueType::U64 && of.may_hold(value),
        Datum::Text(_) => *of == ValueType::Text,
        Datum::Uuid(_) => *of == ValueType::Uuid,
        _ => false,
    }
}

/// A query of a model without a Rust type.
#[must_use = "a query does nothing until one of its ends is awaited, such as `rows().await`"]
#[derive(Clone, Debug)]
pub struct DynamicQuery {
    db: Db,
    /// What is asked.
    pub select: SelectStatement,
}

impl DynamicQuery {
    /// In an order.
    pub fn order_by(mut self, order: impl IntoIterator<Item = OrderBy>) -> Self {
        self.select.order_by.extend(order);
        self
    }

    /// At most a number of rows.
    pub fn limit(mut self, rows: u32) -> Self {
        self.select.limit = Some(Expr::Literal(Datum::Int(rows.into())));
        self
    }

    /// Without the first rows.
    pub fn offset(mut self, rows: u32) -> Self {
        self.select.offset = Some(Expr::Literal(Datum::Int(rows.into())));
        self
    }

    /// Expressions in place of all fields; with aggregates, over groups.
    pub fn select(mut self, output: impl IntoIterator<Item = Expr>) -> Self {
        self.select.output.extend(output);
        self
    }

    /// Puts rows together.
    pub fn group_by(mut self, by: impl IntoIterator<Item = Expr>) -> Self {
        self.select.group_by.extend(by);
        self
    }

    /// Only groups that pass a condition.
    pub fn having(mut self, condition: Condition) -> Self {
        self.select.having = condition;
        self
    }

    /// Each different row once.
    pub fn distinct(mut self) -> Self {
        self.select.distinct = true;
        self
    }

    /// Only rows that come after the end of an earlier page of the same order.
    ///
    /// # Errors
    ///
    /// `Query` for groups and distinct rows, for a model without a key, for an order by expressions,
    /// and for a cursor of another order.
    pub fn after(mut self, cursor: &Cursor) -> Result<Self> {
        continue_after(&mut self.select, cursor)?;
        Ok(self)
    }

    /// The query ordered by the key too, so that rows that tie are neither lost nor doubled by pages,
    /// and the fields whose values in the last row of a page make its cursor.
    ///
    /// # Errors
    ///
    /// `Query` for a model without a key, and for an order by expressions.
    pub fn paged(mut self) -> Result<(Self, Vec<u16>)> {
        self.select.order_by = keyset(&self.select)?;
        let field = |by: &OrderBy| match by.expr {
            Expr::Field(field) => Some(field),
            _ => None,
        };
        let fields = self.select.order_by.iter().filter_map(field).collect();
        Ok((self, fields))
    }

    /// Refuses the query where the driver cannot answer it by itself.
    pub fn strict(mut self) -> Self {
        self.db.strict = true;
        self
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`](super::Query::all).
    pub async fn rows(self) -> Result<Vec<Vec<Datum>>> {
        self.db.select_untyped(self.select, "find").await
    }

    /// All rows, into a sink, which is given back.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`](super::Query::all), and the sink's own.
    pub async fn read_into<S: RowSink + 'static>(self, sink: S, operation: &'static str) -> Result<S> {
        let model = Arc::clone(&self.select.model);
        self.db.select(&model, self.select, sink, operation).await
    }

    /// The rows in batches, each into a sink of its own.
    ///
    /// # Errors
    ///
    /// Those of [`Query::stream`](super::Query::stream).
    pub async fn batches(self) -> Result<Batches> {
        self.db.stream_batches(self.select).await
    }

    /// How many rows there are. A limit and an offset count.
    ///
    /// # Errors
    ///
    /// `Query` with a selection, groups or `distinct`, and those of
    /// [`Query::all`](super::Query::all).
    pub async fn count(self) -> Result<u64> {
        self.db.count_rows(self.select).await
    }

    /// Updates the rows that pass the condition, and says how many there were.
    ///
    /// # Errors
    ///
    /// Those of [`Update`](super::Update).
    pub async fn update(self, mut assignments: Vec<(u16, Expr)>) -> Result<u64> {
        let model = Arc::clone(&self.select.model);
        self.select.check_write("update")?;
        let condition = self.select.condition;
        check_assignments(&model, &mut assignments)?;
        touch(&model, &mut assignments);
        let update = UpdateStatement { model: Arc::clone(&model), condition, assignments };
        self.db.write(&model, Statement::Update(update), "update").await
    }

    /// Deletes the rows that pass the condition, and says how many there were.
    ///
    /// # Errors
    ///
    /// Those of [`Query::delete`](super::Query::delete).
    pub async fn delete(self) -> Result<u64> {
        let model = Arc::clone(&self.select.model);
        self.select.check_write("delete")?;
        let condition = self.select.condition;
        let delete = DeleteStatement { model: Arc::clone(&model), condition };
        self.db.write(&model, Statement::Delete(delete), "delete").await
    }

    /// How the query is answered.
    ///
    /// # Errors
    ///
    /// Those of planning, and the database's.
    pub async fn explain(self) -> Result<Explanation> {
        self.db.explain(Statement::Select(self.select)).await
    }
}
