//! Tests of texts.

use ommi_core::Result;
use ommi_core::query::TextOperator;
use ommi_sql::dialect::prefix_range;
use ommi_sql::{Operand, Sql};

use super::SqliteDialect;

impl SqliteDialect {
    pub(super) fn test_text(&self, operator: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql> {
        let plain = (text.argument().to_owned(), pattern.argument().to_owned());
        match operator {
            TextOperator::Contains => Ok(contains(&plain.0, &plain.1)),
            TextOperator::StartsWith if text.is_field() => {
                let range = prefix_range(self, text, pattern)?;
                Ok(range.unwrap_or_else(|| starts_with(&plain.0, &plain.1)))
            }
            TextOperator::StartsWith => Ok(starts_with(&plain.0, &plain.1)),
            TextOperator::EndsWith => Ok(ends_with(&plain.0, &plain.1)),
            TextOperator::Like => self.call("ommi_like", &[&plain.0, &plain.1, "0"]),
            TextOperator::ILike => self.call("ommi_like", &[&plain.0, &plain.1, "1"]),
            TextOperator::Regex => self.call("ommi_regex", &[&plain.0, &plain.1]),
            TextOperator::IContains | TextOperator::IStartsWith | TextOperator::IEndsWith | TextOperator::IEq => {
                let text = self.call("ommi_fold", &[&plain.0])?;
                let pattern = self.call("ommi_fold", &[&plain.1])?;
                let (text, pattern) = (text.text(), pattern.text());
                Ok(match operator {
                    TextOperator::IContains => contains(text, pattern),
                    // simple folding takes one character to one: lengths stay
                    TextOperator::IStartsWith => {
                        Sql::comparison(format!("substr({text}, 1, length({})) = {pattern}", plain.1))
                    }
                    TextOperator::IEndsWith => {
                        let start = format!("length({}) - length({}) + 1", plain.0, plain.1);
                        Sql::comparison(format!("substr({text}, {start}) = {pattern}"))
                    }
                    _ => Sql::comparison(format!("{text} = {pattern}")),
                })
            }
        }
    }
}

fn contains(text: &str, pattern: &str) -> Sql {
    Sql::comparison(format!("instr({text}, {pattern}) > 0"))
}

fn starts_with(text: &str, pattern: &str) -> Sql {
    Sql::comparison(format!("substr({text}, 1, length({pattern})) = {pattern}"))
}

/// A start before the text's counts from its end, and gives less than the pattern.
fn ends_with(text: &str, pattern: &str) -> Sql {
    Sql::comparison(format!("substr({text}, length({text}) - length({pattern}) + 1) = {pattern}"))
}
