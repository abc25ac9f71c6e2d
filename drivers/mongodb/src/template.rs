//! Commands with places for parameters: made once for a shape of query, written for each call.

use std::sync::Arc;

use mongodb::bson::{Decimal128, RawDocumentBuf};
use ommi_core::query::{Comparison, TextOperator};
use ommi_core::value::{Cell, Datum, Json, ValueType};
use ommi_core::{Error, Result};

use crate::layout::is_moment;
use crate::writer::{Writer, kind};
use crate::{encode, pattern};

/// A part of a command.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Document(Vec<(String, Node)>),
    Array(Vec<Node>),
    Text(String),
    Int(i32),
    Long(i64),
    Double(f64),
    Decimal(Decimal128),
    Bool(bool),
    Null,
    /// A pattern that is the same for all calls.
    Regex(String),
    /// The date of a number of milliseconds.
    Date(i64),
    /// A JSON document.
    Json(Json),
    /// Bytes of a subtype.
    Binary(Vec<u8>, u8),
    /// A value as it is stored.
    Raw(u8, Vec<u8>),
    /// The value of a parameter, in a form.
    Parameter(u16, Form),
    /// The elements of a list parameter, in a form.
    Elements(u16, Form),
    /// The keys of related rows, which are written already; how `explain` shows them.
    Keys(u16, Arc<str>),
    /// An array of the parameter alone; of nothing, if it is null.
    Given(u16, Form),
    /// A filter that nothing passes if the parameter is null.
    Unless(u16, Box<Node>),
    /// The JSON document of a parameter, as expressions see it: what is null is absent there.
    JsonParameter(u16),
    /// A filter that compares a field with a parameter.
    Compare(Box<FieldCompare>),
    /// A filter that finds the row of a key.
    Key(Vec<KeyPart>),
    /// A filter of texts that begin with a parameter.
    Prefix {
        path: String,
        parameter: u16,
        negated: bool,
    },
    /// A test of a text, as an expression.
    TextTest {
        operator: TextOperator,
        of: Box<Node>,
        argument: Box<Node>,
        parameter: Option<u16>,
        negated: bool,
    },
    /// Whether an expression is the JSON document of a parameter.
    JsonEqual {
        of: Box<Node>,
        parameter: u16,
        negated: bool,
    },
    /// Whether an expression is one of the JSON documents of a list.
    JsonIn {
        of: Box<Node>,
        parameter: u16,
        negated: bool,
    },
}

/// In which form a parameter's value is written.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// As it is stored.
    Stored(ValueType),
    /// As an element of a stored list.
    Element(ValueType),
    /// As expressions see it: a moment as microseconds.
    Seen(ValueType),
    /// The microseconds beside the date of a moment.
    Micros,
    /// A limit or an offset.
    Count,
}

/// A comparison of a field with a parameter, as the filter language has it.
#[derive(Clone, Debug)]
pub(crate) struct FieldCompare {
    pub(crate) path: String,
    /// The path of the microseconds, for a moment.
    pub(crate) micros: Option<String>,
    pub(crate) operator: Comparison,
    pub(crate) parameter: u16,
    pub(crate) value_type: ValueType,
    /// Whether the comparison must be false.
    pub(crate) negated: bool,
}

/// A part of the key that a filter finds a row by.
#[derive(Clone, Debug)]
pub(crate) struct KeyPart {
    /// The name in the key's document; none if the key is a single value.
    pub(crate) name: Option<String>,
    pub(crate) parameter: u16,
    pub(crate) value_type: ValueType,
}

/// The parameters of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters<'a>(pub(crate) &'a [Datum]);

impl<'a> Parameters<'a> {
    pub(crate) fn get(&self, index: u16) -> &'a Datum {
        self.0.get(usize::from(index)).unwrap_or(&Datum::Null)
    }
}

/// A document of elements.
pub(crate) fn document<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Document(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An operator with one argument.
pub(crate) fn operator(name: &str, argument: Node) -> Node {
    document([(name, argument)])
}

/// An operator with several arguments.
pub(crate) fn operators<const N: usize>(name: &str, arguments: [Node; N]) -> Node {
    document([(name, Node::Array(arguments.into()))])
}

/// A value that expressions do not read as one of theirs.
pub(crate) fn literal(value: Node) -> Node {
    operator("$literal", value)
}

/// A constant text, a name of ours or a path.
pub(crate) fn text(value: impl Into<String>) -> Node {
    Node::Text(value.into())
}

/// The filter that nothing passes.
pub(crate) fn never() -> Node {
    document([("$nor", Node::Array(vec![Node::Document(Vec::new())]))])
}

/// The filter that everything passes.
pub(crate) fn always() -> Node {
    Node::Document(Vec::new())
}

impl Node {
    pub(crate) fn is_always(&self) -> bool {
        matches!(self, Node::Document(members) if members.is_empty())
    }

    /// The document that the node is, for some parameters.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written.
    pub(crate) fn to_document(&self, parameters: Parameters<'_>) -> Result<RawDocumentBuf> {
        let mut writer = Writer::default();
        match self.write(&mut writer, parameters)? {
            kind::DOCUMENT => RawDocumentBuf::from_bytes(writer.bytes().to_vec())
                .map_err(|error| Error::query("the command could not be written as BSON").with_source(error)),
            _ => Err(Error::query("a part of a command is no document: a fault of Ommi")),
        }
    }

    /// Writes the value that the node is, for some parameters.
    ///
    /// # Errors
    ///
    /// `Query` if a value cannot be written.
    pub(crate) fn write(&self, writer: &mut Writer, parameters: Parameters<'_>) -> Result<u8> {
        Ok(match self {
            Node::Document(members) => {
                let start = writer.begin();
                for (name, value) in members {
                    let place = writer.key(name)?;
                    let kind = value.write(writer, parameters)?;
                    writer.set(place, kind);
                }
                writer.end(start)?;
                kind::DOCUMENT
            }
            Node::Array(items) => {
                let start = writer.begin();
                for (index, item) in items.iter().enumerate() {
                    let place = writer.index(index);
                    let kind = item.write(writer, parameters)?;
                    writer.set(place, kind);
                }
                writer.end(start)?;
                kind::ARRAY
            }
            Node::Text(value) => writer.text(value),
            Node::Int(value) => writer.int(*value),
            Node::Long(value) => writer.long(*value),
            Node::Double(value) => writer.double(*value),
            Node::Decimal(value) => writer.decimal(*value),
            Node::Bool(value) => writer.bool(*value),
            Node::Null => kind::NULL,
            Node::Regex(pattern) => writer.regex(pattern)?,
            Node::Date(millis) => writer.date(*millis),
            Node::Binary(bytes, subtype) => writer.binary(bytes, *subtype),
            Node::Json(value) => encode::json(writer, value)?,
            Node::Raw(kind, bytes) => {
                writer.raw(bytes);
                *kind
            }
            Node::Parameter(index, form) => form.write(writer, parameters.get(*index).cell())?,
            Node::Elements(index, form) => {
                let start = writer.begin();
                if let Datum::List(items) = parameters.get(*index) {
                    for (index, item) in items.iter().enumerate() {
                        let place = writer.index(index);
                        let kind = form.write(writer, item.cell())?;
                        writer.set(place, kind);
                    }
                }
                writer.end(start)?;
                kind::ARRAY
            }
            Node::Keys(index, _) => match parameters.get(*index) {
                Datum::Bytes(array) => {
                    writer.raw(array);
                    kind::ARRAY
                }
                _ => Node::Array(Vec::new()).write(writer, parameters)?,
            },
            Node::Given(index, form) => {
                let start = writer.begin();
                let value = parameters.get(*index);
                if !value.is_null() {
                    let place = writer.index(0);
                    let kind = form.write(writer, value.cell())?;
                    writer.set(place, kind);
                }
                writer.end(start)?;
                kind::ARRAY
            }
            Node::Unless(index, filter) => match parameters.get(*index).is_null() {
                true => never().write(writer, parameters)?,
                false => filter.write(writer, parameters)?,
            },
            Node::JsonParameter(index) => match parameters.get(*index) {
                Datum::Json(value) => literal(Node::Json((**value).clone())).write(writer, parameters)?,
                _ => writer.text("$$REMOVE"),
            },
            Node::Compare(compare) => compare.filter(parameters).write(writer, parameters)?,
            Node::Key(parts) => key(parts, parameters).write(writer, parameters)?,
            Node::Prefix { path, parameter, negated } => {
                prefix(path, parameters.get(*parameter), *negated).write(writer, parameters)?
            }
            Node::TextTest { operator, of, argument, parameter, negated } => {
                let argument_value = parameter.map(|index| parameters.get(index));
                let test = pattern::test(*operator, of, argument, argument_value)?;
                negate_if(test, *negated).write(writer, parameters)?
            }
            Node::JsonEqual { of, parameter, negated } => {
                let Datum::Json(wanted) = parameters.get(*parameter) else {
                    return Node::Bool(false).write(writer, parameters);
                };
                negate_if(json_equal(of, wanted, 0), *negated).write(writer, parameters)?
            }
            Node::JsonIn { of, parameter, negated } => {
                let Datum::List(wanted) = parameters.get(*parameter) else {
                    return Node::Bool(false).write(writer, parameters);
                };
                let any = wanted.iter().filter_map(|wanted| match wanted {
                    Datum::Json(wanted) => Some(json_equal(of, wanted, 0)),
                    _ => None,
                });
                let any = document([("$or", Node::Array(any.collect()))]);
                negate_if(any, *negated).write(writer, parameters)?
            }
        })
    }

    /// The node as `explain` shows it: JSON in which `?1` stands for the first parameter.
    pub(crate) fn show(&self) -> String {
        let mut out = String::new();
        self.show_in(&mut out);
        out
    }

    fn show_in(&self, out: &mut String) {
        let list = |out: &mut String, items: &[Node]| {
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                item.show_in(out);
            }
        };
        match self {
            Node::Document(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    out.push_str(&Json::from(name.as_str()).to_string());
                    out.push_str(": ");
                    value.show_in(out);
                }
                out.push('}');
            }
            Node::Array(items) => {
                out.push('[');
                list(out, items);
                out.push(']');
            }
            Node::Text(value) => out.push_str(&Json::from(value.as_str()).to_string()),
            Node::Int(value) => out.push_str(&value.to_string()),
            Node::Long(value) => out.push_str(&value.to_string()),
            Node::Double(value) => out.push_str(&format!("{value:?}")),
            Node::Decimal(value) => out.push_str(&value.to_string()),
            Node::Bool(value) => out.push_str(&value.to_string()),
            Node::Null => out.push_str("null"),
            Node::Regex(pattern) => out.push_str(&format!("/{pattern}/")),
            Node::Date(millis) => out.push_str(&format!("{{\"$date\": {millis}}}")),
            Node::Binary(bytes, _) => out.push_str(&format!("{{\"$binary\": \"{}\"}}", crate::decode::hex(bytes))),
            Node::Json(value) => out.push_str(&value.to_string()),
            Node::Raw(..) => out.push_str("{..}"),
            Node::Parameter(index, _) | Node::Elements(index, _) | Node::JsonParameter(index) => {
                show_parameter(out, *index);
            }
            Node::Keys(_, shown) => out.push_str(shown),
            Node::Given(index, _) => {
                out.push('[');
                show_parameter(out, *index);
                out.push(']');
            }
            Node::Unless(_, filter) => filter.show_in(out),
            Node::Compare(compare) => {
                let not = if compare.negated { "$not " } else { "" };
                out.push_str(&format!(
                    "{{{}: {{\"{not}{}\": ",
                    Json::from(compare.path.as_str()),
                    operator_name(compare.operator)
                ));
                show_parameter(out, compare.parameter);
                out.push_str("}}");
            }
            Node::Key(parts) => {
                out.push_str("{\"_id\": ");
                match parts.as_slice() {
                    [KeyPart { name: None, parameter, .. }] => show_parameter(out, *parameter),
                    parts => {
                        out.push('{');
                        for (index, part) in parts.iter().enumerate() {
                            out.push_str(if index == 0 { "" } else { ", " });
                            out.push_str(&Json::from(part.name.as_deref().unwrap_or_default()).to_string());
                            out.push_str(": ");
                            show_parameter(out, part.parameter);
                        }
                        out.push('}');
                    }
                }
                out.push('}');
            }
            Node::Prefix { path, parameter, negated } => {
                let name = if *negated { "$not startsWith" } else { "$startsWith" };
                out.push_str(&format!("{{{}: {{\"{name}\": ", Json::from(path.as_str())));
                show_parameter(out, *parameter);
                out.push_str("}}");
            }
            Node::TextTest { operator, of, argument, negated, .. } => {
                let not = if *negated { "$not " } else { "" };
                out.push_str(&format!("{{\"{not}{}\": [", operator.name()));
                of.show_in(out);
                out.push_str(", ");
                argument.show_in(out);
                out.push_str("]}");
            }
            Node::JsonEqual { of, parameter, negated } | Node::JsonIn { of, parameter, negated } => {
                out.push_str(if *negated { "{\"$ne\": [" } else { "{\"$eq\": [" });
                of.show_in(out);
                out.push_str(", ");
                show_parameter(out, *parameter);
                out.push_str("]}");
            }
        }
    }
}

fn show_parameter(out: &mut String, index: u16) {
    out.push('?');
    out.push_str(&(u32::from(index) + 1).to_string());
}

/// The name of a comparison.
pub(crate) fn operator_name(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Eq => "$eq",
        Comparison::Ne => "$ne",
        Comparison::Lt => "$lt",
        Comparison::Le => "$lte",
        Comparison::Gt => "$gt",
        Comparison::Ge => "$gte",
    }
}

/// The comparison that holds where another does not.
pub(crate) fn opposite(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Eq => Comparison::Ne,
        Comparison::Ne => Comparison::Eq,
        Comparison::Lt => Comparison::Ge,
        Comparison::Le => Comparison::Gt,
        Comparison::Gt => Comparison::Le,
        Comparison::Ge => Comparison::Lt,
    }
}

fn negate_if(test: Node, negated: bool) -> Node {
    if negated { operators("$not", [test]) } else { test }
}

impl Form {
    /// Writes a value in the form.
    pub(crate) fn write(&self, writer: &mut Writer, cell: Cell<'_>) -> Result<u8> {
        match self {
            Form::Seen(value_type) if is_moment(value_type) => match encode::moment(&cell) {
                Some(micros) => Ok(writer.long(micros)),
                None => encode::value(writer, cell, value_type),
            },
            Form::Stored(value_type) | Form::Seen(value_type) => encode::value(writer, cell, value_type),
            Form::Element(value_type) => encode::element(writer, cell, value_type),
            Form::Micros => match encode::moment(&cell) {
                Some(micros) => Ok(writer.int(encode::split(micros).1)),
                None => Ok(kind::NULL),
            },
            Form::Count => match cell {
                Cell::Int(value) => Ok(writer.long(value)),
                _ => Ok(writer.long(i64::MAX)),
            },
        }
    }
}

impl FieldCompare {
    /// The filter for the parameters of a call.
    fn filter(&self, parameters: Parameters<'_>) -> Node {
        let value = parameters.get(self.parameter);
        if value.is_null() {
            return never();
        }
        let wanted = if self.negated { opposite(self.operator) } else { self.operator };
        match (&self.micros, encode::moment(&value.cell())) {
            (Some(micros), Some(total)) => self.moment(wanted, micros, total),
            _ => self.plain(wanted),
        }
    }

    fn plain(&self, wanted: Comparison) -> Node {
        let value = Node::Parameter(self.parameter, Form::Stored(self.value_type.clone()));
        let test = match wanted {
            Comparison::Ne => document([("$nin", Node::Array(vec![value, Node::Null]))]),
            other => document([(operator_name(other), value)]),
        };
        document([(self.path.as_str(), test)])
    }

    /// A moment is a date and microseconds; these are 0 where another program did not write them.
    fn moment(&self, wanted: Comparison, micros: &str, total: i64) -> Node {
        let (millis, rest) = encode::split(total);
        let date = |name: &str| document([(self.path.as_str(), document([(name, Node::Date(millis))]))]);
        let same_and = |test: Node| document([("$and", Node::Array(vec![date("$eq"), document([(micros, test)])]))]);
        let or = |left: Node, right: Node| document([("$or", Node::Array(vec![left, right]))]);
        let is_zero = rest == 0;
        match wanted {
            Comparison::Eq if is_zero => same_and(document([("$in", Node::Array(vec![Node::Int(0), Node::Null]))])),
            Comparison::Eq => same_and(document([("$eq", Node::Int(rest))])),
            Comparison::Ne => {
                let other = document([(
                    self.path.as_str(),
                    document([("$nin", Node::Array(vec![Node::Date(millis), Node::Null]))]),
                )]);
                let rest = match is_zero {
                    true => document([("$nin", Node::Array(vec![Node::Int(0), Node::Null]))]),
                    false => document([("$ne", Node::Int(rest))]),
                };
                or(other, same_and(rest))
            }
            Comparison::Lt if is_zero => date("$lt"),
            Comparison::Lt => or(date("$lt"), same_and(document([("$not", document([("$gte", Node::Int(rest))]))]))),
            Comparison::Le => or(date("$lt"), same_and(document([("$not", document([("$gt", Node::Int(rest))]))]))),
            Comparison::Gt => or(date("$gt"), same_and(document([("$gt", Node::Int(rest))]))),
            Comparison::Ge if is_zero => date("$gte"),
            Comparison::Ge => or(date("$gt"), same_and(document([("$gte", Node::Int(rest))]))),
        }
    }
}

/// The filter that finds the row of a key.
fn key(parts: &[KeyPart], parameters: Parameters<'_>) -> Node {
    if parts.iter().any(|part| parameters.get(part.parameter).is_null()) {
        return never();
    }
    let mut members = Vec::new();
    for part in parts {
        let value = Node::Parameter(part.parameter, Form::Stored(part.value_type.clone()));
        match &part.name {
            None => return document([("_id", value)]),
            Some(name) => {
                members.push((name.clone(), value));
                if is_moment(&part.value_type) {
                    members.push((format!("{name}$us"), Node::Parameter(part.parameter, Form::Micros)));
                }
            }
        }
    }
    document([("_id", document([("$eq", Node::Document(members))]))])
}

/// The filter of texts that begin with another: a range, which an index serves.
fn prefix(path: &str, argument: &Datum, negated: bool) -> Node {
    let Datum::Text(argument) = argument else { return never() };
    let end = pattern::after_prefix(argument);
    let from = ("$gte", text(&**argument));
    match (negated, end) {
        (false, Some(end)) => document([(path, document([from, ("$lt", text(end))]))]),
        (false, None) => document([(path, document([from]))]),
        (true, end) => {
            let below = document([(path, document([("$lt", text(&**argument))]))]);
            match end {
                Some(end) => {
                    let above = document([(path, document([("$gte", text(end))]))]);
                    document([("$or", Node::Array(vec![below, above]))])
                }
                None => below,
            }
        }
    }
}

/// How deep the structure of a document is compared by its parts; what is deeper is compared
/// whole, with its members in the order of their names.
const COMPARED_DEPTH: usize = 12;

/// Whether an expression is a JSON document, whatever the order of its members.
fn json_equal(of: &Node, wanted: &Json, depth: usize) -> Node {
    let is_of = |of: &Node, name: &str| operators("$eq", [operator("$type", of.clone()), text(name)]);
    let whole = |of: &Node| {
        let value = Node::Json(wanted.clone());
        operators("$eq", [of.clone(), literal(value)])
    };
    let variable = format!("j{depth}");
    let inner = Node::Text(format!("$${variable}"));
    let with = |test: Node| {
        document([("$let", document([("vars", document([(variable.as_str(), of.clone())])), ("in", test)]))])
    };
    match wanted {
        Json::Null => is_of(of, "null"),
        _ if depth >= COMPARED_DEPTH => whole(of),
        Json::Array(items) => {
            let mut tests = vec![operators("$eq", [operator("$size", inner.clone()), count(items.len())])];
            for (index, item) in items.iter().enumerate() {
                let element = operators("$arrayElemAt", [inner.clone(), count(index)]);
                tests.push(json_equal(&element, item, depth + 1));
            }
            let all = document([("$and", Node::Array(tests))]);
            with(operators("$cond", [operators("$isArray", [inner.clone()]), all, Node::Bool(false)]))
        }
        Json::Object(members) => {
            let size = operator("$size", operator("$objectToArray", inner.clone()));
            let mut tests = vec![operators("$eq", [size, count(members.len())])];
            for (name, member) in members {
                tests.push(json_equal(&get_field(inner.clone(), name), member, depth + 1));
            }
            let all = document([("$and", Node::Array(tests))]);
            with(operators("$cond", [is_of(&inner, "object"), all, Node::Bool(false)]))
        }
        _ => whole(of),
    }
}

fn count(number: usize) -> Node {
    Node::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

/// The member of a document, whatever its name looks like.
pub(crate) fn get_field(of: Node, name: &str) -> Node {
    document([("$getField", document([("field", literal(text(name))), ("input", of)]))])
}
