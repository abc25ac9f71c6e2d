//! Related rows beside their owners, for models without relation fields.

use std::marker::PhantomData;
use std::sync::Arc;

use super::eager::{Spec, load_all};
use super::keys::{Key, KeySet};
use super::load::{Related, load};
use crate::db::Db;
use crate::db::source::values_of;
use crate::error::Result;
use crate::model::{Model, Route};
use crate::query::relation::{Plural, Single};
use crate::value::Datum;

/// The related rows of some owners, in the order of the owners.
pub struct RelatedRows<T, C> {
    related: Related<T>,
    /// For each owner, the number of its key.
    owners: Vec<Option<u32>>,
    count: PhantomData<fn() -> C>,
}

impl<T: Model, C> RelatedRows<T, C> {
    pub(crate) async fn load<M: Model>(db: &Db, route: &Route, rows: &[M], spec: &Spec) -> Result<Self> {
        let link = &route.first;
        let kind = link.kind().filter(|kind| !kind.of_target);
        let mut keys = KeySet::default();
        let mut owners = Vec::with_capacity(rows.len());
        for row in rows {
            let is_of_kind = match kind {
                Some(kind) => {
                    matches!(values_of(row, &[kind.field])?.as_slice(), [Datum::Text(found)] if *found == kind.value)
                }
                None => true,
            };
            let key = if is_of_kind { Key::of(values_of(row, link.from())?) } else { None };
            owners.push(key.map(|key| keys.number(key)));
        }
        let related = load::<T>(db, route, &Arc::new(keys), spec).await?;
        if let Some(group) = &related.group {
            load_all(group, &spec.with).await?;
        }
        Ok(RelatedRows { related, owners, count: PhantomData })
    }

    fn of(&self, owner: Option<u32>) -> &[T] {
        owner.map_or(&[], |number| self.related.of(number))
    }

    /// How many owners there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there are no owners.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

impl<T: Model> RelatedRows<T, Single> {
    /// The related row of an owner, by the owner's position.
    pub fn get(&self, owner: usize) -> Option<&T> {
        self.of(self.owners.get(owner).copied().flatten()).first()
    }

    /// The related row of each owner.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&T>> {
        self.owners.iter().map(|owner| self.of(*owner).first())
    }
}

impl<T: Model> RelatedRows<T, Plural> {
    /// The related rows of an owner, by the owner's position.
    pub fn get(&self, owner: usize) -> &[T] {
        self.of(self.owners.get(owner).copied().flatten())
    }

    /// The related rows of each owner.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.owners.iter().map(|owner| self.of(*owner))
    }
}

impl<T, C> std::fmt::Debug for RelatedRows<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelatedRows").field("owners", &self.owners.len()).finish_non_exhaustive()
    }
}
