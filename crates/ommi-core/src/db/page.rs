//! Pages of ordered rows.

use super::source::values_of;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::query::statement::SelectStatement;
use crate::query::{Condition, Cursor, Direction, Expr, OrderBy, cursor};

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

/// The order of a query with the key appended.
pub(super) fn keyset(select: &SelectStatement) -> Result<Vec<OrderBy>> {
    let model = &select.model;
    let wrong = |message: &str| Error::query(message.to_owned()).with_model(model.name());
    if model.key().is_empty() {
        return Err(wrong("pages by cursor need a key, which the model does not have"));
    }
    let mut order = select.order_by.clone();
    if order.iter().any(|by| !matches!(by.expr, Expr::Field(_))) {
        return Err(wrong("pages by cursor are ordered by fields, not by expressions: use `page`"));
    }
    for key in model.key() {
        if !order.iter().any(|by| by.expr == Expr::Field(*key)) {
            order.push(OrderBy { expr: Expr::Field(*key), direction: Direction::Ascending, nulls: None });
        }
    }
    Ok(order)
}

/// Leaves a statement the rows that come after the end of a page.
pub(super) fn continue_after(select: &mut SelectStatement, after: &Cursor) -> Result<()> {
    if select.is_grouped() || select.distinct {
        return Err(Error::query("a cursor continues rows, not groups or distinct values: use `offset`")
            .with_model(select.model.name()));
    }
    let order = keyset(select)?;
    let types: Vec<_> = order.iter().filter_map(|by| by.expr.value_type(&select.model)).collect();
    let rest = cursor::after(&select.model, &order, &after.values(&types)?);
    let condition = std::mem::replace(&mut select.condition, Condition::Const(true));
    select.condition = condition.and(rest);
    select.order_by = order;
    Ok(())
}
