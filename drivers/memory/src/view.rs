//! A table as a transaction sees it: the committed rows under its own changes.

use std::ops::Bound;

use crate::overlay::Changes;
use crate::table::{Index, Key, Row, Table};

/// A table with the changes of a transaction, if there are any.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) table: &'a Table,
    pub(crate) changes: Option<&'a Changes>,
}

impl<'a> View<'a> {
    /// The row of a key.
    pub(crate) fn get(self, key: &Key) -> Option<&'a Row> {
        match self.changes.and_then(|changes| changes.rows.get(key)) {
            Some(changed) => changed.as_ref(),
            None => self.table.rows.get(key),
        }
    }

    /// All rows.
    pub(crate) fn rows(self) -> impl Iterator<Item = &'a Row> {
        let changed = self.changes.map(|changes| &changes.rows);
        let untouched =
            self.table.rows.iter().filter(move |(key, _)| changed.is_none_or(|changed| !changed.contains_key(*key)));
        let written = changed.into_iter().flatten().filter_map(|(_, row)| row.as_ref());
        untouched.map(|(_, row)| row).chain(written)
    }

    /// The keys of the rows that have some values in an index.
    pub(crate) fn lookup(self, position: usize, index: &'a Index, values: &Key) -> impl Iterator<Item = &'a Key> {
        // An empty key comes before all others.
        let from = (Bound::Included((values.clone(), Key::new())), Bound::Unbounded);
        let changed = self.changes.and_then(|changes| changes.entries.get(position));
        let committed = {
            let values = values.clone();
            index.entries.range(from.clone()).take_while(move |(of, _)| *of == values)
        };
        let untouched = committed
            .filter(move |entry| changed.is_none_or(|changed| !changed.contains_key(*entry)))
            .map(|(_, key)| key);
        let values = values.clone();
        let written = changed
            .into_iter()
            .flat_map(move |changed| changed.range(from.clone()))
            .take_while(move |((of, _), _)| *of == values)
            .filter_map(|((_, key), is_present)| is_present.then_some(key));
        untouched.chain(written)
    }

    /// The keys of the rows that have some values in some fields, found by the key or an index;
    /// `None` if only a scan would find them.
    pub(crate) fn find_by(self, fields: &[u16], values: &Key) -> Option<Vec<Key>> {
        if let Some(key) = arranged(self.table.model.key(), fields, values) {
            return Some(if self.get(&key).is_some() { vec![key] } else { Vec::new() });
        }
        let usable = self.table.indexes.iter().enumerate().filter(|(_, index)| index.condition.is_none());
        let (position, index, values) =
            usable.filter_map(|(at, index)| Some((at, index, arranged(&index.fields, fields, values)?))).next()?;
        Some(self.lookup(position, index, &values).cloned().collect())
    }
}

/// The values of fields in the order that an index has them; `None` if it is over other fields.
fn arranged(wanted: &[u16], fields: &[u16], values: &Key) -> Option<Key> {
    if wanted.is_empty() || wanted.len() != fields.len() {
        return None;
    }
    wanted
        .iter()
        .map(|field| {
            let at = fields.iter().position(|of| of == field)?;
            values.get(at).cloned()
        })
        .collect()
}
