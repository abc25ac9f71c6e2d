//! What a transaction has written: changes over the committed tables, with a journal to undo them.

use std::collections::{BTreeMap, HashMap};

use crate::table::{Key, Row, TableId, Tables};

/// The changes of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    changes: HashMap<TableId, Changes>,
    journal: Vec<Undo>,
}

/// The changes of one table.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Rows that were written, and those that were deleted.
    pub(crate) rows: BTreeMap<Key, Option<Row>>,
    /// For each index, the entries that were added, and those that were taken away.
    pub(crate) entries: Vec<BTreeMap<(Key, Key), bool>>,
    /// The automatic integer key that is assigned next.
    pub(crate) next_number: Option<i128>,
}

/// How one change is taken back: with what was there before.
#[derive(Debug)]
enum Undo {
    Row(TableId, Key, Option<Option<Row>>),
    Entry(TableId, usize, (Key, Key), Option<bool>),
    NextNumber(TableId, Option<i128>),
}

fn put_back<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(before) => drop(map.insert(key, before)),
        None => drop(map.remove(&key)),
    }
}

impl Changes {
    fn index(&mut self, index: usize) -> Option<&mut BTreeMap<(Key, Key), bool>> {
        if self.entries.len() <= index {
            self.entries.resize_with(index + 1, BTreeMap::new);
        }
        self.entries.get_mut(index)
    }
}

impl Overlay {
    /// The changes of a table, if there are any.
    pub(crate) fn changes(&self, table: TableId) -> Option<&Changes> {
        self.changes.get(&table)
    }

    /// Writes a row, or deletes it.
    pub(crate) fn set_row(&mut self, table: TableId, key: Key, row: Option<Row>) {
        let before = self.changes.entry(table).or_default().rows.insert(key.clone(), row);
        self.journal.push(Undo::Row(table, key, before));
    }

    /// Adds an entry to an index, or takes it away.
    pub(crate) fn set_entry(&mut self, table: TableId, index: usize, entry: (Key, Key), is_present: bool) {
        let Some(entries) = self.changes.entry(table).or_default().index(index) else { return };
        let before = entries.insert(entry.clone(), is_present);
        self.journal.push(Undo::Entry(table, index, entry, before));
    }

    /// Says which automatic key is assigned next.
    pub(crate) fn set_next_number(&mut self, table: TableId, number: i128) {
        let before = self.changes.entry(table).or_default().next_number.replace(number);
        self.journal.push(Undo::NextNumber(table, before));
    }

    /// A mark to come back to.
    pub(crate) fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Takes back all changes since a mark.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        while self.journal.len() > mark {
            let Some(undo) = self.journal.pop() else { return };
            match undo {
                Undo::Row(table, key, before) => {
                    put_back(&mut self.changes.entry(table).or_default().rows, key, before)
                }
                Undo::Entry(table, index, entry, before) => {
                    if let Some(entries) = self.changes.entry(table).or_default().index(index) {
                        put_back(entries, entry, before);
                    }
                }
                Undo::NextNumber(table, before) => self.changes.entry(table).or_default().next_number = before,
            }
        }
    }

    /// Writes the changes to the committed tables.
    pub(crate) fn apply(self, tables: &mut Tables) {
        for (id, changes) in self.changes {
            let Some(table) = tables.get_mut(id) else { continue };
            for (key, row) in changes.rows {
                match row {
                    Some(row) => drop(table.rows.insert(key, row)),
                    None => drop(table.rows.remove(&key)),
                }
            }
            for (index, entries) in table.indexes.iter_mut().zip(changes.entries) {
                for (entry, is_present) in entries {
                    match is_present {
                        true => index.entries.insert(entry),
                        false => index.entries.remove(&entry),
                    };
                }
            }
            if let Some(number) = changes.next_number {
                table.next_number = number;
            }
        }
    }
}
