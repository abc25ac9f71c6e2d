//! Upserts: updates that insert what they do not find.
//!
//! The server makes a document of what it looked for, and runs the stages of the update on it. A
//! document that is just that is new, and becomes the row; any other was there, and is changed.

use std::collections::HashMap;

use mongodb::ClientSession;
use mongodb::bson::RawDocumentBuf;
use ommi_core::driver::RowSource;
use ommi_core::query::statement::{InsertStatement, OnConflict};
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use crate::arithmetic::cond;
use crate::counter::command;
use crate::element::find;
use crate::encode::{DOCUMENT_BYTES, RowWriter};
use crate::expression::Translator;
use crate::insert::Insert;
use crate::layout::Layout;
use crate::reference::{Changed, at};
use crate::shared::Shared;
use crate::template::{Node, Parameters, document, operator, operators, text};
use crate::write::{Following, assigned, matched};
use crate::writer::{Writer, kind};

/// What a document that is new is marked with.
const FRESH: &str = "%25f";
/// The bytes of updates from which on a command is full.
const FULL: usize = 4 << 20;

/// An upsert.
#[derive(Debug)]
pub(crate) struct Upsert {
    /// The paths of the fields that rows collide in.
    paths: Vec<String>,
    pub(crate) stages: Node,
    /// The paths that change in rows that are there.
    pub(crate) changed: Vec<String>,
    /// Whether rows that are there are left as they are.
    is_ignored: bool,
}

/// An upsert at work.
pub(crate) struct Upserting<'a> {
    pub(crate) insert: &'a Insert,
    pub(crate) upsert: &'a Upsert,
    pub(crate) parameters: &'a [Datum],
    pub(crate) numbers: &'a [Option<i64>],
    pub(crate) following: &'a Following,
}

/// Rows that go in one command.
struct Batch {
    /// The updates of rows that may be there.
    updates: Vec<Node>,
    /// The filters that they are looked for by.
    filters: Vec<Node>,
    /// Rows that collide with none, because a field is null.
    alone: Vec<Node>,
    next: usize,
}

impl Upsert {
    /// The upsert of an insert, if it is one.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn prepare(statement: &InsertStatement, layout: &Layout, types: &[ValueType]) -> Result<Option<Upsert>> {
        let (fields, assignments) = match &statement.on_conflict {
            OnConflict::Fail => return Ok(None),
            OnConflict::Ignore(fields) => (fields, None),
            OnConflict::Update(fields, assignments) => (fields, Some(assignments)),
        };
        let mut paths = Vec::new();
        for field in fields {
            let place = layout.field(*field);
            paths.push(place.dotted.to_string());
            paths.extend(place.micros.iter().map(|micros| micros.to_string()));
        }
        let is_fresh = operators("$eq", [text("$$ROOT"), text("$$fresh")]);
        let fresh = || text(format!("${FRESH}"));
        let stages = match assignments {
            None => vec![operator("$replaceWith", cond(is_fresh, text("$$new"), text("$$ROOT")))],
            Some(assignments) => {
                let translator = Translator::of_rows(&statement.model, layout, types);
                let mut members = Vec::new();
                for (field, value) in assignments {
                    assigned(&translator, *field, value, &mut members)?;
                }
                let members = members.into_iter().map(|(path, value)| {
                    let kept = text(format!("${path}"));
                    (path, cond(fresh(), kept, value))
                });
                let new = document([(
                    "$mergeObjects",
                    Node::Array(vec![text("$$new"), document([(FRESH, Node::Bool(true))])]),
                )]);
                vec![
                    operator("$set", document([(FRESH, is_fresh)])),
                    operator("$replaceWith", cond(fresh(), new, text("$$ROOT"))),
                    operator("$set", Node::Document(members.collect())),
                    operator("$unset", text(FRESH)),
                ]
            }
        };
        let changed = assignments.into_iter().flatten().map(|(field, _)| layout.field(*field).dotted.to_string());
        Ok(Some(Upsert {
            paths,
            stages: Node::Array(stages),
            changed: changed.collect(),
            is_ignored: assignments.is_none(),
        }))
    }

    /// What a row is looked for by, and the document that the server makes of that; none, if one of
    /// the fields is null.
    fn looked_for(&self, row: &[u8]) -> Option<(Node, Node)> {
        let mut filter = Vec::new();
        let mut fresh = Vec::new();
        for path in &self.paths {
            let value = at(row, path).filter(|value| !value.is_null())?;
            let value = Node::Raw(value.kind, value.bytes.to_vec());
            filter.push((path.clone(), document([("$eq", value.clone())])));
            put(&mut fresh, path, value);
        }
        // the key as a whole: the server takes no part of it from the filter
        if self.paths.iter().all(|path| path.starts_with("_id.")) {
            let key = find(row, "_id").map(|key| Node::Raw(key.kind, key.bytes.to_vec()))?;
            return Some((document([("_id", document([("$eq", key.clone())]))]), document([("_id", key)])));
        }
        Some((Node::Document(filter), Node::Document(fresh)))
    }
}

fn put(members: &mut Vec<(String, Node)>, path: &str, value: Node) {
    let Some((name, rest)) = path.split_once('.') else {
        members.push((path.to_owned(), value));
        return;
    };
    for (known, inner) in members.iter_mut() {
        if known == name
            && let Node::Document(inner) = inner
        {
            return put(inner, rest, value);
        }
    }
    let mut inner = Vec::new();
    put(&mut inner, rest, value);
    members.push((name.to_owned(), Node::Document(inner)));
}

impl Upserting<'_> {
    fn batch(&self, rows: &dyn RowSource, from: usize) -> Result<Batch> {
        let mut batch = Batch { updates: Vec::new(), filters: Vec::new(), alone: Vec::new(), next: from };
        let mut documents = RowWriter::new(&self.insert.model, &self.insert.layout);
        let mut bytes = 0;
        while batch.next < rows.len() && bytes < FULL && batch.next - from < 1_000 {
            documents.begin_row(self.numbers.get(batch.next).copied().flatten());
            rows.encode(batch.next, &mut documents)?;
            let mut writer = Writer::default();
            documents.write(&mut writer)?;
            bytes += writer.len() + 1_024;
            if bytes > DOCUMENT_BYTES && batch.next > from {
                // a large row has a command to itself
                break;
            }
            let row = Node::Raw(kind::DOCUMENT, writer.bytes().to_vec());
            match self.upsert.looked_for(writer.bytes()) {
                None => batch.alone.push(row),
                Some((filter, fresh)) => {
                    batch.filters.push(filter.clone());
                    batch.updates.push(document([
                        ("q", filter),
                        ("u", self.upsert.stages.clone()),
                        ("c", document([("new", row), ("fresh", fresh)])),
                        ("upsert", Node::Bool(true)),
                    ]));
                }
            }
            batch.next += 1;
        }
        Ok(batch)
    }
}

impl Shared {
    /// Writes rows, or changes those that are there, and says how many it wrote.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses a row; the server's.
    pub(crate) async fn upsert(
        &self,
        mut session: Option<&mut ClientSession>,
        work: &Upserting<'_>,
        rows: &mut Box<dyn RowSource>,
    ) -> Result<u64> {
        let mut from = 0;
        let mut written = 0;
        while from < rows.len() {
            let batch = work.batch(&**rows, from)?;
            from = batch.next;
            let is_atomic = session.is_some();
            let done = self.upsert_batch(session.as_deref_mut(), work, batch).await;
            written += done.map_err(|error| match written {
                0 => error,
                _ if is_atomic => error,
                written => Error::new(error.kind(), format!("{}; rows written before: {written}", error.message()))
                    .with_source(error),
            })?;
        }
        Ok(written)
    }

    async fn upsert_batch(
        &self,
        mut session: Option<&mut ClientSession>,
        work: &Upserting<'_>,
        batch: Batch,
    ) -> Result<u64> {
        let following = work.following;
        let model = Some(&*work.insert.model);
        let name = || text(work.insert.collection.clone());
        let is_followed = !following.is_empty() && session.is_some();
        let by_filters = document([("$or", Node::Array(batch.filters.clone()))]);
        let there = async |session: Option<&mut ClientSession>| match batch.filters.is_empty() {
            true => Ok(Vec::new()),
            false => {
                let find = document([("find", name()), ("filter", by_filters.clone())]);
                self.documents(session, command(&find)?, model).await
            }
        };
        let old = if is_followed { there(session.as_deref_mut()).await? } else { Vec::new() };
        let mut written = 0;
        let alone: Vec<Vec<u8>> = batch
            .alone
            .iter()
            .filter_map(|row| match row {
                Node::Raw(_, bytes) => Some(bytes.clone()),
                _ => None,
            })
            .collect();
        if !batch.alone.is_empty() {
            let insert = document([("insert", name()), ("documents", Node::Array(batch.alone))]);
            let answer = self.write(session.as_deref_mut(), command(&insert)?, model).await?;
            written += matched(answer.as_bytes());
        }
        if !batch.updates.is_empty() {
            let update = document([("update", name()), ("updates", Node::Array(batch.updates))]);
            let mut writer = Writer::document();
            if let Node::Document(members) = &update {
                for (name, value) in members {
                    let place = writer.key(name)?;
                    let of = value.write(&mut writer, Parameters(work.parameters))?;
                    writer.set(place, of);
                }
            }
            let answer = self.write(session.as_deref_mut(), writer, model).await?;
            let inserted = find(answer.as_bytes(), "upserted").map(|rows| rows.elements().len()).unwrap_or_default();
            written += match work.upsert.is_ignored {
                true => u64::try_from(inserted).unwrap_or(u64::MAX),
                false => matched(answer.as_bytes()),
            };
        }
        if is_followed && let Some(session) = session {
            let new = there(Some(&mut *session)).await?;
            for outgoing in &following.outgoing {
                let rows = new.iter().map(|row| row.as_bytes()).chain(alone.iter().map(Vec::as_slice)).collect();
                self.check_targets(session, outgoing, outgoing.values(rows)).await?;
            }
            self.follow(session, pairs(&work.insert.collection, old, new)).await?;
        }
        Ok(written)
    }
}

/// Rows before and after, by their keys.
fn pairs(collection: &str, old: Vec<RawDocumentBuf>, new: Vec<RawDocumentBuf>) -> Vec<Changed> {
    let key = |row: &RawDocumentBuf| find(row.as_bytes(), "_id").map(|id| id.bytes.to_vec()).unwrap_or_default();
    let mut by_key: HashMap<Vec<u8>, RawDocumentBuf> = new.into_iter().map(|row| (key(&row), row)).collect();
    let changed = old.into_iter().filter_map(|old| {
        let new = by_key.remove(&key(&old))?;
        Some(Changed { collection: collection.to_owned(), new: Some(new), old })
    });
    changed.collect()
}
