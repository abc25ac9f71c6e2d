//! The query language's expressions as expressions of MongoDB.

use ommi_core::model::ModelDef;
use ommi_core::query::{ArithmeticOperator, DatePart, Expr, RelatedNode};
use ommi_core::value::ValueType;
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::{Error, Result};

use crate::aggregate::Groups;
use crate::arithmetic::{arithmetic, cond, is_null, with};
use crate::layout::{Layout, is_moment};
use crate::related::Related;
use crate::template::{Form, Node, document, get_field, literal, operator, operators, text};

/// Translates the conditions and expressions of a statement.
#[derive(Clone, Copy)]
pub(crate) struct Translator<'a> {
    pub(crate) model: &'a ModelDef,
    pub(crate) layout: &'a Layout,
    /// The types of the parameters.
    pub(crate) types: &'a [ValueType],
    /// The groups, behind the stage that makes them.
    pub(crate) groups: Option<&'a Groups>,
    /// How parts about related rows are answered, where there may be some.
    pub(crate) related: Option<&'a Related>,
    /// What the paths of the row's fields begin with.
    pub(crate) root: &'static str,
}

/// What the paths of the fields of a pipeline's rows begin with.
const ROOT: &str = "$";

#[cold]
pub(crate) fn beyond(what: &str) -> Error {
    Error::unsupported(format!("{what} was asked for beyond the driver's capabilities: a fault of Ommi"))
}

fn is_text(of: &Node, name: &str) -> Node {
    operators("$eq", [operator("$type", of.clone()), text(name)])
}

impl Layout {
    /// The value of a field of a row, to which paths that begin so lead.
    pub(crate) fn value(&self, root: &str, index: u16) -> Node {
        let place = self.field(index);
        let path = text(format!("{root}{}", place.dotted));
        match &place.micros {
            None => path,
            Some(micros) => {
                let millis = operators("$multiply", [operator("$toLong", path), Node::Long(1_000)]);
                let rest = operators("$ifNull", [text(format!("{root}{micros}")), Node::Int(0)]);
                operators("$add", [millis, rest])
            }
        }
    }
}

impl<'a> Translator<'a> {
    /// Translates what is about the rows of a model alone.
    pub(crate) fn of_rows(model: &'a ModelDef, layout: &'a Layout, types: &'a [ValueType]) -> Self {
        Translator { model, layout, types, groups: None, related: None, root: ROOT }
    }
}

impl Translator<'_> {
    /// The type of an expression, constants included.
    pub(crate) fn type_of(&self, expr: &Expr) -> Option<ValueType> {
        match expr {
            Expr::Parameter(index) => self.types.get(usize::from(*index)).cloned(),
            expr => expr.value_type(self.model),
        }
    }

    /// The parameter, as expressions see it.
    pub(crate) fn parameter(&self, index: u16) -> Node {
        let value_type = self.types.get(usize::from(index)).cloned().unwrap_or(ValueType::Text);
        match value_type {
            // what is absent is named by a variable, which a literal would not be
            ValueType::Json => Node::JsonParameter(index),
            value_type => literal(Node::Parameter(index, Form::Seen(value_type))),
        }
    }

    /// The value of an expression. A moment is its microseconds since 1970.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn value(&self, expr: &Expr) -> Result<Node> {
        if let Some(groups) = self.groups
            && let Some(found) = groups.value(expr)
        {
            return Ok(found);
        }
        Ok(match expr {
            Expr::Field(index) => self.layout.value(self.root, *index),
            Expr::Parameter(index) => self.parameter(*index),
            Expr::Inserted(index) => self.layout.value("$$new.", *index),
            Expr::Literal(_) | Expr::Aggregate { .. } => return Err(beyond("an expression")),
            Expr::Joined { .. } => return Err(beyond("a value of another model")),
            Expr::Related { link, condition, of } => {
                self.related_value(&RelatedNode { link, condition, of: Some(of) })?
            }
            Expr::Arithmetic { operator, left, right, value_type } => {
                self.arithmetic(*operator, left, right, value_type)?
            }
            Expr::DatePart { part, of } => self.date_part(*part, of)?,
            Expr::JsonPath { of, path, cast } => json_path(self.value(of)?, path, *cast),
            Expr::Length(of) => {
                let of = self.value(of)?;
                cond(operators("$isArray", [of.clone()]), operators("$size", [of]), Node::Null)
            }
        })
    }

    fn arithmetic(&self, of: ArithmeticOperator, left: &Expr, right: &Expr, value_type: &ValueType) -> Result<Node> {
        Ok(arithmetic(of, self.value(left)?, self.value(right)?, value_type))
    }

    fn date_part(&self, part: DatePart, of: &Expr) -> Result<Node> {
        let Some(value_type) = self.type_of(of) else { return Err(beyond("a part of a date")) };
        if value_type == ValueType::Time {
            let at = match part {
                DatePart::Hour => 0,
                DatePart::Minute => 3,
                _ => 6,
            };
            let digits = document([("$substrBytes", Node::Array(vec![text("$$t"), Node::Int(at), Node::Int(2)]))]);
            let number = cond(is_null(text("$$t")), Node::Null, operator("$toInt", digits));
            return Ok(with([("t", self.value(of)?)], number));
        }
        let date = match of {
            Expr::Field(index) if self.groups.is_none() => {
                text(format!("{}{}", self.root, self.layout.field(*index).dotted))
            }
            of if is_moment(&value_type) => {
                let seconds = operators("$divide", [operator("$toDecimal", self.value(of)?), Node::Int(1_000)]);
                operator("$toDate", operator("$toLong", operator("$floor", seconds)))
            }
            of => self.value(of)?,
        };
        let name = match part {
            DatePart::Year => "$year",
            DatePart::Month => "$month",
            DatePart::Day => "$dayOfMonth",
            DatePart::Weekday => "$isoDayOfWeek",
            DatePart::Hour => "$hour",
            DatePart::Minute => "$minute",
            DatePart::Second => "$second",
        };
        Ok(operator(name, date))
    }

    /// Whether an expression holds JSON, of which null is a value.
    pub(crate) fn is_json(&self, expr: &Expr) -> bool {
        matches!(self.type_of(expr), Some(ValueType::Json))
    }

    /// Whether an expression is null.
    ///
    /// # Errors
    ///
    /// As [`Translator::value`].
    pub(crate) fn null_test(&self, expr: &Expr) -> Result<Node> {
        let value = self.value(expr)?;
        Ok(match self.is_json(expr) {
            true => is_text(&value, "missing"),
            false => is_null(value),
        })
    }

    /// Whether an expression is not null.
    ///
    /// # Errors
    ///
    /// As [`Translator::value`].
    pub(crate) fn not_null_test(&self, expr: &Expr) -> Result<Node> {
        let value = self.value(expr)?;
        Ok(match self.is_json(expr) {
            true => operators("$ne", [operator("$type", value), text("missing")]),
            false => operators("$gt", [value, Node::Null]),
        })
    }
}

/// The value at a path into a document, read as a type.
fn json_path(of: Node, path: &[PathStep], cast: JsonCast) -> Node {
    let found = path.iter().fold(of, |of, step| match step {
        PathStep::Key(key) => {
            let member = get_field(text("$$d"), key);
            with([("d", of)], cond(is_text(&text("$$d"), "object"), member, text("$$REMOVE")))
        }
        PathStep::Index(index) => match i32::try_from(*index) {
            Ok(index) => {
                let element = operators("$arrayElemAt", [text("$$d"), Node::Int(index)]);
                with([("d", of)], cond(operators("$isArray", [text("$$d")]), element, text("$$REMOVE")))
            }
            Err(_) => text("$$REMOVE"),
        },
    });
    let v = || text("$$v");
    let of_type = |name: &str| is_text(&v(), name);
    let any = |tests: Vec<Node>| document([("$or", Node::Array(tests))]);
    let read = match cast {
        JsonCast::Json => return found,
        JsonCast::Text => cond(of_type("string"), v(), Node::Null),
        JsonCast::Bool => cond(of_type("bool"), v(), Node::Null),
        JsonCast::Float => {
            let is_number = any(vec![of_type("double"), of_type("long"), of_type("int"), of_type("decimal")]);
            cond(is_number, operator("$toDouble", v()), Node::Null)
        }
        JsonCast::Int => {
            // 2^63 is exact as a float
            let most = 9_223_372_036_854_775_808.0;
            let is_whole = document([(
                "$and",
                Node::Array(vec![
                    of_type("double"),
                    operators("$gte", [v(), Node::Double(-most)]),
                    operators("$lt", [v(), Node::Double(most)]),
                    operators("$eq", [operator("$trunc", v()), v()]),
                ]),
            )]);
            let whole = cond(is_whole, operator("$toLong", v()), Node::Null);
            cond(any(vec![of_type("long"), of_type("int")]), v(), whole)
        }
    };
    with([("v", found)], read)
}
