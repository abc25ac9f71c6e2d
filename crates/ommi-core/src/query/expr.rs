//! Expressions, as data.

use std::sync::Arc;

use super::condition::Condition;
use crate::model::{Link, ModelDef};
use crate::value::json::{JsonCast, PathStep};
use crate::value::{Datum, ValueType};

/// An arithmetic or bit operation.
///
/// Results are exact. One that is outside its type is a `Query` error; a division by zero gives
/// null; integer division truncates; a decimal quotient has 12 digits after the point, half even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ArithmeticOperator {
    /// Addition.
    Add,
    /// Subtraction.
    Subtract,
    /// Multiplication.
    Multiply,
    /// Division.
    Divide,
    /// Remainder of a truncating integer division.
    Remainder,
    /// Bits in both.
    BitAnd,
    /// Bits in either.
    BitOr,
    /// Bits in just one.
    BitXor,
    /// Bits moved up; by a negative count or one of at least the type's bits, a `Query` error.
    ShiftLeft,
    /// Bits moved down, the sign kept; by a negative count or one of at least the type's bits, a
    /// `Query` error.
    ShiftRight,
}

impl ArithmeticOperator {
    /// The operator's usual sign.
    pub fn sign(self) -> &'static str {
        match self {
            ArithmeticOperator::Add => "+",
            ArithmeticOperator::Subtract => "-",
            ArithmeticOperator::Multiply => "*",
            ArithmeticOperator::Divide => "/",
            ArithmeticOperator::Remainder => "%",
            ArithmeticOperator::BitAnd => "&",
            ArithmeticOperator::BitOr => "|",
            ArithmeticOperator::BitXor => "^",
            ArithmeticOperator::ShiftLeft => "<<",
            ArithmeticOperator::ShiftRight => ">>",
        }
    }
}

/// A part of a date or time; of an instant, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DatePart {
    /// The year, 1 to 9999.
    Year,
    /// The month, 1 to 12.
    Month,
    /// The day of the month, 1 to 31.
    Day,
    /// The day of the week, Monday 1 to Sunday 7.
    Weekday,
    /// The hour, 0 to 23.
    Hour,
    /// The minute, 0 to 59.
    Minute,
    /// The second without its fraction, 0 to 59.
    Second,
}

/// An aggregate function. Nulls are left out; over no values, all but `Count` are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AggregateFunction {
    /// How many values there are; without an expression, how many rows.
    Count,
    /// The exact sum; of integers, an `i64` or a `Query` error.
    Sum,
    /// The mean: of integers and decimals exact with 12 digits after the point, half even.
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
}

impl AggregateFunction {
    /// The function's name.
    pub fn name(self) -> &'static str {
        match self {
            AggregateFunction::Count => "count",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Avg => "avg",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
        }
    }
}

/// An expression over the fields of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A field of the model, by its index.
    Field(u16),
    /// A constant. A statement that is ready to be planned has none.
    Literal(Datum),
    /// A parameter of the statement, by its index.
    Parameter(u16),
    /// In the update of an upsert: the value that the row would have been inserted with.
    Inserted(u16),
    /// An operation on numbers.
    Arithmetic {
        /// The operation.
        operator: ArithmeticOperator,
        /// The first operand.
        left: Box<Expr>,
        /// The second operand.
        right: Box<Expr>,
        /// The type of the operands and of the result.
        value_type: ValueType,
    },
    /// A part of a date or time.
    DatePart {
        /// The part.
        part: DatePart,
        /// The date or time.
        of: Box<Expr>,
    },
    /// The value at a path into a JSON document; null where the path is missing.
    JsonPath {
        /// The document.
        of: Box<Expr>,
        /// The way into it.
        path: Vec<PathStep>,
        /// What the value is read as.
        cast: JsonCast,
    },
    /// The number of elements of a list.
    Length(Box<Expr>),
    /// An aggregate over the rows of a group.
    Aggregate {
        /// The function.
        function: AggregateFunction,
        /// What it is of; absent for a count of rows.
        of: Option<Box<Expr>>,
        /// Whether equal values count once.
        distinct: bool,
    },
    /// A field of the joined row; see [`Join::field`](super::Join::field).
    Joined {
        /// The place of the join in the select.
        join: u16,
        /// The field of the join's target.
        field: u16,
        /// The field's type.
        value_type: ValueType,
    },
    /// A value from the rows that a link leads to.
    Related {
        /// The way from this row's model.
        link: Arc<Link>,
        /// Which of the rows, as a condition over the link's target.
        condition: Box<Condition>,
        /// What of them, over the link's target. An aggregate is that of the rows: a count of none
        /// is 0, the others are null. Anything else is the value for the one row, null where there
        /// is none: the link must then be unique.
        of: Box<Expr>,
    },
}

impl Expr {
    /// The type of the expression's values; `None` for constants and parameters, which have that
    /// of what they are compared with.
    pub fn value_type(&self, model: &ModelDef) -> Option<ValueType> {
        Some(match self {
            Expr::Field(index) | Expr::Inserted(index) => model.field(*index)?.value_type.clone(),
            Expr::Literal(_) | Expr::Parameter(_) => return None,
            Expr::Arithmetic { value_type, .. } => value_type.clone(),
            Expr::DatePart { .. } | Expr::Length(_) => ValueType::I64,
            Expr::JsonPath { cast, .. } => match cast {
                JsonCast::Text => ValueType::Text,
                JsonCast::Int => ValueType::I64,
                JsonCast::Float => ValueType::F64,
                JsonCast::Bool => ValueType::Bool,
                JsonCast::Json => ValueType::Json,
            },
            Expr::Joined { value_type, .. } => value_type.clone(),
            Expr::Related { link, of, .. } => return of.value_type(link.target()),
            Expr::Aggregate { function, of, .. } => {
                let of = of.as_ref().and_then(|of| of.value_type(model));
                match (function, of) {
                    (AggregateFunction::Count, _) => ValueType::I64,
                    (AggregateFunction::Sum, Some(of)) if of.is_integer() => ValueType::I64,
                    (AggregateFunction::Sum | AggregateFunction::Avg, Some(of)) if of.is_float() => ValueType::F64,
                    (AggregateFunction::Sum | AggregateFunction::Avg, Some(_)) => ValueType::DECIMAL,
                    (AggregateFunction::Min | AggregateFunction::Max, of) => of?,
                    (_, None) => return None,
                }
            }
        })
    }

    /// Whether the expression has an aggregate in it. An aggregate of related rows is none: the row
    /// itself is not grouped.
    pub fn has_aggregate(&self) -> bool {
        match self {
            Expr::Aggregate { .. } => true,
            Expr::Field(_)
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::Inserted(_)
            | Expr::Joined { .. }
            | Expr::Related { .. } => false,
            Expr::Arithmetic { left, right, .. } => left.has_aggregate() || right.has_aggregate(),
            Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => of.has_aggregate(),
        }
    }

    /// Calls a function for every field of the model that the expression reads.
    pub fn each_field(&self, found: &mut impl FnMut(u16)) {
        match self {
            Expr::Field(index) => found(*index),
            Expr::Literal(_) | Expr::Parameter(_) | Expr::Inserted(_) | Expr::Joined { .. } => {}
            Expr::Related { link, .. } => link.from().iter().for_each(|field| found(*field)),
            Expr::Arithmetic { left, right, .. } => {
                left.each_field(found);
                right.each_field(found);
            }
            Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => of.each_field(found),
            Expr::Aggregate { of, .. } => {
                if let Some(of) = of {
                    of.each_field(found);
                }
            }
        }
    }
}

impl From<Datum> for Expr {
    fn from(value: Datum) -> Self {
        Expr::Literal(value)
    }
}
