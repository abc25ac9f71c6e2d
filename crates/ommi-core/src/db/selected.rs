//! Queries of fields, expressions and groups.

use std::fmt;

use super::find::Query;
use super::{no_row, several_rows};
use crate::driver::{Flow, Row, RowRef, RowSink};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::plan::Explanation;
use crate::query::statement::Statement;
use crate::query::{Expr, Groups, Having, OrderOf, Select};
use crate::value::Datum;

/// A grouped query that still needs its [`select`](Grouped::select).
#[must_use = "groups need a `select` of what they give"]
#[derive(Debug)]
pub struct Grouped<M> {
    query: Query<M>,
}

impl<M: Model> Grouped<M> {
    pub(super) fn new(query: Query<M>) -> Self {
        Grouped { query }
    }

    /// What each group gives: what the rows are grouped by, and aggregates.
    pub fn select<S: Select<M, Groups>>(mut self, what: S) -> Selected<M, S::Out> {
        what.expressions(&mut self.query.select.output);
        Selected::new(self.query, S::decode)
    }
}

/// A query whose rows are values or tuples.
#[must_use = "a query does nothing until one of its ends is awaited, such as `all().await`"]
pub struct Selected<M, O> {
    query: Query<M>,
    decode: fn(&mut Row<'_>) -> Result<O>,
}

impl<M, O> fmt::Debug for Selected<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selected").finish_non_exhaustive()
    }
}

impl<M: Model, O: Send + 'static> Selected<M, O> {
    pub(super) fn new(query: Query<M>, decode: fn(&mut Row<'_>) -> Result<O>) -> Self {
        Selected { query, decode }
    }

    /// Only groups that pass a filter of aggregates. A second call adds another.
    pub fn having(mut self, having: Having<M>) -> Self {
        let select = &mut self.query.select;
        select.having =
            std::mem::replace(&mut select.having, crate::query::Condition::Const(true)).and(having.condition);
        self
    }

    /// In an order; groups by what they are grouped by and by aggregates.
    pub fn order_by(mut self, order: impl OrderOf<M>) -> Self {
        self.query = self.query.order_by(order);
        self
    }

    /// At most a number of rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.query = self.query.limit(rows);
        self
    }

    /// Without the first rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.query = self.query.offset(rows);
        self
    }

    /// Each different row once.
    pub fn distinct(mut self) -> Self {
        self.query.select.distinct = true;
        self
    }

    /// Refuses the query where the driver cannot answer it by itself.
    pub fn strict(mut self) -> Self {
        self.query = self.query.strict();
        self
    }

    async fn run(self, most: Option<i64>) -> Result<Vec<O>> {
        let (db, mut select) = self.query.finish()?;
        if let Some(most) = most {
            select.limit.get_or_insert(Expr::Literal(Datum::Int(most)));
        }
        let sink = Tuples { rows: Vec::new(), decode: self.decode };
        let rows = db.select(M::definition(), select, sink, "find").await.map_err(|error| {
            // a value that does not fit has no field to be named by
            error.with_model(M::definition().name())
        })?;
        Ok(rows.rows)
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// `Query` for a selection that the groups do not determine, `Decode` if a stored value does
    /// not fit its type, and the database's.
    pub async fn all(self) -> Result<Vec<O>> {
        self.run(None).await
    }

    /// The only row.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `NotUnique` if there are several, and those of
    /// [`Selected::all`].
    pub async fn one(self) -> Result<O> {
        self.optional().await?.ok_or_else(no_row::<M>)
    }

    /// The only row, or `None`.
    ///
    /// # Errors
    ///
    /// `NotUnique` if there are several, and those of [`Selected::all`].
    pub async fn optional(self) -> Result<Option<O>> {
        let mut rows = self.run(Some(2)).await?;
        if rows.len() > 1 {
            return Err(several_rows::<M>());
        }
        Ok(rows.pop())
    }

    /// The first row of the order, or `None`.
    ///
    /// # Errors
    ///
    /// Those of [`Selected::all`].
    pub async fn first(mut self) -> Result<Option<O>> {
        self.query.select.limit_to_one();
        Ok(self.run(None).await?.pop())
    }

    /// How the query is answered.
    ///
    /// # Errors
    ///
    /// Those of planning, and the database's.
    pub async fn explain(self) -> Result<Explanation> {
        let (db, select) = self.query.finish()?;
        db.explain(Statement::Select(select)).await
    }
}

/// Keeps all rows as what a selection gives.
pub(super) struct Tuples<O> {
    pub(super) rows: Vec<O>,
    pub(super) decode: fn(&mut Row<'_>) -> Result<O>,
}

impl<O: Send + 'static> RowSink for Tuples<O> {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let mut row = Row::new(row);
        match (self.decode)(&mut row) {
            Ok(value) => self.rows.push(value),
            Err(error) => {
                return Err(Error::decode(format!("column {} of the answer: {}", row.position(), error.message())));
            }
        }
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}
