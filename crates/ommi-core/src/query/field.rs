//! The fields of a model, as its associated constants name them.

use std::fmt;
use std::marker::PhantomData;

use super::assignment::Assignment;
use super::expr::Expr;
use super::expression::Expression;
use super::operand::Operand;
use crate::driver::{Row, RowEncoder};
use crate::error::{Error, Result};
use crate::model::{FieldDef, Model};
use crate::value::{Cell, Value};

/// A field of the model `M` that holds a `V`: `User::AGE`.
pub struct Field<M, V> {
    index: u16,
    types: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Clone for Field<M, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V> Copy for Field<M, V> {}

impl<M, V> fmt::Debug for Field<M, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.index)
    }
}

impl<M, V> Field<M, V> {
    /// The field at an index of the model's definition. `#[derive(Model)]` calls this.
    #[doc(hidden)]
    pub const fn new(index: u16) -> Self {
        Field { index, types: PhantomData }
    }

    /// The field's index in the model's definition.
    pub const fn index(self) -> u16 {
        self.index
    }

    #[inline]
    pub(crate) fn into_expr(self) -> Expr {
        Expr::Field(self.index)
    }
}

impl<M: Model, V: Value> Field<M, V> {
    /// The field as an expression.
    pub fn expression(self) -> Expression<M, V> {
        Expression::new(self.into_expr())
    }

    /// Sets the field to a value, another field's value or an expression's.
    pub fn set(self, value: impl Operand<M, V>) -> Assignment<M> {
        Assignment::new(self.index, value.into_operand())
    }
}

/// A struct whose fields are stored among those of the model that holds it. Implemented by
/// `#[derive(Value)]` on a struct with named fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be embedded",
    label = "not an embedded struct",
    note = "add `#[derive(Value)]` to the struct, which must have named fields"
)]
pub trait EmbeddedStruct: Clone + Send + Sync + 'static {
    /// How many stored fields there are.
    const FIELDS: u16;

    /// Whether a field is never null. An `Option` of the struct needs one, to tell `None` from a
    /// struct of nulls.
    const HAS_REQUIRED: bool;

    /// The fields, in the order in which rows hold them.
    fn fields() -> Vec<FieldDef>;

    /// Reads an instance.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit its field.
    fn decode(row: &mut Row<'_>) -> Result<Self>;

    /// Writes all fields.
    ///
    /// # Errors
    ///
    /// `Query` or `Constraint` if a value cannot be stored.
    fn encode(&self, row: &mut RowEncoder<'_>) -> Result<()>;

    /// Brings all fields to the form in which they are stored.
    fn normalize(&mut self) {}

    /// Takes the value of one of the fields, by its index: for an enum of keys.
    ///
    /// # Errors
    ///
    /// `Query` if the struct is none, `Decode` if the value does not fit.
    #[doc(hidden)]
    fn set_part(&mut self, _part: u16, _value: Cell<'_>) -> Result<()> {
        Err(Error::query("a field of an embedded struct cannot take a related row's key"))
    }

    /// Reads an instance, or `None` where all fields are null.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit its field.
    fn decode_optional(row: &mut Row<'_>) -> Result<Option<Self>> {
        for ahead in 0..usize::from(Self::FIELDS) {
            if !row.peek(ahead)?.is_null() {
                return Self::decode(row).map(Some);
            }
        }
        row.skip(usize::from(Self::FIELDS));
        Ok(None)
    }

    /// Writes null into all fields.
    ///
    /// # Errors
    ///
    /// `Constraint` if a field cannot be null.
    fn encode_none(row: &mut RowEncoder<'_>) -> Result<()> {
        (0..Self::FIELDS).try_for_each(|_| row.cell(Cell::Null))
    }
}

/// An embedded struct `E` of the model `M`: `User::ADDRESS.at(Address::CITY)`.
///
/// All fields of an `OPTIONAL` one are null where the struct is absent.
pub struct Embedded<M, E, const OPTIONAL: bool = false> {
    first: u16,
    types: PhantomData<fn() -> (M, E)>,
}

impl<M, E, const OPTIONAL: bool> Clone for Embedded<M, E, OPTIONAL> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, E, const OPTIONAL: bool> Copy for Embedded<M, E, OPTIONAL> {}

impl<M, E, const OPTIONAL: bool> fmt::Debug for Embedded<M, E, OPTIONAL> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedded({})", self.first)
    }
}

impl<M, E, const OPTIONAL: bool> Embedded<M, E, OPTIONAL> {
    /// The embedded struct whose first field has an index. `#[derive(Model)]` calls this.
    #[doc(hidden)]
    pub const fn new(first: u16) -> Self {
        Embedded { first, types: PhantomData }
    }
}

impl<M, E> Embedded<M, E> {
    /// The field of the embedded struct, as a field of the model.
    pub const fn at<V>(self, field: Field<E, V>) -> Field<M, V> {
        Field::new(self.first + field.index)
    }

    /// The struct inside the embedded struct.
    pub const fn inside<F, const OPTIONAL: bool>(self, embedded: Embedded<E, F, OPTIONAL>) -> Embedded<M, F, OPTIONAL> {
        Embedded::new(self.first + embedded.first)
    }
}

impl<M, E> Embedded<M, E, true> {
    /// The field of the embedded struct, as a field of the model: null where the struct is absent.
    pub const fn at<V: Value>(self, field: Field<E, V>) -> Field<M, Option<V::Plain>> {
        Field::new(self.first + field.index)
    }

    /// The struct inside the embedded struct.
    pub const fn inside<F, const OPTIONAL: bool>(self, embedded: Embedded<E, F, OPTIONAL>) -> Embedded<M, F, true> {
        Embedded::new(self.first + embedded.first)
    }
}

/// One field of `M`, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "this is not a field of `{M}`",
    label = "`{Self}` where a field of `{M}` is wanted, or a tuple of them"
)]
pub trait FieldOf<M> {
    /// The indexes of the fields.
    fn indexes(self) -> Vec<u16>;
}

impl<M: Model, V> FieldOf<M> for Field<M, V> {
    fn indexes(self) -> Vec<u16> {
        vec![self.index]
    }
}

impl<M: Model, E: EmbeddedStruct, const OPTIONAL: bool> FieldOf<M> for Embedded<M, E, OPTIONAL> {
    fn indexes(self) -> Vec<u16> {
        (self.first..self.first + E::FIELDS).collect()
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))*) => { $(
        impl<M: Model, $($t: FieldOf<M>),+> FieldOf<M> for ($($t,)+) {
            fn indexes(self) -> Vec<u16> {
                let mut all = Vec::new();
                $(all.extend(self.$i.indexes());)+
                all
            }
        }
    )* };
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4) (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}
