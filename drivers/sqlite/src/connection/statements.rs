//! The prepared statements of a connection, found by number.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::{Connection, PrepFlags, Statement};

/// Which statement of a connection is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StatementKey(u64);

/// The keys of prepared statements leave room for this many forms of each.
const FORMS: u32 = 4;
const STREAM: u64 = 1 << 63;
const COMMAND: u64 = 1 << 62;

impl StatementKey {
    /// A prepared statement by its id.
    pub(crate) fn prepared(id: u64) -> Self {
        StatementKey(id << FORMS)
    }

    /// One of up to 16 forms of a prepared statement.
    pub(crate) fn form(id: u64, form: u32) -> Self {
        StatementKey(id << FORMS | u64::from(form) & ((1 << FORMS) - 1))
    }

    /// The statement of a stream.
    pub(crate) fn stream(number: u64) -> Self {
        StatementKey(number | STREAM)
    }

    /// A fixed text, such as `COMMIT`.
    pub(crate) fn command(number: u64) -> Self {
        StatementKey(number | COMMAND)
    }

    fn is_kept(self) -> bool {
        self.0 & (STREAM | COMMAND) != 0
    }

    fn is_stream(self) -> bool {
        self.0 & STREAM != 0
    }
}

/// Spreads numbers that count up by one; no more is needed for them.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}

/// Statements by key, the oldest leaving when there are too many.
#[derive(Default)]
pub(super) struct Statements<'c> {
    statements: HashMap<StatementKey, Statement<'c>, BuildHasherDefault<NumberHasher>>,
    /// The keys that may leave, the oldest first.
    order: VecDeque<StatementKey>,
    /// Whether there may be statements of streams.
    has_streams: bool,
}

impl<'c> Statements<'c> {
    #[inline]
    pub(super) fn find(
        &mut self,
        connection: &'c Connection,
        key: StatementKey,
        text: &str,
        capacity: usize,
    ) -> rusqlite::Result<&mut Statement<'c>> {
        // a second look-up on the way in is cheaper than one through the entry on every call
        if !self.statements.contains_key(&key) {
            self.prepare(connection, key, text, capacity)?;
        }
        self.statements.get_mut(&key).ok_or(rusqlite::Error::InvalidQuery)
    }

    #[cold]
    fn prepare(
        &mut self,
        connection: &'c Connection,
        key: StatementKey,
        text: &str,
        capacity: usize,
    ) -> rusqlite::Result<()> {
        let statement = connection.prepare_with_flags(text, PrepFlags::SQLITE_PREPARE_PERSISTENT)?;
        self.has_streams |= key.is_stream();
        if !key.is_kept() {
            while self.order.len() >= capacity {
                let Some(oldest) = self.order.pop_front() else { break };
                self.statements.remove(&oldest);
            }
            self.order.push_back(key);
        }
        self.statements.insert(key, statement);
        Ok(())
    }

    pub(super) fn get(&mut self, key: StatementKey) -> Option<&mut Statement<'c>> {
        self.statements.get_mut(&key)
    }

    pub(super) fn remove(&mut self, key: StatementKey) {
        self.statements.remove(&key);
    }

    pub(super) fn remove_streams(&mut self) {
        if std::mem::take(&mut self.has_streams) {
            self.statements.retain(|key, _| !key.is_stream());
        }
    }
}
