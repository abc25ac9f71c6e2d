//! References from a model to another.

use std::fmt;
use std::sync::Arc;

use super::ModelDef;

/// What happens to the rows that reference a row when that is deleted, or its key changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnChange {
    /// The change is refused.
    #[default]
    Restrict,
    /// The rows are deleted, or their fields follow the key.
    Cascade,
    /// The rows' fields become null.
    SetNull,
}

impl OnChange {
    /// The action in SQL's words.
    pub fn sql(self) -> &'static str {
        match self {
            OnChange::Restrict => "RESTRICT",
            OnChange::Cascade => "CASCADE",
            OnChange::SetNull => "SET NULL",
        }
    }
}

/// The model that a reference is to.
#[derive(Clone)]
pub enum ReferenceTarget {
    /// A model with a Rust type; a function, because models may reference each other.
    Model(fn() -> &'static Arc<ModelDef>),
    /// A field of a model with a Rust type, by its index.
    Field(fn() -> &'static Arc<ModelDef>, u16),
    /// The model of a name, among those that are registered together.
    Name(Arc<str>),
}

impl ReferenceTarget {
    /// The definition, looked up among models by name where the reference has a name only.
    pub fn resolve<'a>(&self, models: &'a [Arc<ModelDef>]) -> Option<&'a Arc<ModelDef>>
    where
        'static: 'a,
    {
        match self {
            ReferenceTarget::Model(definition) | ReferenceTarget::Field(definition, _) => Some(definition()),
            ReferenceTarget::Name(name) => models.iter().find(|model| model.name() == name),
        }
    }

    /// The target model's name.
    pub fn name(&self) -> Arc<str> {
        match self {
            ReferenceTarget::Model(definition) | ReferenceTarget::Field(definition, _) => {
                Arc::clone(definition().name())
            }
            ReferenceTarget::Name(name) => Arc::clone(name),
        }
    }
}

impl fmt::Debug for ReferenceTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // the name, not the definition: models may reference each other
        match self {
            ReferenceTarget::Model(_) => f.write_str("Model(..)"),
            ReferenceTarget::Field(_, index) => write!(f, "Field(.., {index})"),
            ReferenceTarget::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// A reference: fields whose values are those of a row of another model, or null.
#[derive(Clone, Debug)]
pub struct ReferenceDef {
    /// The referencing fields.
    pub fields: Vec<u16>,
    /// The referenced model.
    pub target: ReferenceTarget,
    /// The names of the referenced fields; the target's key, where empty.
    pub target_fields: Vec<Box<str>>,
    /// What a deletion of the referenced row does.
    pub on_delete: OnChange,
    /// What a change of the referenced fields does.
    pub on_update: OnChange,
    /// Whether the rule is kept; a reference that is not enforced may dangle.
    pub enforced: bool,
    /// Where the fields may reference one of several models: the field that names the model, and
    /// the value that it has for this one. Such a reference is not enforced.
    pub kind: Option<(u16, Box<str>)>,
}

impl ReferenceDef {
    /// An enforced reference to a model's key that refuses the deletion of referenced rows.
    pub fn new(fields: impl IntoIterator<Item = u16>, target: ReferenceTarget) -> Self {
        ReferenceDef {
            fields: fields.into_iter().collect(),
            target,
            target_fields: Vec::new(),
            on_delete: OnChange::default(),
            on_update: OnChange::default(),
            enforced: true,
            kind: None,
        }
    }

    /// The same reference, for the rows whose kind is this model, and not enforced.
    pub fn for_kind(mut self, field: u16, value: &str) -> Self {
        self.kind = Some((field, value.into()));
        self.unenforced()
    }

    /// The same reference, to fields of the target by name.
    pub fn to_fields<'a>(mut self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        self.target_fields = fields.into_iter().map(Box::from).collect();
        self
    }

    /// The same reference, with what a deletion of the referenced row does.
    pub fn on_delete(mut self, action: OnChange) -> Self {
        self.on_delete = action;
        self
    }

    /// The same reference, with what a change of the referenced fields does.
    pub fn on_update(mut self, action: OnChange) -> Self {
        self.on_update = action;
        self
    }

    /// The same reference, not enforced: it may dangle.
    pub fn unenforced(mut self) -> Self {
        self.enforced = false;
        self
    }

    /// The indexes of the referenced fields in the target's definition.
    pub fn target_indexes(&self, target: &ModelDef) -> Option<Vec<u16>> {
        if let ReferenceTarget::Field(_, index) = self.target {
            return Some(vec![index]);
        }
        if self.target_fields.is_empty() {
            return Some(target.key().to_vec());
        }
        self.target_fields.iter().map(|name| target.index_of(name)).collect()
    }
}
