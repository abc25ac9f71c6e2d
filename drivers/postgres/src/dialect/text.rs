//! Tests of texts.

use ommi_core::query::TextOperator;
use ommi_core::query::pattern::RegexPattern;
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};
use ommi_sql::operand::PrefixEnd;
use ommi_sql::{Dialect, Operand, Precedence, Source, Sql};

use super::PostgresDialect;

impl PostgresDialect {
    pub(super) fn test_text(&self, operator: TextOperator, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Sql> {
        let (plain, wanted) = (text.argument(), pattern.argument());
        match operator {
            TextOperator::Contains => Ok(Sql::comparison(format!("strpos({plain}, {wanted}) > 0"))),
            TextOperator::StartsWith => {
                let range = if text.is_field() { self.prefix_range(text, pattern)? } else { None };
                Ok(range.unwrap_or_else(|| Sql::primary(format!("starts_with({plain}, {wanted})"))))
            }
            TextOperator::EndsWith => {
                Ok(Sql::comparison(format!("right({plain}, length({wanted})) = {}", pattern.term())))
            }
            TextOperator::Like => Ok(Sql::comparison(format!("{} LIKE {}", text.primary(), pattern.primary()))),
            TextOperator::Regex => {
                let pattern = match (pattern.regex(), pattern.source) {
                    (Some(mark), _) => mark,
                    (None, Source::Literal(Datum::Text(pattern))) => {
                        let portable = RegexPattern::cached(pattern)?.portable().to_owned();
                        self.literal(&Datum::Text(portable.into()), &ValueType::Text)?.text().to_owned()
                    }
                    _ => return Err(Error::unsupported("a regular expression has to be a constant")),
                };
                Ok(Sql::comparison(format!("{} ~ {pattern}", text.primary())))
            }
            TextOperator::ILike
            | TextOperator::IContains
            | TextOperator::IStartsWith
            | TextOperator::IEndsWith
            | TextOperator::IEq => match pattern.folded(operator) {
                Some(mark) => Ok(Sql::comparison(format!("{} COLLATE \"C\" ILIKE {mark}", text.primary()))),
                None => Err(Error::unsupported(
                    "PostgreSQL folds upper and lower case otherwise than the contract: check it in the program",
                )),
            },
        }
    }

    /// `starts_with` as a range, which an index serves. What a prefix has no end is compared with is
    /// null.
    fn prefix_range(&self, text: &Operand<'_>, pattern: &Operand<'_>) -> Result<Option<Sql>> {
        let Some(end) = pattern.prefix_end() else { return Ok(None) };
        let term = text.term();
        let low = format!("{term} >= {}", pattern.term());
        let high = match end {
            PrefixEnd::None => return Ok(Some(Sql::comparison(low))),
            PrefixEnd::Placeholder(mark) => format!("({term} < {mark} OR {mark} IS NULL)"),
            PrefixEnd::Text(end) => {
                let end = self.literal(&Datum::Text(end.into()), &ValueType::Text)?;
                format!("{term} < {}", end.within(Precedence::Operator))
            }
        };
        Ok(Some(Sql::new(format!("{low} AND {high}"), Precedence::And)))
    }
}
