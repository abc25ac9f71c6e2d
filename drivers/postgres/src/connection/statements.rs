//! The prepared statements of a connection, by the shape of the query.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ommi_core::value::ValueType;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

use crate::decode::{Column, columns};

/// What a statement is known by: the number of its shape, and its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StatementKey {
    id: u64,
    form: u8,
}

impl StatementKey {
    /// A form of the statement of a shape.
    pub(crate) const fn new(id: u64, form: u8) -> Self {
        StatementKey { id, form }
    }
}

/// A prepared statement, and how the columns of its rows are read.
pub(crate) struct Cached {
    pub(crate) statement: Statement,
    pub(crate) columns: Box<[Column]>,
}

/// Numbers of shapes are counted up: to spread them is enough.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Map = HashMap<StatementKey, (Arc<Cached>, u64), BuildHasherDefault<Spread>>;

struct Kept {
    map: Map,
    /// Counts uses: the statement with the least number was used longest ago.
    clock: u64,
}

/// The prepared statements of a connection.
pub(crate) struct Statements {
    kept: Mutex<Kept>,
    most: usize,
}

impl Statements {
    pub(crate) fn new(most: usize) -> Self {
        Statements { kept: Mutex::new(Kept { map: Map::default(), clock: 0 }), most }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn find(&self, key: StatementKey) -> Option<Arc<Cached>> {
        let mut kept = self.kept();
        kept.clock += 1;
        let clock = kept.clock;
        let (cached, used) = kept.map.get_mut(&key)?;
        *used = clock;
        Some(Arc::clone(cached))
    }

    fn insert(&self, key: StatementKey, cached: &Arc<Cached>) {
        let mut kept = self.kept();
        let mut oldest = None;
        if kept.map.len() >= self.most {
            let found = kept.map.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            oldest = found.and_then(|key| kept.map.remove(&key));
        }
        kept.clock += 1;
        let clock = kept.clock;
        kept.map.insert(key, (Arc::clone(cached), clock));
        drop(kept);
        // its drop sends a message
        drop(oldest);
    }

    /// Forgets a statement, which the server does not know any more.
    pub(crate) fn forget(&self, key: StatementKey) {
        let gone = self.kept().map.remove(&key);
        drop(gone);
    }

    /// Forgets all statements.
    pub(crate) fn clear(&self) {
        let gone = std::mem::take(&mut self.kept().map);
        drop(gone);
    }

    /// The statement of a key, prepared if it is not there. `wanted` are the types that the columns
    /// of its rows are read as.
    #[inline]
    pub(crate) async fn get(
        &self,
        client: &Client,
        key: StatementKey,
        text: &str,
        parameters: &[Type],
        wanted: &[ValueType],
    ) -> Result<Arc<Cached>, tokio_postgres::Error> {
        match self.find(key) {
            Some(cached) => Ok(cached),
            None => Box::pin(self.prepare(client, key, text, parameters, wanted)).await,
        }
    }

    async fn prepare(
        &self,
        client: &Client,
        key: StatementKey,
        text: &str,
        parameters: &[Type],
        wanted: &[ValueType],
    ) -> Result<Arc<Cached>, tokio_postgres::Error> {
        let statement = client.prepare_typed(text, parameters).await?;
        let cached = Arc::new(Cached { columns: columns(statement.columns(), wanted), statement });
        self.insert(key, &cached);
        Ok(cached)
    }
}
