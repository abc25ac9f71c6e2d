//! Queries of whole models.

use std::marker::PhantomData;
use std::sync::Arc;

use super::page::{continue_after, keyset};
use super::sink::{All, First, Whole};
use super::stream::{DEFAULT_BATCH, Rows};
use super::{Db, Grouped, Page, Selected, Update, no_row, several_rows};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::plan::Explanation;
use crate::query::statement::{DeleteStatement, SelectStatement, Statement};
use crate::query::{AssignmentOf, Condition, Cursor, Expr, FilterOf, OrderOf, Select};
use crate::relation::eager::{Eager, With, load_all};
use crate::relation::group::Group;
use crate::value::Datum;

/// A query of rows of `M`, which does nothing until one of its ends is awaited: `all`, `one`,
/// `first`, `optional`, `exists`, `count`, `stream`, `update`, `delete`.
///
/// Without `order_by` the order is unspecified, and so is which rows a `limit` keeps.
#[must_use = "a query does nothing until one of its ends is awaited, such as `all().await`"]
#[derive(Clone, Debug)]
pub struct Query<M> {
    pub(super) db: Db,
    pub(super) select: SelectStatement,
    after: Option<Cursor>,
    with: Vec<Eager>,
    model: PhantomData<fn() -> M>,
}

fn number(value: u64) -> Expr {
    Expr::Literal(Datum::Int(i64::try_from(value).unwrap_or(i64::MAX)))
}

impl<M: Model> Query<M> {
    #[inline]
    pub(super) fn new(db: Db, condition: Condition) -> Self {
        let select = SelectStatement::new(M::definition().clone(), condition);
        Query { db, select, after: None, with: Vec::new(), model: PhantomData }
    }

    /// Only rows that pass another filter too.
    pub fn filter(mut self, filter: impl FilterOf<M>) -> Self {
        self.select.condition = self.select.condition.and(filter.into_condition());
        self
    }

    /// In an order: `.order_by((User::NAME.asc(), User::AGE.desc()))`. A second call adds orders of
    /// less weight.
    pub fn order_by(mut self, order: impl OrderOf<M>) -> Self {
        self.select.order_by.extend(order.into_order());
        self
    }

    /// At most a number of rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.select.limit = Some(number(rows));
        self
    }

    /// Without the first rows.
    pub fn offset(mut self, rows: u64) -> Self {
        self.select.offset = Some(number(rows));
        self
    }

    /// A page of a number of rows; the first page is 0. Deep pages cost as many rows as they leave
    /// out: [`Query::after`] does not.
    pub fn page(self, page: u64, rows: u64) -> Self {
        self.limit(rows).offset(page.saturating_mul(rows))
    }

    /// Only rows that come after the end of an earlier page of the same order; with `None`, from
    /// the start. See [`Query::fetch_page`].
    pub fn after(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Loads relations of the rows with them: `.with(Author::BOOKS.with(Book::TAGS))`. Each takes one
    /// query, whatever the number of rows.
    pub fn with(mut self, relations: impl With<M>) -> Self {
        self.with.extend(relations.eager());
        self
    }

    /// Refuses the query where the driver cannot answer it by itself.
    pub fn strict(mut self) -> Self {
        self.db.strict = true;
        self
    }

    /// Begins groups: `.group_by(Book::AUTHOR_ID).select((Book::AUTHOR_ID, count()))`.
    pub fn group_by<G: Select<M, crate::query::Groups>>(mut self, by: G) -> Grouped<M> {
        by.expressions(&mut self.select.group_by);
        Grouped::new(self)
    }

    /// Fields and expressions in place of whole models.
    pub fn select<S: Select<M, crate::query::Rows>>(mut self, what: S) -> Selected<M, S::Out> {
        what.expressions(&mut self.select.output);
        Selected::new(self, S::decode)
    }

    /// The statement, with what cursors add.
    pub(super) fn finish(mut self) -> Result<(Db, SelectStatement)> {
        if let Some(after) = self.after.take() {
            continue_after(&mut self.select, &after)?;
        }
        Ok((self.db, self.select))
    }

    /// All rows.
    ///
    /// # Errors
    ///
    /// `Query` for a value that no database may be given, `Decode` if a stored value does not fit
    /// its field, and the database's.
    pub async fn all(mut self) -> Result<Vec<M>> {
        let with = std::mem::take(&mut self.with);
        let (db, select) = self.finish()?;
        let sink = All::<Whole<M>>::new(&db);
        let (rows, group) = db.select(M::definition(), select, sink, "find").await?.finish();
        load_with(group, &with).await?;
        Ok(rows)
    }

    /// The first of at most two rows, and whether there was another.
    async fn two(mut self) -> Result<(Option<M>, bool)> {
        let with = std::mem::take(&mut self.with);
        if self.select.limit.is_none() && !is_by_key::<M>(&self.select.condition) {
            self.select.limit = Some(number(2));
        }
        let (db, select) = self.finish()?;
        let sink = First::<Whole<M>>::new(&db);
        let sink = db.select(M::definition(), select, sink, "find").await?;
        let several = sink.several;
        let (first, group) = sink.finish();
        if !several {
            load_with(group, &with).await?;
        }
        Ok((first, several))
    }

    /// The only row.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, `NotUnique` if there are several, and those of
    /// [`Query::all`].
    pub async fn one(self) -> Result<M> {
        match self.two().await? {
            (Some(_), true) => Err(several_rows::<M>()),
            (Some(row), false) => Ok(row),
            (None, _) => Err(no_row::<M>()),
        }
    }

    /// The only row, or `None`.
    ///
    /// # Errors
    ///
    /// `NotUnique` if there are several, and those of [`Query::all`].
    pub async fn optional(self) -> Result<Option<M>> {
        match self.two().await? {
            (_, true) => Err(several_rows::<M>()),
            (row, false) => Ok(row),
        }
    }

    /// The first row of the order, or `None`.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`].
    pub async fn first(mut self) -> Result<Option<M>> {
        let with = std::mem::take(&mut self.with);
        let (db, mut select) = self.finish()?;
        select.limit_to_one();
        let sink = First::<Whole<M>>::new(&db);
        let (first, group) = db.select(M::definition(), select, sink, "find").await?.finish();
        load_with(group, &with).await?;
        Ok(first)
    }

    /// Whether there is a row. A limit and an offset count.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`].
    pub async fn exists(self) -> Result<bool> {
        let (db, mut select) = self.finish()?;
        select.limit_to_one();
        select.order_by.clear();
        // one field is enough, and a key is short
        let field = M::definition().key().first().copied().unwrap_or_default();
        select.output = vec![Expr::Field(field)];
        Ok(!db.select_untyped(select, "exists").await?.is_empty())
    }

    /// How many rows there are. A limit and an offset count.
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`].
    pub async fn count(self) -> Result<u64> {
        let (db, select) = self.finish()?;
        db.count_rows(select).await
    }

    /// The rows as a stream, read in batches: memory does not grow with their number, unless the
    /// engine has to order them for the driver.
    ///
    /// ```ignore
    /// let mut users = db.find(User::all()).stream().await?;
    /// while let Some(user) = users.next().await? { .. }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Query::all`].
    pub async fn stream(mut self) -> Result<Rows<M>> {
        let with = std::mem::take(&mut self.with);
        let (db, select) = self.finish()?;
        db.stream_rows::<Whole<M>>(select, DEFAULT_BATCH, with).await
    }

    /// A page of ordered rows with the cursor of the next: `.limit(20).after(cursor).fetch_page()`.
    /// The key is appended to the order, so that rows that tie in it are neither lost nor doubled.
    ///
    /// # Errors
    ///
    /// `Query` without a limit, for a model without a key, for an order by expressions, or for a
    /// cursor of another order; and those of [`Query::all`].
    pub async fn fetch_page(mut self) -> Result<Page<M>> {
        let Some(Expr::Literal(Datum::Int(limit))) = self.select.limit else {
            return Err(
                Error::query("a page needs a limit: `.limit(20).fetch_page()`").with_model(M::definition().name())
            );
        };
        let order = keyset(&self.select)?;
        self.select.order_by.clone_from(&order);
        self.select.limit = Some(Expr::Literal(Datum::Int(limit.saturating_add(1))));
        let mut rows = self.all().await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Page::new(rows, more, &order)
    }

    /// Updates the rows: `.update((Book::PRICE.set(9), Book::SOLD.set(Book::SOLD + 1)))`. Awaited,
    /// it gives how many rows matched.
    pub fn update(self, assignments: impl AssignmentOf<M>) -> Update<M> {
        Update::new(self, assignments.into_assignments())
    }

    /// Deletes the rows, and gives how many there were.
    ///
    /// # Errors
    ///
    /// `Query` with an order, a limit or an offset, which databases do not agree on;
    /// `Constraint` if a row is still referenced; and the database's.
    pub async fn delete(self) -> Result<u64> {
        let (db, condition) = self.into_write("delete");
        let statement = DeleteStatement { model: M::definition().clone(), condition: condition? };
        db.write(M::definition(), Statement::Delete(statement), "delete").await
    }

    /// The database and the condition of a write of the rows.
    pub(super) fn into_write(mut self, operation: &'static str) -> (Db, Result<Condition>) {
        let continued = self.after.take().map_or(Ok(()), |after| continue_after(&mut self.select, &after));
        let condition = continued.and_then(|()| self.select.check_write(operation)).map(|()| self.select.condition);
        (self.db, condition)
    }

    /// How the query is answered: what the driver runs, what the engine completes, and the
    /// database's own plan where it has one.
    ///
    /// # Errors
    ///
    /// Those of planning, and the database's.
    pub async fn explain(self) -> Result<Explanation> {
        let (db, select) = self.finish()?;
        db.explain(Statement::Select(select)).await
    }
}

/// Loads relations with the rows of a result.
async fn load_with(group: Option<Arc<Group>>, with: &[Eager]) -> Result<()> {
    match group {
        Some(group) if !with.is_empty() => Box::pin(load_all(&group, with)).await,
        _ => Ok(()),
    }
}

/// Whether a condition is no more than equality on all fields of the key.
fn is_by_key<M: Model>(condition: &Condition) -> bool {
    let key = M::definition().key();
    match (condition, key) {
        (
            Condition::Compare {
                operator: crate::query::Comparison::Eq,
                left: Expr::Field(field),
                right: Expr::Literal(_),
            },
            [key],
        ) => field == key,
        _ => false,
    }
}
