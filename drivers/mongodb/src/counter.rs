//! Automatic integer keys: a counter for each collection, which only grows and which no
//! transaction holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ommi_core::model::ModelDef;
use ommi_core::{Error, Result};

use crate::element::find;
use crate::error::DRIVER;
use crate::layout::Layout;
use crate::shared::Shared;
use crate::template::{Node, Parameters, document, text};
use crate::writer::Writer;

/// The collection of the counters.
pub(crate) const COUNTERS: &str = "ommi.counters";

/// What is known of the counters: the last number that each gave out is at least this.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    known: Mutex<HashMap<String, i64>>,
}

impl Counters {
    fn note(&self, collection: &str, last: i64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = known.entry(collection.to_owned()).or_insert(last);
        *slot = (*slot).max(last);
    }

    fn covers(&self, collection: &str, number: i64) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(collection).is_some_and(|last| *last >= number)
    }

    /// Forgets a counter.
    pub(crate) fn forget(&self, collection: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(collection);
    }
}

/// A command whose parts hold no parameters.
///
/// # Errors
///
/// `Query` if it cannot be written.
pub(crate) fn command(node: &Node) -> Result<Writer> {
    let Node::Document(members) = node else { return Err(Error::query("a command is a document")) };
    let mut writer = Writer::document();
    for (name, value) in members {
        let place = writer.key(name)?;
        let kind = value.write(&mut writer, Parameters(&[]))?;
        writer.set(place, kind);
    }
    Ok(writer)
}

impl Shared {
    /// Gives out numbers that nobody gets again: the last of them.
    ///
    /// # Errors
    ///
    /// `Query` if the numbers are used up; the server's.
    pub(crate) async fn give_out(&self, collection: &str, count: usize, model: &ModelDef) -> Result<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        for _ in 0..2 {
            let found = document([
                ("findAndModify", text(COUNTERS)),
                ("query", document([("_id", text(collection))])),
                ("update", document([("$inc", document([("last", Node::Long(count))]))])),
                ("new", Node::Bool(true)),
            ]);
            let answer = self.count_up(command(&found)?).await?;
            let last =
                find(answer.as_bytes(), "value").and_then(|value| value.get("last")).and_then(|last| last.whole());
            if let Some(last) = last {
                self.counters.note(collection, last);
                return Ok(last);
            }
            self.catch_up(collection, model).await?;
        }
        Err(Error::query("the counter of the automatic keys was removed while a row was added").with_driver(DRIVER))
    }

    /// Sees to it that no number up to one is given out.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn push_counter(&self, collection: &str, number: i64) -> Result<()> {
        if self.counters.covers(collection, number) {
            return Ok(());
        }
        let update = document([
            ("q", document([("_id", text(collection))])),
            ("u", document([("$max", document([("last", Node::Long(number))]))])),
            ("upsert", Node::Bool(true)),
        ]);
        let update = document([("update", text(COUNTERS)), ("updates", Node::Array(vec![update]))]);
        let mut attempts = 0;
        loop {
            match self.count_up(command(&update)?).await {
                // two that make the counter at once
                Err(error) if error.is_unique_violation() && attempts < 3 => attempts += 1,
                answer => {
                    answer?;
                    break;
                }
            }
        }
        self.counters.note(collection, number);
        Ok(())
    }

    /// Brings the counter up to the greatest key that is there: rows may be older than it, or of
    /// other programs.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn catch_up(&self, collection: &str, model: &ModelDef) -> Result<()> {
        let Some(auto) = model.auto() else { return Ok(()) };
        let layout = Layout::of(model);
        let path = layout.field(auto).dotted.to_string();
        let greatest = command(&document([
            ("find", text(collection)),
            ("filter", document([(path.as_str(), document([("$type", text("number"))]))])),
            ("sort", document([(path.as_str(), Node::Int(-1))])),
            ("projection", document([(path.as_str(), Node::Int(1))])),
            ("limit", Node::Int(1)),
        ]))?;
        let documents = self.documents(None, greatest, Some(model)).await?;
        let greatest = documents.first().and_then(|row| {
            layout.field(auto).path.iter().try_fold(None, |found: Option<crate::element::RawValue<'_>>, name| {
                Some(Some(match found {
                    None => find(row.as_bytes(), name)?,
                    Some(value) => value.get(name)?,
                }))
            })
        });
        let greatest = greatest.flatten().and_then(|value| value.whole()).unwrap_or_default();
        self.counters.forget(collection);
        self.push_counter(collection, greatest.max(0)).await
    }

    /// Removes the counter of a collection.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn drop_counter(&self, collection: &str) -> Result<()> {
        self.counters.forget(collection);
        let delete = document([("q", document([("_id", text(collection))])), ("limit", Node::Int(0))]);
        let delete = document([("delete", text(COUNTERS)), ("deletes", Node::Array(vec![delete]))]);
        self.write(None, command(&delete)?, None).await.map(drop)
    }
}
