//! What is stored: the trait that `#[derive(Model)]` implements, and the definition of a model at
//! run time, which is all that the rest of the core needs.

pub mod attribute;
pub mod builder;
pub mod definition;
pub mod index;
pub mod reference;
pub mod relation;
pub mod validate;

use std::sync::Arc;

pub use self::builder::ModelBuilder;
pub use self::definition::{FieldDef, ModelDef, TableName, Touch};
pub use self::index::{CheckDef, IndexDef};
pub use self::reference::{OnChange, ReferenceDef, ReferenceTarget};
pub use self::relation::{Cardinality, Link, LinkKind, RelationDef, Route, Routes};
pub use self::validate::validate;

use crate::driver::{Row, RowEncoder};
use crate::error::{Error, Result};
use crate::query::{Condition, Filter};
use crate::relation::field::AnyRelation;
use crate::value::{Cell, Timestamp};

/// A struct that is stored. Implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "add `#[derive(Model)]` to `{Self}`"
)]
pub trait Model: Clone + Send + Sync + Sized + 'static {
    /// The type of the key: a field's type, a tuple of them, or [`NoKey`].
    type Key;

    /// The definition of the model.
    fn definition() -> &'static Arc<ModelDef>;

    /// Reads an instance from a row that holds all fields in the order of the definition.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit its field.
    fn decode(row: &mut Row<'_>) -> Result<Self>;

    /// Writes all fields in the order of the definition.
    ///
    /// # Errors
    ///
    /// `Query` or `Constraint` if a value cannot be stored.
    fn encode(&self, row: &mut RowEncoder<'_>) -> Result<()>;

    /// Brings all fields to the form in which they are stored and read again.
    fn normalize(&mut self) {}

    /// Fills in what the engine assigns before a write: new UUIDs, `created` and `updated`.
    fn touch(&mut self, _touch: Touch, _now: Timestamp) {}

    /// Whether the automatic integer key is still to be assigned; false for a model without one.
    fn is_unassigned(&self) -> bool {
        false
    }

    /// Takes the key that the database assigned.
    ///
    /// # Errors
    ///
    /// `Decode` if the number does not fit the field.
    fn assign(&mut self, _number: i64) -> Result<()> {
        Ok(())
    }

    /// The version, for a model that has one.
    fn version(&self) -> Option<i64> {
        None
    }

    /// Takes a new version.
    ///
    /// # Errors
    ///
    /// `Decode` if the number does not fit the field.
    fn set_version(&mut self, _version: i64) -> Result<()> {
        Ok(())
    }

    /// The integer in a field that a relation finds rows by, if it is at hand.
    #[doc(hidden)]
    fn integer(&self, _field: u16) -> Option<i64> {
        None
    }

    /// Calls a function with each relation field and its index in the definition.
    #[doc(hidden)]
    fn each_relation(&mut self, _: &mut dyn FnMut(u16, &mut dyn AnyRelation)) {}

    /// Takes the value of a field that is part of a reference: the key of another row.
    ///
    /// # Errors
    ///
    /// `Decode` if the value does not fit the field, `Query` if the field is part of none.
    #[doc(hidden)]
    fn set_reference(&mut self, field: u16, _: Cell<'_>) -> Result<()> {
        no_reference::<Self>(field)
    }

    /// A filter that every row passes: `db.find(User::all())`.
    fn all() -> Filter<Self> {
        Filter::from_condition(Condition::Const(true))
    }
}

/// The key of a model that has none and can only be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {}

/// A list of models: one model, or a tuple of up to sixteen.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model or a tuple of models",
    label = "not a list of models",
    note = "write `db.create::<(Author, Book)>()`; more than sixteen go in nested tuples"
)]
pub trait Models {
    /// The definitions, in the order in which they are named.
    fn definitions() -> Vec<Arc<ModelDef>>;
}

impl<M: Model> Models for M {
    fn definitions() -> Vec<Arc<ModelDef>> {
        vec![Arc::clone(M::definition())]
    }
}

macro_rules! tuples {
    ($(($($t:ident)+))*) => { $(
        impl<$($t: Models),+> Models for ($($t,)+) {
            fn definitions() -> Vec<Arc<ModelDef>> {
                let mut all = Vec::new();
                $(all.extend($t::definitions());)+
                all
            }
        }
    )* };
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
    (A B C D E F G H I J K L N) (A B C D E F G H I J K L N O) (A B C D E F G H I J K L N O P)
    (A B C D E F G H I J K L N O P Q)
}

/// The error of a field that was to take a related row's key and is no reference.
///
/// # Errors
///
/// Always.
#[doc(hidden)]
#[cold]
pub fn no_reference<M: Model>(field: u16) -> Result<()> {
    let model = M::definition();
    let name = model.field_name(field);
    Err(Error::query(format!("`{name}` is not marked with `references`, and cannot take a related row's key"))
        .with_model(model.name()))
}

/// The error of a write through a model that has no key.
pub(crate) fn read_only(model: &ModelDef) -> Error {
    Error::schema("the model has no key and can only be read: mark a field with `#[ommi(key)]`")
        .with_model(model.name())
}
