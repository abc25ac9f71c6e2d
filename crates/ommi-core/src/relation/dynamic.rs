//! Related rows of models without a Rust type.

use std::sync::Arc;

use super::eager::Spec;
use super::keys::{Key, KeySet};
use super::load::{FoundRows, find};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::model::Route;
use crate::value::{Cell, Datum};

/// The keys by which some rows find others, in the order of the rows.
#[derive(Default)]
pub struct RowKeys {
    set: Arc<KeySet>,
    rows: Vec<Option<u32>>,
}

impl RowKeys {
    /// The keys of rows, each the values of the fields that a route leads from. A row with a null
    /// among them finds nothing.
    pub fn new<'a, K: IntoIterator<Item = Cell<'a>>>(rows: impl IntoIterator<Item = K>) -> Self {
        let mut set = KeySet::default();
        let number = |key: K| {
            let mut values = key.into_iter();
            let key = match (values.next(), values.next()) {
                (Some(Cell::Int(key)), None) => Some(Key::Integer(key)),
                (first, second) => {
                    Key::of(first.into_iter().chain(second).chain(values).map(Datum::from_cell).collect())
                }
            };
            key.map(|key| set.number(key))
        };
        let rows = rows.into_iter().map(number).collect();
        RowKeys { set: Arc::new(set), rows }
    }

    /// How many different keys there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether no row has a key.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The number of a row's key; `None` where the row finds nothing.
    pub fn of(&self, row: usize) -> Option<u32> {
        self.rows.get(row).copied().flatten()
    }

    /// The number of the key of some values, if it is one of these.
    pub fn find(&self, values: &[Datum]) -> Option<u32> {
        match values {
            [Datum::Int(key)] => self.set.find_integer(*key),
            values => self.set.find(values),
        }
    }
}

impl std::fmt::Debug for RowKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowKeys").field("rows", &self.rows.len()).field("keys", &self.len()).finish()
    }
}

/// Rows that keys lead to.
#[derive(Debug)]
pub struct LoadedRows<R> {
    /// The rows, each once.
    pub rows: R,
    /// Which keys lead to which rows, as the number of a key and the position of a row, in the order in
    /// which the rows came.
    pub leads: Vec<(u32, u32)>,
}

impl Db {
    /// Reads the rows that a route leads to from each of some keys: in one query, or in as few as the
    /// driver allows. In a handle of a transaction, inside it; after its commit, outside.
    ///
    /// # Errors
    ///
    /// `Detached` where the handle is of a transaction that was rolled back, and the database's.
    pub async fn load_rows<R: FoundRows>(&self, route: &Route, keys: &RowKeys, rows: R) -> Result<LoadedRows<R>> {
        if keys.is_empty() {
            return Ok(LoadedRows { rows, leads: Vec::new() });
        }
        let db = self.for_relations().ok_or_else(|| {
            Error::detached(format!(
                "`{}` of this {} was read in a transaction that was rolled back: read the instance anew",
                route.name,
                route.source().name()
            ))
        })?;
        let found = find(&db, route, &keys.set, &Spec::default(), rows).await?;
        let leads = match found.leading {
            None => found.numbers.into_iter().zip(0..).collect(),
            Some(leading) => {
                let owners = |number: u32| usize::try_from(number).ok().and_then(|number| leading.get(number));
                let leads =
                    found.numbers.iter().zip(0..).flat_map(|(number, row)| {
                        owners(*number).into_iter().flatten().map(move |owner| (*owner, row))
                    });
                leads.collect()
            }
        };
        Ok(LoadedRows { rows: found.rows, leads })
    }
}
