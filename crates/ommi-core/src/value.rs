//! What a field may hold, and how it crosses the boundary to a driver.
//!
//! A [`Value`] is a Rust type of a field. On its way to a driver it is seen as a borrowed
//! [`Cell`]; where it has to be kept (a query's parameter, a row of the evaluator) it is an
//! owned [`Datum`]. [`ValueType`] names its type at run time.

pub mod auto;
pub mod cell;
pub mod check;
pub mod datum;
pub mod decimal;
pub mod iso;
pub mod json;
pub mod kind;
pub mod list;
mod scalar;
pub mod value_type;

pub use self::auto::AutoValue;
pub use self::cell::{Cell, List};
pub use self::datum::Datum;
pub use self::value_type::{DecimalSize, EnumType, ValueType};

/// A date without a time zone.
pub type Date = jiff::civil::Date;
/// A time of day, in microseconds.
pub type Time = jiff::civil::Time;
/// A date and time without a time zone, in microseconds.
pub type DateTime = jiff::civil::DateTime;
/// An instant, in microseconds, from the year 1 to 9999-12-30T22:00:00Z.
pub type Timestamp = jiff::Timestamp;
/// A signed span of time, in microseconds.
pub type Duration = jiff::SignedDuration;
/// A decimal number of up to 28 significant digits.
pub type Decimal = rust_decimal::Decimal;
/// A JSON document.
pub type Json = serde_json::Value;
/// A universally unique identifier.
pub type Uuid = uuid::Uuid;

use crate::error::Result;

/// A type that a field may have.
///
/// The scalar types of the standard library, [`Decimal`], [`Uuid`], the date and time types,
/// [`Json`], `Vec` of scalars and `Option` of each are values. `#[derive(Value)]` adds your own
/// enums and newtypes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a field",
    label = "not a field type",
    note = "add `#[derive(Value)]` to your own enum or newtype, `#[ommi(json)]` to a field that serde should store as JSON, `#[ommi(embed)]` to an embedded struct, or `#[ommi(skip)]` to leave the field out; a row of another model is behind `One<..>`"
)]
pub trait Value: Clone + Send + Sync + Sized + 'static {
    /// The family of types that decides which operators apply.
    type Kind;
    /// The type without `Option`.
    type Plain: Value;
    /// `T` for a plain type, `Option<T>` for an optional one.
    type Wrap<T: Value>: Value;
    /// Whether null is a value of this type.
    const NULLABLE: bool = false;

    /// The type as it is known at run time.
    fn value_type() -> ValueType;

    /// The value as a driver sees it.
    fn cell(&self) -> Cell<'_>;

    /// Reads the value from what a driver gives.
    ///
    /// # Errors
    ///
    /// `Decode` if the cell holds something that is not a value of this type.
    fn decode(cell: Cell<'_>) -> Result<Self>;

    /// Brings the value to the form in which it is stored and read again: finer digits than
    /// microseconds are cut, −0.0 becomes 0.0.
    fn normalize(&mut self) {}

    /// The value, owned and without its Rust type.
    fn into_datum(self) -> Datum {
        Datum::from_cell(self.cell())
    }
}

impl<V: Value> Value for Option<V> {
    type Kind = V::Kind;
    type Plain = V::Plain;
    type Wrap<T: Value> = Option<T>;
    const NULLABLE: bool = true;

    fn value_type() -> ValueType {
        V::value_type()
    }

    #[inline]
    fn cell(&self) -> Cell<'_> {
        match self {
            Some(value) => value.cell(),
            None => Cell::Null,
        }
    }

    #[inline]
    fn decode(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Null => Ok(None),
            cell => V::decode(cell).map(Some),
        }
    }

    fn normalize(&mut self) {
        if let Some(value) = self {
            value.normalize();
        }
    }

    fn into_datum(self) -> Datum {
        match self {
            Some(value) => value.into_datum(),
            None => Datum::Null,
        }
    }
}
