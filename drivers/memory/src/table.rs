//! Tables: rows by key, and what is looked up in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ommi_core::Result;
use ommi_core::evaluate::{Evaluator, GroupKey};
use ommi_core::model::{CheckDef, ModelDef, OnChange, TableName};
use ommi_core::query::Condition;
use ommi_core::value::Datum;
use smallvec::SmallVec;

use crate::error::no_table;

/// A stored row: all fields of its table's model.
pub(crate) type Row = Arc<[Datum]>;

/// The values of some fields, as they are looked up.
pub(crate) type Key = SmallVec<[GroupKey; 1]>;

/// A number that no other table of the database has or had.
pub(crate) type TableId = u32;

/// The values of some fields of a row; `None` if one of them is null.
pub(crate) fn key_of(fields: &[u16], row: &[Datum]) -> Option<Key> {
    fields
        .iter()
        .map(|field| match row.get(usize::from(*field)) {
            None | Some(Datum::Null) => None,
            Some(value) => Some(GroupKey::new(value)),
        })
        .collect()
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    /// The model that it was created for.
    pub(crate) model: Arc<ModelDef>,
    pub(crate) rows: BTreeMap<Key, Row>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) references: Vec<Reference>,
    /// The automatic integer key that is assigned next.
    pub(crate) next_number: i128,
}

/// An index: which rows have some values.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) fields: Vec<u16>,
    /// The rows that belong to it; all, where absent.
    pub(crate) condition: Option<Condition>,
    pub(crate) unique: bool,
    /// Whether it is there for a reference, and no part of the schema.
    pub(crate) internal: bool,
    /// The values and the keys of the rows that have them; rows with a null are left out.
    pub(crate) entries: BTreeSet<(Key, Key)>,
}

impl Index {
    /// The values under which a row is found; `None` if it does not belong to the index.
    pub(crate) fn key_of(&self, row: &[Datum]) -> Result<Option<Key>> {
        let Some(key) = key_of(&self.fields, row) else { return Ok(None) };
        let belongs = match &self.condition {
            None => true,
            Some(condition) => Evaluator::new(&[]).is_true(condition, row)?,
        };
        Ok(belongs.then_some(key))
    }
}

/// An enforced reference to a table.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) fields: Vec<u16>,
    pub(crate) target: TableId,
    pub(crate) target_fields: Vec<u16>,
    pub(crate) on_delete: OnChange,
    pub(crate) on_update: OnChange,
    /// The index over the referencing fields.
    pub(crate) index: usize,
}

impl Table {
    /// The checks that rows keep.
    pub(crate) fn checks(&self) -> &[CheckDef] {
        self.model.checks()
    }

    /// The key of a row; the first field that is null, where one is.
    pub(crate) fn key(&self, row: &[Datum]) -> Result<Key, u16> {
        key_of(self.model.key(), row).ok_or_else(|| {
            let is_null = |field: &&u16| row.get(usize::from(**field)).is_none_or(Datum::is_null);
            self.model.key().iter().find(is_null).copied().unwrap_or_default()
        })
    }
}

/// The tables of a database. Cloning shares them: a table is copied when it is written to while
/// somebody else still reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    names: HashMap<TableName, TableId>,
    tables: BTreeMap<TableId, Arc<Table>>,
    next_id: TableId,
}

impl Tables {
    /// The table of a name.
    ///
    /// # Errors
    ///
    /// `Schema` if there is none.
    pub(crate) fn named(&self, name: &TableName) -> Result<&Arc<Table>> {
        self.find(name).ok_or_else(|| no_table(name))
    }

    /// The table of a name, if there is one.
    pub(crate) fn find(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.names.get(name).and_then(|id| self.tables.get(id))
    }

    /// The table of a number.
    pub(crate) fn get(&self, id: TableId) -> Option<&Arc<Table>> {
        self.tables.get(&id)
    }

    /// The table of a number, to be written to.
    pub(crate) fn get_mut(&mut self, id: TableId) -> Option<&mut Table> {
        self.tables.get_mut(&id).map(Arc::make_mut)
    }

    /// All tables.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// Takes a number for a new table.
    pub(crate) fn reserve(&mut self) -> TableId {
        self.next_id += 1;
        self.next_id
    }

    /// Adds a table.
    pub(crate) fn insert(&mut self, table: Table) {
        self.names.insert(table.model.table().clone(), table.id);
        self.tables.insert(table.id, Arc::new(table));
    }

    /// Removes a table.
    pub(crate) fn remove(&mut self, name: &TableName) {
        if let Some(id) = self.names.remove(name) {
            self.tables.remove(&id);
        }
    }
}
