//! Values that the database or the engine assigns.

use super::{Cell, Uuid, Value};
use crate::error::{Error, Result};

/// A type that an `auto` field may have: an integer, a UUID, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "an `auto` field cannot be of type `{Self}`",
    label = "only integers, `Uuid` and `Option`s of them can be assigned automatically",
    note = "write `i64` for a number that the database counts up, `Uuid` for a new UUID v7"
)]
pub trait AutoValue: Value {
    /// Whether the database counts the value up, rather than the engine making it.
    const COUNTED: bool = true;

    /// Whether a value is still to be assigned: the field holds its type's default.
    fn is_unassigned(&self) -> bool;

    /// The value for a number that the database assigned.
    ///
    /// # Errors
    ///
    /// `Decode` if the number is too large for the type.
    fn from_number(number: i64) -> Result<Self>;

    /// The value that the engine makes before the row is sent, if the type is one for which it
    /// does.
    fn generate() -> Option<Self> {
        None
    }

    /// Puts the value that the engine makes where one is still to be assigned.
    fn fill(&mut self) {
        if self.is_unassigned()
            && let Some(value) = Self::generate()
        {
            *self = value;
        }
    }

    /// The value as a driver sees it: null while it is still to be assigned.
    #[inline]
    fn auto_cell(&self) -> Cell<'_> {
        if self.is_unassigned() { Cell::Null } else { self.cell() }
    }
}

macro_rules! integers {
    ($($t:ty)*) => { $(
        impl AutoValue for $t {
            #[inline]
            fn is_unassigned(&self) -> bool {
                *self == 0
            }

            fn from_number(number: i64) -> Result<Self> {
                <$t>::try_from(number).map_err(|_| Error::decode(format!(
                    "the database assigned the key {number}, too large for a field of type `{}`",
                    stringify!($t),
                )))
            }
        }
    )* };
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl AutoValue for Uuid {
    const COUNTED: bool = false;

    fn is_unassigned(&self) -> bool {
        self.is_nil()
    }

    fn from_number(_: i64) -> Result<Self> {
        Err(Error::decode("a UUID cannot hold a number that the database assigned"))
    }

    fn generate() -> Option<Self> {
        Some(Uuid::now_v7())
    }
}

impl<V: AutoValue> AutoValue for Option<V> {
    const COUNTED: bool = V::COUNTED;

    fn is_unassigned(&self) -> bool {
        self.is_none()
    }

    fn from_number(number: i64) -> Result<Self> {
        V::from_number(number).map(Some)
    }

    fn generate() -> Option<Self> {
        V::generate().map(Some)
    }
}
