//! What a statement asks of related rows.

use std::sync::Arc;

use super::condition::Condition;
use super::expr::Expr;
use super::statement::SelectStatement;
use crate::model::Link;

/// A part of a statement that is about the rows a link leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelatedNode<'a> {
    /// The way from the statement's model.
    pub link: &'a Arc<Link>,
    /// Which of the rows.
    pub condition: &'a Condition,
    /// What of them; whether there are any, where absent.
    pub of: Option<&'a Expr>,
}

impl Expr {
    /// Calls a function for every part that is about related rows, but not for those inside of
    /// another.
    pub fn each_related<'a>(&'a self, found: &mut impl FnMut(RelatedNode<'a>)) {
        match self {
            Expr::Field(_)
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::Inserted(_)
            | Expr::Joined { .. }
            | Expr::Aggregate { of: None, .. } => {}
            Expr::Arithmetic { left, right, .. } => {
                left.each_related(found);
                right.each_related(found);
            }
            Expr::DatePart { of, .. }
            | Expr::JsonPath { of, .. }
            | Expr::Length(of)
            | Expr::Aggregate { of: Some(of), .. } => of.each_related(found),
            Expr::Related { link, condition, of } => found(RelatedNode { link, condition, of: Some(of) }),
        }
    }

    /// Whether a part of the expression is about related or joined rows.
    pub fn is_across(&self) -> bool {
        match self {
            Expr::Joined { .. } | Expr::Related { .. } => true,
            Expr::Field(_)
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::Inserted(_)
            | Expr::Aggregate { of: None, .. } => false,
            Expr::Arithmetic { left, right, .. } => left.is_across() || right.is_across(),
            Expr::DatePart { of, .. }
            | Expr::JsonPath { of, .. }
            | Expr::Length(of)
            | Expr::Aggregate { of: Some(of), .. } => of.is_across(),
        }
    }
}

impl Condition {
    /// Calls a function for every part that is about related rows, but not for those inside of
    /// another.
    pub fn each_related<'a>(&'a self, found: &mut impl FnMut(RelatedNode<'a>)) {
        match self {
            Condition::Const(_) => {}
            Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| part.each_related(found)),
            Condition::Not(part) | Condition::IsTrue { condition: part, .. } => part.each_related(found),
            Condition::Related { link, condition } => found(RelatedNode { link, condition, of: None }),
            Condition::Compare { left, right, .. } => {
                left.each_related(found);
                right.each_related(found);
            }
            Condition::In { expr, list, .. } => {
                expr.each_related(found);
                if let super::InList::Values(values) = list {
                    values.iter().for_each(|value| value.each_related(found));
                }
            }
            Condition::IsNull { expr, .. } => expr.each_related(found),
            Condition::Text { expr, pattern, .. } => {
                expr.each_related(found);
                pattern.each_related(found);
            }
            Condition::List { expr, argument, .. } => {
                expr.each_related(found);
                argument.each_related(found);
            }
        }
    }

    /// Whether a part of the condition is about related or joined rows.
    pub fn is_across(&self) -> bool {
        let mut across = false;
        self.each_related(&mut |_| across = true);
        self.each_expr(&mut |expr| across |= expr.is_across());
        across
    }
}

impl SelectStatement {
    /// Calls a function for every part that is about related rows, but not for those inside of
    /// another.
    pub fn each_related<'a>(&'a self, found: &mut impl FnMut(RelatedNode<'a>)) {
        self.condition.each_related(found);
        let limited = self.limit_by().map_or(&[][..], |limit_by| &limit_by.by);
        let exprs = self.output.iter().chain(&self.group_by).chain(limited);
        exprs.chain(self.order_by.iter().map(|by| &by.expr)).for_each(|expr| expr.each_related(found));
        self.having.each_related(found);
    }
}
