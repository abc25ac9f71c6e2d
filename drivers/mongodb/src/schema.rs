//! Creating, checking, dropping and reading back collections.

use std::sync::Arc;

use ommi_core::driver::{ColumnInfo, IndexInfo, ReferenceInfo, SchemaInfo, TableInfo};
use ommi_core::model::{IndexDef, ModelDef, ReferenceDef};
use ommi_core::query::Direction;
use ommi_core::value::ValueType;
use ommi_core::{ConstraintKind, Error, Result};

use crate::catalog::{Collection, Collections, OWN, stored};
use crate::counter::command;
use crate::element::{RawValue, elements, find};
use crate::error::DRIVER;
use crate::expression::Translator;
use crate::layout::Layout;
use crate::name;
use crate::shared::Shared;
use crate::template::{Node, document, text};
use crate::validator::{Note, NotedField, NotedIndex, NotedReference, schema, stored_types, validator};
use crate::writer::kind;

/// How many documents of a collection that another program made are looked at.
const LOOKED_AT: i32 = 1_000;

/// The name of an index.
pub(crate) fn index_name(model: &ModelDef, index: &IndexDef) -> String {
    match &index.name {
        Some(name) => name.to_string(),
        None => {
            let ending = if index.unique { "key" } else { "idx" };
            let fields: Vec<u16> = index.fields.iter().map(|(field, _)| *field).collect();
            format!("{}_{}_{ending}", model.table().name, columns(model, &fields).join("_"))
        }
    }
}

fn columns(model: &ModelDef, fields: &[u16]) -> Vec<String> {
    fields.iter().filter_map(|field| model.field(*field)).map(|field| field.column.to_string()).collect()
}

fn paths(layout: &Layout, fields: &[u16]) -> Vec<String> {
    fields.iter().map(|field| layout.field(*field).dotted.to_string()).collect()
}

/// What is noted of a model in its collection.
fn note_of(model: &ModelDef, layout: &Layout, references: Vec<NotedReference>) -> Note {
    let field = |(index, field): (u16, &ommi_core::model::FieldDef)| NotedField {
        column: field.column.to_string(),
        path: layout.field(index).dotted.to_string(),
        value_type: field.value_type.to_string(),
        nullable: field.nullable,
    };
    let index = |index: &IndexDef| {
        let fields: Vec<u16> = index.fields.iter().map(|(field, _)| *field).collect();
        NotedIndex { name: index_name(model, index), columns: columns(model, &fields) }
    };
    Note {
        fields: (0..).zip(model.fields()).map(field).collect(),
        key: columns(model, model.key()),
        references,
        checks: model.checks().iter().map(|check| check.name.to_string()).collect(),
        indexes: model.indexes().iter().map(index).collect(),
    }
}

/// The reference as it is noted.
///
/// # Errors
///
/// What is wrong with it, in words.
fn noted_reference(
    collections: &Collections,
    models: &[Arc<ModelDef>],
    model: &ModelDef,
    layout: &Layout,
    reference: &ReferenceDef,
) -> std::result::Result<NotedReference, String> {
    let name = reference.target.name();
    let Some(target) = reference.target.resolve(models) else {
        return Err(format!("it references {name}, which is not known: create both together"));
    };
    let is_there =
        models.iter().any(|model| model.table() == target.table()) || collections.get(&stored(target)).is_some();
    if !is_there {
        return Err(format!("it references {name}, which has no collection: create both together"));
    }
    match reference.target_indexes(target) {
        Some(fields) if fields.len() == reference.fields.len() => Ok(NotedReference {
            columns: columns(model, &reference.fields),
            fields: reference.fields.iter().map(|field| model.field_name(*field).to_owned()).collect(),
            paths: paths(layout, &reference.fields),
            table: target.table().name.to_string(),
            target_columns: columns(target, &fields),
            target_paths: paths(&Layout::of(target), &fields),
            on_delete: reference.on_delete,
            on_update: reference.on_update,
        }),
        _ => Err(format!(
            "its reference from {} does not fit the fields of {name}",
            columns(model, &reference.fields).join(", ")
        )),
    }
}

fn enforced<'m>(model: &'m ModelDef) -> impl Iterator<Item = &'m ReferenceDef> + use<'m> {
    model.references().iter().filter(|reference| reference.enforced)
}

/// The class of types that can be read as each other.
fn class(of: &str) -> &str {
    match of {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "integer",
        "f32" | "f64" => "float",
        of if of.starts_with("decimal") => "decimal",
        of if of.starts_with("enum ") => "text",
        other => other,
    }
}

/// What keeps a model from using a collection that `create` made.
fn differences(model: &ModelDef, note: &Note, references: &[NotedReference]) -> Vec<String> {
    let mut found = Vec::new();
    let table = &model.table().name;
    for field in model.fields() {
        let Some(column) = note.fields.iter().find(|column| *column.column == *field.column) else {
            found.push(format!("the collection `{table}` has no field `{}`", field.column));
            continue;
        };
        let wanted = field.value_type.to_string();
        if class(&column.value_type) != class(&wanted) {
            found.push(format!(
                "the field `{}` is of type {} where {wanted} is wanted",
                field.column, column.value_type
            ));
        }
        if column.nullable != field.nullable {
            let (is, wanted) = if column.nullable { ("may be null", "must not") } else { ("cannot be null", "may") };
            found.push(format!("the field `{}` {is} and {wanted} be by the model", field.column));
        }
    }
    let key = columns(model, model.key());
    if !key.is_empty() {
        if key != note.key {
            found.push(format!("the key of `{table}` is {} where {} is wanted", note.key.join(", "), key.join(", ")));
        }
        for extra in &note.fields {
            let is_known = model.fields().iter().any(|field| *field.column == *extra.column);
            if !is_known && !extra.nullable {
                found.push(format!("the field `{}` is required and the model does not have it", extra.column));
            }
        }
    }
    for reference in references {
        let is_there = note.references.iter().any(|there| {
            (&there.columns, &there.table, &there.target_columns, there.on_delete, there.on_update)
                == (
                    &reference.columns,
                    &reference.table,
                    &reference.target_columns,
                    reference.on_delete,
                    reference.on_update,
                )
        });
        if !is_there {
            found.push(format!(
                "the collection lacks the reference from {} to {}",
                reference.columns.join(", "),
                reference.table
            ));
        }
    }
    for check in model.checks() {
        if !note.checks.iter().any(|there| **there == *check.name) {
            found.push(format!("the collection lacks the check `{}`", check.name));
        }
    }
    found
}

/// What keeps a document of another program from being read by a model.
fn differences_of_document(model: &ModelDef, layout: &Layout, row: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, field) in (0..).zip(model.fields()) {
        let value = layout
            .field(index)
            .path
            .iter()
            .try_fold(RawValue { kind: kind::DOCUMENT, bytes: row }, |of, name| of.get(name));
        match value {
            Some(value) if !value.is_null() => {
                let types = stored_types(&field.value_type);
                let of = type_name(value.kind);
                let fits = types.is_empty()
                    || types.contains(&of)
                    || matches!(of, "int" | "long" | "double") && field.value_type.is_number();
                if !fits {
                    found.push(format!(
                        "the field `{}` is of type {of} where {} is wanted",
                        field.column,
                        types.join(" or ")
                    ));
                }
            }
            _ if !field.nullable => {
                found.push(format!("the field `{}` is null or missing and must not be by the model", field.column));
            }
            _ => {}
        }
    }
    found
}

fn type_name(of: u8) -> &'static str {
    match of {
        kind::DOUBLE => "double",
        kind::TEXT => "string",
        kind::DOCUMENT => "object",
        kind::ARRAY => "array",
        kind::BINARY => "binData",
        kind::OBJECT_ID => "objectId",
        kind::BOOL => "bool",
        kind::DATE => "date",
        kind::REGEX => "regex",
        kind::INT => "int",
        kind::TIMESTAMP => "timestamp",
        kind::LONG => "long",
        kind::DECIMAL => "decimal",
        _ => "another type",
    }
}

/// The least value of a type, as MongoDB compares: an index over values from it on leaves null out,
/// and serves what looks for a value.
pub(crate) fn least(value_type: &ValueType) -> Node {
    match value_type {
        ValueType::Bool => Node::Bool(false),
        ValueType::Text | ValueType::Enum(_) | ValueType::Time => text(""),
        ValueType::Bytes | ValueType::Uuid => Node::Binary(Vec::new(), crate::writer::GENERIC),
        ValueType::Date | ValueType::DateTime | ValueType::Timestamp => Node::Date(i64::MIN),
        _ => Node::Double(f64::NEG_INFINITY),
    }
}

/// An index that is there.
struct Existing {
    name: String,
    key: Vec<(String, i64)>,
    unique: bool,
    partial: bool,
}

impl Shared {
    async fn indexes(&self, collection: &str) -> Result<Vec<Existing>> {
        let list = command(&document([("listIndexes", text(collection))]))?;
        let documents = self.documents(None, list, None).await?;
        let existing = |row: &mongodb::bson::RawDocumentBuf| {
            let bytes = row.as_bytes();
            let key = find(bytes, "key").map(|key| key.elements()).unwrap_or_default();
            Existing {
                name: find(bytes, "name").and_then(|name| name.as_text()).unwrap_or_default().to_owned(),
                key: key.into_iter().map(|(path, direction)| (path, direction.whole().unwrap_or_default())).collect(),
                unique: find(bytes, "unique").is_some_and(|unique| unique.is_true()),
                partial: find(bytes, "partialFilterExpression").is_some(),
            }
        };
        Ok(documents.iter().map(existing).collect())
    }

    /// Creates what is missing for models, and checks what is there.
    ///
    /// # Errors
    ///
    /// `Schema` with each difference; `Unsupported` for rules that MongoDB cannot keep.
    pub(crate) async fn create(&self, models: &[Arc<ModelDef>]) -> Result<()> {
        let collections = self.look().await?;
        let mut problems = Vec::new();
        let mut missing: Vec<(&Arc<ModelDef>, Node)> = Vec::new();
        let mut indexes = Vec::new();
        let mut locked = Vec::new();
        for model in models {
            let layout = Layout::of(model);
            let mut references = Vec::new();
            for reference in enforced(model) {
                match noted_reference(&collections, models, model, &layout, reference) {
                    Ok(noted) => {
                        let target = name::collection(&noted.table).into_owned();
                        if !locked.contains(&target) {
                            locked.push(target);
                        }
                        references.push(noted);
                    }
                    Err(problem) => problems.push(format!("{}: {problem}", model.name())),
                }
            }
            let wanted = model.indexes().iter().map(|index| index_command(model, &layout, index));
            indexes.push(wanted.collect::<Result<Vec<_>>>()?);
            match collections.get(&stored(model)) {
                Some(collection) => {
                    let found = self.differences(model, &layout, collection, &references).await?;
                    problems.extend(found.into_iter().map(|found| format!("{}: {found}", model.name())));
                }
                None if model.key().is_empty() => problems.push(format!(
                    "{}: there is no collection `{}`, and a model without a key can only read one that another program made",
                    model.name(),
                    model.table()
                )),
                None => {
                    let note = note_of(model, &layout, references);
                    missing.push((model, validator(model, &layout, &note)?));
                }
            }
        }
        if !problems.is_empty() {
            return Err(Error::schema(format!(
                "{}; change the documents and the validator (`collMod`), or drop the collections and create them anew",
                problems.join("; ")
            ))
            .with_driver(DRIVER));
        }
        for (model, validator) in missing {
            let create = document([("create", text(stored(model))), ("validator", validator)]);
            match self.write(None, command(&create)?, Some(model)).await {
                // somebody else was faster
                Err(error) if error.code() == Some("48") => {}
                answer => {
                    answer?;
                }
            }
        }
        for target in locked {
            self.make_locks(&target).await?;
        }
        for (model, wanted) in models.iter().zip(indexes) {
            self.create_indexes(model, wanted).await?;
            if model.auto().is_some() {
                self.catch_up(&stored(model), model).await?;
            }
        }
        self.look().await.map(drop)
    }

    async fn differences(
        &self,
        model: &ModelDef,
        layout: &Layout,
        collection: &Collection,
        references: &[NotedReference],
    ) -> Result<Vec<String>> {
        if let Some(note) = &collection.note {
            return Ok(differences(model, note, references));
        }
        let mut found = Vec::new();
        if !references.is_empty() {
            found.push(
                "another program made the collection, and its references are not noted in it: write `unenforced`"
                    .to_owned(),
            );
        }
        for check in model.checks() {
            found.push(format!("the collection lacks the check `{}`", check.name));
        }
        let unfit = document([("$nor", Node::Array(vec![document([("$jsonSchema", schema(model, layout, None))])]))]);
        let stages = vec![
            document([("$limit", Node::Int(LOOKED_AT))]),
            document([("$match", unfit)]),
            document([("$limit", Node::Int(20))]),
        ];
        let aggregate = document([
            ("aggregate", text(collection.stored.clone())),
            ("pipeline", Node::Array(stages)),
            ("cursor", Node::Document(Vec::new())),
        ]);
        for row in self.documents(None, command(&aggregate)?, Some(model)).await? {
            let differences = differences_of_document(model, layout, row.as_bytes());
            if !differences.is_empty() {
                found.extend(differences);
                break;
            }
        }
        Ok(found)
    }

    async fn create_indexes(&self, model: &ModelDef, wanted: Vec<Wanted>) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let collection = stored(model);
        let existing = self.indexes(&collection).await?;
        let missing: Vec<Node> = wanted
            .into_iter()
            .filter(|wanted| {
                !existing.iter().any(|there| {
                    there.key == wanted.key && there.unique == wanted.unique && there.partial == wanted.partial
                })
            })
            .map(|wanted| wanted.node)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let create = document([("createIndexes", text(collection)), ("indexes", Node::Array(missing))]);
        self.write(None, command(&create)?, Some(model)).await.map(drop)
    }

    /// Drops the collections of models.
    ///
    /// # Errors
    ///
    /// `Constraint` if a collection that stays references one of them.
    pub(crate) async fn drop_models(&self, models: &[Arc<ModelDef>]) -> Result<()> {
        let collections = self.look().await?;
        let names: Vec<String> = models.iter().map(|model| stored(model)).collect();
        for (model, name) in models.iter().zip(&names) {
            let staying =
                collections.incoming(name).into_iter().find(|reference| !names.contains(&reference.collection));
            if let Some(reference) = staying {
                return Err(Error::constraint(
                    ConstraintKind::Reference,
                    format!(
                        "{} references the collection by `{}`: drop both together",
                        name::read(&reference.collection),
                        reference.fields.join("`, `")
                    ),
                )
                .with_driver(DRIVER)
                .with_model(model.name()));
            }
        }
        for (model, name) in models.iter().zip(&names) {
            if collections.get(name).is_some() {
                self.write(None, command(&document([("drop", text(name.clone()))]))?, Some(model)).await?;
            }
            // whether or not the model of the drop has automatic keys, the collection may have had some
            self.drop_counter(name).await?;
        }
        self.look().await.map(drop)
    }

    /// Reads the schema back.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn inspect(&self) -> Result<SchemaInfo> {
        let collections = self.look().await?;
        let mut tables = Vec::new();
        for collection in collections.sorted() {
            if collection.stored.starts_with(OWN) || collection.stored.starts_with("system.") {
                continue;
            }
            tables.push(self.table(collection).await?);
        }
        tables.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(SchemaInfo { tables })
    }

    async fn table(&self, collection: &Collection) -> Result<TableInfo> {
        let note = match &collection.note {
            Some(note) => note.clone(),
            None => self.seen(collection).await?,
        };
        let indexes = if collection.is_view { Vec::new() } else { self.indexes(&collection.stored).await? };
        let column = |path: &str| note.fields.iter().find(|field| field.path == path).map(|field| field.column.clone());
        let index = |index: &Existing| {
            let is_micros = |path: &str| path.strip_suffix("$us").is_some_and(|date| column(date).is_some());
            IndexInfo {
                name: index.name.clone(),
                columns: index.key.iter().filter(|(path, _)| !is_micros(path)).map(|(path, _)| column(path)).collect(),
                unique: index.unique,
                partial: index.partial,
            }
        };
        Ok(TableInfo {
            schema: None,
            name: collection.name(),
            is_view: collection.is_view,
            columns: note
                .fields
                .iter()
                .map(|field| ColumnInfo {
                    name: field.column.clone(),
                    column_type: field.value_type.clone(),
                    nullable: field.nullable,
                    default: None,
                })
                .collect(),
            indexes: indexes.iter().filter(|index| index.name != "_id_").map(index).collect(),
            references: note
                .references
                .iter()
                .map(|reference| ReferenceInfo {
                    columns: reference.columns.clone(),
                    table: reference.table.clone(),
                    target_columns: reference.target_columns.clone(),
                    on_delete: reference.on_delete.sql().to_owned(),
                    on_update: reference.on_update.sql().to_owned(),
                })
                .collect(),
            key: note.key,
        })
    }

    /// The fields that the first documents of a collection have: another program made it.
    async fn seen(&self, collection: &Collection) -> Result<Note> {
        let find = document([("find", text(collection.stored.clone())), ("limit", Node::Int(100))]);
        let mut note = Note { key: vec!["_id".into()], ..Note::default() };
        let rows = self.documents(None, command(&find)?, None).await?;
        for row in &rows {
            for (path, value) in elements(row.as_bytes()) {
                let column = name::read(&path).into_owned();
                let known = note.fields.iter_mut().find(|field| field.path == path);
                match known {
                    Some(field) if value.is_null() => field.nullable = true,
                    Some(_) => {}
                    None => note.fields.push(NotedField {
                        column: if path == "_id" { path.clone() } else { column },
                        nullable: path != "_id",
                        value_type: type_name(value.kind).to_owned(),
                        path,
                    }),
                }
            }
        }
        Ok(note)
    }
}

/// An index that a model wants.
struct Wanted {
    key: Vec<(String, i64)>,
    unique: bool,
    partial: bool,
    node: Node,
}

fn index_command(model: &Arc<ModelDef>, layout: &Layout, index: &IndexDef) -> Result<Wanted> {
    let mut key = Vec::new();
    let mut only = Vec::new();
    for (field, direction) in &index.fields {
        let place = layout.field(*field);
        let direction = if *direction == Direction::Ascending { 1 } else { -1 };
        key.push((place.dotted.to_string(), direction));
        key.extend(place.micros.iter().map(|micros| (micros.to_string(), direction)));
        if let Some(of) = model.field(*field)
            && index.unique
            && of.nullable
        {
            // rows with a null never collide
            only.push(document([(&*place.dotted, document([("$gte", least(&of.value_type))]))]));
        }
    }
    if let Some(condition) = &index.condition {
        let translator = Translator::of_rows(model, layout, &[]);
        match translator.partial_filter(condition) {
            Some(filter) => only.extend(filter),
            // an index over all rows serves those of the condition too
            None if !index.unique => {}
            None => {
                return Err(Error::unsupported(format!(
                    "{}: MongoDB cannot keep the unique group `{}`, whose condition is more than comparisons of fields with constants under `and`: simplify it",
                    model.name(),
                    index_name(model, index)
                ))
                .with_driver(DRIVER)
                .with_model(model.name()));
            }
        }
    }
    let spec = key.iter().map(|(path, direction)| (path.clone(), Node::Int(if *direction == 1 { 1 } else { -1 })));
    let mut members =
        vec![("key".to_owned(), Node::Document(spec.collect())), ("name".to_owned(), text(index_name(model, index)))];
    if index.unique {
        members.push(("unique".into(), Node::Bool(true)));
    }
    let partial = !only.is_empty();
    if partial {
        let filter = if only.len() == 1 { only.remove(0) } else { document([("$and", Node::Array(only))]) };
        members.push(("partialFilterExpression".into(), filter));
    }
    Ok(Wanted { key, unique: index.unique, partial, node: Node::Document(members) })
}
