//! JSON by structure.

use ommi_core::evaluate::json_value;
use ommi_core::value::json::{JsonCast, PathStep};
use ommi_core::value::{Datum, Json, json};
use ommi_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::functions::Context;
use rusqlite::types::Value;

use super::{flags, remembered, text};
use crate::error::from_function;

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_scalar_function("ommi_json_eq", 2, flags(), |context| {
        let (Some(left), Some(right)) = (document(context, 0)?, text(context, 1)?) else { return Ok(None) };
        if right.is_empty() {
            return Err(from_function(Error::decode("an empty text is not JSON")));
        }
        let right = remembered(context, 1, json::parse)?;
        Ok(Some(json::equal(&left, &right)))
    })?;
    connection.create_scalar_function("ommi_json_at", 3, flags(), |context| {
        let Some(document) = document(context, 0)? else { return Ok(Value::Null) };
        let path = remembered(context, 1, path)?;
        let cast = remembered(context, 2, cast)?;
        Ok(match json_value(&document, &path, *cast) {
            Datum::Bool(value) => Value::Integer(value.into()),
            Datum::Int(value) => Value::Integer(value),
            Datum::Float(value) => Value::Real(value),
            Datum::Text(value) => Value::Text(value.into()),
            Datum::Json(value) => Value::Text(value.to_string()),
            _ => Value::Null,
        })
    })
}

fn document(context: &Context<'_>, index: usize) -> rusqlite::Result<Option<Json>> {
    text(context, index)?.map(json::parse).transpose().map_err(from_function)
}

/// The path that a JSON array of keys and indexes is.
fn path(steps: &str) -> Result<Vec<PathStep>> {
    let wrong = || Error::query(format!("`{steps}` is not a path into a document"));
    let Json::Array(steps) = json::parse(steps)? else { return Err(wrong()) };
    steps
        .iter()
        .map(|step| match step {
            Json::String(key) => Ok(PathStep::from(key.as_str())),
            step => {
                let index = step.as_u64().and_then(|index| u32::try_from(index).ok());
                index.map(PathStep::Index).ok_or_else(wrong)
            }
        })
        .collect()
}

fn cast(name: &str) -> Result<JsonCast> {
    Ok(match name {
        "text" => JsonCast::Text,
        "int" => JsonCast::Int,
        "float" => JsonCast::Float,
        "bool" => JsonCast::Bool,
        "json" => JsonCast::Json,
        other => return Err(Error::query(format!("`{other}` is not a type that JSON is read as"))),
    })
}
