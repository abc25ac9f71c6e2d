//! Refusing statements whose types do not fit.
//!
//! The compiler refuses them for models with a Rust type; for models that are made at run time this
//! does, on every driver and before anything is sent.

use crate::error::{Error, Result};
use crate::model::{Link, ModelDef};
use crate::query::condition::{Comparison, Condition, InList, ListOperator};
use crate::query::statement::{OnConflict, Statement};
use crate::query::{AggregateFunction, ArithmeticOperator, DatePart, Expr, Join, LimitBy};
use crate::value::{Datum, ValueType};

/// Refuses a statement that names fields which do not exist, or that compares, computes or assigns
/// what does not fit.
///
/// # Errors
///
/// `Query`, with what does not fit.
pub(super) fn statement(statement: &Statement) -> Result<()> {
    let model = statement.model();
    let joins = if let Statement::Select(select) = statement { select.joins() } else { &[] };
    let check = Check { model, joins, is_related: false };
    let answer = match statement {
        Statement::Select(select) => {
            let exprs = select.output.iter().chain(&select.group_by);
            exprs
                .chain(select.order_by.iter().map(|by| &by.expr))
                .try_for_each(|expr| check.expr(expr).map(drop))
                .and_then(|()| check.condition(&select.condition))
                .and_then(|()| check.condition(&select.having))
                .and_then(|()| joins.iter().try_for_each(|join| check.link(&join.link)))
                .and_then(|()| select.limit_by().map_or(Ok(()), |limit_by| check.limit_by(limit_by)))
        }
        Statement::Insert(insert) => match &insert.on_conflict {
            OnConflict::Update(_, assignments) => check.assignments(assignments),
            OnConflict::Fail | OnConflict::Ignore(_) => Ok(()),
        },
        Statement::Update(update) => {
            check.assignments(&update.assignments).and_then(|()| check.condition(&update.condition))
        }
        Statement::Delete(delete) => check.condition(&delete.condition),
    };
    answer.map_err(|error| error.with_model(model.name()).with_operation(statement.operation()))
}

/// Refuses constants that are of another kind than what they stand beside.
///
/// # Errors
///
/// `Query`, with the constant.
#[inline]
pub fn constants(types: &[ValueType], values: &[Datum]) -> Result<()> {
    match types.iter().zip(values).find(|(value_type, value)| !is_of(value, value_type)) {
        None => Ok(()),
        Some((value_type, value)) => Err(Error::query(format!(
            "{} stands where a value of type {value_type} is wanted",
            value.cell().type_name()
        ))),
    }
}

/// Whether a value may stand where a type is wanted. Numbers are compared by value, whatever their
/// type.
fn is_of(value: &Datum, value_type: &ValueType) -> bool {
    match (value, value_type) {
        (Datum::Null, _)
        | (Datum::Bool(_), ValueType::Bool)
        | (Datum::Text(_), ValueType::Text | ValueType::Enum(_))
        | (Datum::Bytes(_), ValueType::Bytes)
        | (Datum::Uuid(_), ValueType::Uuid)
        | (Datum::Date(_), ValueType::Date)
        | (Datum::Time(_), ValueType::Time)
        | (Datum::DateTime(_), ValueType::DateTime)
        | (Datum::Timestamp(_), ValueType::Timestamp)
        | (Datum::Duration(_), ValueType::Duration)
        | (Datum::Json(_), ValueType::Json) => true,
        (Datum::Int(_) | Datum::UInt(_), value_type) => value_type.is_number(),
        (Datum::Float(_), value_type) => value_type.is_float(),
        (Datum::Decimal(_), value_type) => value_type.is_number() && !value_type.is_float(),
        (Datum::List(items), ValueType::List(item)) => items.iter().all(|value| is_of(value, item)),
        _ => false,
    }
}

struct Check<'a> {
    model: &'a ModelDef,
    joins: &'a [Join],
    /// Whether it looks at what is asked of related rows.
    is_related: bool,
}

#[cold]
fn wrong<T>(message: String) -> Result<T> {
    Err(Error::query(message))
}

impl Check<'_> {
    fn field(&self, index: u16) -> Result<&ValueType> {
        match self.model.field(index) {
            Some(field) => Ok(&field.value_type),
            None => wrong(format!("the model has no field {index}")),
        }
    }

    /// The type of an expression; `None` for a constant.
    fn expr(&self, expr: &Expr) -> Result<Option<ValueType>> {
        match expr {
            Expr::Inserted(_) if self.is_related => {
                return wrong("what would have been inserted is no part of a related row".into());
            }
            Expr::Joined { join, field, value_type } => {
                let of = self.joins.get(usize::from(*join)).and_then(|join| join.link.target().field(*field));
                if of.is_none_or(|of| of.value_type != *value_type) {
                    return wrong(format!("there is no field {field} of a join {join} of type {value_type} here"));
                }
            }
            Expr::Related { link, condition, of } => self.related(link, condition, Some(of))?,
            Expr::Field(index) | Expr::Inserted(index) => return self.field(*index).cloned().map(Some),
            Expr::Literal(_) | Expr::Parameter(_) => return Ok(None),
            Expr::Arithmetic { operator, left, right, value_type } => {
                self.arithmetic(*operator, left, right, value_type)?
            }
            Expr::DatePart { part, of } => {
                let (has_date, has_time) = match self.expr(of)? {
                    Some(ValueType::Date) => (true, false),
                    Some(ValueType::Time) => (false, true),
                    Some(ValueType::DateTime | ValueType::Timestamp) => (true, true),
                    _ => (false, false),
                };
                let fits = match part {
                    DatePart::Year | DatePart::Month | DatePart::Day | DatePart::Weekday => has_date,
                    DatePart::Hour | DatePart::Minute | DatePart::Second => has_time,
                };
                if !fits {
                    return wrong(format!("{} has no {part:?}", self.show(of)));
                }
            }
            Expr::JsonPath { of, .. } => match self.expr(of)? {
                Some(ValueType::Json) => {}
                _ => return wrong(format!("{} is no JSON and has no paths", self.show(of))),
            },
            Expr::Length(of) => match self.expr(of)? {
                Some(ValueType::List(_)) => {}
                _ => return wrong(format!("{} is no list and has no length", self.show(of))),
            },
            Expr::Aggregate { function, of: Some(of), distinct } => {
                let fits = self.expr(of)?.is_none_or(|of| {
                    let can = match function {
                        AggregateFunction::Count => true,
                        AggregateFunction::Sum | AggregateFunction::Avg => of.is_number(),
                        AggregateFunction::Min | AggregateFunction::Max => of.is_ordered(),
                    };
                    can && (!distinct || of.is_groupable())
                });
                if !fits || of.has_aggregate() {
                    return wrong(format!("{} has no `{}`", self.show(of), function.name()));
                }
            }
            Expr::Aggregate { of: None, .. } => {}
        }
        Ok(expr.value_type(self.model))
    }

    fn arithmetic(&self, operator: ArithmeticOperator, left: &Expr, right: &Expr, of: &ValueType) -> Result<()> {
        let is_for_bits = matches!(
            operator,
            ArithmeticOperator::BitAnd
                | ArithmeticOperator::BitOr
                | ArithmeticOperator::BitXor
                | ArithmeticOperator::ShiftLeft
                | ArithmeticOperator::ShiftRight
        );
        if !of.is_number() || is_for_bits && !of.is_integer() {
            return wrong(format!("{of} values have no operation `{}`", operator.sign()));
        }
        for side in [left, right] {
            if self.expr(side)?.is_some_and(|side| !side.is_comparable_with(of)) {
                return wrong(format!("{} is no operand of `{}` on {of} values", self.show(side), operator.sign()));
            }
        }
        Ok(())
    }

    fn condition(&self, condition: &Condition) -> Result<()> {
        match condition {
            Condition::Const(_) => Ok(()),
            Condition::Compare { operator, left, right } => {
                self.comparable(left, right)?;
                let is_equality = matches!(operator, Comparison::Eq | Comparison::Ne);
                match self.expr(left)?.or(self.expr(right)?) {
                    Some(of) if !is_equality && !of.is_ordered() => wrong(format!("{of} values have no order")),
                    _ => Ok(()),
                }
            }
            Condition::In { expr, list: InList::Values(values), .. } => {
                values.iter().try_for_each(|value| self.comparable(expr, value))
            }
            Condition::In { expr, list: InList::Whole(_), .. } | Condition::IsNull { expr, .. } => {
                self.expr(expr).map(drop)
            }
            Condition::Text { operator, expr, pattern, .. } => {
                for side in [expr, pattern] {
                    if self.expr(side)?.is_some_and(|of| !of.is_text()) {
                        return wrong(format!(
                            "{} is no text and cannot be tested by `{}`",
                            self.show(side),
                            operator.name()
                        ));
                    }
                }
                Ok(())
            }
            Condition::List { operator, expr, argument, .. } => {
                let (list, argument) = (self.expr(expr)?, self.expr(argument)?);
                let fits = match (&list, operator, argument) {
                    (Some(ValueType::List(_)), _, None) => true,
                    (Some(ValueType::List(item)), ListOperator::Contains, Some(of)) => of.is_comparable_with(item),
                    (Some(list @ ValueType::List(_)), ListOperator::Overlaps, Some(of)) => of.is_comparable_with(list),
                    _ => false,
                };
                if fits { Ok(()) } else { wrong(format!("{} is no list of such values", self.show(expr))) }
            }
            Condition::And(parts) | Condition::Or(parts) => parts.iter().try_for_each(|part| self.condition(part)),
            Condition::Not(part) | Condition::IsTrue { condition: part, .. } => self.condition(part),
            Condition::Related { link, condition } => self.related(link, condition, None),
        }
    }

    /// Refuses a link that does not begin at the model, or whose rows cannot be looked up.
    fn link(&self, link: &Link) -> Result<()> {
        if let Some(problem) = link.problem() {
            return Err(Error::schema(problem));
        }
        if link.source().id() != self.model.id() {
            return wrong(format!(
                "a link from {} stands where rows of {} are asked for",
                link.source().name(),
                self.model.name()
            ));
        }
        for field in link.to() {
            let of = link.target().field(*field);
            if let Some(of) = of.filter(|of| !of.value_type.is_groupable()) {
                return wrong(format!("rows cannot be related by values of type {}", of.value_type));
            }
        }
        Ok(())
    }

    fn related(&self, link: &Link, condition: &Condition, of: Option<&Expr>) -> Result<()> {
        self.link(link)?;
        let target = Check { model: link.target(), joins: &[], is_related: true };
        target.condition(condition)?;
        let mut aggregates = false;
        condition.each_expr(&mut |expr| aggregates |= expr.has_aggregate());
        if aggregates {
            return wrong("related rows cannot be filtered by an aggregate of themselves".into());
        }
        let Some(of) = of else { return Ok(()) };
        target.expr(of)?;
        match of {
            Expr::Aggregate { .. } => Ok(()),
            of if of.has_aggregate() => wrong(
                "an aggregate of related rows stands by itself: compute with its value, not inside of what is asked of \
                 the rows"
                    .into(),
            ),
            _ if !link.is_unique() => wrong(format!(
                "a row may be related to several of {}, of which there is no single value: use an aggregate",
                link.target().name()
            )),
            of if of.value_type(link.target()).is_none() => wrong("a constant of a related row has no type".into()),
            _ => Ok(()),
        }
    }

    fn limit_by(&self, limit_by: &LimitBy) -> Result<()> {
        for expr in &limit_by.by {
            if self.expr(expr)?.is_some_and(|of| !of.is_groupable()) || expr.has_aggregate() {
                return wrong(format!("rows cannot be grouped by {}, to be limited", self.show(expr)));
            }
        }
        Ok(())
    }

    fn comparable(&self, left: &Expr, right: &Expr) -> Result<()> {
        match (self.expr(left)?, self.expr(right)?) {
            (Some(one), Some(other)) if !one.is_comparable_with(&other) => {
                wrong(format!("{} cannot be compared with {}", self.show(left), self.show(right)))
            }
            _ => Ok(()),
        }
    }

    fn assignments(&self, assignments: &[(u16, Expr)]) -> Result<()> {
        for (field, value) in assignments {
            let field_type = self.field(*field)?;
            if value.is_across() {
                return wrong(format!(
                    "`{}` cannot be set to a value of related rows: read it first",
                    self.model.field_name(*field)
                ));
            }
            if self.expr(value)?.is_some_and(|of| !is_assignable(&of, field_type)) {
                return wrong(format!(
                    "`{}` is of type {field_type} and cannot be set to {}",
                    self.model.field_name(*field),
                    self.show(value)
                ));
            }
        }
        Ok(())
    }

    fn show(&self, expr: &Expr) -> String {
        let of = match expr.value_type(self.model) {
            Some(of) => of.to_string(),
            None => return "a constant".into(),
        };
        match expr {
            Expr::Field(index) => format!("`{}`, of type {of},", self.model.field_name(*index)),
            _ => format!("an expression of type {of}"),
        }
    }
}

/// Whether every value of a type is one of a field's, sizes of decimals aside.
fn is_assignable(of: &ValueType, field: &ValueType) -> bool {
    if let (Some((least, greatest)), Some((from, to))) = (of.integer_range(), field.integer_range()) {
        return from <= least && greatest <= to;
    }
    match (of, field) {
        (of, ValueType::Decimal(_)) => of.is_decimal() || of.is_integer(),
        (of, ValueType::F64) => of.is_float(),
        (of, ValueType::Text) => of.is_text(),
        (of, field) => of == field,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{FieldDef, ModelBuilder};
    use crate::query::statement::{SelectStatement, UpdateStatement};

    fn model() -> Arc<ModelDef> {
        ModelBuilder::new("M")
            .field(FieldDef::new("id", ValueType::I64))
            .field(FieldDef::new("name", ValueType::Text))
            .field(FieldDef::new("small", ValueType::I8))
            .field(FieldDef::new("day", ValueType::Date))
            .key(["id"])
            .build()
            .unwrap()
    }

    fn condition(condition: Condition) -> Result<()> {
        statement(&Statement::Select(SelectStatement::new(model(), condition)))
    }

    fn assignment(field: u16, value: Expr) -> Result<()> {
        let assignments = vec![(field, value)];
        statement(&Statement::Update(UpdateStatement {
            model: model(),
            condition: Condition::Const(true),
            assignments,
        }))
    }

    #[test]
    fn fields_are_compared_with_what_is_comparable() {
        let compare =
            |left, right| condition(Condition::compare(Expr::Field(left), Comparison::Lt, Expr::Field(right)));
        assert!(compare(0, 2).is_ok());
        assert!(compare(0, 1).unwrap_err().is_query());
        assert!(compare(0, 9).unwrap_err().message().contains("no field 9"));
        let part = |part, of| Expr::DatePart { part, of: Box::new(Expr::Field(of)) };
        assert!(condition(Condition::compare(part(DatePart::Year, 3), Comparison::Eq, Expr::Parameter(0))).is_ok());
        assert!(condition(Condition::compare(part(DatePart::Hour, 3), Comparison::Eq, Expr::Parameter(0))).is_err());
        assert!(condition(Condition::compare(part(DatePart::Year, 0), Comparison::Eq, Expr::Parameter(0))).is_err());
    }

    #[test]
    fn a_field_is_set_to_what_it_can_hold() {
        assert!(assignment(0, Expr::Field(2)).is_ok());
        assert!(assignment(2, Expr::Field(0)).unwrap_err().is_query());
        assert!(assignment(1, Expr::Field(0)).unwrap_err().is_query());
        assert!(assignment(2, Expr::Parameter(0)).is_ok());
    }

    #[test]
    fn constants_are_of_the_kind_that_is_wanted() {
        let types = [ValueType::I64, ValueType::Text, ValueType::DECIMAL, ValueType::List(Box::new(ValueType::Text))];
        let list = |item| Datum::List(vec![item]);
        assert!(
            constants(&types, &[Datum::Int(1), Datum::Text("a".into()), Datum::Int(1), list(Datum::Text("b".into()))])
                .is_ok()
        );
        assert!(constants(&types, &[Datum::Null, Datum::Null, Datum::Null, Datum::Null]).is_ok());
        assert!(constants(&types, &[Datum::Text("1".into())]).unwrap_err().is_query());
        assert!(constants(&types, &[Datum::Int(1), Datum::Int(1)]).unwrap_err().is_query());
        assert!(
            constants(&types, &[Datum::Null, Datum::Null, Datum::Null, list(Datum::Int(1))]).unwrap_err().is_query()
        );
    }
}
