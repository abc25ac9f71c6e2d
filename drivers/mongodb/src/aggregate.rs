//! Groups and aggregates: what the stage of groups gathers, and what is made of it behind.
//!
//! Sums of integers and decimals are gathered as decimals of 34 digits and are exact; a mean is
//! divided with its remainder apart, so that it is rounded once.

use ommi_core::model::ModelDef;
use ommi_core::query::{AggregateFunction, Expr};
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

use crate::arithmetic::{cond, fits, in_range, raise, with};
use crate::encode::is_narrow;
use crate::expression::Translator;
use crate::template::{Node, document, operator, operators, text};

/// What the server says of a sum of floats that it cannot do precisely.
pub(crate) const IMPRECISE: &str = "imprecise";

/// The groups of a select: what their expressions are behind the stage that makes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    /// Expressions, and what they are called behind the stage.
    known: Vec<(Expr, Node)>,
    /// The members of the stage.
    members: Vec<(String, Node)>,
}

/// How an aggregate gathers values: as rows come, or as a set of those that differ.
struct Gathering<'g> {
    groups: &'g mut Groups,
    value: Node,
    not_null: Node,
    /// The set, if equal values count once.
    set: Option<String>,
}

impl Groups {
    /// The groups of expressions, with the aggregates that others name.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn new(rows: &Translator<'_>, group_by: &[Expr], named: &[&Expr]) -> Result<Groups> {
        let mut groups = Groups::default();
        let mut key = Vec::new();
        for (index, expr) in group_by.iter().enumerate() {
            let name = format!("k{index}");
            // what is missing is null, and one group with it
            key.push((name.clone(), operators("$ifNull", [rows.value(expr)?, Node::Null])));
            groups.known.push((expr.clone(), text(format!("$_id.{name}"))));
        }
        let key = if key.is_empty() { Node::Null } else { Node::Document(key) };
        groups.members.push(("_id".into(), key));
        for expr in named {
            groups.gather_in(rows, expr)?;
        }
        Ok(groups)
    }

    /// The stage that makes the groups.
    pub(crate) fn stage(&self) -> Node {
        operator("$group", Node::Document(self.members.clone()))
    }

    /// What an expression is called behind the stage, if it is one of the groups'.
    pub(crate) fn value(&self, expr: &Expr) -> Option<Node> {
        self.known.iter().find(|(known, _)| known == expr).map(|(_, value)| value.clone())
    }

    fn gather_in(&mut self, rows: &Translator<'_>, expr: &Expr) -> Result<()> {
        if self.value(expr).is_some() {
            return Ok(());
        }
        match expr {
            Expr::Aggregate { function, of, distinct } => {
                let value = self.aggregate(rows, *function, of.as_deref(), *distinct)?;
                self.known.push((expr.clone(), value));
                Ok(())
            }
            Expr::Arithmetic { left, right, .. } => {
                self.gather_in(rows, left)?;
                self.gather_in(rows, right)
            }
            Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => self.gather_in(rows, of),
            Expr::Field(_)
            | Expr::Literal(_)
            | Expr::Parameter(_)
            | Expr::Inserted(_)
            | Expr::Joined { .. }
            | Expr::Related { .. } => Ok(()),
        }
    }

    /// Adds a member to the stage, and gives its path.
    fn member(&mut self, gather: Node) -> Node {
        let name = format!("a{}", self.members.len());
        let path = text(format!("${name}"));
        self.members.push((name, gather));
        path
    }

    fn aggregate(
        &mut self,
        rows: &Translator<'_>,
        function: AggregateFunction,
        of: Option<&Expr>,
        distinct: bool,
    ) -> Result<Node> {
        let Some(of) = of else {
            return Ok(operator("$toLong", self.member(operator("$sum", Node::Int(1)))));
        };
        let value = rows.value(of)?;
        let not_null = rows.not_null_test(of)?;
        let value_type = rows.type_of(of).ok_or_else(|| Error::query("an aggregate of a constant has no type"))?;
        match function {
            AggregateFunction::Min => return Ok(self.member(operator("$min", value))),
            AggregateFunction::Max => return Ok(self.member(operator("$max", value))),
            _ => {}
        }
        let set = distinct.then(|| {
            let added = cond(not_null.clone(), value.clone(), text("$$REMOVE"));
            match self.member(operator("$addToSet", added)) {
                Node::Text(path) => path,
                _ => String::new(),
            }
        });
        let mut gathering = Gathering { groups: self, value, not_null, set };
        Ok(match function {
            AggregateFunction::Count => operator("$toLong", gathering.count()),
            AggregateFunction::Sum => gathering.sum(&value_type),
            _ => gathering.mean(&value_type),
        })
    }
}

impl Gathering<'_> {
    /// How many values there are.
    fn count(&mut self) -> Node {
        match &self.set {
            Some(set) => operator("$size", text(set.clone())),
            None => {
                let one = cond(self.not_null.clone(), Node::Int(1), Node::Int(0));
                self.groups.member(operator("$sum", one))
            }
        }
    }

    /// The sum of what is made of each value.
    fn total(&mut self, of: impl Fn(Node) -> Node) -> Node {
        match &self.set {
            Some(set) => {
                let each = document([("input", text(set.clone())), ("as", text("each")), ("in", of(text("$$each")))]);
                operator("$sum", document([("$map", each)]))
            }
            None => {
                // what is null is left out
                let value = with([("each", self.value.clone())], of(text("$$each")));
                let added = cond(self.not_null.clone(), value, Node::Null);
                self.groups.member(operator("$sum", added))
            }
        }
    }

    fn sum(&mut self, value_type: &ValueType) -> Node {
        let count = self.count();
        let sum = match value_type {
            ValueType::F32 | ValueType::F64 => self.sum_floats(Node::Int(1)),
            ValueType::Decimal(_) => {
                let (whole, fraction) = self.decimals();
                let sum = operators("$add", [text("$$whole"), text("$$fraction")]);
                let leads_back = |taken: &str, left: &str| {
                    operators("$eq", [operators("$subtract", [text("$$sum"), text(taken)]), text(left)])
                };
                let is_exact = document([(
                    "$and",
                    Node::Array(vec![
                        leads_back("$$whole", "$$fraction"),
                        leads_back("$$fraction", "$$whole"),
                        fits(text("$$sum")),
                    ]),
                )]);
                let wrong = raise("the sum has more than 28 digits, the most that a decimal keeps: ", text("$$sum"));
                let checked = with([("sum", sum)], cond(is_exact, text("$$sum"), wrong));
                with([("whole", whole), ("fraction", fraction)], checked)
            }
            // 2^31 of them fit into 64 bits
            narrow if is_narrow(narrow) || *narrow == ValueType::U32 => {
                let sum = self.total(|each| each);
                operator("$toLong", sum)
            }
            _ => {
                let sum = self.total(|each| operator("$toDecimal", each));
                in_range(sum, (i64::MIN.into(), i64::MAX.into()), &ValueType::I64)
            }
        };
        cond(operators("$eq", [count, Node::Int(0)]), Node::Null, sum)
    }

    /// The sums of the whole parts and of the fractions of decimals: both are exact for a million
    /// values of 28 digits.
    fn decimals(&mut self) -> (Node, Node) {
        let whole = self.total(|each| operator("$trunc", operator("$toDecimal", each)));
        let fraction = self.total(|each| {
            let value = operator("$toDecimal", each);
            operators("$subtract", [value.clone(), operator("$trunc", value)])
        });
        (operator("$toDecimal", whole), operator("$toDecimal", fraction))
    }

    fn mean(&mut self, value_type: &ValueType) -> Node {
        let count = self.count();
        let mean = match value_type {
            ValueType::F32 | ValueType::F64 => self.sum_floats(count.clone()),
            ValueType::Decimal(_) => {
                let (whole, fraction) = self.decimals();
                divided(whole, fraction, count.clone())
            }
            _ => {
                let whole = self.total(|each| operator("$toDecimal", each));
                divided(operator("$toDecimal", whole), Node::Int(0), count.clone())
            }
        };
        cond(operators("$eq", [count, Node::Int(0)]), Node::Null, mean)
    }

    /// The sum of floats, divided by a count.
    ///
    /// Not every server sums doubles exactly enough, so they are summed as decimals: the first 15
    /// digits and what is missing to the double. That is off by at most 2^-53 of each value; where
    /// values of both signs nearly cancel out, it would show, and the sum is refused as imprecise.
    fn sum_floats(&mut self, count: Node) -> Node {
        let absolute = |of: Node| operator("$abs", of);
        let is_infinite = |each: &Node| operators("$eq", [absolute(each.clone()), Node::Double(f64::INFINITY)]);
        let zero = || Node::Decimal(crate::decimal::of_integer(0));
        // beyond these the server converts no decimal back
        let is_usual = |of: Node| {
            let least = operators("$gte", [absolute(of.clone()), Node::Double(1e-290)]);
            let most = operators("$lte", [absolute(of), Node::Double(1e307)]);
            document([("$and", Node::Array(vec![least, most]))])
        };
        let sum = self.total(|each| {
            let first = operator("$toDecimal", each.clone());
            let rest = operators("$subtract", [each.clone(), operator("$toDouble", text("$$first"))]);
            let whole = operators("$add", [text("$$first"), operator("$toDecimal", rest)]);
            let whole = cond(is_usual(each.clone()), whole, text("$$first"));
            cond(is_infinite(&each), zero(), with([("first", first)], whole))
        });
        let size = self.total(|each| {
            let size = absolute(operator("$toDecimal", each.clone()));
            cond(is_infinite(&each), zero(), size)
        });
        let infinite = self.total(|each| cond(is_infinite(&each), each, Node::Double(0.0)));
        let most = operators("$multiply", [absolute(text("$$sum")), Node::Int(500)]);
        let is_precise = operators("$lte", [text("$$size"), most]);
        let quotient = operators("$divide", [text("$$sum"), text("$$count")]);
        let is_zero = operators("$eq", [text("$$quotient"), Node::Int(0)]);
        let usual =
            cond(is_usual(text("$$quotient")), operator("$toDouble", text("$$quotient")), raise(IMPRECISE, text("")));
        let converted = with([("quotient", quotient)], cond(is_zero, Node::Double(0.0), usual));
        let finite = cond(is_precise, converted, raise(IMPRECISE, text("")));
        let of_infinite = cond(operators("$eq", [text("$$infinite"), Node::Double(0.0)]), finite, text("$$infinite"));
        let checked = cond(
            operators("$eq", [text("$$infinite"), Node::Double(f64::NAN)]),
            raise("the sum of infinities of both signs is no number: ", text("$$infinite")),
            of_infinite,
        );
        with(
            [
                ("sum", operator("$toDecimal", sum)),
                ("size", operator("$toDecimal", size)),
                ("infinite", operator("$toDouble", infinite)),
                ("count", count),
            ],
            checked,
        )
    }
}

/// Whether an expression sums floats, which the server may find that it cannot do.
pub(crate) fn sums_floats(expr: &Expr, model: &ModelDef) -> bool {
    match expr {
        Expr::Aggregate { function: AggregateFunction::Sum | AggregateFunction::Avg, of: Some(of), .. } => {
            of.value_type(model).is_some_and(|of| of.is_float())
        }
        Expr::Arithmetic { left, right, .. } => sums_floats(left, model) || sums_floats(right, model),
        Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => sums_floats(of, model),
        _ => false,
    }
}

/// A sum, whole part and fraction, divided by a count: 12 digits after the point, half even.
fn divided(whole: Node, fraction: Node, count: Node) -> Node {
    let quotient = operator("$trunc", operators("$divide", [text("$$whole"), text("$$count")]));
    let product = operators("$multiply", [text("$$quotient"), text("$$count")]);
    let rest = operators("$add", [operators("$subtract", [text("$$whole"), product]), text("$$fraction")]);
    let part = operators("$round", [operators("$divide", [rest, text("$$count")]), Node::Int(12)]);
    let mean = operators("$add", [text("$$quotient"), part]);
    let wrong = raise("the mean has more than 28 digits, the most that a decimal keeps: ", text("$$mean"));
    let checked = with([("mean", mean)], cond(fits(text("$$mean")), text("$$mean"), wrong));
    let with_quotient = with([("quotient", quotient)], checked);
    with(
        [("whole", whole), ("fraction", operator("$toDecimal", fraction)), ("count", operator("$toDecimal", count))],
        with_quotient,
    )
}
