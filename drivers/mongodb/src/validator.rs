//! The validator of a collection: the types, what is required, the checks, and a note of what
//! MongoDB has no place for.

use ommi_core::Result;
use ommi_core::model::{ModelDef, OnChange};
use ommi_core::value::{Json, ValueType};
use serde_json::json;

use crate::element::RawValue;
use crate::expression::Translator;
use crate::layout::{Holds, Layout, Member};
use crate::template::{Node, document, text};

/// What `create` notes in a collection, as JSON in the description of its schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Note {
    pub(crate) fields: Vec<NotedField>,
    /// The columns of the key.
    pub(crate) key: Vec<String>,
    pub(crate) references: Vec<NotedReference>,
    /// The names of the checks, in the order of their rules.
    pub(crate) checks: Vec<String>,
    /// Indexes, which MongoDB names by paths.
    pub(crate) indexes: Vec<NotedIndex>,
}

/// A field.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NotedField {
    pub(crate) column: String,
    pub(crate) path: String,
    pub(crate) value_type: String,
    pub(crate) nullable: bool,
}

/// An enforced reference.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NotedReference {
    pub(crate) columns: Vec<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) paths: Vec<String>,
    /// The name of the table that is referenced.
    pub(crate) table: String,
    pub(crate) target_columns: Vec<String>,
    pub(crate) target_paths: Vec<String>,
    pub(crate) on_delete: OnChange,
    pub(crate) on_update: OnChange,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NotedIndex {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

fn texts(of: &Json, name: &str) -> Vec<String> {
    let all = of.get(name).and_then(Json::as_array);
    all.map(|all| all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()).unwrap_or_default()
}

fn one(of: &Json, name: &str) -> String {
    of.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn action(of: &Json, name: &str) -> OnChange {
    match of.get(name).and_then(Json::as_str) {
        Some("CASCADE") => OnChange::Cascade,
        Some("SET NULL") => OnChange::SetNull,
        _ => OnChange::Restrict,
    }
}

impl Note {
    /// Reads a note; none, if the text is another's.
    pub(crate) fn read(text: &str) -> Option<Note> {
        let note: Json = serde_json::from_str(text).ok()?;
        note.get("ommi")?;
        let list = |name: &str| note.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        let (fields, references) = (list("fields"), list("references"));
        let fields = fields.iter().map(|field| NotedField {
            column: one(field, "column"),
            path: one(field, "path"),
            value_type: one(field, "type"),
            nullable: field.get("nullable").and_then(Json::as_bool).unwrap_or(true),
        });
        let references = references.iter().map(|reference| NotedReference {
            columns: texts(reference, "columns"),
            fields: texts(reference, "fields"),
            paths: texts(reference, "paths"),
            table: one(reference, "table"),
            target_columns: texts(reference, "target_columns"),
            target_paths: texts(reference, "target_paths"),
            on_delete: action(reference, "on_delete"),
            on_update: action(reference, "on_update"),
        });
        let indexes = list("indexes")
            .iter()
            .map(|index| NotedIndex { name: one(index, "name"), columns: texts(index, "columns") })
            .collect();
        Some(Note {
            fields: fields.collect(),
            key: texts(&note, "key"),
            references: references.collect(),
            checks: texts(&note, "checks"),
            indexes,
        })
    }

    fn text(&self) -> String {
        let fields: Vec<Json> = self
            .fields
            .iter()
            .map(|field| {
                json!({"column": field.column, "path": field.path, "type": field.value_type, "nullable": field.nullable})
            })
            .collect();
        let references: Vec<Json> = self
            .references
            .iter()
            .map(|reference| {
                json!({
                    "columns": reference.columns,
                    "fields": reference.fields,
                    "paths": reference.paths,
                    "table": reference.table,
                    "target_columns": reference.target_columns,
                    "target_paths": reference.target_paths,
                    "on_delete": reference.on_delete.sql(),
                    "on_update": reference.on_update.sql(),
                })
            })
            .collect();
        let indexes: Vec<Json> =
            self.indexes.iter().map(|index| json!({"name": index.name, "columns": index.columns})).collect();
        json!({
            "ommi": 1,
            "fields": fields,
            "key": self.key,
            "references": references,
            "checks": self.checks,
            "indexes": indexes,
        })
        .to_string()
    }
}

/// The types of BSON that a type is stored as.
pub(crate) fn stored_types(value_type: &ValueType) -> &'static [&'static str] {
    match value_type {
        ValueType::Bool => &["bool"],
        ValueType::U64 => &["long", "int", "decimal"],
        integer if integer.is_integer() => &["int", "long"],
        ValueType::F32 | ValueType::F64 => &["double"],
        ValueType::Decimal(_) => &["decimal"],
        ValueType::Text | ValueType::Enum(_) | ValueType::Time => &["string"],
        ValueType::Bytes | ValueType::Uuid => &["binData"],
        ValueType::Date | ValueType::DateTime | ValueType::Timestamp => &["date"],
        ValueType::Duration => &["long", "int"],
        ValueType::List(_) => &["array"],
        _ => &[],
    }
}

/// The schema of a model's documents.
pub(crate) fn schema(model: &ModelDef, layout: &Layout, note: Option<&Note>) -> Node {
    let mut node = members_schema(model, &layout.members);
    if let (Some(note), Node::Document(members)) = (note, &mut node) {
        members.push(("description".into(), text(note.text())));
    }
    node
}

fn members_schema(model: &ModelDef, members: &[Member]) -> Node {
    let mut required = Vec::new();
    let mut properties = Vec::new();
    for member in members {
        let property = match &member.holds {
            Holds::Field(index) => {
                let Some(field) = model.fields().get(*index) else { continue };
                let nullable = field.nullable;
                if !nullable {
                    required.push(text(&*member.name));
                }
                let mut types: Vec<Node> = stored_types(&field.value_type).iter().map(|of| text(*of)).collect();
                if types.is_empty() {
                    Node::Document(Vec::new())
                } else {
                    if nullable {
                        types.push(text("null"));
                    }
                    document([("bsonType", Node::Array(types))])
                }
            }
            Holds::Micros(_) => document([("bsonType", Node::Array(vec![text("int"), text("long"), text("null")]))]),
            Holds::Document(inner) => {
                if needs(model, inner) {
                    required.push(text(&*member.name));
                }
                members_schema(model, inner)
            }
        };
        properties.push((member.name.to_string(), property));
    }
    let mut schema = vec![("bsonType".to_owned(), text("object"))];
    if !required.is_empty() {
        schema.push(("required".into(), Node::Array(required)));
    }
    schema.push(("properties".into(), Node::Document(properties)));
    Node::Document(schema)
}

/// Whether a field somewhere in a document is required.
fn needs(model: &ModelDef, members: &[Member]) -> bool {
    members.iter().any(|member| match &member.holds {
        Holds::Field(index) => model.fields().get(*index).is_some_and(|field| !field.nullable),
        Holds::Micros(_) => false,
        Holds::Document(inner) => needs(model, inner),
    })
}

/// The validator of a model's collection.
///
/// # Errors
///
/// `Unsupported` for a check that no filter says.
pub(crate) fn validator(model: &ModelDef, layout: &Layout, note: &Note) -> Result<Node> {
    let schema = document([("$jsonSchema", schema(model, layout, Some(note)))]);
    if model.checks().is_empty() {
        return Ok(schema);
    }
    let translator = Translator::of_rows(model, layout, &[]);
    let mut rules = vec![schema];
    for check in model.checks() {
        // a check that is unknown passes
        let broken = translator.constant_filter(&check.condition, false)?;
        rules.push(document([("$nor", Node::Array(vec![broken]))]));
    }
    Ok(document([("$and", Node::Array(rules))]))
}

/// The rule that a document breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The check at an index.
    Check(usize),
    /// A field of a dotted path is missing or of another type.
    Field(String),
    /// Another rule.
    Other,
}

/// Reads which rule a document breaks from the details that the server gives.
pub(crate) fn broken_rule(details: &RawValue<'_>) -> Broken {
    let name = |of: &RawValue<'_>| of.get("operatorName").and_then(|name| name.as_text()).map(str::to_owned);
    match name(details).as_deref() {
        Some("$jsonSchema") => broken_field(details, ""),
        Some("$and") => {
            let clauses = details.get("clausesNotSatisfied").map(|clauses| clauses.elements()).unwrap_or_default();
            for (_, clause) in clauses {
                let index = clause.get("index").and_then(|index| index.whole());
                match (index, clause.get("details")) {
                    (Some(0), Some(details)) => return broken_field(&details, ""),
                    (Some(index), _) => {
                        return usize::try_from(index - 1).map_or(Broken::Other, Broken::Check);
                    }
                    _ => {}
                }
            }
            Broken::Other
        }
        _ => Broken::Other,
    }
}

fn broken_field(details: &RawValue<'_>, path: &str) -> Broken {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let rules = details.get("schemaRulesNotSatisfied").or_else(|| details.get("details"));
    for (_, rule) in rules.map(|rules| rules.elements()).unwrap_or_default() {
        if let Some(missing) = rule.get("missingProperties") {
            let first = missing.elements().first().and_then(|(_, name)| name.as_text().map(str::to_owned));
            if let Some(name) = first {
                return Broken::Field(join(&name));
            }
        }
        for (_, property) in rule.get("propertiesNotSatisfied").map(|all| all.elements()).unwrap_or_default() {
            if let Some(name) = property.get("propertyName").and_then(|name| name.as_text()) {
                return match broken_field(&property, &join(name)) {
                    Broken::Field(path) => Broken::Field(path),
                    _ => Broken::Field(join(name)),
                };
            }
        }
    }
    Broken::Other
}
