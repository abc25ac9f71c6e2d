//! Conditions as filters of MongoDB.
//!
//! The query language has three truths and MongoDB two. A condition is therefore translated twice:
//! into a filter of the rows where it is true, and into one of those where it is false; the rest
//! are those where it is unknown. `not` turns the one into the other.

use ommi_core::Result;
use ommi_core::query::condition::InList;
use ommi_core::query::{Comparison, Condition, Expr, ListOperator, RelatedNode, TextOperator};
use ommi_core::value::ValueType;

use crate::arithmetic::with;
use crate::expression::{Translator, beyond};
use crate::layout::{has_key_document, is_moment};
use crate::template::{
    FieldCompare, Form, KeyPart, Node, always, document, literal, never, operator, operator_name, operators, opposite,
    text,
};

pub(crate) fn all(mut parts: Vec<Node>) -> Node {
    parts.retain(|part| !part.is_always());
    match parts.len() {
        0 => always(),
        1 => parts.remove(0),
        _ => document([("$and", Node::Array(parts))]),
    }
}

fn any(mut parts: Vec<Node>) -> Node {
    match parts.len() {
        0 => never(),
        1 => parts.remove(0),
        _ => document([("$or", Node::Array(parts))]),
    }
}

fn not(of: Node) -> Node {
    operators("$not", [of])
}

fn by_expression(test: Node) -> Node {
    document([("$expr", test)])
}

/// Whether an expression may be out of range.
fn can_fail(expr: &Expr) -> bool {
    match expr {
        Expr::Arithmetic { .. } => true,
        Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => can_fail(of),
        _ => false,
    }
}

impl Translator<'_> {
    /// The filter of the rows for which a condition is true, or false.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn filter(&self, condition: &Condition, wanted: bool) -> Result<Node> {
        Ok(match condition {
            Condition::Const(value) => {
                if *value == wanted {
                    always()
                } else {
                    never()
                }
            }
            Condition::And(parts) => {
                if wanted && let Some((key, rest)) = self.by_key(parts) {
                    let mut filters = vec![key];
                    for part in rest {
                        filters.push(self.filter(part, true)?);
                    }
                    return Ok(all(filters));
                }
                self.parts(parts, wanted, wanted)?
            }
            Condition::Or(parts) => self.parts(parts, !wanted, wanted)?,
            Condition::Not(part) => self.filter(part, !wanted)?,
            Condition::IsTrue { condition, negated } => {
                let holds = self.filter(condition, true)?;
                match *negated == wanted {
                    true => document([("$nor", Node::Array(vec![holds]))]),
                    false => holds,
                }
            }
            Condition::Related { link, condition } => {
                self.has_related(&RelatedNode { link, condition, of: None }, wanted)?
            }
            leaf => match self.field_filter(leaf, wanted) {
                Some(filter) => filter,
                None => by_expression(self.truth(leaf, wanted)?),
            },
        })
    }

    fn parts(&self, parts: &[Condition], together: bool, wanted: bool) -> Result<Node> {
        let filters = parts.iter().map(|part| self.filter(part, wanted)).collect::<Result<Vec<_>>>()?;
        Ok(if together { all(filters) } else { any(filters) })
    }

    /// The filter of the row of a key, if conditions name all of its fields, and the other
    /// conditions.
    fn by_key<'c>(&self, parts: &'c [Condition]) -> Option<(Node, Vec<&'c Condition>)> {
        if self.groups.is_some() || self.model.key().len() < 2 {
            return None;
        }
        let mut chosen = Vec::new();
        let mut names = Vec::new();
        for field in self.model.key() {
            let (at, parameter) = parts.iter().enumerate().find_map(|(at, part)| match part {
                Condition::Compare {
                    operator: Comparison::Eq,
                    left: Expr::Field(of),
                    right: Expr::Parameter(parameter),
                } if of == field && !chosen.contains(&at) => Some((at, *parameter)),
                _ => None,
            })?;
            chosen.push(at);
            names.push(self.key_part(*field, parameter)?);
        }
        names.sort_by(|left, right| left.name.cmp(&right.name));
        let rest = parts.iter().enumerate().filter(|(at, _)| !chosen.contains(at)).map(|(_, part)| part);
        Some((Node::Key(names), rest.collect()))
    }

    fn key_part(&self, field: u16, parameter: u16) -> Option<KeyPart> {
        let value_type = self.model.field(field)?.value_type.clone();
        let name = match has_key_document(self.model) {
            true => Some(self.layout.field(field).path.last()?.to_string()),
            false => None,
        };
        Some(KeyPart { name, parameter, value_type })
    }

    /// The filter of a simple condition on a field, which an index may serve; none, if only an
    /// expression says the same.
    fn field_filter(&self, condition: &Condition, wanted: bool) -> Option<Node> {
        if self.groups.is_some() {
            return None;
        }
        match condition {
            Condition::Compare { operator, left: Expr::Field(field), right: Expr::Parameter(parameter) } => {
                self.compare(*field, *operator, *parameter, wanted)
            }
            Condition::Compare { operator, left: Expr::Parameter(parameter), right: Expr::Field(field) } => {
                self.compare(*field, operator.mirrored(), *parameter, wanted)
            }
            Condition::In { expr: Expr::Field(field), list, negated } => self.is_in(*field, list, *negated == wanted),
            Condition::IsNull { expr: Expr::Field(field), negated } => {
                Some(self.is_null_filter(*field, *negated == wanted))
            }
            Condition::Text {
                operator: TextOperator::StartsWith,
                expr: Expr::Field(field),
                pattern: Expr::Parameter(parameter),
                negated,
            } => {
                let path = self.layout.field(*field).dotted.to_string();
                Some(Node::Prefix { path, parameter: *parameter, negated: *negated == wanted })
            }
            Condition::List { operator, expr: Expr::Field(field), argument: Expr::Parameter(parameter), negated } => {
                self.list_filter(*operator, *field, *parameter, *negated == wanted)
            }
            _ => None,
        }
    }

    fn compare(&self, field: u16, operator: Comparison, parameter: u16, wanted: bool) -> Option<Node> {
        let value_type = &self.model.field(field)?.value_type;
        if matches!(value_type, ValueType::Json | ValueType::List(_)) {
            return None;
        }
        if operator == Comparison::Eq
            && wanted
            && let [only] = self.model.key()
            && *only == field
        {
            return Some(Node::Key(vec![self.key_part(field, parameter)?]));
        }
        // numbers are compared by value: the constant keeps its own type
        let value_type = match value_type.is_number() {
            true => self.types.get(usize::from(parameter)).unwrap_or(value_type),
            false => value_type,
        };
        let place = self.layout.field(field);
        Some(Node::Compare(Box::new(FieldCompare {
            path: place.dotted.to_string(),
            micros: place.micros.as_deref().map(str::to_owned),
            operator,
            parameter,
            value_type: value_type.clone(),
            negated: !wanted,
        })))
    }

    fn is_in(&self, field: u16, list: &InList, negated: bool) -> Option<Node> {
        let value_type = &self.model.field(field)?.value_type;
        if matches!(value_type, ValueType::Json | ValueType::List(_)) || is_moment(value_type) {
            return None;
        }
        let path = &*self.layout.field(field).dotted;
        let form = Form::Stored(value_type.clone());
        match list {
            InList::Values(values) => {
                let mut items = Vec::new();
                for value in values {
                    let Expr::Parameter(index) = value else { return None };
                    items.push(Node::Parameter(*index, form.clone()));
                }
                Some(match negated {
                    false => document([(path, document([("$in", Node::Array(items))]))]),
                    true => {
                        items.push(Node::Null);
                        document([(path, document([("$nin", Node::Array(items))]))])
                    }
                })
            }
            InList::Whole(Expr::Parameter(index)) => {
                let items = Node::Elements(*index, form);
                Some(match negated {
                    false => document([(path, document([("$in", items)]))]),
                    true => document([(path, document([("$nin", items), ("$ne", Node::Null)]))]),
                })
            }
            InList::Whole(_) => None,
        }
    }

    fn is_null_filter(&self, field: u16, negated: bool) -> Node {
        let path = &*self.layout.field(field).dotted;
        let test = match self.model.field(field).map(|field| &field.value_type) {
            Some(ValueType::Json) => ("$exists", Node::Bool(negated)),
            Some(ValueType::List(_)) if negated => ("$type", text("array")),
            Some(ValueType::List(_)) => ("$not", document([("$type", text("array"))])),
            _ if negated => ("$ne", Node::Null),
            _ => ("$eq", Node::Null),
        };
        document([(path, document([test]))])
    }

    fn list_filter(&self, operator: ListOperator, field: u16, parameter: u16, negated: bool) -> Option<Node> {
        let ValueType::List(item) = &self.model.field(field)?.value_type else { return None };
        let path = &*self.layout.field(field).dotted;
        let form = Form::Element((**item).clone());
        let test = match operator {
            // a list holds no null, and an unknown test is neither true nor false
            ListOperator::Contains => document([("$in", Node::Given(parameter, form))]),
            ListOperator::Overlaps => document([("$in", Node::Elements(parameter, form))]),
        };
        let test = document([("$elemMatch", test)]);
        let filter = match negated {
            false => document([(path, test)]),
            true => document([(path, document([("$not", test), ("$type", text("array"))]))]),
        };
        Some(Node::Unless(parameter, Box::new(filter)))
    }

    /// The expression that is true where a condition is true, or where it is false.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn truth(&self, condition: &Condition, wanted: bool) -> Result<Node> {
        let parts = |parts: &[Condition], name: &str| {
            let tests = parts.iter().map(|part| self.truth(part, wanted)).collect::<Result<Vec<_>>>()?;
            Ok(document([(name, Node::Array(tests))]))
        };
        match condition {
            Condition::Const(value) => Ok(Node::Bool(*value == wanted)),
            Condition::And(all) => parts(all, if wanted { "$and" } else { "$or" }),
            Condition::Or(any) => parts(any, if wanted { "$or" } else { "$and" }),
            Condition::Not(part) => self.truth(part, !wanted),
            Condition::IsTrue { condition, negated } => {
                let holds = self.truth(condition, true)?;
                Ok(if *negated == wanted { not(holds) } else { holds })
            }
            Condition::Related { link, condition } => {
                self.has_related_test(&RelatedNode { link, condition, of: None }, wanted)
            }
            Condition::IsNull { expr, negated } => {
                if *negated == wanted {
                    self.not_null_test(expr)
                } else {
                    self.null_test(expr)
                }
            }
            Condition::Compare { operator, left, right } => self.comparison(*operator, left, right, wanted),
            Condition::In { expr, list, negated } => self.membership(expr, list, *negated == wanted),
            Condition::Text { operator, expr, pattern, negated } => {
                self.text_test(*operator, expr, pattern, *negated == wanted)
            }
            Condition::List { operator, expr, argument, negated } => {
                self.list_test(*operator, expr, argument, *negated == wanted)
            }
        }
    }

    /// A test that holds only where expressions are not null.
    fn known(&self, exprs: &[&Expr], test: Node) -> Result<Node> {
        let mut tests = exprs.iter().map(|expr| self.not_null_test(expr)).collect::<Result<Vec<_>>>()?;
        tests.push(test);
        Ok(document([("$and", Node::Array(tests))]))
    }

    fn comparison(&self, operator: Comparison, left: &Expr, right: &Expr, wanted: bool) -> Result<Node> {
        let json = match (left, right) {
            (of, Expr::Parameter(index)) | (Expr::Parameter(index), of) if self.is_json(of) => Some((of, *index)),
            _ => None,
        };
        if let Some((of, parameter)) = json {
            let negated = (operator == Comparison::Ne) == wanted;
            let test = Node::JsonEqual { of: Box::new(self.value(of)?), parameter, negated };
            return self.known(&[of], test);
        }
        let operator = if wanted { operator } else { opposite(operator) };
        if !can_fail(left) && !can_fail(right) {
            let test = operators(operator_name(operator), [self.value(left)?, self.value(right)?]);
            return self.known(&[left, right], test);
        }
        // both sides are worked out, whether or not the other is null: what is out of range is an error
        let is_known = |name: &str| operators("$gt", [text(name), Node::Null]);
        let test = operators(operator_name(operator), [text("$$l"), text("$$r")]);
        let tests = document([("$and", Node::Array(vec![is_known("$$l"), is_known("$$r"), test]))]);
        Ok(with([("l", self.value(left)?), ("r", self.value(right)?)], tests))
    }

    fn membership(&self, expr: &Expr, list: &InList, negated: bool) -> Result<Node> {
        let of = self.value(expr)?;
        if self.is_json(expr) {
            let test = match list {
                InList::Values(values) => {
                    let mut tests = Vec::new();
                    for value in values {
                        let Expr::Parameter(parameter) = value else { return Err(beyond("a list")) };
                        let of = Box::new(of.clone());
                        tests.push(Node::JsonEqual { of, parameter: *parameter, negated });
                    }
                    document([(if negated { "$and" } else { "$or" }, Node::Array(tests))])
                }
                InList::Whole(Expr::Parameter(parameter)) => {
                    Node::JsonIn { of: Box::new(of), parameter: *parameter, negated }
                }
                InList::Whole(_) => return Err(beyond("a list")),
            };
            return self.known(&[expr], test);
        }
        let items = match list {
            InList::Values(values) => Node::Array(values.iter().map(|value| self.value(value)).collect::<Result<_>>()?),
            InList::Whole(Expr::Parameter(index)) => {
                let item = match self.types.get(usize::from(*index)) {
                    Some(ValueType::List(item)) => (**item).clone(),
                    _ => ValueType::Text,
                };
                literal(Node::Elements(*index, Form::Seen(item)))
            }
            InList::Whole(_) => return Err(beyond("a list")),
        };
        let test = operators("$in", [of, items]);
        self.known(&[expr], if negated { not(test) } else { test })
    }

    fn text_test(&self, operator: TextOperator, expr: &Expr, pattern: &Expr, negated: bool) -> Result<Node> {
        let parameter = match pattern {
            Expr::Parameter(index) => Some(*index),
            _ => None,
        };
        let test = Node::TextTest {
            operator,
            of: Box::new(self.value(expr)?),
            argument: Box::new(self.value(pattern)?),
            parameter,
            negated,
        };
        match parameter {
            Some(_) => self.known(&[expr], test),
            None => self.known(&[expr, pattern], test),
        }
    }

    fn list_test(&self, of: ListOperator, expr: &Expr, argument: &Expr, negated: bool) -> Result<Node> {
        let list = self.value(expr)?;
        let wanted = match (of, argument, self.type_of(expr)) {
            // a moment in a list is a document
            (ListOperator::Contains, Expr::Parameter(index), Some(ValueType::List(item))) => {
                literal(Node::Parameter(*index, Form::Element(*item)))
            }
            _ => self.value(argument)?,
        };
        // the server works out a test whether or not the one before it failed
        let list = operators("$ifNull", [list, Node::Array(Vec::new())]);
        let test = match of {
            ListOperator::Contains => operators("$in", [wanted, list]),
            ListOperator::Overlaps => {
                let wanted = operators("$ifNull", [wanted, Node::Array(Vec::new())]);
                let shared = operator("$size", operators("$setIntersection", [list, wanted]));
                operators("$gt", [shared, Node::Int(0)])
            }
        };
        self.known(&[expr, argument], if negated { not(test) } else { test })
    }
}
