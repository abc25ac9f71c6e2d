//! What the derive macros name. Not part of the API: it may change in any release.

pub use ommi_core::driver::{Row, RowEncoder};
pub use ommi_core::error::{Error, Result};
pub use ommi_core::model::RelationDef;
pub use ommi_core::model::attribute::{HasDigits, HasLength, RefersTo, VersionNumber, WriteTime};
pub use ommi_core::model::{
    CheckDef, FieldDef, IndexDef, Model, ModelBuilder, ModelDef, NoKey, OnChange, ReferenceDef, ReferenceTarget,
    TableName, Touch, no_reference,
};
pub use ommi_core::query::Relation;
pub use ommi_core::query::field::EmbeddedStruct;
pub use ommi_core::query::{Condition, Direction, Embedded, Expr, Field, Filter, FilterOf};
pub use ommi_core::relation::RelationField;
pub use ommi_core::relation::field::AnyRelation;
pub use ommi_core::value::datum::{unknown_number, unknown_variant};
pub use ommi_core::value::list::Element;
pub use ommi_core::value::{
    AutoValue, Cell, DateTime, Datum, DecimalSize, EnumType, Json, Timestamp, Value, ValueType, decimal, iso, kind,
};

/// The JSON of a value that serde can write.
///
/// # Errors
///
/// `Query` if it cannot be written as JSON.
pub fn to_json<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|error| Error::query(format!("the value cannot be written as JSON: {error}")))
}

/// A value that serde can read, from its JSON.
///
/// # Errors
///
/// `Decode` if the JSON does not fit the type.
pub fn from_json<T: serde::de::DeserializeOwned>(json: Json) -> Result<T> {
    serde_json::from_value(json).map_err(|error| Error::decode(format!("the JSON does not fit: {error}")))
}
