//! Related rows in the reference: looked for row by row, in nested loops.

use std::cell::RefCell;

use ommi::evaluate::{self, Evaluator};
use ommi::model::{Link, LinkKind};
use ommi::query::statement::SelectStatement;
use ommi::query::{Condition, Expr, InList, OrderBy};
use ommi::value::Datum;
use ommi::{Error, Result};

use super::reference::{Row, truth};
use super::table::Table;

/// The tables, in which related rows are looked for.
#[derive(Clone, Copy)]
pub(super) struct Nested<'a> {
    pub(super) table: &'a Table,
    /// What is known of [`Nested::fails`], by the address of the condition: it is the same for every row.
    pub(super) failing: &'a RefCell<Vec<(usize, bool)>>,
}

impl<'t> Nested<'t> {
    /// The rows that a link leads to from a row and for which a condition is true.
    ///
    /// An error comes up only where no row passes; what it would hide is left to the caller.
    fn related(self, link: &Link, condition: &Condition, row: &[Datum]) -> Result<Vec<&'t Row>> {
        let (mut passed, mut failure) = (Vec::new(), None);
        for target in self.table.rows_of(link.target()) {
            if !leads_to(link, row, target) {
                continue;
            }
            match self.truth(condition, target) {
                Ok(Some(true)) => passed.push(target),
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if passed.is_empty() => Err(error),
            _ => Ok(passed),
        }
    }

    /// The truth of a condition for a row.
    pub(super) fn truth(self, condition: &Condition, row: &[Datum]) -> Result<Option<bool>> {
        // what decides alone does so whatever the other parts are
        let decided = |parts: &[Condition], decides: bool| {
            let (mut is_unknown, mut failure) = (false, None);
            for part in parts {
                match self.truth(part, row) {
                    Ok(Some(holds)) if holds == decides => return Ok(Some(decides)),
                    Ok(Some(_)) => {}
                    Ok(None) => is_unknown = true,
                    Err(error) => failure = Some(error),
                }
            }
            match failure {
                _ if is_unknown => Ok(None),
                Some(error) => Err(error),
                None => Ok(Some(!decides)),
            }
        };
        match condition {
            Condition::And(parts) => decided(parts, false),
            Condition::Or(parts) => decided(parts, true),
            Condition::Not(part) => Ok(self.truth(part, row)?.map(|holds| !holds)),
            Condition::IsTrue { condition, negated } => {
                Ok(Some((self.truth(condition, row)? == Some(true)) != *negated))
            }
            Condition::Related { link, condition } => Ok(Some(!self.related(link, condition, row)?.is_empty())),
            leaf => truth(&Evaluator::new(&[]), &self.without_related(leaf, row)?, row),
        }
    }

    /// A leaf of a condition with the values of related rows in place.
    fn without_related(self, leaf: &Condition, row: &[Datum]) -> Result<Condition> {
        let of = |expr: &Expr| self.in_place(expr, row);
        Ok(match leaf {
            Condition::Compare { operator, left, right } => {
                Condition::Compare { operator: *operator, left: of(left)?, right: of(right)? }
            }
            Condition::In { expr, list, negated } => Condition::In {
                expr: of(expr)?,
                list: match list {
                    InList::Values(values) => InList::Values(values.iter().map(of).collect::<Result<_>>()?),
                    InList::Whole(list) => InList::Whole(of(list)?),
                },
                negated: *negated,
            },
            Condition::IsNull { expr, negated } => Condition::IsNull { expr: of(expr)?, negated: *negated },
            Condition::Text { operator, expr, pattern, negated } => {
                Condition::Text { operator: *operator, expr: of(expr)?, pattern: of(pattern)?, negated: *negated }
            }
            Condition::List { operator, expr, argument, negated } => {
                Condition::List { operator: *operator, expr: of(expr)?, argument: of(argument)?, negated: *negated }
            }
            other => other.clone(),
        })
    }

    /// An expression of a row with the values of related rows in place.
    fn in_place(self, expr: &Expr, row: &[Datum]) -> Result<Expr> {
        map(expr, &mut |link, condition, of| {
            Ok(Expr::Literal(self.value_of(self.related(link, condition, row)?, link, of)?))
        })
    }

    /// The value of an expression for a row.
    pub(super) fn value(self, expr: &Expr, row: &[Datum]) -> Result<Datum> {
        let expr = self.in_place(expr, row)?;
        Ok(Evaluator::new(&[]).value(&expr, row)?.into_owned())
    }

    /// A value of some rows of a link's target.
    fn value_of(self, rows: Vec<&Row>, link: &Link, of: &Expr) -> Result<Datum> {
        if !of.has_aggregate() {
            return match rows.as_slice() {
                [] => Ok(Datum::Null),
                [row] => self.value(of, row),
                _ => Err(Error::query("a link that is unique led to several rows")),
            };
        }
        let mut select = SelectStatement::new(link.target().clone(), Condition::Const(true));
        select.output.push(of.clone());
        let rows = self.widened(&mut select, rows)?;
        let answer = evaluate::select(&select, &[], rows)?;
        answer.into_iter().flatten().next().ok_or_else(|| Error::query("an aggregate has no value"))
    }

    /// Puts the values of related rows behind the fields of each row, and makes a statement read
    /// them there.
    pub(super) fn widened(self, select: &mut SelectStatement, rows: Vec<&Row>) -> Result<Vec<Row>> {
        let width = select.model.fields().len();
        let mut values: Vec<Expr> = Vec::new();
        let mut widen = |expr: &Expr| {
            map(expr, &mut |link, condition, of| {
                let value = Expr::Related {
                    link: link.clone().into(),
                    condition: Box::new(condition.clone()),
                    of: Box::new(of.clone()),
                };
                let place = values.iter().position(|known| *known == value).unwrap_or_else(|| {
                    values.push(value);
                    values.len() - 1
                });
                u16::try_from(width + place).map(Expr::Field).map_err(|_| Error::query("too many related values"))
            })
        };
        let mut all = |exprs: &[Expr]| exprs.iter().map(&mut widen).collect::<Result<Vec<Expr>>>();
        select.output = all(&select.output)?;
        select.group_by = all(&select.group_by)?;
        if let Some(limit_by) = select.extras.as_mut().and_then(|extras| extras.limit_by.as_mut()) {
            limit_by.by = all(&limit_by.by)?;
        }
        for OrderBy { expr, .. } in &mut select.order_by {
            *expr = widen(expr)?;
        }
        select.having = each_of_having(&select.having, &mut widen)?;
        rows.into_iter()
            .map(|row| {
                let mut wide = row.clone();
                for value in &values {
                    wide.push(self.value(value, row)?);
                }
                Ok(wide)
            })
            .collect()
    }

    /// Whether some part of a condition about related rows has no value for some row of its table,
    /// whether or not any row leads to it; or some of the values that depend on several such rows.
    fn fails(self, link: &Link, condition: &Condition, of: Option<&Expr>) -> bool {
        let address = std::ptr::from_ref(condition).addr();
        let known = self.failing.borrow().iter().find(|(of, _)| *of == address).map(|(_, fails)| *fails);
        known.unwrap_or_else(|| {
            let fails = self.fails_somewhere(link, condition, of);
            self.failing.borrow_mut().push((address, fails));
            fails
        })
    }

    fn fails_somewhere(self, link: &Link, condition: &Condition, of: Option<&Expr>) -> bool {
        let rows = self.table.rows_of(link.target());
        let nothing = vec![Datum::Null; link.target().fields().len()];
        let fails = |row: &Row| {
            super::reference::fails_with_constants(condition, row, &mut |row| {
                self.fails_for(condition, row) || of.is_some_and(|of| self.expr_fails_for(of, row))
            })
        };
        // what is nested is looked at even where no row leads to it
        let all = || rows.iter().chain([&nothing]);
        all().any(|row| self.fails_for(condition, row) || of.is_some_and(|of| self.expr_fails_for(of, row)))
            || all().any(fails)
            || of.is_some_and(|of| {
                of.has_aggregate()
                    && rows.iter().any(|row| {
                        let same = |other: &&Row| {
                            let of = |row: &Row, at: &u16| row.get(usize::from(*at)).cloned().unwrap_or_default();
                            link.to().iter().all(|at| evaluate::equal(&of(row, at), &of(other, at)) == Some(true))
                        };
                        let same: Vec<&Row> = rows.iter().filter(same).collect();
                        let passed = same
                            .iter()
                            .copied()
                            .filter(|row| self.truth(condition, row).is_ok_and(|is| is == Some(true)));
                        self.value_of(passed.collect(), link, of).is_err() || self.value_of(same, link, of).is_err()
                    })
            })
    }

    /// Whether some part of a condition has no value for a row.
    pub(super) fn fails_for(self, condition: &Condition, row: &[Datum]) -> bool {
        let mut fails = false;
        condition.each_expr(&mut |expr| fails = fails || self.expr_fails_for(expr, row));
        condition.each_related(&mut |node| {
            fails = fails || node.of.is_none() && self.fails(node.link, node.condition, None);
        });
        fails
    }

    /// Whether some part of an expression has no value for a row.
    pub(super) fn expr_fails_for(self, expr: &Expr, row: &[Datum]) -> bool {
        let mut fails = false;
        super::reference::each_row_part(expr, &mut |part| fails = fails || self.value(part, row).is_err());
        expr.each_related(&mut |node| fails = fails || self.fails(node.link, node.condition, node.of));
        fails
    }
}

/// Whether a link leads from a row to another.
fn leads_to(link: &Link, row: &[Datum], target: &[Datum]) -> bool {
    let of = |row: &[Datum], field: u16| row.get(usize::from(field)).cloned().unwrap_or_default();
    let kind = link.kind().is_none_or(|LinkKind { of_target, field, value }| {
        of(if *of_target { target } else { row }, *field) == Datum::Text(value.clone())
    });
    kind && link.pairs().all(|(from, to)| evaluate::equal(&of(row, from), &of(target, to)) == Some(true))
}

/// An expression with each value of related rows replaced.
fn map(expr: &Expr, of_related: &mut impl FnMut(&Link, &Condition, &Expr) -> Result<Expr>) -> Result<Expr> {
    let mut boxed = |expr: &Expr| map(expr, of_related).map(Box::new);
    Ok(match expr {
        Expr::Related { link, condition, of } => return of_related(link, condition, of),
        Expr::Arithmetic { operator, left, right, value_type } => Expr::Arithmetic {
            operator: *operator,
            left: boxed(left)?,
            right: boxed(right)?,
            value_type: value_type.clone(),
        },
        Expr::DatePart { part, of } => Expr::DatePart { part: *part, of: boxed(of)? },
        Expr::JsonPath { of, path, cast } => Expr::JsonPath { of: boxed(of)?, path: path.clone(), cast: *cast },
        Expr::Length(of) => Expr::Length(boxed(of)?),
        Expr::Aggregate { function, of, distinct } => {
            Expr::Aggregate { function: *function, of: of.as_deref().map(boxed).transpose()?, distinct: *distinct }
        }
        Expr::Field(_) | Expr::Literal(_) | Expr::Parameter(_) | Expr::Inserted(_) | Expr::Joined { .. } => {
            expr.clone()
        }
    })
}

/// A condition on groups with each expression changed.
fn each_of_having(condition: &Condition, change: &mut impl FnMut(&Expr) -> Result<Expr>) -> Result<Condition> {
    let mut all = |parts: &[Condition]| parts.iter().map(|part| each_of_having(part, change)).collect::<Result<_>>();
    Ok(match condition {
        Condition::And(parts) => Condition::And(all(parts)?),
        Condition::Or(parts) => Condition::Or(all(parts)?),
        Condition::Not(part) => Condition::Not(Box::new(each_of_having(part, change)?)),
        Condition::Compare { operator, left, right } => {
            Condition::Compare { operator: *operator, left: change(left)?, right: change(right)? }
        }
        other => other.clone(),
    })
}
