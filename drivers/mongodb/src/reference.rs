//! Keeping references: MongoDB has none, so they are checked in the transaction that writes.
//!
//! A transaction sees what was committed when it began. Two that write beside each other, one a
//! row that references another and one that deletes the other, would both succeed; so both also
//! write a lock, and the server lets only one of them through.

use std::collections::{BTreeMap, HashSet};

use mongodb::ClientSession;
use mongodb::bson::{Document, RawDocumentBuf};
use ommi_core::model::{ModelDef, OnChange};
use ommi_core::value::Datum;
use ommi_core::{ConstraintKind, Error, Result};

use crate::catalog::{Collections, Incoming};
use crate::counter::command;
use crate::element::{RawValue, find};
use crate::error::DRIVER;
use crate::layout::{Layout, is_moment};
use crate::name;
use crate::shared::Shared;
use crate::template::{Node, Parameters, document, operator, text};
use crate::validator::Note;
use crate::write::{Change, Following, Write, matched};
use crate::writer::{Writer, kind};

/// The collection of the locks.
pub(crate) const LOCKS: &str = "ommi.locks";
/// How many groups of values have locks of their own.
const BUCKETS: u64 = 32;
/// How many locks a group has: who references takes one of them, who deletes takes all.
const SLOTS: u64 = 8;
/// How many values are looked for at once.
const VALUES: usize = 1_000;
/// What the old document is called beside the new one.
const OLD: &str = "%25o";

/// A value on its own.
type Owned = (u8, Vec<u8>);
/// The values of the fields of a reference.
type Tuple = Vec<Owned>;

/// An enforced reference of a model.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// The fields, as messages name them.
    pub(crate) fields: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) target: String,
    target_paths: Vec<String>,
    model: std::sync::Arc<str>,
    /// The members of the target's key, if the reference is to the whole of it.
    key: Option<Vec<usize>>,
}

fn with_micros(paths: &[String], is_moment: impl Fn(usize) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        all.push(path.clone());
        if is_moment(at) {
            all.push(format!("{path}$us"));
        }
    }
    all
}

impl Outgoing {
    /// The enforced references of a model, as its collection notes them.
    pub(crate) fn of_model(model: &ModelDef, collections: &Collections) -> Vec<Outgoing> {
        if !model.references().iter().any(|reference| reference.enforced) {
            return Vec::new();
        }
        let layout = Layout::of(model);
        let Some(note) =
            collections.get(&crate::catalog::stored(model)).and_then(|collection| collection.note.as_ref())
        else {
            return Vec::new();
        };
        let outgoing = note.references.iter().map(|reference| {
            let target = name::collection(&reference.table).into_owned();
            let moment = |at: usize| {
                reference.paths.get(at).is_some_and(|path| {
                    (0..)
                        .zip(model.fields())
                        .any(|(index, field)| *layout.field(index).dotted == **path && is_moment(&field.value_type))
                })
            };
            let target_paths = with_micros(&reference.target_paths, moment);
            let target_note = collections.get(&target).and_then(|collection| collection.note.as_ref());
            Outgoing {
                fields: reference.fields.clone(),
                paths: with_micros(&reference.paths, moment),
                key: whole_key(&target_paths, target_note),
                target,
                target_paths,
                model: std::sync::Arc::clone(model.name()),
            }
        });
        outgoing.collect()
    }

    /// The values that documents reference, each once.
    pub(crate) fn values(&self, documents: Vec<&[u8]>) -> Vec<Tuple> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for row in documents {
            if let Some(tuple) = tuple(row, &self.paths)
                && seen.insert(tuple.clone())
            {
                found.push(tuple);
            }
        }
        found
    }

    /// The filter of the rows that have one of some values.
    fn filter(&self, tuples: &[Tuple]) -> Node {
        if let [path] = self.target_paths.as_slice() {
            let values = tuples.iter().filter_map(|tuple| tuple.first()).map(raw).collect();
            return document([(path.as_str(), document([("$in", Node::Array(values))]))]);
        }
        if let Some(order) = &self.key {
            let values = tuples.iter().map(|tuple| {
                let members = order.iter().filter_map(|at| {
                    let name = self.target_paths.get(*at)?.strip_prefix("_id.")?;
                    Some((name.to_owned(), raw(tuple.get(*at)?)))
                });
                Node::Document(members.collect())
            });
            return document([("_id", document([("$in", Node::Array(values.collect()))]))]);
        }
        let any = tuples.iter().map(|tuple| equal(&self.target_paths, tuple)).collect();
        document([("$or", Node::Array(any))])
    }

    #[cold]
    fn no_target(&self) -> Error {
        let shown = self.fields.join("`, `");
        Error::constraint(
            ConstraintKind::Reference,
            format!("`{shown}` references a row of {} that is not there", name::read(&self.target)),
        )
        .with_driver(DRIVER)
        .with_model(&self.model)
        .with_fields(self.fields.clone())
    }
}

/// The order of paths in the key's document, if they are the whole of it.
fn whole_key(paths: &[String], note: Option<&Note>) -> Option<Vec<usize>> {
    let note = note?;
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by(|left, right| paths.get(*left).cmp(&paths.get(*right)));
    let of_key = note
        .fields
        .iter()
        .filter(|field| field.path.starts_with("_id."))
        .map(|field| 1 + usize::from(matches!(field.value_type.as_str(), "timestamp" | "datetime")));
    let is_key = paths.iter().all(|path| path.starts_with("_id.")) && of_key.sum::<usize>() == paths.len();
    is_key.then_some(order)
}

fn raw((kind, bytes): &Owned) -> Node {
    Node::Raw(*kind, bytes.clone())
}

fn equal(paths: &[String], tuple: &Tuple) -> Node {
    let members = paths.iter().zip(tuple).map(|(path, value)| (path.clone(), document([("$eq", raw(value))])));
    Node::Document(members.collect())
}

/// The value at a dotted path of a document.
pub(crate) fn at<'a>(row: &'a [u8], path: &str) -> Option<RawValue<'a>> {
    path.split('.').try_fold(RawValue { kind: kind::DOCUMENT, bytes: row }, |of, name| of.get(name))
}

/// The values at paths; none, if one of them is null.
fn tuple(row: &[u8], paths: &[String]) -> Option<Tuple> {
    let value =
        |path: &String| at(row, path).filter(|value| !value.is_null()).map(|value| (value.kind, value.bytes.to_vec()));
    paths.iter().map(value).collect()
}

/// A number for values: the same for those that are equal.
fn hash(tuple: &Tuple) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (of, bytes) in tuple {
        let value = RawValue { kind: *of, bytes };
        match value.whole() {
            Some(number) => number.to_le_bytes().into_iter().for_each(&mut add),
            None => bytes.iter().copied().for_each(&mut add),
        }
    }
    state
}

fn lock_name(target: &str, bucket: u64, slot: u64) -> Node {
    text(format!("{target}:{bucket}:{slot}"))
}

/// A row that changed.
pub(crate) struct Changed {
    pub(crate) collection: String,
    pub(crate) old: RawDocumentBuf,
    /// The row that it became; none, if it was deleted.
    pub(crate) new: Option<RawDocumentBuf>,
}

/// A check that is due when all rows are written: no row may reference these values, unless a row
/// has them again.
struct Due {
    reference: Incoming,
    target: String,
    tuple: Tuple,
}

impl Shared {
    /// Makes the locks of a collection that is referenced.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn make_locks(&self, target: &str) -> Result<()> {
        let locks = (0..BUCKETS).flat_map(|bucket| (0..SLOTS).map(move |slot| (bucket, slot)));
        let updates = locks.map(|(bucket, slot)| {
            document([
                ("q", document([("_id", lock_name(target, bucket, slot))])),
                ("u", document([("$setOnInsert", document([("n", Node::Long(0))]))])),
                ("upsert", Node::Bool(true)),
            ])
        });
        let update = document([
            ("update", text(LOCKS)),
            ("updates", Node::Array(updates.collect())),
            ("ordered", Node::Bool(false)),
        ]);
        match self.write(None, command(&update)?, None).await {
            Err(error) if !error.is_unique_violation() => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the locks of values: one of each group, or all.
    async fn lock(&self, session: &mut ClientSession, target: &str, tuples: &[Tuple], all: bool) -> Result<()> {
        let mut buckets: Vec<u64> = tuples.iter().map(|tuple| hash(tuple) % BUCKETS).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let mut names = Vec::new();
        for bucket in buckets {
            match all {
                true => names.extend((0..SLOTS).map(|slot| lock_name(target, bucket, slot))),
                false => names.push(lock_name(target, bucket, fastrand::u64(..SLOTS))),
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        let update = document([
            ("q", document([("_id", document([("$in", Node::Array(names))]))])),
            ("u", document([("$inc", document([("n", Node::Long(1))]))])),
            ("multi", Node::Bool(true)),
        ]);
        let update = document([("update", text(LOCKS)), ("updates", Node::Array(vec![update]))]);
        self.write(Some(session), command(&update)?, None).await.map(drop)
    }

    /// Refuses values that no row has.
    ///
    /// # Errors
    ///
    /// `Constraint` if there is no such row.
    pub(crate) async fn check_targets(
        &self,
        session: &mut ClientSession,
        of: &Outgoing,
        tuples: Vec<Tuple>,
    ) -> Result<()> {
        for tuples in tuples.chunks(VALUES) {
            self.lock(session, &of.target, tuples, false).await?;
            let projection = of.target_paths.iter().map(|path| (path.clone(), Node::Int(1))).collect();
            let find = document([
                ("find", text(of.target.clone())),
                ("filter", of.filter(tuples)),
                ("projection", Node::Document(projection)),
                ("batchSize", Node::Int(100_000)),
            ]);
            let found = self.documents(Some(session), command(&find)?, None).await?;
            let there: HashSet<u64> = found
                .iter()
                .filter_map(|row| tuple(row.as_bytes(), &of.target_paths))
                .map(|tuple| hash(&tuple))
                .collect();
            if tuples.iter().any(|tuple| !there.contains(&hash(tuple))) {
                return Err(of.no_target());
            }
        }
        Ok(())
    }

    /// Updates or deletes rows in a transaction, and does what follows from it.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses; the server's.
    pub(crate) async fn execute_following(
        &self,
        session: &mut ClientSession,
        write: &Write,
        parameters: &[Datum],
        following: &Following,
    ) -> Result<u64> {
        if write.changes_key() {
            let (matched, changed) = self.change_keys(Some(&mut *session), write, parameters).await?;
            self.check_changed(session, &changed, following).await?;
            self.follow(session, changed).await?;
            return Ok(matched);
        }
        let old = self.find_all(session, write, &write.filter, parameters).await?;
        let ids: Vec<Node> = old
            .iter()
            .filter_map(|row| find(row.as_bytes(), "_id"))
            .map(|id| Node::Raw(id.kind, id.bytes.to_vec()))
            .collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let by_id = document([("_id", document([("$in", Node::Array(ids))]))]);
        let command = write.command(parameters, &by_id)?;
        let answer = self.write(Some(&mut *session), command, Some(&write.model)).await?;
        let new = match write.change {
            Change::Delete => Vec::new(),
            _ => self.find_all(session, write, &by_id, parameters).await?,
        };
        let mut by_key: BTreeMap<Vec<u8>, RawDocumentBuf> =
            new.into_iter().filter_map(|row| Some((find(row.as_bytes(), "_id")?.bytes.to_vec(), row))).collect();
        let changed: Vec<Changed> = old
            .into_iter()
            .map(|old| {
                let key = find(old.as_bytes(), "_id").map(|id| id.bytes.to_vec()).unwrap_or_default();
                Changed { collection: write.collection.clone(), new: by_key.remove(&key), old }
            })
            .collect();
        self.check_changed(session, &changed, following).await?;
        self.follow(session, changed).await?;
        Ok(matched(answer.as_bytes()))
    }

    async fn check_changed(
        &self,
        session: &mut ClientSession,
        changed: &[Changed],
        following: &Following,
    ) -> Result<()> {
        for outgoing in &following.outgoing {
            let rows = changed.iter().filter_map(|changed| changed.new.as_ref()).map(|row| row.as_bytes()).collect();
            self.check_targets(session, outgoing, outgoing.values(rows)).await?;
        }
        Ok(())
    }

    async fn find_all(
        &self,
        session: &mut ClientSession,
        write: &Write,
        filter: &Node,
        parameters: &[Datum],
    ) -> Result<Vec<RawDocumentBuf>> {
        let mut writer = Writer::document();
        let place = writer.key("find")?;
        let of = writer.text(&write.collection);
        writer.set(place, of);
        let place = writer.key("filter")?;
        let of = filter.write(&mut writer, Parameters(parameters))?;
        writer.set(place, of);
        self.documents(Some(session), writer, Some(&write.model)).await
    }

    /// Changes the keys of rows: the documents are written anew.
    async fn change_keys(
        &self,
        mut session: Option<&mut ClientSession>,
        write: &Write,
        parameters: &[Datum],
    ) -> Result<(u64, Vec<Changed>)> {
        let mut stages = vec![operator("$match", write.filter.clone())];
        stages.push(operator("$set", document([(OLD, text("$$ROOT"))])));
        if let Change::Stages { stages: of, .. } = &write.change {
            stages.extend(of.iter().cloned());
        }
        let mut writer = Writer::document();
        for (name, value) in [
            ("aggregate", text(write.collection.clone())),
            ("pipeline", Node::Array(stages)),
            ("cursor", Node::Document(Vec::new())),
        ] {
            let place = writer.key(name)?;
            let of = value.write(&mut writer, Parameters(parameters))?;
            writer.set(place, of);
        }
        let rows = self.documents(session.as_deref_mut(), writer, Some(&write.model)).await?;
        let mut changed = Vec::new();
        for row in &rows {
            let Some(old) = find(row.as_bytes(), OLD) else { continue };
            let mut new = to_document(row)?;
            new.remove(OLD);
            changed.push(Changed {
                collection: write.collection.clone(),
                old: from_bytes(old.bytes)?,
                new: Some(from_document(&new)?),
            });
        }
        let olds: Vec<&RawDocumentBuf> = changed.iter().map(|changed| &changed.old).collect();
        self.delete_rows(session.as_deref_mut(), &write.collection, &olds, Some(&write.model)).await?;
        let news: Vec<&RawDocumentBuf> = changed.iter().filter_map(|changed| changed.new.as_ref()).collect();
        let written = self.insert_rows(session.as_deref_mut(), &write.collection, &news, Some(&write.model)).await;
        if let Err(error) = written {
            if session.is_none() {
                // without a transaction the old rows come back by hand
                self.delete_rows(None, &write.collection, &news, None).await?;
                self.insert_rows(None, &write.collection, &olds, None).await?;
            }
            return Err(error);
        }
        Ok((u64::try_from(changed.len()).unwrap_or(u64::MAX), changed))
    }

    /// [`Shared::change_keys`] where there is nothing to follow.
    pub(crate) async fn change_keys_alone(&self, write: &Write, parameters: &[Datum]) -> Result<u64> {
        Ok(self.change_keys(None, write, parameters).await?.0)
    }

    async fn delete_rows(
        &self,
        session: Option<&mut ClientSession>,
        collection: &str,
        rows: &[&RawDocumentBuf],
        model: Option<&ModelDef>,
    ) -> Result<()> {
        let ids: Vec<Node> = rows
            .iter()
            .filter_map(|row| find(row.as_bytes(), "_id"))
            .map(|id| Node::Raw(id.kind, id.bytes.to_vec()))
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let delete =
            document([("q", document([("_id", document([("$in", Node::Array(ids))]))])), ("limit", Node::Int(0))]);
        let delete = document([("delete", text(collection)), ("deletes", Node::Array(vec![delete]))]);
        self.write(session, command(&delete)?, model).await.map(drop)
    }

    async fn insert_rows(
        &self,
        session: Option<&mut ClientSession>,
        collection: &str,
        rows: &[&RawDocumentBuf],
        model: Option<&ModelDef>,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let documents = rows.iter().map(|row| Node::Raw(kind::DOCUMENT, row.as_bytes().to_vec())).collect();
        let insert = document([("insert", text(collection)), ("documents", Node::Array(documents))]);
        self.write(session, command(&insert)?, model).await.map(drop)
    }

    async fn replace_row(&self, session: &mut ClientSession, collection: &str, row: &RawDocumentBuf) -> Result<()> {
        let Some(id) = find(row.as_bytes(), "_id") else { return Ok(()) };
        let update = document([
            ("q", document([("_id", document([("$eq", Node::Raw(id.kind, id.bytes.to_vec()))]))])),
            ("u", Node::Raw(kind::DOCUMENT, row.as_bytes().to_vec())),
        ]);
        let update = document([("update", text(collection)), ("updates", Node::Array(vec![update]))]);
        self.write(Some(session), command(&update)?, None).await.map(drop)
    }

    /// Does what changes of rows do to the rows that reference them.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses; the server's.
    pub(crate) async fn follow(&self, session: &mut ClientSession, changed: Vec<Changed>) -> Result<()> {
        let collections = self.catalog.known();
        let mut due = Vec::new();
        let mut wave = changed;
        while !wave.is_empty() {
            let mut next: BTreeMap<(String, Vec<u8>), Changed> = BTreeMap::new();
            for change in &wave {
                for reference in collections.incoming(&change.collection) {
                    let reference = expand(reference, &collections);
                    let Some(old) = tuple(change.old.as_bytes(), &reference.target_paths) else { continue };
                    let new = change.new.as_ref().and_then(|row| tuple(row.as_bytes(), &reference.target_paths));
                    if new.as_ref() == Some(&old) {
                        continue;
                    }
                    self.lock(session, &change.collection, std::slice::from_ref(&old), true).await?;
                    let action = if change.new.is_some() { reference.on_update } else { reference.on_delete };
                    if action == OnChange::Restrict {
                        due.push(Due { target: change.collection.clone(), tuple: old, reference });
                        continue;
                    }
                    let find_children = document([
                        ("find", text(reference.collection.clone())),
                        ("filter", equal(&reference.paths, &old)),
                    ]);
                    for child in self.documents(Some(&mut *session), command(&find_children)?, None).await? {
                        let key = find(child.as_bytes(), "_id").map(|id| id.bytes.to_vec()).unwrap_or_default();
                        let entry = next.entry((reference.collection.clone(), key)).or_insert_with(|| Changed {
                            collection: reference.collection.clone(),
                            old: child.clone(),
                            new: Some(child),
                        });
                        entry.new = match (entry.new.take(), action, &change.new) {
                            (None, ..) | (_, OnChange::Cascade, None) => None,
                            (Some(row), OnChange::Cascade, Some(_)) => Some(set(&row, &reference.paths, new.as_ref())?),
                            (Some(row), _, _) => Some(set(&row, &reference.paths, None)?),
                        };
                    }
                }
            }
            for change in next.values() {
                self.apply(session, change).await?;
            }
            wave = next.into_values().collect();
        }
        for due in due {
            self.check_due(session, &due).await?;
        }
        Ok(())
    }

    async fn apply(&self, session: &mut ClientSession, change: &Changed) -> Result<()> {
        let key = |row: &RawDocumentBuf| find(row.as_bytes(), "_id").map(|id| (id.kind, id.bytes.to_vec()));
        match &change.new {
            None => self.delete_rows(Some(session), &change.collection, &[&change.old], None).await,
            Some(new) if key(new) == key(&change.old) => self.replace_row(session, &change.collection, new).await,
            Some(new) => {
                self.delete_rows(Some(&mut *session), &change.collection, &[&change.old], None).await?;
                self.insert_rows(Some(session), &change.collection, &[new], None).await
            }
        }
    }

    async fn check_due(&self, session: &mut ClientSession, due: &Due) -> Result<()> {
        let any = async |session: &mut ClientSession, collection: &str, paths: &[String]| {
            let find = document([
                ("find", text(collection)),
                ("filter", equal(paths, &due.tuple)),
                ("limit", Node::Int(1)),
                ("singleBatch", Node::Bool(true)),
                ("projection", document([("_id", Node::Int(1))])),
            ]);
            Ok::<_, Error>(!self.documents(Some(session), command(&find)?, None).await?.is_empty())
        };
        if !any(session, &due.reference.collection, &due.reference.paths).await?
            || any(session, &due.target, &due.reference.target_paths).await?
        {
            return Ok(());
        }
        let collections = self.catalog.known();
        let note = collections.get(&due.target).and_then(|collection| collection.note.as_ref());
        let column = |path: &String| {
            note.and_then(|note| note.fields.iter().find(|field| field.path == *path)).map(|field| field.column.clone())
        };
        Err(Error::constraint(
            ConstraintKind::Reference,
            format!(
                "rows of {} still reference the row by `{}`",
                name::read(&due.reference.collection),
                due.reference.fields.join("`, `")
            ),
        )
        .with_driver(DRIVER)
        .with_fields(due.reference.target_paths.iter().filter_map(column)))
    }
}

/// The reference with the microseconds of its moments.
fn expand(reference: Incoming, collections: &Collections) -> Incoming {
    let note = collections.get(&reference.collection).and_then(|collection| collection.note.as_ref());
    let moment = |at: usize| {
        let field = reference.paths.get(at).and_then(|path| note?.fields.iter().find(|field| field.path == *path));
        field.is_some_and(|field| matches!(field.value_type.as_str(), "timestamp" | "datetime"))
    };
    let (paths, target_paths) = (with_micros(&reference.paths, moment), with_micros(&reference.target_paths, moment));
    Incoming { paths, target_paths, ..reference }
}

/// The document with other values at paths; null without any.
fn set(row: &RawDocumentBuf, paths: &[String], values: Option<&Tuple>) -> Result<RawDocumentBuf> {
    let mut new = to_document(row)?;
    for (index, path) in paths.iter().enumerate() {
        let value = match values.and_then(|values| values.get(index)) {
            Some((of, bytes)) => {
                let mut writer = Writer::document();
                let place = writer.key("v")?;
                writer.raw(bytes);
                writer.set(place, *of);
                to_document(&writer.finish()?)?.remove("v").unwrap_or(mongodb::bson::Bson::Null)
            }
            None => mongodb::bson::Bson::Null,
        };
        put(&mut new, path, value);
    }
    from_document(&new)
}

fn put(of: &mut Document, path: &str, value: mongodb::bson::Bson) {
    match path.split_once('.') {
        None => {
            of.insert(path, value);
        }
        Some((name, rest)) => {
            if let Ok(inner) = of.get_document_mut(name) {
                put(inner, rest, value);
            }
        }
    }
}

#[cold]
fn unreadable(error: mongodb::bson::error::Error) -> Error {
    Error::decode("a document could not be read").with_driver(DRIVER).with_source(error)
}

fn to_document(row: &RawDocumentBuf) -> Result<Document> {
    Document::try_from(row.as_ref()).map_err(unreadable)
}

fn from_document(row: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(row).map_err(unreadable)
}

fn from_bytes(bytes: &[u8]) -> Result<RawDocumentBuf> {
    RawDocumentBuf::from_bytes(bytes.to_vec()).map_err(unreadable)
}
