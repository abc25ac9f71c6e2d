//! Exact arithmetic, as expressions of MongoDB: integers are computed as decimals of 34 digits and
//! brought back into their type; what is outside it makes the server refuse the statement.

use ommi_core::query::ArithmeticOperator;
use ommi_core::value::ValueType;

use crate::decimal;
use crate::template::{Node, document, operator, operators, text};

/// What the message of an error begins with that an expression of ours raises.
pub(crate) const RAISED: &str = "ommi: ";

/// Whether the server computes an operation exactly as the contract says.
pub(crate) fn is_exact(operator: ArithmeticOperator, value_type: &ValueType) -> bool {
    match value_type {
        // no operation rounds to single precision
        ValueType::F32 => false,
        ValueType::F64 => true,
        // products and quotients of long decimals are rounded before it can be seen
        ValueType::Decimal(_) => matches!(operator, ArithmeticOperator::Add | ArithmeticOperator::Subtract),
        _ => true,
    }
}

/// Expressions with names for parts.
pub(crate) fn with<const N: usize>(variables: [(&str, Node); N], body: Node) -> Node {
    document([("$let", document([("vars", document(variables)), ("in", body)]))])
}

/// Whether an expression is null or missing.
pub(crate) fn is_null(of: Node) -> Node {
    operators("$lte", [of, Node::Null])
}

/// One expression or another.
pub(crate) fn cond(test: Node, then: Node, otherwise: Node) -> Node {
    operators("$cond", [test, then, otherwise])
}

/// An expression that fails with a message and a value. It depends on the row, or the server would
/// work it out before it looks at any.
pub(crate) fn raise(message: &str, value: Node) -> Node {
    let nothing =
        document([("$substrBytes", Node::Array(vec![operator("$type", text("$_id")), Node::Int(0), Node::Int(0)]))]);
    let shown = operator("$toString", value);
    operator("$toInt", document([("$concat", Node::Array(vec![text(format!("{RAISED}{message}")), shown, nothing]))]))
}

fn integer(value: i128) -> Node {
    Node::Decimal(decimal::of_integer(value))
}

fn a() -> Node {
    text("$$a")
}

fn b() -> Node {
    text("$$b")
}

fn r() -> Node {
    text("$$r")
}

/// The operation on two expressions of a type.
pub(crate) fn arithmetic(of: ArithmeticOperator, left: Node, right: Node, value_type: &ValueType) -> Node {
    let result = match value_type.integer_range() {
        Some(range) => integers(of, range, value_type),
        None if value_type.is_float() => floats(of),
        None => decimals(of),
    };
    let either = document([("$or", Node::Array(vec![is_null(a()), is_null(b())]))]);
    with([("a", left), ("b", right)], cond(either, Node::Null, result))
}

fn integers(of: ArithmeticOperator, range: (i128, i128), value_type: &ValueType) -> Node {
    let (a, b) = (operator("$toDecimal", a()), operator("$toDecimal", b()));
    let is_zero = operators("$eq", [b.clone(), Node::Int(0)]);
    let result = match of {
        ArithmeticOperator::Add => operators("$add", [a, b]),
        ArithmeticOperator::Subtract => operators("$subtract", [a, b]),
        ArithmeticOperator::Multiply => operators("$multiply", [a, b]),
        ArithmeticOperator::Divide => {
            let quotient = operator("$trunc", operators("$divide", [a, b]));
            return cond(is_zero, Node::Null, in_range(quotient, range, value_type));
        }
        ArithmeticOperator::Remainder => {
            return cond(is_zero, Node::Null, in_range(operators("$mod", [a, b]), range, value_type));
        }
        ArithmeticOperator::BitAnd | ArithmeticOperator::BitOr | ArithmeticOperator::BitXor => bits(of, a, b, range),
        ArithmeticOperator::ShiftLeft | ArithmeticOperator::ShiftRight => {
            let bits = (range.1 - range.0).ilog2() + 1;
            let power = operators("$arrayElemAt", [powers(), operator("$toInt", b.clone())]);
            let shifted = match of {
                ArithmeticOperator::ShiftLeft => operators("$multiply", [a, power]),
                _ => operator("$floor", operators("$divide", [a, power])),
            };
            let is_count = document([(
                "$and",
                Node::Array(vec![
                    operators("$gte", [b.clone(), Node::Int(0)]),
                    operators("$lt", [b.clone(), integer(bits.into())]),
                ]),
            )]);
            let wrong = raise(&format!("bits of {value_type} cannot be moved by "), b);
            return cond(is_count, in_range(shifted, range, value_type), wrong);
        }
    };
    in_range(result, range, value_type)
}

/// The powers of two, 0 to 63.
fn powers() -> Node {
    operator("$literal", Node::Array((0..64).map(|bit| integer(1 << bit)).collect()))
}

/// The operation on the bits of two integers, bit by bit: the server has none on bits before its
/// version 6.3.
fn bits(of: ArithmeticOperator, a: Node, b: Node, range: (i128, i128)) -> Node {
    let whole = || integer(1 << 64);
    let unsigned = |value: Node| {
        let below = operators("$lt", [value.clone(), Node::Int(0)]);
        cond(below, operators("$add", [value.clone(), whole()]), value)
    };
    let bit = |name: &str| {
        let moved = operators("$divide", [text(name), text("$$power")]);
        operators("$mod", [operator("$floor", moved), Node::Int(2)])
    };
    let both = operators("$multiply", [bit("$$m"), bit("$$n")]);
    let result = match of {
        ArithmeticOperator::BitAnd => both,
        ArithmeticOperator::BitOr => document([("$max", Node::Array(vec![bit("$$m"), bit("$$n")]))]),
        _ => operator("$abs", operators("$subtract", [bit("$$m"), bit("$$n")])),
    };
    let step = operators("$add", [text("$$value"), operators("$multiply", [text("$$power"), result])]);
    let step = with([("power", text("$$this"))], step);
    let sum = document([("$reduce", document([("input", powers()), ("initialValue", integer(0)), ("in", step)]))]);
    let sum = with([("m", unsigned(a)), ("n", unsigned(b))], sum);
    match range.0 < 0 {
        false => sum,
        true => {
            let is_negative = operators("$gte", [text("$$sum"), integer(1 << 63)]);
            with([("sum", sum)], cond(is_negative, operators("$subtract", [text("$$sum"), whole()]), text("$$sum")))
        }
    }
}

/// The integer, if it is in its type's range.
pub(crate) fn in_range(result: Node, range: (i128, i128), value_type: &ValueType) -> Node {
    let (least, greatest) = range;
    let is_inside = document([(
        "$and",
        Node::Array(vec![operators("$gte", [r(), integer(least)]), operators("$lte", [r(), integer(greatest)])]),
    )]);
    let message = format!("a result outside {value_type}, which holds {least} to {greatest}: ");
    with([("r", result)], cond(is_inside, back(r(), greatest), raise(&message, r())))
}

/// An integer as it is stored: in 64 bits where it fits.
fn back(value: Node, greatest: i128) -> Node {
    let most = i128::from(i64::MAX);
    let long = operator("$toLong", value.clone());
    match greatest > most {
        false => long,
        true => cond(operators("$lte", [value.clone(), integer(most)]), long, value),
    }
}

fn floats(of: ArithmeticOperator) -> Node {
    let name = match of {
        ArithmeticOperator::Add => "$add",
        ArithmeticOperator::Subtract => "$subtract",
        ArithmeticOperator::Multiply => "$multiply",
        ArithmeticOperator::Divide => "$divide",
        _ => "$mod",
    };
    let result = operators(name, [a(), b()]);
    let is_infinite = |value: Node| {
        operators("$in", [value, Node::Array(vec![Node::Double(f64::INFINITY), Node::Double(f64::NEG_INFINITY)])])
    };
    let overflows = document([(
        "$and",
        Node::Array(vec![
            is_infinite(r()),
            operators("$not", [is_infinite(a())]),
            operators("$not", [is_infinite(b())]),
        ]),
    )]);
    let wrong = document([("$or", Node::Array(vec![operators("$eq", [r(), Node::Double(f64::NAN)]), overflows]))]);
    let checked = with([("r", result)], cond(wrong, raise("no number, or one outside f64: ", r()), r()));
    match of {
        ArithmeticOperator::Divide | ArithmeticOperator::Remainder => {
            cond(operators("$eq", [b(), Node::Int(0)]), Node::Null, checked)
        }
        _ => checked,
    }
}

fn decimals(of: ArithmeticOperator) -> Node {
    // an integer beside a decimal is one
    let (a, b) = (operator("$toDecimal", a()), operator("$toDecimal", b()));
    let (result, left, right) = match of {
        ArithmeticOperator::Subtract => (
            operators("$subtract", [a.clone(), b.clone()]),
            operators("$add", [r(), b.clone()]),
            operators("$subtract", [a.clone(), r()]),
        ),
        _ => (
            operators("$add", [a.clone(), b.clone()]),
            operators("$subtract", [r(), b.clone()]),
            operators("$subtract", [r(), a.clone()]),
        ),
    };
    // a sum of more than 34 digits was rounded: then it does not lead back
    let is_exact =
        document([("$and", Node::Array(vec![operators("$eq", [left, a]), operators("$eq", [right, b]), fits(r())]))]);
    with([("r", result)], cond(is_exact, r(), raise("more than 28 digits, the most that a decimal keeps: ", r())))
}

/// Whether a decimal has at most 28 digits, before and after the point.
pub(crate) fn fits(value: Node) -> Node {
    let ladder =
        operator("$literal", Node::Array((-28..28).map(|power| Node::Decimal(decimal::of_parts(1, power))).collect()));
    let reached = document([(
        "$filter",
        document([("input", ladder), ("cond", operators("$gte", [operator("$abs", value.clone()), text("$$this")]))]),
    )]);
    // a number that reaches n powers, the least of which is 10^-28, has its first digit at 10^(n-29)
    let places = document([(
        "$min",
        Node::Array(vec![Node::Int(28), operators("$subtract", [Node::Int(56), operator("$size", reached)])]),
    )]);
    document([(
        "$and",
        Node::Array(vec![
            operators("$lt", [operator("$abs", value.clone()), Node::Decimal(decimal::of_parts(1, 28))]),
            operators("$eq", [operators("$round", [value.clone(), places]), value]),
        ]),
    )])
}
