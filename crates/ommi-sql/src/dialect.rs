//! What differs between SQL databases.

pub mod schema;

use ommi_core::Result;
use ommi_core::query::{AggregateFunction, ArithmeticOperator, Comparison, DatePart, ListOperator, TextOperator};
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, ValueType};

pub use self::schema::SchemaDialect;
use crate::identifier;
use crate::operand::{Operand, PrefixEnd};
use crate::sql::{Precedence, Sql};

/// How a database says expressions and conditions.
///
/// Every condition is in three-valued logic: where the contract says unknown, the SQL must be
/// null, so that its negation is null too. What a method cannot say exactly it refuses with an
/// `Unsupported` error; a driver's capabilities then must not promise it.
///
/// Operands come rendered, with their types. A method may use an operand's text more than once
/// if [`Dialect::reuses_placeholders`] or if it has no parameter in it.
pub trait Dialect: Send + Sync {
    /// An identifier between quotes.
    fn quote(&self, name: &str) -> String {
        identifier::quote(name, '"')
    }

    /// The placeholder of a number, counted from 1.
    fn placeholder(&self, number: usize) -> String;

    /// Whether placeholders have numbers, so that one value may be used at several places.
    fn reuses_placeholders(&self) -> bool {
        true
    }

    /// Whether nulls sort below all values where nothing else is said.
    fn nulls_sort_lowest(&self) -> bool {
        true
    }

    /// A constant of a type, in the form in which the type is stored.
    ///
    /// # Errors
    ///
    /// `Query` if the value cannot be written as a literal.
    fn literal(&self, value: &Datum, value_type: &ValueType) -> Result<Sql>;

    /// The condition that is always true, or always false.
    fn boolean(&self, value: bool) -> Sql {
        Sql::primary(if value { "TRUE" } else { "FALSE" })
    }

    /// Whether a condition is true, or is not: unknown is neither true nor false.
    fn is_true(&self, condition: &Sql, negated: bool) -> Sql {
        let not = if negated { " NOT" } else { "" };
        Sql::comparison(format!("{} IS{not} TRUE", condition.within(Precedence::Primary)))
    }

    /// A comparison.
    fn compare(&self, operator: Comparison, left: &Operand<'_>, right: &Operand<'_>) -> Result<Sql> {
        Ok(Sql::comparison(format!("{} {} {}", left.term(), operator.sign(), right.term())))
    }

    /// Whether a value is one of a few, or none of them.
    fn in_values(&self, operand: &Operand<'_>, values: &[Operand<'_>], negated: bool) -> Result<Sql> {
        let values: Vec<&str> = values.iter().map(Operand::argument).collect();
        Ok(in_sql(&operand.term(), negated, &values.join(", ")))
    }

    /// Whether a value is an element of a list, which is not empty and holds no null; or is none.
    fn in_list(&self, operand: &Operand<'_>, list: &Operand<'_>, negated: bool) -> Result<Sql>;

    /// A test of a text.
    fn text(&self, operator: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql>;

    /// A test of a list. The operands' columns are qualified by their table.
    fn list(&self, operator: ListOperator, list: &Operand<'_>, argument: &Operand<'_>) -> Result<Sql>;

    /// An operation on numbers of a type, with a result of that type.
    fn arithmetic(
        &self,
        operator: ArithmeticOperator,
        left: &Operand<'_>,
        right: &Operand<'_>,
        value_type: &ValueType,
    ) -> Result<Sql>;

    /// A part of a date or time.
    fn date_part(&self, part: DatePart, of: &Operand<'_>) -> Result<Sql>;

    /// The value at a path into a JSON document.
    fn json_path(&self, of: &Operand<'_>, path: &[PathStep], cast: JsonCast) -> Result<Sql>;

    /// The number of elements of a list.
    fn length(&self, of: &Operand<'_>) -> Result<Sql>;

    /// An aggregate; of rows where there is no operand.
    fn aggregate(&self, function: AggregateFunction, of: Option<&Operand<'_>>, distinct: bool) -> Result<Sql>;

    /// What rows are sorted by, so that they sort as the values do.
    fn order_key(&self, of: &Operand<'_>) -> Result<Sql> {
        Ok(of.sql.clone())
    }

    /// A value in the form in which a field's type is stored.
    fn assigned(&self, value: &Operand<'_>, field_type: &ValueType) -> Result<Sql> {
        let _ = field_type;
        Ok(value.sql.clone())
    }

    /// The clause that leaves rows out, with a space before it; empty if there is nothing to say.
    fn limit(&self, limit: Option<&Sql>, offset: Option<&Sql>) -> String {
        let clause = |word: &str, of: Option<&Sql>| of.map(|of| format!(" {word} {}", of.text())).unwrap_or_default();
        clause("LIMIT", limit) + &clause("OFFSET", offset)
    }

    /// The clause that says what an insert does with rows that are there already, with a space
    /// before it: the quoted columns that collide, and the columns to update with their values,
    /// `None` to leave such rows out.
    fn on_conflict(&self, columns: &[String], assignments: Option<&[(String, String)]>) -> Result<String> {
        let columns = columns.join(", ");
        Ok(match assignments {
            None => format!(" ON CONFLICT ({columns}) DO NOTHING"),
            Some(assignments) => {
                let set: Vec<String> =
                    assignments.iter().map(|(column, value)| format!("{column} = {value}")).collect();
                format!(" ON CONFLICT ({columns}) DO UPDATE SET {}", set.join(", "))
            }
        })
    }

    /// In the update of an upsert: the value that a quoted column would have been inserted with.
    fn inserted(&self, column: &str) -> Sql {
        Sql::primary(format!("excluded.{column}"))
    }

    /// The clause that gives the values of quoted columns of written rows back, with a space
    /// before it.
    fn returning(&self, columns: &[String]) -> Result<String> {
        Ok(format!(" RETURNING {}", columns.join(", ")))
    }
}

/// `x IN (..)` or `x NOT IN (..)`.
pub fn in_sql(term: &str, negated: bool, inside: &str) -> Sql {
    Sql::comparison(format!("{term}{} IN ({inside})", if negated { " NOT" } else { "" }))
}

/// `starts_with` as a range, for databases where text compares by code point: an index serves it.
///
/// `None` if the pattern is neither a parameter nor a constant, so that its end is not known.
///
/// # Errors
///
/// Those of the dialect's literals.
pub fn prefix_range(dialect: &dyn Dialect, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Option<Sql>> {
    let Some(end) = pattern.prefix_end() else { return Ok(None) };
    let term = text.term();
    let low = format!("{term} >= {}", pattern.term());
    let high = match end {
        PrefixEnd::None => return Ok(Some(Sql::comparison(low))),
        PrefixEnd::Placeholder(mark) => mark,
        PrefixEnd::Text(end) => {
            dialect.literal(&Datum::Text(end.into()), &ValueType::Text)?.within(Precedence::Operator)
        }
    };
    Ok(Some(Sql::new(format!("{low} AND {term} < {high}"), Precedence::And)))
}
