//! Relations of a model, as its associated constants name them.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::aggregate::{self, Aggregate};
use super::condition::Condition;
use super::expr::Expr;
use super::expression::Expression;
use super::field::Field;
use super::filter::{Filter, FilterOf};
use super::order::OrderOf;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::model::{Cardinality, Link, Model, Route};
use crate::relation::eager::{Eager, Spec, With};
use crate::relation::related::RelatedRows;
use crate::value::Value;

/// A relation that leads to one row, or none.
#[derive(Clone, Copy, Debug)]
pub enum Single {}

/// A relation that leads to any number of rows.
#[derive(Clone, Copy, Debug)]
pub enum Plural {}

/// A relation of the model `M` that leads to rows of `T`: `Book::AUTHOR` to a [`Single`] one,
/// `Author::BOOKS` to [`Plural`] ones.
pub struct Relation<M, T, C> {
    source: Source,
    types: Types<M, T, C>,
}

/// The types that a relation is of, none of which it holds.
type Types<M, T, C> = PhantomData<fn() -> (M, T, C)>;

/// Where a relation's references are found.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A relation field of the model, by its index.
    Declared(u16),
    /// A relation field of the target, seen from its other end.
    InverseOf(u16),
    /// A field of the model and one of the target.
    Fields(u16, u16),
}

impl<M, T, C> Clone for Relation<M, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T, C> Copy for Relation<M, T, C> {}

impl<M, T, C> fmt::Debug for Relation<M, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relation({:?})", self.source)
    }
}

impl<M, T, C> Relation<M, T, C> {
    const fn from_source(source: Source) -> Self {
        Relation { source, types: PhantomData }
    }

    /// The relation at an index of the model's definition. `#[derive(Model)]` calls this.
    #[doc(hidden)]
    pub const fn new(index: u16) -> Self {
        Relation::from_source(Source::Declared(index))
    }
}

impl<M: Model, V: Value> Field<M, V> {
    /// The relation from this field to the rows of another model that have the same value in a
    /// field of theirs, which has to be unique: for models that have no relation field.
    ///
    /// ```ignore
    /// const AUTHOR: Relation<Book, Author, Single> = Book::AUTHOR_ID.leads_to(Author::ID);
    /// ```
    pub const fn leads_to<T: Model, W: Value<Plain = V::Plain>>(self, field: Field<T, W>) -> Relation<M, T, Single> {
        Relation::from_source(Source::Fields(self.index(), field.index()))
    }
}

impl<M: Model, T: Model, C: Count> Relation<M, T, C> {
    /// The relation from its other end: from a book's author to an author's books.
    pub const fn inverse(self) -> Relation<T, M, Plural> {
        Relation::from_source(match self.source {
            Source::Declared(index) => Source::InverseOf(index),
            Source::InverseOf(index) => Source::Declared(index),
            Source::Fields(own, other) => Source::Fields(other, own),
        })
    }

    /// The references behind the relation.
    pub(crate) fn route(self) -> Result<Arc<Route>> {
        match self.source {
            Source::Declared(index) => M::definition().routes()?.get(index).cloned().ok_or_else(unknown),
            Source::InverseOf(index) => {
                let route = T::definition().routes()?.get(index).ok_or_else(unknown)?;
                let (first, second) = match &route.second {
                    None => (route.first.reversed(), None),
                    Some(second) => (second.reversed(), Some(Arc::new(route.first.reversed()))),
                };
                Ok(Arc::new(Route {
                    name: format!("the inverse of {}", route.name).into(),
                    cardinality: C::CARDINALITY,
                    first: Arc::new(first),
                    second,
                }))
            }
            Source::Fields(own, other) => {
                let link = Link::new(M::definition(), T::definition(), [own], [other])?;
                Ok(Arc::new(Route {
                    name: M::definition().field_name(own).into(),
                    cardinality: C::CARDINALITY,
                    first: Arc::new(link),
                    second: None,
                }))
            }
        }
    }

    fn query(self) -> RelationQuery<M, T, C> {
        RelationQuery { relation: self, spec: Spec::default() }
    }

    /// Only related rows that pass a filter.
    pub fn filter(self, filter: impl FilterOf<T>) -> RelationQuery<M, T, C> {
        self.query().filter(filter)
    }

    /// The related rows of each owner in an order.
    pub fn order_by(self, order: impl OrderOf<T>) -> RelationQuery<M, T, C> {
        self.query().order_by(order)
    }

    /// At most a number of related rows for each owner.
    pub fn limit(self, rows: u64) -> RelationQuery<M, T, C> {
        self.query().limit(rows)
    }

    /// The related rows' own relations are loaded with them.
    pub fn with(self, relations: impl With<T>) -> RelationQuery<M, T, C> {
        self.query().with(relations)
    }

    /// Reads the related rows of some rows in one query, whether or not the model has a field for
    /// them.
    ///
    /// ```ignore
    /// let authors = Book::AUTHOR.of(&db, &books).await?;
    /// for (book, author) in books.iter().zip(authors.iter()) { .. }
    /// ```
    ///
    /// # Errors
    ///
    /// `Schema` if the relation leads nowhere, and the database's.
    pub async fn of(self, db: &Db, rows: &[M]) -> Result<RelatedRows<T, C>> {
        self.query().of(db, rows).await
    }
}

#[cold]
fn unknown() -> Error {
    Error::schema("the model has no such relation")
}

/// How many rows a relation leads to: [`Single`] or [`Plural`].
pub trait Count: 'static {
    #[doc(hidden)]
    const CARDINALITY: Cardinality;
}

impl Count for Single {
    const CARDINALITY: Cardinality = Cardinality::Optional;
}

impl Count for Plural {
    const CARDINALITY: Cardinality = Cardinality::Many;
}

/// A relation with a filter, an order or a limit of its own, or with what is loaded with its rows:
/// `Author::BOOKS.order_by(Book::YEAR.desc()).limit(3)`.
#[must_use = "a relation does nothing until it is given to a query"]
pub struct RelationQuery<M, T, C> {
    relation: Relation<M, T, C>,
    spec: Spec,
}

impl<M, T, C> Clone for RelationQuery<M, T, C> {
    fn clone(&self) -> Self {
        RelationQuery { relation: self.relation, spec: self.spec.clone() }
    }
}

impl<M, T, C> fmt::Debug for RelationQuery<M, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelationQuery").field("relation", &self.relation).field("spec", &self.spec).finish()
    }
}

impl<M: Model, T: Model, C: Count> RelationQuery<M, T, C> {
    /// Only related rows that pass another filter too.
    pub fn filter(mut self, filter: impl FilterOf<T>) -> Self {
        let condition = std::mem::replace(&mut self.spec.condition, Condition::Const(true));
        self.spec.condition = condition.and(filter.into_condition());
        self
    }

    /// The related rows of each owner in an order. A second call adds orders of less weight.
    pub fn order_by(mut self, order: impl OrderOf<T>) -> Self {
        self.spec.order_by.extend(order.into_order());
        self
    }

    /// At most a number of related rows for each owner.
    pub fn limit(mut self, rows: u64) -> Self {
        self.spec.limit = Some(rows);
        self
    }

    /// The related rows' own relations are loaded with them.
    pub fn with(mut self, relations: impl With<T>) -> Self {
        self.spec.with.extend(relations.eager());
        self
    }

    /// Reads the related rows of some rows in one query. See [`Relation::of`].
    ///
    /// # Errors
    ///
    /// Those of [`Relation::of`].
    pub async fn of(self, db: &Db, rows: &[M]) -> Result<RelatedRows<T, C>> {
        RelatedRows::load(db, &*self.relation.route()?, rows, &self.spec).await
    }
}

/// A field of `M`, or an expression over its fields.
#[diagnostic::on_unimplemented(
    message = "this is not a field or an expression of `{M}`",
    label = "`{Self}` where a field of `{M}` is wanted"
)]
pub trait ExpressionOf<M> {
    /// The type of its values.
    type Value: Value;

    /// The expression as data.
    #[doc(hidden)]
    fn into_data(self) -> Expr;
}

impl<M: Model, V: Value> ExpressionOf<M> for Field<M, V> {
    type Value = V;

    fn into_data(self) -> Expr {
        self.into_expr()
    }
}

impl<M: Model, V: Value> ExpressionOf<M> for Expression<M, V> {
    type Value = V;

    fn into_data(self) -> Expr {
        self.into_expr()
    }
}

impl<M: Model, T: Model> Relation<M, T, Single> {
    /// Whether there is a related row, and it passes a filter.
    pub fn has(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.query().exists(filter.into_condition())
    }

    /// A field of the related row, null where there is none: to compare, to order by, to select.
    ///
    /// ```ignore
    /// db.find(Book::all()).order_by(Book::AUTHOR.at(Author::NAME).asc())
    /// ```
    pub fn at<E: ExpressionOf<T>>(self, of: E) -> Expression<M, Option<<E::Value as Value>::Plain>> {
        Expression::new(self.query().value(of.into_data()))
    }
}

impl<M: Model, T: Model> Relation<M, T, Plural> {
    /// Whether a related row passes a filter.
    pub fn any(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.query().any(filter)
    }

    /// Whether no related row passes a filter; true where there are none.
    pub fn none(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.query().none(filter)
    }

    /// Whether all related rows pass a filter; true where there are none. A row for which the filter
    /// is unknown does not pass.
    pub fn all(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.query().all(filter)
    }

    /// How many related rows there are.
    pub fn count(self) -> Expression<M, i64> {
        self.query().count()
    }

    /// An aggregate over the related rows: `Author::BOOKS.aggregate(Book::PRICE.max())`.
    pub fn aggregate<G, W: Value>(self, aggregate: Aggregate<T, G, W>) -> Expression<M, W> {
        self.query().aggregate(aggregate)
    }
}

impl<M: Model, T: Model> RelationQuery<M, T, Single> {
    /// Whether there is a related row, and it passes the filters.
    pub fn has(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.exists(filter.into_condition())
    }
}

/// The relation's own filter counts in these; an order and a limit do not.
impl<M: Model, T: Model> RelationQuery<M, T, Plural> {
    /// Whether a related row passes the filters.
    pub fn any(self, filter: impl FilterOf<T>) -> Filter<M> {
        self.exists(filter.into_condition())
    }

    /// Whether no related row passes the filters.
    pub fn none(self, filter: impl FilterOf<T>) -> Filter<M> {
        !self.exists(filter.into_condition())
    }

    /// Whether all related rows that pass the relation's own filter pass another.
    pub fn all(self, filter: impl FilterOf<T>) -> Filter<M> {
        let fails = Condition::IsTrue { condition: Box::new(filter.into_condition()), negated: true };
        !self.exists(fails)
    }

    /// How many related rows pass the filter.
    pub fn count(self) -> Expression<M, i64> {
        self.aggregate(aggregate::count())
    }

    /// An aggregate over the related rows that pass the filter.
    pub fn aggregate<G, W: Value>(self, aggregate: Aggregate<T, G, W>) -> Expression<M, W> {
        Expression::new(self.value(aggregate.into_expr()))
    }
}

impl<M: Model, T: Model, C: Count> RelationQuery<M, T, C> {
    /// The links of the relation; a query of one that leads nowhere is refused, and says why.
    fn links(&self) -> (Arc<Link>, Option<Arc<Link>>) {
        match self.relation.route() {
            Ok(route) => (Arc::clone(&route.first), route.second.clone()),
            Err(error) => (Arc::new(Link::broken(M::definition(), T::definition(), error.message())), None),
        }
    }

    fn exists(self, condition: Condition) -> Filter<M> {
        let (first, second) = self.links();
        let condition = self.spec.condition.and(condition);
        let condition = match second {
            Some(link) => Condition::Related { link, condition: Box::new(condition) },
            None => condition,
        };
        Filter::from_condition(Condition::Related { link: first, condition: Box::new(condition) })
    }

    /// A value of the related row, or an aggregate over the related rows.
    fn value(self, of: Expr) -> Expr {
        let (link, second) = self.links();
        let condition = Box::new(self.spec.condition);
        let Some(second) = second else { return Expr::Related { link, condition, of: Box::new(of) } };
        // over the rows of the link model, each of which leads to one row
        let of_target = |of: Expr| Expr::Related {
            link: Arc::clone(&second),
            condition: Box::new(Condition::Const(true)),
            of: Box::new(of),
        };
        let of = match of {
            Expr::Aggregate { function, of, distinct } => {
                Expr::Aggregate { function, of: of.map(|of| Box::new(of_target(*of))), distinct }
            }
            of => of_target(of),
        };
        let condition = Box::new(Condition::Related { link: Arc::clone(&second), condition });
        Expr::Related { link, condition, of: Box::new(of) }
    }
}

impl<M: Model, T: Model, C: Count> With<M> for Relation<M, T, C> {
    fn eager(self) -> Vec<Eager> {
        self.query().eager()
    }
}

impl<M: Model, T: Model, C: Count> With<M> for RelationQuery<M, T, C> {
    fn eager(self) -> Vec<Eager> {
        vec![match self.relation.source {
            Source::Declared(index) => Eager::new::<T>(index, self.spec),
            _ => Eager::without_field(),
        }]
    }
}
