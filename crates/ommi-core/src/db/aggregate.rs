//! Aggregates over all rows of a query.

use super::find::Query;
use super::selected::Tuples;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::query::{Select, Whole};

impl<M: Model> Query<M> {
    /// Aggregates over all rows: `.aggregate((count(), Book::PRICE.avg()))`. Over no rows, all but
    /// counts are `None`.
    ///
    /// # Errors
    ///
    /// `Query` with an order, a limit, an offset or a cursor, or for a sum outside its type; and the
    /// database's.
    pub async fn aggregate<S: Select<M, Whole>>(mut self, what: S) -> Result<S::Out> {
        if self.select.limit.is_some() || self.select.offset.is_some() || !self.select.order_by.is_empty() {
            return Err(Error::query("`aggregate` takes all rows of the filter: no order, limit or offset")
                .with_model(M::definition().name()));
        }
        what.expressions(&mut self.select.output);
        let (db, select) = self.finish()?;
        let sink = Tuples { rows: Vec::new(), decode: S::decode };
        let mut answer = db.select(M::definition(), select, sink, "aggregate").await?.rows;
        answer.pop().ok_or_else(|| Error::decode("the aggregates gave no row: a fault of the driver"))
    }
}
