//! The fields of a model that lead to related rows.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::panic::Location;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::get::Get;
use super::group::Handle;
use super::write::{self, RelatedWrites};
use crate::error::{Error, Result};
use crate::model::{Cardinality, Model};
use crate::query::{Plural, Single};

/// What a [`One`] leads to: a model, or an `Option` of one where there may be none.
#[diagnostic::on_unimplemented(
    message = "`One<{Self}>` leads to no model",
    label = "write `One<Model>`, or `One<Option<Model>>` where there may be none"
)]
pub trait ToOne: Send + Sync + 'static {
    /// The model.
    type Target: Model;

    /// What `get` gives.
    type Ref<'a>: Send + Unpin;

    /// Whether there may be none.
    const CARDINALITY: Cardinality;

    /// The related row, as `get` gives it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none and there has to be one.
    #[doc(hidden)]
    fn of(rows: &[Self::Target]) -> Result<Self::Ref<'_>>;

    /// The value as related rows.
    #[doc(hidden)]
    fn into_rows(self) -> Vec<Self::Target>;
}

impl<M: Model> ToOne for M {
    type Target = M;
    type Ref<'a> = &'a M;

    const CARDINALITY: Cardinality = Cardinality::One;

    fn of(rows: &[M]) -> Result<&M> {
        rows.first().ok_or_else(|| {
            Error::not_found(format!(
                "the related {} is not there: the reference is null or dangles; where that may be, write `One<Option<{0}>>`",
                M::definition().name()
            ))
            .with_model(M::definition().name())
            .with_operation("load")
        })
    }

    fn into_rows(self) -> Vec<M> {
        vec![self]
    }
}

impl<M: Model> ToOne for Option<M> {
    type Target = M;
    type Ref<'a> = Option<&'a M>;

    const CARDINALITY: Cardinality = Cardinality::Optional;

    fn of(rows: &[M]) -> Result<Option<&M>> {
        Ok(rows.first())
    }

    fn into_rows(self) -> Vec<M> {
        self.into_iter().collect()
    }
}

/// A field of a model that leads to one related row: `One<Author>`, or `One<Option<Author>>` where
/// there may be none.
///
/// It is loaded when it is first asked for, for all rows of the result that its row came from and
/// that still live, in one query. It takes 16 bytes. Clones share what is loaded. All `One`s are
/// equal, and `Debug` does not load.
pub struct One<T> {
    handle: Handle,
    target: PhantomData<fn() -> T>,
}

/// A field of a model that leads to any number of related rows: `Many<Book>`.
///
/// It is loaded as a [`One`] is.
pub struct Many<T> {
    handle: Handle,
    target: PhantomData<fn() -> T>,
}

/// A field that leads to related rows, whatever their model. Implemented by [`One`] and [`Many`].
pub trait RelationField: Send + Sync + Sized {
    /// What the field leads to.
    type Target;

    /// [`Single`] or [`Plural`].
    type Count;

    /// How many rows it leads to.
    const CARDINALITY: Cardinality;

    /// The field at a place in a group of rows.
    #[doc(hidden)]
    fn at(handle: Handle) -> Self;
}

/// A relation field without its types, for writes that go along relations.
pub trait AnyRelation {
    /// The field's place.
    #[doc(hidden)]
    fn handle(&mut self) -> &mut Handle;

    /// What can be done with the rows that the field was given.
    #[doc(hidden)]
    fn writes(&self) -> RelatedWrites;
}

impl<T: ToOne> AnyRelation for One<T> {
    fn handle(&mut self) -> &mut Handle {
        &mut self.handle
    }

    fn writes(&self) -> RelatedWrites {
        RelatedWrites::of::<T::Target>()
    }
}

impl<T: Model> AnyRelation for Many<T> {
    fn handle(&mut self) -> &mut Handle {
        &mut self.handle
    }

    fn writes(&self) -> RelatedWrites {
        RelatedWrites::of::<T>()
    }
}

impl<T: ToOne> RelationField for One<T> {
    type Target = T::Target;
    type Count = Single;

    const CARDINALITY: Cardinality = T::CARDINALITY;

    #[inline]
    fn at(handle: Handle) -> Self {
        One { handle, target: PhantomData }
    }
}

impl<T: Model> RelationField for Many<T> {
    type Target = T;
    type Count = Plural;

    const CARDINALITY: Cardinality = Cardinality::Many;

    #[inline]
    fn at(handle: Handle) -> Self {
        Many { handle, target: PhantomData }
    }
}

impl<T: ToOne> One<T> {
    /// A field with a row that is still to be added, or that the field is to lead to once its own
    /// row is saved.
    pub fn new(value: T) -> Self {
        One { handle: Handle::of_rows(value.into_rows()), target: PhantomData }
    }

    /// The related row.
    ///
    /// The first call on a row of a result loads the relation for all its rows.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none and the field is no `One<Option<..>>`; `Detached` if the row
    /// belongs to no database; and the database's.
    #[track_caller]
    pub fn get(&self) -> Get<'_, T::Ref<'_>> {
        if let Some(rows) = self.handle.loaded() {
            return Get::ready(T::of(rows));
        }
        let from = Location::caller();
        Get::loading(async move { T::of(self.handle.load(from).await?) })
    }

    /// The related row, loaded for this row alone: for one of many rows whose relation is wanted.
    ///
    /// # Errors
    ///
    /// Those of [`One::get`].
    #[track_caller]
    pub fn get_one_only(&self) -> Get<'_, T::Ref<'_>> {
        if let Some(rows) = self.handle.loaded() {
            return Get::ready(T::of(rows));
        }
        let from = Location::caller();
        Get::loading(async move { T::of(self.handle.load_single(from).await?) })
    }

    /// The related row, if it is loaded.
    pub fn loaded(&self) -> Option<T::Ref<'_>> {
        self.handle.loaded().and_then(|rows| T::of(rows).ok())
    }

    /// Leads to another row, which is written when this field's own row is saved.
    pub fn set(&mut self, value: T) {
        let attached = self.handle.clone();
        self.handle = Handle::of_rows(value.into_rows()).instead_of(&attached);
    }
}

impl<T: Model> Many<T> {
    /// A field with rows that are still to be added.
    pub fn new(rows: impl IntoIterator<Item = T>) -> Self {
        Many { handle: Handle::of_rows(rows.into_iter().collect()), target: PhantomData }
    }

    /// The related rows.
    ///
    /// The first call on a row of a result loads the relation for all its rows.
    ///
    /// # Errors
    ///
    /// `Detached` if the row belongs to no database; and the database's.
    #[track_caller]
    pub fn get(&self) -> Get<'_, &[T]> {
        if let Some(rows) = self.handle.loaded() {
            return Get::ready(Ok(rows));
        }
        let from = Location::caller();
        Get::loading(async move { self.handle.load(from).await })
    }

    /// The related rows, loaded for this row alone: for one of many rows whose relation is wanted.
    ///
    /// # Errors
    ///
    /// Those of [`Many::get`].
    #[track_caller]
    pub fn get_one_only(&self) -> Get<'_, &[T]> {
        if let Some(rows) = self.handle.loaded() {
            return Get::ready(Ok(rows));
        }
        let from = Location::caller();
        Get::loading(async move { self.handle.load_single(from).await })
    }

    /// The related rows, if they are loaded.
    pub fn loaded(&self) -> Option<&[T]> {
        self.handle.loaded()
    }

    /// Adds a new row with this field's own row as its owner, and gives it back as it was stored; by
    /// way of a link model, adds the link too.
    ///
    /// # Errors
    ///
    /// `Detached` if the field belongs to no database, and those of [`Db::add`](crate::Db::add).
    pub async fn add(&mut self, row: T) -> Result<T> {
        let added = self.add_all([row]).await?.pop();
        added.ok_or_else(|| Error::decode("the driver lost the row: a fault of the driver"))
    }

    /// Adds new rows. See [`Many::add`].
    ///
    /// # Errors
    ///
    /// Those of [`Many::add`].
    pub async fn add_all(&mut self, rows: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
        write::add_to(&mut self.handle, rows.into_iter().collect()).await
    }

    /// Takes a row from the related ones, and says whether it was one: its reference becomes null,
    /// or its link is deleted. The row itself stays.
    ///
    /// # Errors
    ///
    /// `Query` if the reference is required; and those of [`Many::add`].
    pub async fn remove(&mut self, row: &T) -> Result<bool> {
        write::remove(&mut self.handle, row).await
    }

    /// Links a row that is there, by way of the link model. A link that is there stays as it is.
    ///
    /// # Errors
    ///
    /// `Query` if the relation has no link model, or that has required fields of its own, which
    /// [`Many::link_as`] takes; and those of [`Many::add`].
    pub async fn link(&mut self, row: &T) -> Result<()> {
        write::link(&mut self.handle, row).await
    }

    /// Links a row that is there by a row of the link model, whose other fields are kept:
    /// `book.tags.link_as(&tag, BookTag { note, ..Default::default() })`.
    ///
    /// # Errors
    ///
    /// `Query` if the relation goes through another model, `Constraint` if the link is there; and
    /// those of [`Many::add`].
    pub async fn link_as<L: Model>(&mut self, row: &T, link: L) -> Result<L> {
        write::link_as(&mut self.handle, row, link).await
    }

    /// Deletes the link of a row, and says whether there was one.
    ///
    /// # Errors
    ///
    /// `Query` if the relation has no link model; and those of [`Many::add`].
    pub async fn unlink(&mut self, row: &T) -> Result<bool> {
        write::unlink(&mut self.handle, row).await
    }
}

impl<T: Model> From<Vec<T>> for Many<T> {
    fn from(rows: Vec<T>) -> Self {
        Many::new(rows)
    }
}

impl<T: Model> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Many::new(rows)
    }
}

impl<T: ToOne> From<T> for One<T> {
    fn from(value: T) -> Self {
        One::new(value)
    }
}

macro_rules! fields {
    ($($field:ident: $bound:ident, $target:ty;)*) => { $(
        impl<T: $bound> $field<T> {
            /// Whether the related rows are there without a query.
            pub fn is_loaded(&self) -> bool {
                self.handle.loaded::<$target>().is_some()
            }

            /// Whether the related rows would have to be read: for serde's `skip_serializing_if`.
            pub fn is_unloaded(&self) -> bool {
                !self.is_loaded()
            }

            /// Reads the related rows anew, for this row alone.
            ///
            /// # Errors
            ///
            /// `Query` if the relation was set and its row not saved since; and those of `get`.
            pub async fn reload(&mut self) -> Result<()> {
                self.handle.reload::<$target>().await
            }
        }

        impl<T> Default for $field<T> {
            fn default() -> Self {
                $field { handle: Handle::default(), target: PhantomData }
            }
        }

        impl<T> Clone for $field<T> {
            fn clone(&self) -> Self {
                $field { handle: self.handle.clone(), target: PhantomData }
            }
        }

        impl<T> PartialEq for $field<T> {
            fn eq(&self, _: &Self) -> bool {
                true
            }
        }

        impl<T> Eq for $field<T> {}

        impl<T> PartialOrd for $field<T> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl<T> Ord for $field<T> {
            fn cmp(&self, _: &Self) -> Ordering {
                Ordering::Equal
            }
        }

        impl<T> Hash for $field<T> {
            fn hash<H: Hasher>(&self, _: &mut H) {}
        }

        impl<T: $bound> fmt::Debug for $field<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // not the rows: they may lead back to this one
                f.write_str(if self.is_loaded() { "loaded" } else { "not loaded" })
            }
        }
    )* };
}

fields! {
    One: ToOne, T::Target;
    Many: Model, T;
}

impl<T: ToOne> Serialize for One<T>
where
    T::Target: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.handle.loaded::<T::Target>().and_then(<[_]>::first) {
            Some(row) => serializer.serialize_some(row),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: Model + Serialize> Serialize for Many<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.loaded() {
            Some(rows) => serializer.serialize_some(rows),
            None => serializer.serialize_none(),
        }
    }
}

impl<'de, T: ToOne> Deserialize<'de> for One<T>
where
    T::Target: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row: Option<T::Target> = Deserialize::deserialize(deserializer)?;
        Ok(row.map(|row| One { handle: Handle::of_rows(vec![row]), target: PhantomData }).unwrap_or_default())
    }
}

impl<'de, T: Model + Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows: Option<Vec<T>> = Deserialize::deserialize(deserializer)?;
        Ok(rows.map(Many::new).unwrap_or_default())
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    assert!(size_of::<Handle>() <= 16);
    is_shared::<Handle>();
};
