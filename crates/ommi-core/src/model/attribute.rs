//! What the attributes of `#[derive(Model)]` ask of the types of their fields.

use super::{FieldDef, Model, ReferenceDef, ReferenceTarget};
use crate::error::{Error, Result};
use crate::query::Field;
use crate::value::{Cell, DateTime, DecimalSize, Timestamp, Value, ValueType, decimal, iso, kind};

/// A type that a `created` or `updated` field may have.
#[diagnostic::on_unimplemented(
    message = "a `created` or `updated` field cannot be of type `{Self}`",
    label = "a time of writing is a `Timestamp` or a `DateTime`",
    note = "write `Timestamp` for an instant, `DateTime` for a date and time in UTC without a time zone"
)]
pub trait WriteTime: Value {
    /// The value for the time of a write.
    fn at(now: Timestamp) -> Self;
}

impl WriteTime for Timestamp {
    fn at(now: Timestamp) -> Self {
        iso::cut_timestamp(now)
    }
}

impl WriteTime for DateTime {
    fn at(now: Timestamp) -> Self {
        iso::cut_date_time(iso::utc(now))
    }
}

impl<V: WriteTime> WriteTime for Option<V> {
    fn at(now: Timestamp) -> Self {
        Some(V::at(now))
    }
}

/// A type that a `version` field may have: an integer.
#[diagnostic::on_unimplemented(
    message = "a `version` field cannot be of type `{Self}`",
    label = "a version counts writes and is an integer",
    note = "write `i64`"
)]
pub trait VersionNumber: Value {
    /// The version as a number.
    fn number(&self) -> Option<i64>;

    /// The version of a number.
    ///
    /// # Errors
    ///
    /// `Decode` if the number does not fit the type.
    fn from_number(number: i64) -> Result<Self>;
}

macro_rules! versions {
    ($($t:ty)*) => { $(
        impl VersionNumber for $t {
            fn number(&self) -> Option<i64> {
                i64::try_from(*self).ok()
            }

            fn from_number(number: i64) -> Result<Self> {
                <$t>::try_from(number).map_err(|_| {
                    Error::decode(format!("the version {number} does not fit a field of type `{}`", stringify!($t)))
                })
            }
        }
    )* };
}

versions!(i8 i16 i32 i64 u8 u16 u32 u64);

/// A type that `max_length` may limit: text.
#[diagnostic::on_unimplemented(
    message = "`max_length` is for text, and this field is of type `{Self}`",
    label = "not text"
)]
pub trait HasLength: Value {
    /// The field, with a greatest number of characters.
    fn limited(field: FieldDef, max_length: u32) -> FieldDef {
        FieldDef { max_length: Some(max_length), ..field }
    }
}

#[diagnostic::do_not_recommend]
impl<V: Value<Kind = kind::Text>> HasLength for V {}

/// A type that `decimal(..)` may give a size: `Decimal`.
#[diagnostic::on_unimplemented(
    message = "`decimal(..)` is for `Decimal`, and this field is of type `{Self}`",
    label = "not a decimal"
)]
pub trait HasDigits: Value {
    /// The field, with a fixed number of digits.
    fn sized(field: FieldDef, precision: u8, scale: u8) -> FieldDef {
        FieldDef { value_type: ValueType::Decimal(Some(DecimalSize { precision, scale })), ..field }
    }

    /// Gives the value the digits that are stored; one that does not fit stays, and is refused
    /// when it is written.
    fn keep_scale(&mut self, precision: u8, scale: u8) {
        if let Cell::Decimal(value) = self.cell()
            && let Some(fitted) = decimal::fit(value, DecimalSize { precision, scale })
            && let Ok(kept) = Self::decode(Cell::Decimal(fitted))
        {
            *self = kept;
        }
    }
}

#[diagnostic::do_not_recommend]
impl<V: Value<Kind = kind::Decimal>> HasDigits for V {}

/// A type, or a tuple of them, that may reference fields of type `K`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot reference a model by `{K}`",
    label = "what is referenced is of type `{K}`",
    note = "a reference has the type of the key that it names, or an `Option` of that"
)]
pub trait RefersTo<K> {
    /// A reference of fields to the key of a model.
    fn reference<M: Model<Key = K>>(fields: impl IntoIterator<Item = u16>) -> ReferenceDef {
        ReferenceDef::new(fields, ReferenceTarget::Model(M::definition))
    }

    /// A reference of a field to a field of a model.
    fn reference_to<M: Model>(field: u16, target: Field<M, K>) -> ReferenceDef {
        ReferenceDef::new([field], ReferenceTarget::Field(M::definition, target.index()))
    }
}

#[diagnostic::do_not_recommend]
impl<K: Value, V: Value<Kind = K::Kind>> RefersTo<K> for V {}

macro_rules! composite {
    ($(($($v:ident $k:ident)+))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($k: Value, $v: Value<Kind = $k::Kind>),+> RefersTo<($($k,)+)> for ($($v,)+) {}
    )* };
}

composite! {
    (A B C D)
    (A B C D E F)
    (A B C D E F G H)
    (A B C D E F G H I J)
    (A B C D E F G H I J K L)
}
