//! An expression that is rendered already, with what a dialect wants to know of it.

use ommi_core::query::TextOperator;
use ommi_core::value::{Datum, ValueType};

use crate::slot::{Slot, prefix_end};
use crate::sql::{Precedence, Sql};

/// Where an operand's value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source<'a> {
    /// A column, in the form in which its type is stored.
    Field,
    /// A parameter, bound in the form in which its type is stored.
    Parameter(u16),
    /// A constant, written in the form in which its type is stored.
    Literal(&'a Datum),
    /// Anything else.
    Computed,
}

/// An expression that is rendered already, with what a dialect wants to know of it.
#[derive(Clone, Debug)]
pub struct Operand<'a> {
    /// The text.
    pub sql: Sql,
    /// The type of the values.
    pub value_type: ValueType,
    /// Whether a value may be null.
    pub nullable: bool,
    /// Where the value comes from.
    pub source: Source<'a>,
}

impl Operand<'_> {
    /// The text as the argument of a function.
    pub fn argument(&self) -> &str {
        self.sql.text()
    }

    /// The text as a side of a comparison.
    pub fn term(&self) -> String {
        self.sql.within(Precedence::Operator)
    }

    /// The text where nothing may bind more tightly than it does.
    pub fn primary(&self) -> String {
        self.sql.within(Precedence::Primary)
    }

    /// Whether the value is a column's.
    pub fn is_field(&self) -> bool {
        self.source == Source::Field
    }

    /// Whether the value is in the form in which its type is stored, so that equal values of one
    /// type have equal forms.
    pub fn is_stored_form(&self) -> bool {
        self.source != Source::Computed
    }

    /// The least text above all that begin with this one: a placeholder for a parameter, the text
    /// itself for a constant.
    pub fn prefix_end(&self) -> Option<PrefixEnd> {
        match self.source {
            Source::Parameter(index) => Some(PrefixEnd::Placeholder(Slot::PrefixEnd(index).mark())),
            Source::Literal(Datum::Text(text)) => Some(prefix_end(text).map_or(PrefixEnd::None, PrefixEnd::Text)),
            _ => None,
        }
    }

    /// The placeholder for a parameter's elements as a JSON array that an `IN` reads.
    pub fn list_json(&self) -> Option<String> {
        match self.source {
            Source::Parameter(index) => Some(Slot::ListJson(index).mark()),
            _ => None,
        }
    }

    /// The placeholder for a parameter's regular expression in its portable form.
    pub fn regex(&self) -> Option<String> {
        match self.source {
            Source::Parameter(index) => Some(Slot::Regex(index).mark()),
            _ => None,
        }
    }

    /// The placeholder for the pattern of `LIKE` that stands for a parameter's text under an
    /// operator that folds.
    pub fn folded(&self, operator: TextOperator) -> Option<String> {
        match self.source {
            Source::Parameter(index) => Some(Slot::Folded(operator, index).mark()),
            _ => None,
        }
    }
}

/// The least text above all that begin with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixEnd {
    /// A placeholder that is bound to it.
    Placeholder(String),
    /// The text.
    Text(String),
    /// There is none.
    None,
}
