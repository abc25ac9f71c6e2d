//! Lists, which are stored as JSON arrays.

use ommi_core::query::{Comparison, ListOperator};
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};
use ommi_sql::dialect::in_sql;
use ommi_sql::{Operand, Sql};

use super::SqliteDialect;
use super::decimal::as_text;

/// Whether equal values of two types, lists or elements of lists, have equal texts.
pub(super) fn have_one_text(left: &ValueType, right: &ValueType) -> bool {
    match (left, right) {
        (ValueType::List(left), ValueType::List(right)) => have_one_text(left, right),
        (ValueType::Json, _) | (_, ValueType::Json) => false,
        // decimals are strings in a list, integers numbers
        _ => left.is_decimal() == right.is_decimal(),
    }
}

/// The one row of an unfolded list that a condition is about. The names are unlikely to be a
/// table's.
const ELEMENT: &str = "ommi_element";
const OTHER: &str = "ommi_other";

impl SqliteDialect {
    /// Whether a value is in a list of any length, which is a parameter.
    pub(super) fn in_long_list(&self, operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Result<Sql> {
        self.needs_ommi("json_each")?;
        let (ValueType::List(element), Some(json)) = (&list.value_type, list.list_json()) else {
            return Err(Error::query("a long list to be in must be a parameter of the statement"));
        };
        let of = &operand.value_type;
        if **element == ValueType::Json {
            // the documents are strings of their texts: others would lose their quotes
            let equal = format!("ommi_json_eq({}, {ELEMENT}.value)", operand.argument());
            let exists = exists(&format!("json_each({json}) AS {ELEMENT} WHERE {equal}"));
            return Ok(unless_null(&[operand], exists).negated(negated));
        }
        let values = |value: &str| format!("SELECT {value} FROM json_each({json})");
        Ok(match **element {
            ValueType::Bytes | ValueType::Uuid => in_sql(&operand.term(), negated, &values("unhex(value)")),
            ref element if element.is_decimal() || of.is_decimal() => {
                let one_text = of == element && operand.is_stored_form();
                let term = if one_text { operand.term() } else { format!("{} COLLATE OMMI_DECIMAL", as_text(operand)) };
                let value = if element.is_decimal() { "value" } else { "CAST(value AS TEXT)" };
                in_sql(&term, negated, &values(value))
            }
            _ => in_sql(&operand.term(), negated, &values("value")),
        })
    }

    pub(super) fn test_list(&self, operator: ListOperator, list: &Operand<'_>, argument: &Operand<'_>) -> Result<Sql> {
        self.needs_ommi("json_each")?;
        let ValueType::List(element) = &list.value_type else {
            return Err(Error::query(format!("a value of type {} is no list", list.value_type)));
        };
        let rows = format!("json_each({}) AS {ELEMENT}", list.argument());
        let found = match operator {
            ListOperator::Contains => format!("{rows} WHERE {}", self.is_element(list, element, argument)?),
            ListOperator::Overlaps => {
                let ValueType::List(other) = &argument.value_type else {
                    return Err(Error::query(format!("a value of type {} is no list", argument.value_type)));
                };
                let equal = elements(element, other, list, argument, Comparison::Eq);
                format!("{rows} JOIN json_each({}) AS {OTHER} ON {equal}", argument.argument())
            }
        };
        Ok(unless_null(&[list, argument], exists(&found)))
    }

    /// Whether an unfolded element is the argument.
    fn is_element(&self, list: &Operand<'_>, element: &ValueType, argument: &Operand<'_>) -> Result<String> {
        let term = argument.term();
        Ok(match element {
            ValueType::Json => {
                format!("ommi_json_eq({} -> {ELEMENT}.fullkey, {})", list.primary(), argument.argument())
            }
            ValueType::Bytes | ValueType::Uuid => format!("unhex({ELEMENT}.value) = {term}"),
            ValueType::F32 | ValueType::F64 => format!(
                "CASE {ELEMENT}.value WHEN 'inf' THEN 9e999 WHEN '-inf' THEN -9e999 ELSE {ELEMENT}.value END = {term}"
            ),
            element if element.is_decimal() || argument.value_type.is_decimal() => {
                let value = text_of(ELEMENT, element);
                format!("{value} COLLATE OMMI_DECIMAL = {}", as_text(argument))
            }
            _ => format!("{ELEMENT}.value = {term}"),
        })
    }

    pub(super) fn compare_lists(
        &self,
        operator: Comparison,
        left: &Operand<'_>,
        left_element: &ValueType,
        right: &Operand<'_>,
        right_element: &ValueType,
    ) -> Result<Sql> {
        if have_one_text(left_element, right_element) {
            return Ok(Sql::comparison(format!("{} {} {}", left.term(), operator.sign(), right.term())));
        }
        let negated = operator == Comparison::Ne;
        let (left_text, right_text) = (left.argument(), right.argument());
        if *left_element == ValueType::Json || *right_element == ValueType::Json {
            return Ok(self.call("ommi_json_eq", &[left_text, right_text])?.negated(negated));
        }
        self.needs_ommi("OMMI_DECIMAL")?;
        let differs = elements(left_element, right_element, left, right, Comparison::Ne);
        let different = exists(&format!(
            "json_each({left_text}) AS {ELEMENT} JOIN json_each({right_text}) AS {OTHER} ON {ELEMENT}.key = {OTHER}.key WHERE {differs}"
        ));
        let same_length = Sql::comparison(format!("json_array_length({left_text}) = json_array_length({right_text})"));
        let equal = Sql::all(vec![same_length, different.negate()]).unwrap_or_else(|| Sql::primary("NULL"));
        Ok(unless_null(&[left, right], equal).negated(negated))
    }
}

/// The comparison of elements of two unfolded lists.
fn elements(
    left_type: &ValueType,
    right_type: &ValueType,
    left: &Operand<'_>,
    right: &Operand<'_>,
    operator: Comparison,
) -> String {
    let sign = operator.sign();
    if *left_type == ValueType::Json || *right_type == ValueType::Json {
        let (left, right) = (left.primary(), right.primary());
        let not = if operator == Comparison::Ne { "NOT " } else { "" };
        return format!("{not}ommi_json_eq({left} -> {ELEMENT}.fullkey, {right} -> {OTHER}.fullkey)");
    }
    if have_one_text(left_type, right_type) {
        return format!("{ELEMENT}.value {sign} {OTHER}.value");
    }
    let (left, right) = (text_of(ELEMENT, left_type), text_of(OTHER, right_type));
    format!("{left} COLLATE OMMI_DECIMAL {sign} {right}")
}

/// An unfolded number as the text that the collation compares.
fn text_of(row: &str, of: &ValueType) -> String {
    if of.is_decimal() { format!("{row}.value") } else { format!("CAST({row}.value AS TEXT)") }
}

fn exists(rows: &str) -> Sql {
    Sql::primary(format!("EXISTS (SELECT 1 FROM {rows})"))
}

/// A condition that is unknown where one of the operands is null.
fn unless_null(operands: &[&Operand<'_>], condition: Sql) -> Sql {
    let tests: Vec<String> = operands
        .iter()
        .filter(|operand| operand.nullable)
        .map(|operand| format!("{} IS NOT NULL", operand.term()))
        .collect();
    if tests.is_empty() {
        return condition;
    }
    Sql::primary(format!("CASE WHEN {} THEN {} END", tests.join(" AND "), condition.text()))
}
