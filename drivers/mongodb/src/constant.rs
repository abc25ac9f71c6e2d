//! Conditions whose constants stand in them: those of checks and of partial indexes.

use ommi_core::Result;
use ommi_core::model::ModelDef;
use ommi_core::query::condition::InList;
use ommi_core::query::{Comparison, Condition, Expr};
use ommi_core::value::{Datum, ValueType};

use crate::expression::Translator;
use crate::layout::is_moment;
use crate::template::{Node, Parameters, document, operator_name, opposite};
use crate::writer::Writer;

/// Takes the constants out of an expression, with the type that each has.
fn take_expr(expr: &Expr, wanted: Option<&ValueType>, taken: &mut Vec<(Datum, ValueType)>) -> Expr {
    let take = |of: &Expr, taken: &mut Vec<(Datum, ValueType)>| Box::new(take_expr(of, None, taken));
    match expr {
        Expr::Literal(value) => {
            let index = u16::try_from(taken.len()).unwrap_or(u16::MAX);
            taken.push((value.clone(), wanted.cloned().unwrap_or(ValueType::Text)));
            Expr::Parameter(index)
        }
        Expr::Arithmetic { operator, left, right, value_type } => Expr::Arithmetic {
            operator: *operator,
            left: Box::new(take_expr(left, Some(value_type), taken)),
            right: Box::new(take_expr(right, Some(value_type), taken)),
            value_type: value_type.clone(),
        },
        Expr::DatePart { part, of } => Expr::DatePart { part: *part, of: take(of, taken) },
        Expr::JsonPath { of, path, cast } => Expr::JsonPath { of: take(of, taken), path: path.clone(), cast: *cast },
        Expr::Length(of) => Expr::Length(take(of, taken)),
        other => other.clone(),
    }
}

fn take(condition: &Condition, model: &ModelDef, taken: &mut Vec<(Datum, ValueType)>) -> Condition {
    match condition {
        Condition::Const(value) => Condition::Const(*value),
        Condition::Compare { operator, left, right } => Condition::Compare {
            operator: *operator,
            left: take_expr(left, right.value_type(model).as_ref(), taken),
            right: take_expr(right, left.value_type(model).as_ref(), taken),
        },
        Condition::In { expr, list, negated } => {
            let member = expr.value_type(model);
            let list = match list {
                InList::Values(values) => {
                    InList::Values(values.iter().map(|value| take_expr(value, member.as_ref(), taken)).collect())
                }
                InList::Whole(list) => {
                    let whole = member.clone().map(|member| ValueType::List(Box::new(member)));
                    InList::Whole(take_expr(list, whole.as_ref(), taken))
                }
            };
            Condition::In { expr: take_expr(expr, None, taken), list, negated: *negated }
        }
        Condition::IsNull { expr, negated } => {
            Condition::IsNull { expr: take_expr(expr, None, taken), negated: *negated }
        }
        Condition::Text { operator, expr, pattern, negated } => Condition::Text {
            operator: *operator,
            expr: take_expr(expr, None, taken),
            pattern: take_expr(pattern, Some(&ValueType::Text), taken),
            negated: *negated,
        },
        Condition::List { operator, expr, argument, negated } => {
            let wanted = match (operator, expr.value_type(model)) {
                (ommi_core::query::ListOperator::Contains, Some(ValueType::List(item))) => Some(*item),
                (_, list) => list,
            };
            Condition::List {
                operator: *operator,
                expr: take_expr(expr, None, taken),
                argument: take_expr(argument, wanted.as_ref(), taken),
                negated: *negated,
            }
        }
        Condition::And(parts) => Condition::And(parts.iter().map(|part| take(part, model, taken)).collect()),
        Condition::Or(parts) => Condition::Or(parts.iter().map(|part| take(part, model, taken)).collect()),
        Condition::Not(part) => Condition::Not(Box::new(take(part, model, taken))),
        Condition::IsTrue { condition, negated } => {
            Condition::IsTrue { condition: Box::new(take(condition, model, taken)), negated: *negated }
        }
        // not in a rule of a model, and not answered here
        Condition::Related { .. } => condition.clone(),
    }
}

impl Translator<'_> {
    /// The filter of the rows for which a condition with constants is true, or false.
    ///
    /// # Errors
    ///
    /// As [`Translator::filter`].
    pub(crate) fn constant_filter(&self, condition: &Condition, wanted: bool) -> Result<Node> {
        let mut taken = Vec::new();
        let condition = take(condition, self.model, &mut taken);
        let (values, types): (Vec<Datum>, Vec<ValueType>) = taken.into_iter().unzip();
        let translator = Translator { types: &types, ..*self };
        let filter = translator.filter(&condition, wanted)?;
        let mut writer = Writer::default();
        let kind = filter.write(&mut writer, Parameters(&values))?;
        Ok(Node::Raw(kind, writer.bytes().to_vec()))
    }

    /// The filters of a partial index; none, if the condition is more than those take.
    pub(crate) fn partial_filter(&self, condition: &Condition) -> Option<Vec<Node>> {
        let mut filters = Vec::new();
        self.partial_parts(condition, true, &mut filters).then_some(filters)
    }

    fn partial_parts(&self, condition: &Condition, wanted: bool, filters: &mut Vec<Node>) -> bool {
        match condition {
            Condition::Const(value) => *value == wanted,
            Condition::And(parts) if wanted => parts.iter().all(|part| self.partial_parts(part, true, filters)),
            Condition::Or(parts) if !wanted => parts.iter().all(|part| self.partial_parts(part, false, filters)),
            Condition::Not(part) => self.partial_parts(part, !wanted, filters),
            Condition::IsNull { expr: Expr::Field(field), negated } => {
                let Some(of) = self.model.field(*field) else { return false };
                if matches!(of.value_type, ValueType::Json | ValueType::List(_)) {
                    return false;
                }
                let path = &*self.layout.field(*field).dotted;
                let test = match *negated == wanted {
                    true => ("$gte", crate::schema::least(&of.value_type)),
                    false => ("$eq", Node::Null),
                };
                filters.push(document([(path, document([test]))]));
                true
            }
            Condition::Compare { operator, left: Expr::Field(field), right: Expr::Literal(value) } => {
                self.partial_compare(*operator, *field, value, wanted, filters)
            }
            Condition::Compare { operator, left: Expr::Literal(value), right: Expr::Field(field) } => {
                self.partial_compare(operator.mirrored(), *field, value, wanted, filters)
            }
            _ => false,
        }
    }

    fn partial_compare(
        &self,
        operator: Comparison,
        field: u16,
        value: &Datum,
        wanted: bool,
        filters: &mut Vec<Node>,
    ) -> bool {
        let Some(of) = self.model.field(field) else { return false };
        let operator = if wanted { operator } else { opposite(operator) };
        let is_simple = !is_moment(&of.value_type)
            && !matches!(of.value_type, ValueType::Json | ValueType::List(_) | ValueType::Bytes)
            && !value.is_null();
        if !is_simple {
            return false;
        }
        let (operator, value) = match (operator, value) {
            // what is not true is false
            (Comparison::Ne, Datum::Bool(value)) => (Comparison::Eq, Datum::Bool(!value)),
            (Comparison::Ne, _) => return false,
            (operator, value) => (operator, value.clone()),
        };
        let mut writer = Writer::default();
        let Ok(kind) = crate::encode::value(&mut writer, value.cell(), &of.value_type) else { return false };
        let value = Node::Raw(kind, writer.bytes().to_vec());
        filters.push(document([(&*self.layout.field(field).dotted, document([(operator_name(operator), value)]))]));
        true
    }
}
