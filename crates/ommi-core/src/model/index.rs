//! Unique groups, indexes and checks.

use crate::query::{Condition, Direction};

/// An index over one or several fields, unique or not.
#[derive(Clone, Debug)]
pub struct IndexDef {
    /// The stored name; made from the table's and the fields' names where none is given.
    pub name: Option<Box<str>>,
    /// The fields, each ascending or descending.
    pub fields: Vec<(u16, Direction)>,
    /// Whether no two rows may agree in all fields. Rows with a null in one of them never collide.
    pub unique: bool,
    /// The rows that belong to the index; all, where absent.
    pub condition: Option<Condition>,
}

impl IndexDef {
    /// An index over fields, ascending.
    pub fn new(fields: impl IntoIterator<Item = u16>) -> Self {
        IndexDef {
            name: None,
            fields: fields.into_iter().map(|field| (field, Direction::Ascending)).collect(),
            unique: false,
            condition: None,
        }
    }

    /// A unique group.
    pub fn unique(fields: impl IntoIterator<Item = u16>) -> Self {
        IndexDef { unique: true, ..IndexDef::new(fields) }
    }

    /// Whether the index is over just these fields, in any order, and over all rows.
    pub fn covers(&self, fields: &[u16]) -> bool {
        self.condition.is_none()
            && self.fields.len() == fields.len()
            && self.fields.iter().all(|(field, _)| fields.contains(field))
    }
}

/// A rule that every row keeps: a row where the condition is false is refused.
#[derive(Clone, Debug)]
pub struct CheckDef {
    /// The stored name.
    pub name: Box<str>,
    /// The rule; unknown (a comparison with null) passes, as in SQL.
    pub condition: Condition,
}
