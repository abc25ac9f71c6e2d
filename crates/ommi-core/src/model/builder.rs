//! Building the definition of a model at run time.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::{CheckDef, FieldDef, IndexDef, Model, ModelDef, OnChange, ReferenceDef, RelationDef, TableName};
use crate::error::{Error, Result};
use crate::query::{Condition, Direction, FilterOf};
use crate::value::ValueType;

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// Builds the definition of a model field by field.
///
/// ```
/// use ommi_core::model::{FieldDef, ModelBuilder};
/// use ommi_core::value::ValueType;
///
/// let user = ModelBuilder::new("User")
///     .field(FieldDef::new("id", ValueType::I64).auto())
///     .field(FieldDef::new("name", ValueType::Text))
///     .key(["id"])
///     .build()?;
/// assert_eq!(user.key(), [0]);
/// # Ok::<(), ommi_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ModelBuilder {
    name: Arc<str>,
    table: TableName,
    fields: Vec<FieldDef>,
    key: Vec<u16>,
    indexes: Vec<IndexDef>,
    references: Vec<ReferenceDef>,
    checks: Vec<CheckDef>,
    relations: Vec<RelationDef>,
    problems: Vec<String>,
    read_only: bool,
}

impl ModelBuilder {
    /// A model of a name, which is its stored name too.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        ModelBuilder {
            table: TableName { schema: None, name: (&*name).into() },
            name,
            fields: Vec::new(),
            key: Vec::new(),
            indexes: Vec::new(),
            references: Vec::new(),
            checks: Vec::new(),
            relations: Vec::new(),
            problems: Vec::new(),
            read_only: false,
        }
    }

    /// Stores the model under another name; `schema.table` names a schema.
    pub fn table(mut self, table: &str) -> Self {
        self.table = match table.split_once('.') {
            Some((schema, name)) => TableName { schema: Some(schema.into()), name: name.into() },
            None => TableName { schema: None, name: table.into() },
        };
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: FieldDef) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds the fields of an embedded struct under a name of the outer struct.
    ///
    /// Flat rows store each under the outer field's stored name, an underscore and its own;
    /// documents store them in a sub-document.
    pub fn embed(mut self, name: &str, stored: &str, optional: bool, fields: Vec<FieldDef>) -> Self {
        if optional && !fields.iter().any(|field| !field.nullable) {
            self.problems.push(format!(
                "`{name}` is an optional embedded struct without a field that is never null, so `None` could not be told from a struct of nulls: give it such a field, or store it with `#[ommi(json)]`"
            ));
        }
        for field in fields {
            let mut path = vec![Box::from(stored)];
            path.extend(field.path);
            self.fields.push(FieldDef {
                name: format!("{name}.{}", field.name).into(),
                column: format!("{stored}_{}", field.column).into(),
                path,
                nullable: field.nullable || optional,
                ..field
            });
        }
        self
    }

    /// The fields alone, for a struct that is embedded in models.
    pub fn into_fields(self) -> Vec<FieldDef> {
        self.fields
    }

    /// The index of the field that is added next.
    pub fn next_index(&self) -> u16 {
        u16::try_from(self.fields.len()).unwrap_or(u16::MAX)
    }

    fn index_of(&mut self, name: &str, purpose: &str) -> Option<u16> {
        let found = self.fields.iter().position(|field| &*field.name == name);
        if found.is_none() {
            self.problems.push(format!("{purpose} names `{name}`, which is not a field of the model"));
        }
        found.and_then(|index| u16::try_from(index).ok())
    }

    /// The fields of the key, by name.
    pub fn key<'a>(mut self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        self.key = fields.into_iter().filter_map(|name| self.index_of(name, "the key")).collect();
        self
    }

    /// Says that the model has no key and is only read, as views are.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Adds a unique group or an index.
    pub fn index(mut self, index: IndexDef) -> Self {
        self.indexes.push(index);
        self
    }

    /// Adds a unique group, by field names.
    pub fn unique<'a>(mut self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        let fields: Vec<u16> = fields.into_iter().filter_map(|name| self.index_of(name, "a unique group")).collect();
        self.index(IndexDef::unique(fields))
    }

    /// Adds an index or a unique group over fields by name, under a stored name where one is given.
    pub fn index_over<'a>(
        mut self,
        unique: bool,
        fields: impl IntoIterator<Item = (&'a str, Direction)>,
        name: Option<&str>,
    ) -> Self {
        let purpose = if unique { "a unique group" } else { "an index" };
        let fields = fields
            .into_iter()
            .filter_map(|(field, direction)| Some((self.index_of(field, purpose)?, direction)))
            .collect();
        self.index(IndexDef { name: name.map(Box::from), fields, unique, condition: None })
    }

    /// Adds an index or a unique group over the rows that pass a filter of the model's type.
    pub fn index_where<'a, M: Model>(
        self,
        unique: bool,
        fields: impl IntoIterator<Item = (&'a str, Direction)>,
        name: Option<&str>,
        filter: impl FilterOf<M>,
    ) -> Self {
        let mut model = self.index_over(unique, fields, name);
        if let Some(index) = model.indexes.last_mut() {
            index.condition = Some(filter.into_condition());
        }
        model
    }

    /// Adds a reference.
    pub fn reference(mut self, reference: ReferenceDef) -> Self {
        self.references.push(reference);
        self
    }

    /// Adds a relation.
    pub fn relation(mut self, relation: RelationDef) -> Self {
        self.relations.push(relation);
        self
    }

    /// Adds a rule.
    pub fn check(mut self, check: CheckDef) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds a rule from a filter of the model's type.
    pub fn check_that<M: Model>(self, name: &str, filter: impl FilterOf<M>) -> Self {
        self.check(CheckDef { name: name.into(), condition: filter.into_condition() })
    }

    /// The definition, or one error that lists everything wrong with it.
    ///
    /// # Errors
    ///
    /// `Schema` with all problems: no key, names that collide, an automatic field of a type that
    /// can't be, and the like.
    pub fn build(self) -> Result<Arc<ModelDef>> {
        let model = self.finish();
        if model.problems.is_empty() {
            return Ok(model);
        }
        Err(Error::schema(model.problems.join("; ")).with_model(model.name()))
    }

    /// The definition, with its problems inside: they come up at the first use.
    pub fn finish(mut self) -> Arc<ModelDef> {
        self.check_names();
        self.check_key();
        self.check_fields();
        self.check_indexes();
        self.check_references();
        self.check_rules();
        let position =
            |test: fn(&FieldDef) -> bool| self.fields.iter().position(test).and_then(|index| u16::try_from(index).ok());
        let auto = position(|field| field.auto && field.value_type.is_integer());
        let version = position(|field| field.version);
        Arc::new(ModelDef {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: self.name,
            table: self.table,
            fields: self.fields,
            key: self.key,
            auto,
            version,
            indexes: self.indexes,
            references: self.references,
            checks: self.checks,
            relations: self.relations,
            routes: OnceLock::new(),
            problems: self.problems,
        })
    }

    fn check_names(&mut self) {
        if self.table.name.is_empty() || self.table.to_string().contains('\0') {
            self.problems.push("the stored name is empty or has a NUL character".into());
        }
        let mut seen: HashMap<String, &FieldDef> = HashMap::new();
        let mut names: HashSet<&str> = HashSet::new();
        for field in &self.fields {
            if !names.insert(&field.name) {
                self.problems.push(format!("two fields have the name `{}`", field.name));
            }
            if field.column.is_empty() || field.column.contains('\0') {
                self.problems.push(format!("the stored name of `{}` is empty or has a NUL character", field.name));
            }
            if let Some(other) = seen.insert(field.column.to_lowercase(), field) {
                self.problems.push(format!(
                    "`{}` and `{}` have stored names that are the same but for case, `{}` and `{}`: give one another with `name = \"..\"`",
                    other.name, field.name, other.column, field.column
                ));
            }
        }
    }

    fn check_key(&mut self) {
        if self.key.is_empty() && !self.read_only {
            self.problems.push("the model has no key: mark a field as its key, or say that it is read only".into());
        }
        for index in &self.key {
            let Some(field) = self.fields.get(usize::from(*index)) else { continue };
            if field.nullable && !field.auto {
                self.problems.push(format!("`{}` is part of the key and cannot be null", field.name));
            }
            if !field.value_type.is_ordered() || field.value_type.is_float() {
                self.problems
                    .push(format!("`{}` is part of the key and cannot be of type {}", field.name, field.value_type));
            }
        }
    }

    fn check_fields(&mut self) {
        let mut numbers = 0;
        for (index, field) in self.fields.iter().enumerate() {
            let name = &field.name;
            if field.auto {
                if field.value_type.is_integer() {
                    numbers += 1;
                    if !matches!(self.key.as_slice(), [key] if usize::from(*key) == index) {
                        self.problems.push(format!("`{name}` is an automatic integer and must be the whole key"));
                    }
                } else if field.value_type != ValueType::Uuid {
                    self.problems.push(format!(
                        "`{name}` is automatic and of type {}: only integers and UUIDs can be assigned",
                        field.value_type
                    ));
                }
            }
            if field.version && (!field.value_type.is_integer() || field.nullable) {
                self.problems.push(format!("`{name}` is the version and must be an integer that is not optional"));
            }
            if (field.created || field.updated)
                && !matches!(field.value_type, ValueType::DateTime | ValueType::Timestamp)
            {
                self.problems.push(format!("`{name}` notes a time and must be a `Timestamp` or a `DateTime`"));
            }
            if let ValueType::Decimal(Some(size)) = field.value_type
                && (size.precision == 0 || size.precision > 28 || size.scale > size.precision)
            {
                self.problems.push(format!(
                    "`{name}` is a {}: 1 to 28 digits are possible, the scale at most as many",
                    field.value_type
                ));
            }
            if field.max_length.is_some() && !field.value_type.is_text() {
                self.problems.push(format!("`{name}` has a greatest length and is not text"));
            }
        }
        if numbers > 1 {
            self.problems.push("the model has more than one automatic integer".into());
        }
        if self.fields.iter().filter(|field| field.version).count() > 1 {
            self.problems.push("the model has more than one version".into());
        }
        if self.fields.is_empty() {
            self.problems.push("the model has no fields".into());
        }
    }

    fn check_rules(&mut self) {
        let of_indexes = self.indexes.iter().filter_map(|index| index.condition.as_ref());
        let mut rules = self.checks.iter().map(|check| &check.condition).chain(of_indexes);
        if rules.any(Condition::is_across) {
            self.problems
                .push("a check or an index asks for related rows, which it cannot: it is about one row".into());
        }
    }

    fn check_indexes(&mut self) {
        for index in &self.indexes {
            if index.fields.is_empty() {
                self.problems.push("an index has no fields".into());
            }
            for (field, _) in &index.fields {
                match self.fields.get(usize::from(*field)) {
                    None => self.problems.push(format!("an index names the field {field}, which does not exist")),
                    Some(field) if !field.value_type.is_ordered() => self
                        .problems
                        .push(format!("`{}` is of type {} and cannot be indexed", field.name, field.value_type)),
                    Some(_) => {}
                }
            }
        }
    }

    fn check_references(&mut self) {
        for reference in &self.references {
            for index in &reference.fields {
                let Some(field) = self.fields.get(usize::from(*index)) else {
                    self.problems.push(format!("a reference names the field {index}, which does not exist"));
                    continue;
                };
                let nulls = reference.on_delete == OnChange::SetNull || reference.on_update == OnChange::SetNull;
                if nulls && !field.nullable {
                    self.problems.push(format!(
                        "`{}` is set to null when what it references goes, and must be optional",
                        field.name
                    ));
                }
            }
        }
    }
}
