//! Counting the statements that a piece of code sends.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Db;

/// What is sent, while somebody counts.
#[derive(Debug, Default)]
pub(super) struct Sent {
    counting: AtomicU32,
    statements: AtomicU64,
}

impl Sent {
    /// Takes note of a statement.
    #[inline]
    pub(super) fn note(&self) {
        if self.counting.load(Ordering::Relaxed) > 0 {
            self.statements.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A count that ends when this is dropped.
struct Counting<'a>(&'a Sent);

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.0.counting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Db {
    /// Runs work and gives its answer with the number of statements that it sent, so that a test can
    /// hold code to a number of them.
    ///
    /// All that is sent to this database meanwhile is counted, whatever handle or row it comes from:
    /// clones, transactions, rows that load what they are related to, and other tasks if they use
    /// the same database. The bounds of transactions do not count, and statements that a layer
    /// repeats or a driver sends in parts count once: [`CountStatements`] sees those of a layer.
    ///
    /// ```ignore
    /// let (books, statements) = db.count_statements(async |db| db.find(Book::all()).all().await).await;
    /// assert_eq!(statements, 1);
    /// ```
    ///
    /// [`CountStatements`]: crate::layer::CountStatements
    pub async fn count_statements<T>(&self, work: impl AsyncFnOnce(&Db) -> T) -> (T, u64) {
        let sent = &self.shared.sent;
        sent.counting.fetch_add(1, Ordering::AcqRel);
        let _counting = Counting(sent);
        let before = sent.statements.load(Ordering::Acquire);
        let answer = work(self).await;
        (answer, sent.statements.load(Ordering::Acquire) - before)
    }
}
