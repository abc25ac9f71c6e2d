//! Folding and patterns.

use std::borrow::Cow;

use ommi_core::query::pattern::{LikePattern, RegexPattern, fold};
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, Result};

use super::{flags, remembered, text};

pub(super) fn register(connection: &Connection) -> Result<()> {
    connection.create_scalar_function("ommi_fold", 1, flags(), |context| {
        Ok(match text(context, 0)?.map(fold) {
            // most texts fold to themselves
            None | Some(Cow::Borrowed(_)) => ToSqlOutput::Arg(0),
            Some(Cow::Owned(folded)) => ToSqlOutput::Owned(Value::Text(folded)),
        })
    })?;
    connection.create_scalar_function("ommi_like", 3, flags(), |context| {
        let (Some(subject), Some(_)) = (text(context, 0)?, text(context, 1)?) else { return Ok(None) };
        let pattern = remembered(context, 1, LikePattern::parse)?;
        let folded: bool = context.get(2)?;
        Ok(Some(pattern.matches(subject, folded)))
    })?;
    connection.create_scalar_function("ommi_regex", 2, flags(), |context| {
        let (Some(subject), Some(_)) = (text(context, 0)?, text(context, 1)?) else { return Ok(None) };
        let pattern = remembered(context, 1, RegexPattern::cached)?;
        Ok(Some(pattern.is_match(subject)))
    })
}
