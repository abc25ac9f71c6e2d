//! Statements with their parameters' values in place.

use crate::query::{Condition, Expr, InList};
use crate::value::Datum;

/// An expression with the values of its parameters in place.
pub(super) fn in_expr(expr: &Expr, parameters: &[Datum]) -> Expr {
    let recurse = |expr: &Expr| Box::new(in_expr(expr, parameters));
    match expr {
        Expr::Parameter(index) => match parameters.get(usize::from(*index)) {
            Some(value) => Expr::Literal(value.clone()),
            None => expr.clone(),
        },
        Expr::Field(_) | Expr::Literal(_) | Expr::Inserted(_) | Expr::Joined { .. } => expr.clone(),
        Expr::Arithmetic { operator, left, right, value_type } => Expr::Arithmetic {
            operator: *operator,
            left: recurse(left),
            right: recurse(right),
            value_type: value_type.clone(),
        },
        Expr::DatePart { part, of } => Expr::DatePart { part: *part, of: recurse(of) },
        Expr::JsonPath { of, path, cast } => Expr::JsonPath { of: recurse(of), path: path.clone(), cast: *cast },
        Expr::Length(of) => Expr::Length(recurse(of)),
        Expr::Aggregate { function, of, distinct } => {
            Expr::Aggregate { function: *function, of: of.as_deref().map(recurse), distinct: *distinct }
        }
        Expr::Related { link, condition, of } => Expr::Related {
            link: link.clone(),
            condition: Box::new(in_condition(condition, parameters)),
            of: recurse(of),
        },
    }
}

/// A condition with the values of its parameters in place.
pub(super) fn in_condition(condition: &Condition, parameters: &[Datum]) -> Condition {
    let of = |expr: &Expr| in_expr(expr, parameters);
    let boxed = |part: &Condition| Box::new(in_condition(part, parameters));
    let each = |parts: &[Condition]| parts.iter().map(|part| in_condition(part, parameters)).collect();
    match condition {
        Condition::Const(value) => Condition::Const(*value),
        Condition::Compare { operator, left, right } => {
            Condition::Compare { operator: *operator, left: of(left), right: of(right) }
        }
        Condition::In { expr, list, negated } => Condition::In {
            expr: of(expr),
            list: match list {
                InList::Values(values) => InList::Values(values.iter().map(of).collect()),
                InList::Whole(list) => InList::Whole(of(list)),
            },
            negated: *negated,
        },
        Condition::IsNull { expr, negated } => Condition::IsNull { expr: of(expr), negated: *negated },
        Condition::Text { operator, expr, pattern, negated } => {
            Condition::Text { operator: *operator, expr: of(expr), pattern: of(pattern), negated: *negated }
        }
        Condition::List { operator, expr, argument, negated } => {
            Condition::List { operator: *operator, expr: of(expr), argument: of(argument), negated: *negated }
        }
        Condition::And(parts) => Condition::And(each(parts)),
        Condition::Or(parts) => Condition::Or(each(parts)),
        Condition::Not(part) => Condition::Not(boxed(part)),
        Condition::IsTrue { condition, negated } => {
            Condition::IsTrue { condition: boxed(condition), negated: *negated }
        }
        Condition::Related { link, condition } => {
            Condition::Related { link: link.clone(), condition: boxed(condition) }
        }
    }
}
