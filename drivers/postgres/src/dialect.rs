//! PostgreSQL's SQL.
//!
//! Values stand in PostgreSQL's own types; integers in the smallest that holds them, `u64` in
//! `numeric`; text in columns of the collation `"C"`, in which it sorts by code point. Everything is
//! said with what every server has: neither queries nor schemas need functions of Ommi's.
//!
//! An expression whose text is needed at several places, and that may be long, stands once, in a
//! query of one row; see [`within`].

mod aggregate;
mod arithmetic;
mod decimal;
mod float;
mod list;
mod literal;
mod schema;
mod text;

use ommi_core::query::{AggregateFunction, ArithmeticOperator, Comparison, DatePart, ListOperator, TextOperator};
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, Json, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::{Dialect, Operand, Precedence, Source, Sql};

pub(crate) use self::schema::IDENTIFIER_BYTES;

/// PostgreSQL's dialect for queries and schemas.
pub(crate) static POSTGRES: PostgresDialect = PostgresDialect { is_rule: false };

/// The same for the conditions of checks and partial indexes, which hold no queries.
static RULES: PostgresDialect = PostgresDialect { is_rule: true };

/// PostgreSQL's SQL.
#[derive(Debug)]
pub(crate) struct PostgresDialect {
    is_rule: bool,
}

impl PostgresDialect {
    /// Refuses what has to be said with a query where none can stand.
    fn needs_query(&self, what: &str) -> Result<()> {
        match self.is_rule {
            false => Ok(()),
            true => Err(Error::unsupported(format!(
                "{what} takes a query, which a rule of PostgreSQL cannot have: say it otherwise, or check it in the program"
            ))),
        }
    }
}

/// A value made of others that stand once: `values` are selected into one row, of which `made` is
/// the value. `OFFSET 0` keeps the planner from writing them out again.
fn within(made: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<String> = values.iter().map(|(name, value)| format!("{value} AS {name}")).collect();
    format!("(SELECT {made} FROM (SELECT {} OFFSET 0) AS ommi)", values.join(", "))
}

/// PostgreSQL's name of the type in which values are stored.
pub(crate) fn type_name(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Bool => "boolean",
        ValueType::I8 | ValueType::I16 | ValueType::U8 => "smallint",
        ValueType::I32 | ValueType::U16 => "integer",
        ValueType::I64 | ValueType::U32 => "bigint",
        ValueType::U64 | ValueType::Decimal(None) => "numeric",
        ValueType::Decimal(Some(size)) => return format!("numeric({}, {})", size.precision, size.scale),
        ValueType::F32 => "real",
        ValueType::F64 => "double precision",
        ValueType::Text | ValueType::Enum(_) => "text",
        ValueType::Bytes => "bytea",
        ValueType::Uuid => "uuid",
        ValueType::Date => "date",
        ValueType::Time => "time",
        ValueType::DateTime => "timestamp",
        ValueType::Timestamp => "timestamptz",
        ValueType::Duration => "interval",
        ValueType::Json => "jsonb",
        ValueType::List(element) => return format!("{}[]", array_element(element)),
    }
    .into()
}

/// The name of the type of elements; decimals in arrays have no size of their own.
fn array_element(element: &ValueType) -> String {
    match element {
        ValueType::Decimal(_) => "numeric".into(),
        element => type_name(element),
    }
}

impl Dialect for PostgresDialect {
    fn placeholder(&self, number: usize) -> String {
        format!("${number}")
    }

    fn nulls_sort_lowest(&self) -> bool {
        false
    }

    fn literal(&self, value: &Datum, value_type: &ValueType) -> Result<Sql> {
        literal::literal(value, value_type)
    }

    fn compare(&self, operator: Comparison, left: &Operand<'_>, right: &Operand<'_>) -> Result<Sql> {
        let sign = operator.sign();
        if let (ValueType::List(one), ValueType::List(other)) = (&left.value_type, &right.value_type) {
            let (left, right) = list::of_one_type(left, one, right, other);
            return Ok(Sql::comparison(format!("{left} {sign} {right}")));
        }
        let is_sorted = !matches!(operator, Comparison::Eq | Comparison::Ne);
        let has_collation = left.is_field() || right.is_field();
        if is_sorted && left.value_type.is_text() && !has_collation {
            return Ok(Sql::comparison(format!("{} COLLATE \"C\" {sign} {}", left.primary(), right.primary())));
        }
        Ok(Sql::comparison(format!("{} {sign} {}", left.term(), right.term())))
    }

    fn in_list(&self, operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Result<Sql> {
        Ok(list::in_list(operand, list, negated))
    }

    fn text(&self, operator: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql> {
        self.test_text(operator, text, pattern)
    }

    fn list(&self, operator: ListOperator, list: &Operand<'_>, argument: &Operand<'_>) -> Result<Sql> {
        list::test(operator, list, argument)
    }

    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &Operand<'_>,
        right: &Operand<'_>,
        value_type: &ValueType,
    ) -> Result<Sql> {
        if value_type.is_integer() {
            return arithmetic::integers(self, operator, left, right, value_type);
        }
        if value_type.is_float() {
            self.needs_query("arithmetic with floats")?;
            return float::arithmetic(operator, left, right, value_type);
        }
        decimal::arithmetic(self, operator, left, right)
    }

    fn date_part(&self, part: DatePart, of: &Operand<'_>) -> Result<Sql> {
        let (has_date, has_time) = match of.value_type {
            ValueType::Date => (true, false),
            ValueType::Time => (false, true),
            ValueType::DateTime | ValueType::Timestamp => (true, true),
            _ => (false, false),
        };
        let (name, is_there) = match part {
            DatePart::Year => ("YEAR", has_date),
            DatePart::Month => ("MONTH", has_date),
            DatePart::Day => ("DAY", has_date),
            DatePart::Weekday => ("ISODOW", has_date),
            DatePart::Hour => ("HOUR", has_time),
            DatePart::Minute => ("MINUTE", has_time),
            DatePart::Second => ("SECOND", has_time),
        };
        if !is_there {
            return Err(Error::query(format!("a value of type {} has no {part:?}", of.value_type)));
        }
        let of = match of.value_type {
            ValueType::Timestamp => format!("{} AT TIME ZONE 'UTC'", of.primary()),
            _ => of.argument().to_owned(),
        };
        let extracted = format!("EXTRACT({name} FROM {of})");
        // a second has a fraction
        let whole = if part == DatePart::Second { format!("FLOOR({extracted})") } else { extracted };
        Ok(Sql::primary(format!("CAST({whole} AS bigint)")))
    }

    fn json_path(&self, of: &Operand<'_>, path: &[PathStep], cast: JsonCast) -> Result<Sql> {
        // strict: members of objects alone, elements of arrays alone
        let mut steps = String::from("strict $");
        for step in path {
            match step {
                PathStep::Key(key) => steps.push_str(&format!(".{}", Json::from(&**key))),
                PathStep::Index(index) => steps.push_str(&format!("[{index}]")),
            }
        }
        steps.push_str(match cast {
            JsonCast::Text => " ? (@.type() == \"string\")",
            JsonCast::Int => {
                " ? (@.type() == \"number\" && @ >= -9223372036854775808 && @ <= 9223372036854775807 && @.floor() == @)"
            }
            JsonCast::Float => " ? (@.type() == \"number\")",
            JsonCast::Bool => " ? (@.type() == \"boolean\")",
            JsonCast::Json => "",
        });
        // silent: a way that leads nowhere gives null
        let found = format!("jsonb_path_query_first({}, {}, '{{}}', true)", of.argument(), literal::quoted(&steps)?);
        Ok(match cast {
            JsonCast::Text => Sql::primary(format!("({found} #>> '{{}}' COLLATE \"C\")")),
            JsonCast::Int => Sql::primary(format!("CAST({found} AS bigint)")),
            JsonCast::Float => Sql::primary(format!("CAST({found} AS double precision)")),
            JsonCast::Bool => Sql::primary(format!("CAST({found} AS boolean)")),
            JsonCast::Json => Sql::primary(found),
        })
    }

    fn length(&self, of: &Operand<'_>) -> Result<Sql> {
        Ok(Sql::primary(format!("CAST(cardinality({}) AS bigint)", of.argument())))
    }

    fn aggregate(&self, function: AggregateFunction, of: Option<&Operand<'_>>, distinct: bool) -> Result<Sql> {
        aggregate::aggregate(function, of, distinct)
    }

    fn assigned(&self, value: &Operand<'_>, field_type: &ValueType) -> Result<Sql> {
        let from = &value.value_type;
        if *field_type == ValueType::DECIMAL && from.is_decimal() && value.source == Source::Computed {
            // zeros at the end would be kept
            return Ok(Sql::primary(format!("trim_scale({})", value.argument())));
        }
        if let ValueType::Decimal(Some(size)) = field_type
            && from.is_decimal()
            && value.source == Source::Computed
        {
            // the server would round
            return Ok(Sql::primary(decimal::of_size(value.argument(), *size)));
        }
        if from == field_type || !from.is_number() || !field_type.is_number() {
            return Ok(value.sql.clone());
        }
        match (from.integer_range(), field_type.integer_range()) {
            (Some(from), Some(to)) if to.0 <= from.0 && from.1 <= to.1 => Ok(value.sql.clone()),
            (_, Some(_)) => {
                Ok(arithmetic::checked(&format!("CAST({} AS {})", value.argument(), type_name(field_type)), field_type))
            }
            (Some(_), None) => Ok(value.sql.clone()),
            _ => match field_type {
                ValueType::Decimal(Some(size)) => Ok(Sql::primary(decimal::of_size(value.argument(), *size))),
                ValueType::F32 => Ok(Sql::primary(float::single(value.argument()))),
                _ => Ok(value.sql.clone()),
            },
        }
    }

    fn order_key(&self, of: &Operand<'_>) -> Result<Sql> {
        Ok(of.sql.clone())
    }
}

/// The operands as they stand beside an operator.
fn pair(left: &Operand<'_>, right: &Operand<'_>) -> (String, String) {
    (left.primary(), right.primary())
}

/// A piece that binds as an operator does.
fn operation(text: String) -> Sql {
    Sql::new(text, Precedence::Operator)
}
