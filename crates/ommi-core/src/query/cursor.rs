//! Keyset cursors: where a page of ordered rows ended.

use std::fmt;
use std::str::FromStr;

use super::condition::{Comparison, Condition};
use super::expr::Expr;
use super::order::{Direction, OrderBy};
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::value::{Cell, Datum, Json, ValueType, json, list};

/// The place of a row in an ordered query, from which the next page continues.
///
/// A cursor is made by [`Page::next`](crate::db::Page::next). Its text form (`Display`, `FromStr`)
/// can be handed to a client; it holds the values of the ordered fields in plain sight.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor(Json);

impl Cursor {
    /// The cursor of the values that a row has in the order's fields.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written down.
    pub fn of(values: &[Datum]) -> Result<Self> {
        let items = values.iter().map(|value| match value.cell() {
            Cell::Null => Ok(Json::Null),
            cell => {
                let mut text = String::new();
                list::element_text(cell, &mut text)?;
                json::parse(&text)
            }
        });
        Ok(Cursor(Json::Array(items.collect::<Result<_>>()?)))
    }

    /// The values of the order's fields.
    pub(crate) fn values(&self, types: &[ValueType]) -> Result<Vec<Datum>> {
        let wrong = || Error::query("the cursor does not belong to this query: it was made by one with another order");
        let items = self.0.as_array().filter(|items| items.len() == types.len()).ok_or_else(wrong)?;
        items
            .iter()
            .zip(types)
            .map(|(item, value_type)| match item {
                Json::Null => Ok(Datum::Null),
                item => {
                    list::with_element(item, value_type, |cell| Datum::decode(cell, value_type)).map_err(|_| wrong())
                }
            })
            .collect()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&list::hex(self.0.to_string().as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::query("the text is not a cursor");
        let bytes = list::unhex(text).map_err(|_| wrong())?;
        let document = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        Ok(Cursor(document))
    }
}

/// The condition that a row comes after another in an order.
pub(crate) fn after(model: &ModelDef, order: &[OrderBy], values: &[Datum]) -> Condition {
    let (Some((by, rest)), Some((value, values))) = (order.split_first(), values.split_first()) else {
        return Condition::Const(false);
    };
    let is_null = |negated| Condition::IsNull { expr: by.expr.clone(), negated };
    let compare =
        |operator| Condition::Compare { operator, left: by.expr.clone(), right: Expr::Literal(value.clone()) };
    let (beyond, at_least) = match by.direction {
        Direction::Ascending => (Comparison::Gt, Comparison::Ge),
        Direction::Descending => (Comparison::Lt, Comparison::Le),
    };
    let nullable = !matches!(by.expr, Expr::Field(field) if model.field(field).is_some_and(|field| !field.nullable));
    let nulls_follow = nullable && !by.nulls_first();
    let (later, same) = match value {
        Datum::Null if nulls_follow => (Condition::Const(false), is_null(false)),
        Datum::Null => (is_null(true), is_null(false)),
        _ if nulls_follow => (compare(beyond).or(is_null(false)), compare(Comparison::Eq)),
        _ => (compare(beyond), compare(Comparison::Eq)),
    };
    if rest.is_empty() {
        return later;
    }
    let later = later.or(same.and(after(model, rest, values)));
    match value.is_null() || nulls_follow {
        true => later,
        // says no more, but an index can begin there, which it cannot under `or`
        false => compare(at_least).and(later),
    }
}
