//! The rarer parts of a select: joins, and limits of groups of rows.

use std::sync::Arc;

use super::expr::Expr;
use crate::model::Link;
use crate::value::ValueType;

/// The rows of another model beside those of a select's: each pair of rows that the link leads to is
/// a row of the select. A row that finds none is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The way from the select's model.
    pub link: Arc<Link>,
}

impl Join {
    /// A field of the joined rows, as an expression of the select in which the join has this place.
    pub fn field(&self, place: u16, field: u16) -> Expr {
        let value_type = self.link.target().field(field).map_or(ValueType::Text, |field| field.value_type.clone());
        Expr::Joined { join: place, field, value_type }
    }
}

/// At most a number of rows of each group of rows that have equal values, the first ones of the
/// select's order. It works on the rows that pass the condition, before the select's own limit.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitBy {
    /// What rows of a group have in common; nulls are equal to each other here.
    pub by: Vec<Expr>,
    /// How many rows of a group there are at most.
    pub limit: Expr,
    /// How many rows of a group are left out before the first.
    pub offset: Option<Expr>,
}

/// The rarer parts of a select, which most do without.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extras {
    /// The rows of other models beside those of the select's.
    pub joins: Vec<Join>,
    /// A limit of groups of rows.
    pub limit_by: Option<LimitBy>,
}
