//! Pages of ordered rows.

use super::source::values_of;
use crate::error::Result;
use crate::model::Model;
use crate::query::{Cursor, Expr, OrderBy};

/// A page of rows, and where the next begins.
#[derive(Clone, Debug)]
pub struct Page<M> {
    /// The rows.
    pub rows: Vec<M>,
    next: Option<Cursor>,
}

impl<M: Model> Page<M> {
    pub(super) fn new(rows: Vec<M>, more: bool, order: &[OrderBy]) -> Result<Self> {
        let next = match rows.last() {
            Some(last) if more => {
                let fields = order.iter().filter_map(|by| match by.expr {
                    Expr::Field(field) => Some(field),
                    _ => None,
                });
                Some(Cursor::of(&values_of(last, &fields.collect::<Vec<_>>())?)?)
            }
            _ => None,
        };
        Ok(Page { rows, next })
    }

    /// The cursor of the next page, for [`Query::after`](super::Query::after); `None` on the last.
    pub fn next(&self) -> Option<Cursor> {
        self.next.clone()
    }
}
