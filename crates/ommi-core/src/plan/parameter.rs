//! The types of a statement's parameters: those of what they are compared with or set to.

use crate::model::{Link, ModelDef};
use crate::query::condition::{Condition, InList, ListOperator};
use crate::query::statement::{OnConflict, Statement};
use crate::query::{Expr, LimitBy, OrderBy};
use crate::value::ValueType;

/// The types of the parameters of a statement, by index.
pub fn types(statement: &Statement, count: usize) -> Vec<ValueType> {
    let mut types = Types { model: statement.model(), found: vec![None; count] };
    match statement {
        Statement::Select(select) => {
            types.condition(&select.condition);
            types.condition(&select.having);
            select.output.iter().chain(&select.group_by).for_each(|expr| types.expr(expr, None));
            select.order_by.iter().for_each(|OrderBy { expr, .. }| types.expr(expr, None));
            let mut bounds = vec![&select.limit, &select.offset];
            if let Some(LimitBy { by, limit, offset }) = select.limit_by() {
                by.iter().for_each(|expr| types.expr(expr, None));
                types.expr(limit, Some(ValueType::I64));
                bounds.push(offset);
            }
            for bound in bounds.into_iter().flatten() {
                types.expr(bound, Some(ValueType::I64));
            }
        }
        Statement::Insert(insert) => {
            if let OnConflict::Update(_, assignments) = &insert.on_conflict {
                types.assignments(assignments);
            }
        }
        Statement::Update(update) => {
            types.assignments(&update.assignments);
            types.condition(&update.condition);
        }
        Statement::Delete(delete) => types.condition(&delete.condition),
    }
    // a constant that is compared with nothing typed: a selected literal
    types.found.into_iter().map(|found| found.unwrap_or(ValueType::Text)).collect()
}

struct Types<'a> {
    model: &'a ModelDef,
    found: Vec<Option<ValueType>>,
}

impl Types<'_> {
    fn assignments(&mut self, assignments: &[(u16, Expr)]) {
        for (field, value) in assignments {
            let wanted = self.model.field(*field).map(|field| field.value_type.clone());
            self.expr(value, wanted);
        }
    }

    /// Finds types in what is asked of related rows.
    fn of_target(&mut self, link: &Link, find: impl FnOnce(&mut Types<'_>)) {
        let mut types = Types { model: link.target(), found: std::mem::take(&mut self.found) };
        find(&mut types);
        self.found = types.found;
    }

    fn expr(&mut self, expr: &Expr, wanted: Option<ValueType>) {
        match expr {
            Expr::Parameter(index) => {
                if let Some(slot) = self.found.get_mut(usize::from(*index)) {
                    *slot = wanted;
                }
            }
            Expr::Field(_) | Expr::Literal(_) | Expr::Inserted(_) | Expr::Joined { .. } => {}
            Expr::Related { link, condition, of } => self.of_target(link, |types| {
                types.condition(condition);
                types.expr(of, wanted);
            }),
            Expr::Arithmetic { left, right, value_type, .. } => {
                self.expr(left, Some(value_type.clone()));
                self.expr(right, Some(value_type.clone()));
            }
            Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => self.expr(of, None),
            Expr::Aggregate { of, .. } => {
                if let Some(of) = of {
                    self.expr(of, None);
                }
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Const(_) => {}
            Condition::Compare { left, right, .. } => {
                self.expr(left, right.value_type(self.model));
                self.expr(right, left.value_type(self.model));
            }
            Condition::In { expr, list, .. } => {
                self.expr(expr, None);
                let member = expr.value_type(self.model);
                match list {
                    InList::Values(values) => values.iter().for_each(|value| self.expr(value, member.clone())),
                    InList::Whole(list) => self.expr(list, member.map(|member| ValueType::List(Box::new(member)))),
                }
            }
            Condition::IsNull { expr, .. } => self.expr(expr, None),
            Condition::Text { expr, pattern, .. } => {
                self.expr(expr, None);
                self.expr(pattern, Some(ValueType::Text));
            }
            Condition::List { operator, expr, argument, .. } => {
                self.expr(expr, None);
                let list = expr.value_type(self.model);
                self.expr(
                    argument,
                    match (operator, list) {
                        (ListOperator::Contains, Some(ValueType::List(item))) => Some(*item),
                        (_, list) => list,
                    },
                );
            }
            Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| self.condition(part)),
            Condition::Not(part) | Condition::IsTrue { condition: part, .. } => self.condition(part),
            Condition::Related { link, condition } => self.of_target(link, |types| types.condition(condition)),
        }
    }
}
