//! Conditions, as data: the filter language in three-valued logic.

use std::sync::Arc;

use super::expr::Expr;
use crate::model::Link;
use crate::value::Datum;

/// A comparison. With null on either side it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

impl Comparison {
    /// The comparison's sign in SQL.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Ne => "<>",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        }
    }

    /// The comparison that holds when the sides change places.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Lt => Comparison::Gt,
            Comparison::Le => Comparison::Ge,
            Comparison::Gt => Comparison::Lt,
            Comparison::Ge => Comparison::Le,
            same => same,
        }
    }
}

/// A test of a text. The forms that begin with `I` fold both sides by Unicode simple folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TextOperator {
    /// The text has the argument in it.
    Contains,
    /// The text begins with the argument.
    StartsWith,
    /// The text ends with the argument.
    EndsWith,
    /// The whole text matches a pattern of `%` (any characters) and `_` (one character); `\`
    /// escapes.
    Like,
    /// A match of the regular expression is in the text.
    Regex,
    /// `Contains`, folded.
    IContains,
    /// `StartsWith`, folded.
    IStartsWith,
    /// `EndsWith`, folded.
    IEndsWith,
    /// `Like`, folded.
    ILike,
    /// The texts are the same, folded.
    IEq,
}

impl TextOperator {
    /// Whether both sides are folded.
    pub fn is_folded(self) -> bool {
        matches!(
            self,
            TextOperator::IContains
                | TextOperator::IStartsWith
                | TextOperator::IEndsWith
                | TextOperator::ILike
                | TextOperator::IEq
        )
    }

    /// The operator's name.
    pub fn name(self) -> &'static str {
        match self {
            TextOperator::Contains => "contains",
            TextOperator::StartsWith => "starts_with",
            TextOperator::EndsWith => "ends_with",
            TextOperator::Like => "like",
            TextOperator::Regex => "regex",
            TextOperator::IContains => "icontains",
            TextOperator::IStartsWith => "istarts_with",
            TextOperator::IEndsWith => "iends_with",
            TextOperator::ILike => "ilike",
            TextOperator::IEq => "ieq",
        }
    }
}

/// A test of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ListOperator {
    /// The argument, a scalar, is an element.
    Contains,
    /// The argument, a list, shares an element with the list.
    Overlaps,
}

/// The values that `in` compares with.
#[derive(Clone, Debug, PartialEq)]
pub enum InList {
    /// A few values, each its own parameter: their number is part of the query's shape.
    Values(Vec<Expr>),
    /// Any number of values as one list: `Literal(List)` or its parameter.
    Whole(Expr),
}

/// The longest `in` list whose values are parameters of their own.
pub const SHORT_LIST: usize = 8;

/// A condition on a row: true, false or unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Always true, or always false.
    Const(bool),
    /// A comparison.
    Compare {
        /// Which.
        operator: Comparison,
        /// The left side.
        left: Expr,
        /// The right side.
        right: Expr,
    },
    /// The value is one of a list, which holds no null and is not empty; unknown for null.
    In {
        /// The value.
        expr: Expr,
        /// The list.
        list: InList,
        /// Whether the value must not be in the list.
        negated: bool,
    },
    /// The value is null. Never unknown.
    IsNull {
        /// The value.
        expr: Expr,
        /// Whether the value must not be null.
        negated: bool,
    },
    /// A test of a text; unknown for null.
    Text {
        /// Which.
        operator: TextOperator,
        /// The text.
        expr: Expr,
        /// The argument.
        pattern: Expr,
        /// Whether the test must fail.
        negated: bool,
    },
    /// A test of a list; unknown for null.
    List {
        /// Which.
        operator: ListOperator,
        /// The list.
        expr: Expr,
        /// The argument.
        argument: Expr,
        /// Whether the test must fail.
        negated: bool,
    },
    /// All hold. Empty, it is true.
    And(Vec<Condition>),
    /// At least one holds. Empty, it is false.
    Or(Vec<Condition>),
    /// The condition does not hold; unknown stays unknown.
    Not(Box<Condition>),
    /// The condition holds, and is neither false nor unknown. Never unknown itself.
    IsTrue {
        /// The condition.
        condition: Box<Condition>,
        /// Whether it must not hold, but be false or unknown.
        negated: bool,
    },
    /// There is a row that the link leads to and for which a condition over its model holds. Never
    /// unknown.
    Related {
        /// The way from this row's model.
        link: Arc<Link>,
        /// The condition on the rows of the link's target, which names its fields.
        condition: Box<Condition>,
    },
}

impl Condition {
    /// A comparison of two expressions. With the constant null, `eq` means is null, `ne` is not
    /// null, and the others are unknown for every row: they match nothing.
    pub fn compare(left: Expr, operator: Comparison, right: Expr) -> Condition {
        match (operator, right) {
            (Comparison::Eq, Expr::Literal(Datum::Null)) => Condition::IsNull { expr: left, negated: false },
            (Comparison::Ne, Expr::Literal(Datum::Null)) => Condition::IsNull { expr: left, negated: true },
            (operator, right) => Condition::Compare { operator, left, right },
        }
    }

    /// The value is one of some; null among them means is null, none of them matches nothing.
    pub fn is_in(expr: Expr, values: impl IntoIterator<Item = Expr>) -> Condition {
        let mut members = Members::of(values);
        let mut any = members.list(&expr, false);
        if members.null {
            any = any.or(Condition::IsNull { expr: expr.clone(), negated: false });
        }
        members.computed.into_iter().fold(any, |any, value| {
            any.or(Condition::Compare { operator: Comparison::Eq, left: expr.clone(), right: value })
        })
    }

    /// The value is none of some; null among them means is not null, none of them matches all.
    pub fn is_not_in(expr: Expr, values: impl IntoIterator<Item = Expr>) -> Condition {
        let mut members = Members::of(values);
        let mut all = members.list(&expr, true);
        if members.null {
            all = all.and(Condition::IsNull { expr: expr.clone(), negated: true });
        }
        members.computed.into_iter().fold(all, |all, value| {
            all.and(Condition::Compare { operator: Comparison::Ne, left: expr.clone(), right: value })
        })
    }

    /// Both hold.
    pub fn and(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Const(true), other) => other,
            (this, Condition::Const(true)) => this,
            (Condition::And(mut all), Condition::And(more)) => {
                all.extend(more);
                Condition::And(all)
            }
            (Condition::And(mut all), other) => {
                all.push(other);
                Condition::And(all)
            }
            (this, Condition::And(mut all)) => {
                all.insert(0, this);
                Condition::And(all)
            }
            (this, other) => Condition::And(vec![this, other]),
        }
    }

    /// At least one holds.
    pub fn or(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Const(false), other) => other,
            (this, Condition::Const(false)) => this,
            (Condition::Or(mut any), Condition::Or(more)) => {
                any.extend(more);
                Condition::Or(any)
            }
            (Condition::Or(mut any), other) => {
                any.push(other);
                Condition::Or(any)
            }
            (this, Condition::Or(mut any)) => {
                any.insert(0, this);
                Condition::Or(any)
            }
            (this, other) => Condition::Or(vec![this, other]),
        }
    }

    /// The condition does not hold.
    pub fn negate(self) -> Condition {
        match self {
            Condition::Const(value) => Condition::Const(!value),
            Condition::Not(condition) => *condition,
            Condition::IsTrue { condition, negated } => Condition::IsTrue { condition, negated: !negated },
            Condition::IsNull { expr, negated } => Condition::IsNull { expr, negated: !negated },
            Condition::In { expr, list, negated } => Condition::In { expr, list, negated: !negated },
            Condition::Text { operator, expr, pattern, negated } => {
                Condition::Text { operator, expr, pattern, negated: !negated }
            }
            Condition::List { operator, expr, argument, negated } => {
                Condition::List { operator, expr, argument, negated: !negated }
            }
            other => Condition::Not(Box::new(other)),
        }
    }

    /// Calls a function for every expression directly in the condition. What is asked of related
    /// rows is not: it is about another model.
    pub fn each_expr(&self, found: &mut impl FnMut(&Expr)) {
        match self {
            Condition::Const(_) | Condition::Related { .. } => {}
            Condition::Compare { left, right, .. } => {
                found(left);
                found(right);
            }
            Condition::In { expr, list, .. } => {
                found(expr);
                match list {
                    InList::Values(values) => values.iter().for_each(found),
                    InList::Whole(list) => found(list),
                }
            }
            Condition::IsNull { expr, .. } => found(expr),
            Condition::Text { expr, pattern, .. } => {
                found(expr);
                found(pattern);
            }
            Condition::List { expr, argument, .. } => {
                found(expr);
                found(argument);
            }
            Condition::And(all) => all.iter().for_each(|part| part.each_expr(found)),
            Condition::Or(any) => any.iter().for_each(|part| part.each_expr(found)),
            Condition::Not(condition) | Condition::IsTrue { condition, .. } => condition.each_expr(found),
        }
    }
}

/// The members of an `in` list, by what each means.
struct Members {
    constants: Vec<Datum>,
    computed: Vec<Expr>,
    null: bool,
}

impl Members {
    fn of(values: impl IntoIterator<Item = Expr>) -> Self {
        let mut members = Members { constants: Vec::new(), computed: Vec::new(), null: false };
        for value in values {
            match value {
                Expr::Literal(Datum::Null) => members.null = true,
                Expr::Literal(value) => members.constants.push(value),
                other => members.computed.push(other),
            }
        }
        members
    }

    fn list(&mut self, expr: &Expr, negated: bool) -> Condition {
        if self.constants.is_empty() {
            return Condition::Const(negated);
        }
        let constants = std::mem::take(&mut self.constants);
        let list = match constants.len() <= SHORT_LIST {
            true => InList::Values(constants.into_iter().map(Expr::Literal).collect()),
            false => InList::Whole(Expr::Literal(Datum::List(constants))),
        };
        Condition::In { expr: expr.clone(), list, negated }
    }
}
