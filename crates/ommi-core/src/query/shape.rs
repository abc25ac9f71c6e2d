//! The shape of a statement: all of it but its constants, which become parameters.
//!
//! Statements of one shape share a plan, so the shape is compared byte by byte and never by its
//! hash alone.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::condition::{Condition, InList, TextOperator};
use super::expr::Expr;
use super::extras::Extras;
use super::order::OrderBy;
use super::pattern::{LikePattern, RegexPattern};
use super::statement::{OnConflict, SelectStatement, Statement};
use crate::error::{Error, Result};
use crate::model::Link;
use crate::value::json::{JsonCast, PathStep};
use crate::value::{Datum, ValueType, check};

/// The values of a statement's parameters, in the order of their indexes.
pub type Parameters = SmallVec<[Datum; 4]>;

/// The shape of a statement, as bytes that no other shape has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(SmallVec<[u8; 48]>);

impl Hash for Shape {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// Takes the constants out of a statement: they become parameters, numbered in the order in which
/// they stand.
///
/// # Errors
///
/// `Query` for a constant that no database may be given, and for a pattern that is not one.
#[inline]
pub fn take(statement: &mut Statement) -> Result<(Shape, Parameters)> {
    let mut taker = Taker { shape: SmallVec::new(), parameters: Parameters::new(), shared: Vec::new() };
    taker.statement(statement)?;
    Ok((Shape(taker.shape), taker.parameters))
}

struct Taker {
    shape: SmallVec<[u8; 48]>,
    parameters: Parameters,
    /// Expressions with constants that may be named again, as they were and as they are now.
    shared: Vec<(Expr, Expr)>,
}

impl Taker {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.shape.push(byte);
    }

    #[inline]
    fn number(&mut self, number: u32) {
        self.shape.extend_from_slice(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn statement(&mut self, statement: &mut Statement) -> Result<()> {
        match statement {
            Statement::Select(select) => {
                self.byte(b'S');
                self.number(select.model.id());
                self.select(select)
            }
            Statement::Insert(insert) => {
                self.byte(b'I');
                self.number(insert.model.id());
                match &mut insert.on_conflict {
                    OnConflict::Fail => self.byte(0),
                    OnConflict::Ignore(fields) => {
                        self.byte(1);
                        self.fields(fields);
                    }
                    OnConflict::Update(fields, assignments) => {
                        self.byte(2);
                        self.fields(fields);
                        self.assignments(assignments)?;
                    }
                }
                Ok(())
            }
            Statement::Update(update) => {
                self.byte(b'U');
                self.number(update.model.id());
                self.assignments(&mut update.assignments)?;
                self.condition(&mut update.condition)
            }
            Statement::Delete(delete) => {
                self.byte(b'D');
                self.number(delete.model.id());
                self.condition(&mut delete.condition)
            }
        }
    }

    fn fields(&mut self, fields: &[u16]) {
        self.length(fields.len());
        for field in fields {
            self.shape.extend_from_slice(&field.to_le_bytes());
        }
    }

    fn assignments(&mut self, assignments: &mut [(u16, Expr)]) -> Result<()> {
        self.length(assignments.len());
        for (field, value) in assignments {
            self.shape.extend_from_slice(&field.to_le_bytes());
            self.expr(value)?;
        }
        Ok(())
    }

    #[inline]
    fn select(&mut self, select: &mut SelectStatement) -> Result<()> {
        self.condition(&mut select.condition)?;
        // the usual query has none of the rest
        let plain = select.output.is_empty()
            && select.group_by.is_empty()
            && select.order_by.is_empty()
            && select.extras.is_none()
            && matches!(select.having, Condition::Const(true));
        self.byte(if select.extras.is_some() { 2 } else { u8::from(plain) });
        if !plain {
            // what is grouped by is selected and ordered by too, and has to be seen to be the same
            self.byte(u8::from(select.distinct));
            self.shared_exprs(&mut select.group_by)?;
            match select.distinct {
                true => self.shared_exprs(&mut select.output)?,
                false => self.exprs(&mut select.output)?,
            }
            self.condition(&mut select.having)?;
            self.order(&mut select.order_by)?;
            self.shared.clear();
            if let Some(extras) = &mut select.extras {
                self.extras(extras)?;
            }
        } else {
            self.byte(u8::from(select.distinct));
        }
        self.optional(&mut select.limit)?;
        self.optional(&mut select.offset)
    }

    #[cold]
    fn extras(&mut self, extras: &mut Extras) -> Result<()> {
        self.length(extras.joins.len());
        for join in &extras.joins {
            self.link(&join.link);
        }
        match &mut extras.limit_by {
            None => {
                self.byte(0);
                Ok(())
            }
            Some(limit_by) => {
                self.byte(1);
                self.exprs(&mut limit_by.by)?;
                self.expr(&mut limit_by.limit)?;
                self.optional(&mut limit_by.offset)
            }
        }
    }

    fn link(&mut self, link: &Link) {
        self.number(link.source().id());
        self.number(link.target().id());
        self.fields(link.from());
        self.fields(link.to());
        match link.kind() {
            None => self.byte(0),
            Some(kind) => {
                self.byte(1 + u8::from(kind.of_target));
                self.shape.extend_from_slice(&kind.field.to_le_bytes());
                self.length(kind.value.len());
                self.shape.extend_from_slice(kind.value.as_bytes());
            }
        }
    }

    /// What is asked of related rows. It knows nothing of what the statement's own rows share.
    fn related(&mut self, link: &Link, condition: &mut Condition, of: Option<&mut Expr>) -> Result<()> {
        self.link(link);
        let shared = std::mem::take(&mut self.shared);
        let mut answer = self.condition(condition);
        if let (Ok(()), Some(of)) = (&answer, of) {
            answer = self.expr(of);
        }
        self.shared = shared;
        answer
    }

    fn optional(&mut self, expr: &mut Option<Expr>) -> Result<()> {
        match expr {
            Some(expr) => self.expr(expr),
            None => {
                self.byte(0);
                Ok(())
            }
        }
    }

    fn exprs(&mut self, exprs: &mut [Expr]) -> Result<()> {
        self.length(exprs.len());
        exprs.iter_mut().try_for_each(|expr| self.expr(expr))
    }

    fn shared_exprs(&mut self, exprs: &mut [Expr]) -> Result<()> {
        self.length(exprs.len());
        for expr in exprs {
            let original = expr.clone();
            self.expr(expr)?;
            if *expr != original && !matches!(original, Expr::Literal(_)) {
                self.shared.push((original, expr.clone()));
            }
        }
        Ok(())
    }

    fn order(&mut self, order: &mut [OrderBy]) -> Result<()> {
        self.length(order.len());
        for by in order {
            self.byte(by.direction as u8);
            self.byte(by.nulls.map_or(2, |nulls| nulls as u8));
            self.expr(&mut by.expr)?;
        }
        Ok(())
    }

    #[inline]
    fn condition(&mut self, condition: &mut Condition) -> Result<()> {
        match condition {
            Condition::Const(value) => {
                self.byte(1);
                self.byte(u8::from(*value));
                Ok(())
            }
            Condition::Compare { operator, left, right } => {
                self.byte(2);
                self.byte(*operator as u8);
                self.expr(left)?;
                self.expr(right)
            }
            other => self.compound(other),
        }
    }

    fn compound(&mut self, condition: &mut Condition) -> Result<()> {
        match condition {
            Condition::Const(_) | Condition::Compare { .. } => self.condition(condition),
            Condition::In { expr, list, negated } => {
                self.byte(3);
                self.byte(u8::from(*negated));
                self.expr(expr)?;
                match list {
                    InList::Values(values) => self.exprs(values),
                    InList::Whole(list) => {
                        self.length(usize::MAX);
                        self.expr(list)
                    }
                }
            }
            Condition::IsNull { expr, negated } => {
                self.byte(4);
                self.byte(u8::from(*negated));
                self.expr(expr)
            }
            Condition::Text { operator, expr, pattern, negated } => {
                if let Expr::Literal(Datum::Text(text)) = pattern {
                    match operator {
                        TextOperator::Like | TextOperator::ILike => drop(LikePattern::parse(text)?),
                        TextOperator::Regex => drop(RegexPattern::cached(text)?),
                        _ => {}
                    }
                }
                self.byte(5);
                self.byte(*operator as u8);
                self.byte(u8::from(*negated));
                self.expr(expr)?;
                self.expr(pattern)
            }
            Condition::List { operator, expr, argument, negated } => {
                self.byte(6);
                self.byte(*operator as u8);
                self.byte(u8::from(*negated));
                self.expr(expr)?;
                self.expr(argument)
            }
            Condition::And(parts) => {
                self.byte(7);
                self.length(parts.len());
                parts.iter_mut().try_for_each(|part| self.condition(part))
            }
            Condition::Or(parts) => {
                self.byte(8);
                self.length(parts.len());
                parts.iter_mut().try_for_each(|part| self.condition(part))
            }
            Condition::Not(part) => {
                self.byte(9);
                self.condition(part)
            }
            Condition::IsTrue { condition, negated } => {
                self.byte(10);
                self.byte(u8::from(*negated));
                self.condition(condition)
            }
            Condition::Related { link, condition } => {
                self.byte(11);
                self.related(link, condition, None)
            }
        }
    }

    #[inline]
    fn expr(&mut self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Field(index) => {
                self.byte(1);
                self.shape.extend_from_slice(&index.to_le_bytes());
                Ok(())
            }
            Expr::Literal(value) => {
                check::cell(value.cell())?;
                let value = std::mem::take(value);
                let index = u16::try_from(self.parameters.len())
                    .map_err(|_| Error::query("the query has more than 65,535 constants: use `in_` for long lists"))?;
                // null is part of the shape: some operators mean something else by it
                self.byte(if value.is_null() { 3 } else { 2 });
                self.parameters.push(value);
                *expr = Expr::Parameter(index);
                Ok(())
            }
            other => self.operation(other),
        }
    }

    fn operation(&mut self, expr: &mut Expr) -> Result<()> {
        if let Some((place, (_, now))) = self.shared.iter().enumerate().find(|(_, (original, _))| original == expr) {
            *expr = now.clone();
            self.byte(10);
            self.length(place);
            return Ok(());
        }
        match expr {
            Expr::Field(_) | Expr::Literal(_) => self.expr(expr),
            Expr::Parameter(_) => Err(Error::query("a query's expressions hold constants, not parameters")),
            Expr::Inserted(index) => {
                self.byte(4);
                self.shape.extend_from_slice(&index.to_le_bytes());
                Ok(())
            }
            Expr::Arithmetic { operator, left, right, value_type } => {
                self.byte(5);
                self.byte(*operator as u8);
                self.value_type(value_type);
                self.expr(left)?;
                self.expr(right)
            }
            Expr::DatePart { part, of } => {
                self.byte(6);
                self.byte(*part as u8);
                self.expr(of)
            }
            Expr::JsonPath { of, path, cast } => {
                self.byte(7);
                self.byte(match cast {
                    JsonCast::Text => 0,
                    JsonCast::Int => 1,
                    JsonCast::Float => 2,
                    JsonCast::Bool => 3,
                    JsonCast::Json => 4,
                });
                self.length(path.len());
                for step in path {
                    match step {
                        PathStep::Key(key) => {
                            check::text(key)?;
                            self.length(key.len());
                            self.shape.extend_from_slice(key.as_bytes());
                        }
                        PathStep::Index(index) => {
                            self.number(u32::MAX);
                            self.number(*index);
                        }
                    }
                }
                self.expr(of)
            }
            Expr::Length(of) => {
                self.byte(8);
                self.expr(of)
            }
            Expr::Aggregate { function, of, distinct } => {
                self.byte(9);
                self.byte(*function as u8);
                self.byte(u8::from(*distinct));
                match of {
                    Some(of) => self.expr(of),
                    None => {
                        self.byte(0);
                        Ok(())
                    }
                }
            }
            Expr::Joined { join, field, .. } => {
                self.byte(11);
                self.shape.extend_from_slice(&join.to_le_bytes());
                self.shape.extend_from_slice(&field.to_le_bytes());
                Ok(())
            }
            Expr::Related { link, condition, of } => {
                self.byte(12);
                self.related(link, condition, Some(of))
            }
        }
    }

    fn value_type(&mut self, value_type: &ValueType) {
        struct Bytes<'a>(&'a mut SmallVec<[u8; 48]>);
        impl fmt::Write for Bytes<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.extend_from_slice(text.as_bytes());
                Ok(())
            }
        }
        // writing to the shape cannot fail; the byte at the end is none of UTF-8's
        let _ = write!(Bytes(&mut self.shape), "{value_type}");
        self.byte(0xff);
    }
}
