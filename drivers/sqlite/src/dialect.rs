//! SQLite's SQL.
//!
//! Values stand in STRICT tables in these forms: booleans as 0 and 1; integers as INTEGER, those
//! above `i64::MAX` as TEXT of 20 digits, which sorts behind all INTEGERs; floats as REAL; decimals,
//! dates, times, JSON and lists as TEXT; UUIDs as BLOBs of 16 bytes; durations as microseconds.
//!
//! What SQLite does not have, the driver registers: the collation `OMMI_DECIMAL` and the functions
//! whose names begin with `ommi_`. Only queries use them. The schema of a file does without, so
//! that other clients can read and write it: see [`Place::Rule`].

mod decimal;
mod list;
mod literal;
mod schema;
#[cfg(test)]
mod tests;
mod text;

use ommi_core::query::{AggregateFunction, ArithmeticOperator, Comparison, DatePart, ListOperator, TextOperator};
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, Json, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::dialect::in_sql;
use ommi_sql::render::in_as_comparisons;
use ommi_sql::{Dialect, Operand, Precedence, Sql};

/// SQLite's dialect for queries and schemas.
pub(crate) static SQLITE: SqliteDialect = SqliteDialect { place: Place::Query };

/// The same for the conditions of checks and partial indexes.
static RULES: SqliteDialect = SqliteDialect { place: Place::Rule };

/// SQLite's SQL.
#[derive(Debug)]
pub(crate) struct SqliteDialect {
    place: Place,
}

/// Where the SQL will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a statement of Ommi's own connection, which has the registered functions.
    Query,
    /// In the schema, where any client of the file evaluates it.
    Rule,
}

impl SqliteDialect {
    /// A call of a registered function.
    fn call(&self, function: &str, arguments: &[&str]) -> Result<Sql> {
        self.needs_ommi(function)?;
        Ok(Sql::primary(format!("{function}({})", arguments.join(", "))))
    }

    fn needs_ommi(&self, what: &str) -> Result<()> {
        match self.place {
            Place::Query => Ok(()),
            Place::Rule => Err(refused(what)),
        }
    }

    fn is_rule(&self) -> bool {
        self.place == Place::Rule
    }
}

/// The error for what the schema of a file that any client opens cannot say.
fn refused(what: &str) -> Error {
    Error::unsupported(format!(
        "it needs `{what}`, which other programs that open the SQLite file lack: say it with comparisons, `in_`, \
         `is_null`, `starts_with`, `contains` and `ends_with`, or check it in the program"
    ))
}

impl Dialect for SqliteDialect {
    fn placeholder(&self, number: usize) -> String {
        format!("?{number}")
    }

    fn literal(&self, value: &Datum, value_type: &ValueType) -> Result<Sql> {
        literal::literal(value, value_type)
    }

    /// Not `IS TRUE`: a column may have that name.
    fn is_true(&self, condition: &Sql, negated: bool) -> Sql {
        let not = if negated { " NOT" } else { "" };
        Sql::comparison(format!("{} IS{not} 1", condition.within(Precedence::Primary)))
    }

    fn compare(&self, operator: Comparison, left: &Operand<'_>, right: &Operand<'_>) -> Result<Sql> {
        let types = (&left.value_type, &right.value_type);
        if let (ValueType::List(left_element), ValueType::List(right_element)) = types {
            return self.compare_lists(operator, left, left_element, right, right_element);
        }
        if *types.0 == ValueType::Json || *types.1 == ValueType::Json {
            let equal = self.call("ommi_json_eq", &[left.argument(), right.argument()])?;
            return Ok(equal.negated(operator == Comparison::Ne));
        }
        if types.0.is_decimal() || types.1.is_decimal() {
            return self.compare_decimals(operator, left, right);
        }
        Ok(Sql::comparison(format!("{} {} {}", left.term(), operator.sign(), right.term())))
    }

    fn in_values(&self, operand: &Operand<'_>, values: &[Operand<'_>], negated: bool) -> Result<Sql> {
        let of = &operand.value_type;
        let is_plain = match of {
            ValueType::Json => false,
            ValueType::List(_) => values.iter().all(|value| list::have_one_text(of, &value.value_type)),
            of if of.is_decimal() => values.iter().all(|value| decimal::have_one_text(operand, value)),
            _ => values.iter().all(|value| !value.value_type.is_decimal()),
        };
        if !is_plain {
            return in_as_comparisons(self, operand, values, negated);
        }
        let values: Vec<&str> = values.iter().map(Operand::argument).collect();
        Ok(in_sql(&operand.term(), negated, &values.join(", ")))
    }

    fn in_list(&self, operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Result<Sql> {
        self.in_long_list(operand, list, negated)
    }

    fn text(&self, operator: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql> {
        self.test_text(operator, text, pattern)
    }

    fn list(&self, operator: ListOperator, list: &Operand<'_>, argument: &Operand<'_>) -> Result<Sql> {
        self.test_list(operator, list, argument)
    }

    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &Operand<'_>,
        right: &Operand<'_>,
        value_type: &ValueType,
    ) -> Result<Sql> {
        // SQLite's own operators turn an overflow into a float in silence. A decimal is exact
        // whatever its size, which only a field has to keep.
        let of = if value_type.is_decimal() { &ValueType::DECIMAL } else { value_type };
        let (name, sign) = (format!("'{of}'"), format!("'{}'", operator.sign()));
        self.call("ommi_arith", &[&name, &sign, left.argument(), right.argument()])
    }

    fn date_part(&self, part: DatePart, of: &Operand<'_>) -> Result<Sql> {
        let (has_date, time_at) = match of.value_type {
            ValueType::Date => (true, None),
            ValueType::Time => (false, Some(1)),
            ValueType::DateTime | ValueType::Timestamp => (true, Some(12)),
            _ => (false, None),
        };
        let absent = || Error::query(format!("a value of type {} has no {part:?}", of.value_type));
        if part == DatePart::Weekday {
            if !has_date {
                return Err(absent());
            }
            let from_sunday = format!("CAST(strftime('%w', {}) AS INTEGER)", of.argument());
            return Ok(Sql::new(format!("({from_sunday} + 6) % 7 + 1"), Precedence::Operator));
        }
        let date_at = has_date.then_some(1);
        let (start, length) = match part {
            DatePart::Year => (date_at, 4),
            DatePart::Month => (date_at.map(|at| at + 5), 2),
            DatePart::Day | DatePart::Weekday => (date_at.map(|at| at + 8), 2),
            DatePart::Hour => (time_at, 2),
            DatePart::Minute => (time_at.map(|at| at + 3), 2),
            DatePart::Second => (time_at.map(|at| at + 6), 2),
        };
        let start = start.ok_or_else(absent)?;
        Ok(Sql::primary(format!("CAST(substr({}, {start}, {length}) AS INTEGER)", of.argument())))
    }

    fn json_path(&self, of: &Operand<'_>, path: &[PathStep], cast: JsonCast) -> Result<Sql> {
        let steps: Vec<Json> = path
            .iter()
            .map(|step| match step {
                PathStep::Key(key) => Json::from(&**key),
                PathStep::Index(index) => Json::from(*index),
            })
            .collect();
        let steps = literal::quoted(&Json::from(steps).to_string())?;
        let cast = match cast {
            JsonCast::Text => "'text'",
            JsonCast::Int => "'int'",
            JsonCast::Float => "'float'",
            JsonCast::Bool => "'bool'",
            JsonCast::Json => "'json'",
        };
        self.call("ommi_json_at", &[of.argument(), &steps, cast])
    }

    fn length(&self, of: &Operand<'_>) -> Result<Sql> {
        Ok(Sql::primary(format!("json_array_length({})", of.argument())))
    }

    fn aggregate(&self, function: AggregateFunction, of: Option<&Operand<'_>>, distinct: bool) -> Result<Sql> {
        let Some(of) = of else {
            return match function {
                AggregateFunction::Count => Ok(Sql::primary("COUNT(*)")),
                other => Err(Error::query(format!("`{}` needs an expression", other.name()))),
            };
        };
        let name = match function {
            AggregateFunction::Count => "COUNT",
            AggregateFunction::Min => "MIN",
            AggregateFunction::Max => "MAX",
            AggregateFunction::Sum | AggregateFunction::Avg => summing(function, &of.value_type)?,
        };
        let is_ordered = matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let argument = if is_ordered { self.order_key(of)?.text().to_owned() } else { of.argument().to_owned() };
        Ok(Sql::primary(format!("{name}({}{argument})", if distinct { "DISTINCT " } else { "" })))
    }

    fn order_key(&self, of: &Operand<'_>) -> Result<Sql> {
        if of.value_type.is_decimal() {
            return Ok(Sql::primary(format!("{} COLLATE OMMI_DECIMAL", of.primary())));
        }
        Ok(of.sql.clone())
    }

    fn assigned(&self, value: &Operand<'_>, field_type: &ValueType) -> Result<Sql> {
        let from = &value.value_type;
        let fits = match (from.integer_range(), field_type.integer_range()) {
            (Some(from), Some(to)) => to.0 <= from.0 && from.1 <= to.1,
            _ if matches!(field_type, ValueType::Decimal(Some(_))) => from == field_type && value.is_stored_form(),
            _ => from == field_type || *field_type == ValueType::F64 && from.is_float(),
        };
        if fits || !from.is_number() || !field_type.is_number() {
            return Ok(value.sql.clone());
        }
        // brought to the form and into the range of the field's type
        let name = format!("'{field_type}'");
        self.call("ommi_arith", &[&name, "'+'", value.argument(), "0"])
    }

    fn limit(&self, limit: Option<&Sql>, offset: Option<&Sql>) -> String {
        match (limit, offset) {
            (None, None) => String::new(),
            (Some(limit), None) => format!(" LIMIT {}", limit.text()),
            (None, Some(offset)) => format!(" LIMIT -1 OFFSET {}", offset.text()),
            (Some(limit), Some(offset)) => format!(" LIMIT {} OFFSET {}", limit.text(), offset.text()),
        }
    }
}

/// The function that sums or averages values of a type exactly.
fn summing(function: AggregateFunction, of: &ValueType) -> Result<&'static str> {
    let is_sum = function == AggregateFunction::Sum;
    Ok(match of {
        // sums of these cannot leave the range of an INTEGER
        ValueType::I8 | ValueType::I16 | ValueType::I32 | ValueType::U8 | ValueType::U16 | ValueType::U32 if is_sum => {
            "SUM"
        }
        of if of.is_integer() && is_sum => "ommi_sum_int",
        of if of.is_integer() => "ommi_avg_int",
        of if of.is_decimal() && is_sum => "ommi_sum_decimal",
        of if of.is_decimal() => "ommi_avg_decimal",
        of if of.is_float() && is_sum => "ommi_sum_float",
        of if of.is_float() => "ommi_avg_float",
        other => return Err(Error::query(format!("values of type {other} have no `{}`", function.name()))),
    })
}
