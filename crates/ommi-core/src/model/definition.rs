//! The definition of a model at run time.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::relation::Routes;
use super::{CheckDef, IndexDef, ReferenceDef, RelationDef};
use crate::error::{ConstraintKind, Error, Result};
use crate::value::{Cell, Datum, ValueType, check, decimal};

/// The stored name of a model: a table or a collection, in a schema where the database has those.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// The schema, if one is named.
    pub schema: Option<Box<str>>,
    /// The table.
    pub name: Box<str>,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// Which write fills in the automatic fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A new row: UUIDs, `created` and `updated`.
    Insert,
    /// A changed row: `updated`.
    Update,
}

/// A field of a model.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// The name in the program; the fields of an embedded struct have dots in it.
    pub name: Arc<str>,
    /// The stored name where rows are flat.
    pub column: Box<str>,
    /// The stored path where rows are documents.
    pub path: Vec<Box<str>>,
    /// The type.
    pub value_type: ValueType,
    /// Whether null is allowed.
    pub nullable: bool,
    /// Whether the database or the engine assigns the value where it holds its default.
    pub auto: bool,
    /// Whether the engine counts writes in it.
    pub version: bool,
    /// Whether the engine notes the time of the first write in it.
    pub created: bool,
    /// Whether the engine notes the time of the last write in it.
    pub updated: bool,
    /// The value that the database gives to rows that other programs write without one.
    pub default: Option<Datum>,
    /// The greatest number of characters of a text.
    pub max_length: Option<u32>,
}

impl FieldDef {
    /// A required field whose stored name is its own.
    pub fn new(name: impl Into<Arc<str>>, value_type: ValueType) -> Self {
        let name = name.into();
        FieldDef {
            column: (&*name).into(),
            path: vec![(&*name).into()],
            name,
            value_type,
            nullable: false,
            auto: false,
            version: false,
            created: false,
            updated: false,
            default: None,
            max_length: None,
        }
    }

    /// The same field, stored under another name.
    pub fn stored_as(mut self, column: &str) -> Self {
        self.column = column.into();
        self.path = vec![column.into()];
        self
    }

    /// The same field, null allowed or not.
    pub fn nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// The same field, assigned automatically.
    pub fn auto(mut self) -> Self {
        self.auto = true;
        self
    }

    /// The same field, in which the engine counts writes.
    pub fn version(mut self) -> Self {
        self.version = true;
        self
    }

    /// The same field, in which the engine notes the time of the first write.
    pub fn created(mut self) -> Self {
        self.created = true;
        self
    }

    /// The same field, in which the engine notes the time of the last write.
    pub fn updated(mut self) -> Self {
        self.updated = true;
        self
    }

    /// The same field, with the value of rows that other programs write without one.
    pub fn default_to(mut self, value: Datum) -> Self {
        self.default = Some(value);
        self
    }

    /// Refuses a value that the field cannot keep.
    ///
    /// # Errors
    ///
    /// `Query` for what no field can keep (NaN, NUL), `Constraint` for null in a required field,
    /// a text that is too long, a decimal that does not fit.
    #[inline]
    pub fn check(&self, cell: Cell<'_>) -> Result<()> {
        match cell {
            Cell::Int(_) | Cell::Bool(_) => Ok(()),
            Cell::Null if self.nullable || self.auto => Ok(()),
            cell => self.check_slowly(cell),
        }
    }

    fn check_slowly(&self, cell: Cell<'_>) -> Result<()> {
        check::cell(cell).map_err(|error| error.with_fields([&*self.name]))?;
        let refused = match (cell, &self.value_type) {
            (Cell::Null, _) => {
                return Err(Error::constraint(
                    ConstraintKind::NotNull,
                    format!("`{}` is required and cannot be null", self.name),
                )
                .with_fields([&*self.name]));
            }
            (Cell::Decimal(value), ValueType::Decimal(Some(size))) if decimal::fit(value, *size).is_none() => {
                format!("{value} does not fit `{}`, a decimal({}, {})", self.name, size.precision, size.scale)
            }
            (Cell::Text(text), _) => match self.max_length {
                Some(max) if text.chars().nth(usize::try_from(max).unwrap_or(usize::MAX)).is_some() => {
                    format!("the text of `{}` is longer than {max} characters", self.name)
                }
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        Err(Error::constraint(ConstraintKind::Check, refused).with_fields([&*self.name]))
    }
}

/// The definition of a model: all that drivers, planner and evaluator know of it.
///
/// It is made by `#[derive(Model)]` or by [`super::ModelBuilder`], and never changes.
pub struct ModelDef {
    pub(super) id: u32,
    pub(super) name: Arc<str>,
    pub(super) table: TableName,
    pub(super) fields: Vec<FieldDef>,
    pub(super) key: Vec<u16>,
    pub(super) auto: Option<u16>,
    pub(super) version: Option<u16>,
    pub(super) indexes: Vec<IndexDef>,
    pub(super) references: Vec<ReferenceDef>,
    pub(super) checks: Vec<CheckDef>,
    pub(super) relations: Vec<RelationDef>,
    pub(super) routes: OnceLock<Result<Routes>>,
    pub(super) problems: Vec<String>,
}

impl ModelDef {
    /// The definition that a place keeps, built at its first use. `#[derive(Model)]` calls this.
    #[doc(hidden)]
    #[inline]
    pub fn once(place: &'static OnceLock<Arc<ModelDef>>, build: fn() -> Arc<ModelDef>) -> &'static Arc<ModelDef> {
        place.get_or_init(build)
    }

    /// A number that no other definition in the process has.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The model's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The stored name.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// The stored fields, in the order in which rows hold them.
    pub fn fields(&self) -> &[FieldDef] {
        &self.fields
    }

    /// The field at an index.
    pub fn field(&self, index: u16) -> Option<&FieldDef> {
        self.fields.get(usize::from(index))
    }

    /// The index of the field of a name.
    pub fn index_of(&self, name: &str) -> Option<u16> {
        self.fields.iter().position(|field| &*field.name == name).and_then(|index| u16::try_from(index).ok())
    }

    /// The name of the field at an index; empty past the end.
    pub fn field_name(&self, index: u16) -> &str {
        self.field(index).map_or("", |field| &field.name)
    }

    /// The key's fields, empty for a model that can only be read.
    pub fn key(&self) -> &[u16] {
        &self.key
    }

    /// The integer key that the database assigns.
    pub fn auto(&self) -> Option<u16> {
        self.auto
    }

    /// The field that counts writes.
    pub fn version(&self) -> Option<u16> {
        self.version
    }

    /// Unique groups and other indexes.
    pub fn indexes(&self) -> &[IndexDef] {
        &self.indexes
    }

    /// Unique groups, the key excluded; those with a condition hold for the rows that pass it.
    pub fn unique_groups(&self) -> impl Iterator<Item = &IndexDef> {
        self.indexes.iter().filter(|index| index.unique)
    }

    /// References to other models.
    pub fn references(&self) -> &[ReferenceDef] {
        &self.references
    }

    /// Relations to other models, in the order in which they are declared.
    pub fn relations(&self) -> &[RelationDef] {
        &self.relations
    }

    /// The relations with the references behind them, found at the first use. For models with Rust
    /// types; those that are known by name are resolved with [`RelationDef::resolve`].
    ///
    /// # Errors
    ///
    /// `Schema` if a relation leads nowhere.
    pub fn routes(self: &Arc<Self>) -> Result<&Routes> {
        self.routes.get_or_init(|| Routes::find(self)).as_ref().map_err(Error::clone)
    }

    /// Rules that every row keeps.
    pub fn checks(&self) -> &[CheckDef] {
        &self.checks
    }

    /// All that is wrong with the definition by itself, each in a sentence.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Whether the key is just these fields, in any order.
    pub fn key_is(&self, fields: &[u16]) -> bool {
        self.key.len() == fields.len() && self.key.iter().all(|field| fields.contains(field))
    }

    /// Whether a field is part of the key.
    pub fn is_key(&self, index: u16) -> bool {
        self.key.contains(&index)
    }
}

impl fmt::Debug for ModelDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelDef")
            .field("name", &self.name)
            .field("table", &self.table)
            .field("fields", &self.fields)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
