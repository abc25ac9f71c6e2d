//! What is known of the collections: which there are, and what `create` noted in them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ommi_core::model::{ModelDef, OnChange};
use ommi_core::{Error, Result};

use crate::element::{RawValue, find};
use crate::error::DRIVER;
use crate::name;
use crate::shared::Shared;
use crate::validator::Note;
use crate::writer::Writer;

/// What the driver's own collections begin with.
pub(crate) const OWN: &str = "ommi.";

/// A collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collection {
    /// The stored name.
    pub(crate) stored: String,
    pub(crate) is_view: bool,
    /// What `create` noted in its validator; none, if another program made it.
    pub(crate) note: Option<Note>,
}

impl Collection {
    /// The name, as models have it.
    pub(crate) fn name(&self) -> String {
        name::read(&self.stored).into_owned()
    }
}

/// A reference to a collection.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    /// The collection that has the reference.
    pub(crate) collection: String,
    /// The paths there.
    pub(crate) paths: Vec<String>,
    /// The fields there, as messages name them.
    pub(crate) fields: Vec<String>,
    /// The paths in the collection that is referenced.
    pub(crate) target_paths: Vec<String>,
    pub(crate) on_delete: OnChange,
    pub(crate) on_update: OnChange,
}

/// All collections.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    by_name: HashMap<String, Collection>,
}

impl Collections {
    /// The collection of a stored name.
    pub(crate) fn get(&self, stored: &str) -> Option<&Collection> {
        self.by_name.get(stored)
    }

    /// All, sorted by name.
    pub(crate) fn sorted(&self) -> Vec<&Collection> {
        let mut all: Vec<&Collection> = self.by_name.values().collect();
        all.sort_by(|left, right| left.stored.cmp(&right.stored));
        all
    }

    /// The references to a collection.
    pub(crate) fn incoming(&self, stored: &str) -> Vec<Incoming> {
        let mut found = Vec::new();
        for collection in self.sorted() {
            let Some(note) = &collection.note else { continue };
            for reference in &note.references {
                if *name::collection(&reference.table) != *stored {
                    continue;
                }
                found.push(Incoming {
                    collection: collection.stored.clone(),
                    paths: reference.paths.clone(),
                    fields: reference.fields.clone(),
                    target_paths: reference.target_paths.clone(),
                    on_delete: reference.on_delete,
                    on_update: reference.on_update,
                });
            }
        }
        found
    }

    /// The references to some of the paths of a collection.
    pub(crate) fn incoming_to(&self, stored: &str, paths: &[String]) -> Vec<Incoming> {
        let mut found = self.incoming(stored);
        found.retain(|reference| reference.target_paths.iter().any(|path| paths.contains(path)));
        found
    }
}

/// How long what is known of references is believed: other programs may create models too.
const BELIEVED: Duration = Duration::from_secs(5);

/// The collections, as they were when they were last looked at.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    collections: RwLock<Arc<Collections>>,
    looked: Mutex<Option<Instant>>,
}

impl Catalog {
    /// The collections that are known.
    pub(crate) fn known(&self) -> Arc<Collections> {
        Arc::clone(&self.collections.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn has(&self, stored: &str) -> bool {
        self.collections.read().unwrap_or_else(PoisonError::into_inner).get(stored).is_some()
    }

    fn set(&self, collections: Collections) -> Arc<Collections> {
        let collections = Arc::new(collections);
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        *self.collections.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&collections);
        collections
    }
}

impl Shared {
    /// Looks at the collections anew.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn look(&self) -> Result<Arc<Collections>> {
        let mut command = Writer::document();
        let place = command.key("listCollections")?;
        let kind = command.int(1);
        command.set(place, kind);
        let documents = self.documents(None, command, None).await?;
        let mut found = Collections::default();
        for document in &documents {
            let bytes = document.as_bytes();
            let Some(stored) = find(bytes, "name").and_then(|name| name.as_text()) else { continue };
            let validator = find(bytes, "options").and_then(|options| options.get("validator"));
            let collection = Collection {
                stored: stored.to_owned(),
                is_view: find(bytes, "type").and_then(|of| of.as_text()) == Some("view"),
                note: validator.as_ref().and_then(note_of),
            };
            found.by_name.insert(stored.to_owned(), collection);
        }
        Ok(self.catalog.set(found))
    }

    /// The collections, looked at not long ago: a row may be referenced from one that is new.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn believed(&self) -> Result<Arc<Collections>> {
        let looked = *self.catalog.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match looked.is_some_and(|looked| looked.elapsed() < BELIEVED) {
            true => Ok(self.catalog.known()),
            false => self.look().await,
        }
    }

    /// Refuses a collection that is not there: MongoDB would make it, or answer as if it were
    /// empty.
    ///
    /// # Errors
    ///
    /// `Schema` if there is none; the server's.
    #[inline]
    pub(crate) async fn require(&self, stored: &str) -> Result<()> {
        if self.catalog.has(stored) {
            return Ok(());
        }
        self.look_for(stored).await
    }

    #[cold]
    async fn look_for(&self, stored: &str) -> Result<()> {
        match self.look().await?.get(stored) {
            Some(_) => Ok(()),
            None => {
                Err(Error::schema(format!("there is no collection `{}`: create it with `create`", name::read(stored)))
                    .with_driver(DRIVER))
            }
        }
    }
}

fn note_of(validator: &RawValue<'_>) -> Option<Note> {
    let schema = validator.get("$jsonSchema").or_else(|| {
        let all = validator.get("$and")?;
        all.elements().into_iter().find_map(|(_, part)| part.get("$jsonSchema"))
    })?;
    Note::read(schema.get("description")?.as_text()?)
}

/// The stored name of a model's collection.
pub(crate) fn stored(model: &ModelDef) -> String {
    name::collection(&model.table().name).into_owned()
}
