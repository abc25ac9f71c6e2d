//! Families of value types: they decide at compile time which operators a field has.

use super::Decimal as DecimalValue;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}
    )* };
}

kinds! {
    /// `bool`.
    Boolean;
    /// The integer types.
    Integer;
    /// `f32` and `f64`.
    Float;
    /// `Decimal`.
    Decimal;
    /// `String`.
    Text;
    /// `Vec<u8>`.
    Bytes;
    /// `Uuid`.
    Uuid;
    /// `Date`.
    Date;
    /// `Time`.
    Time;
    /// `DateTime`.
    DateTime;
    /// `Timestamp`.
    Timestamp;
    /// `Duration`.
    Duration;
    /// Enums that are stored as text.
    Enumeration;
    /// `Json`.
    Json;
}

/// `Vec` of a scalar type.
#[derive(Clone, Copy, Debug)]
pub struct List<T>(std::marker::PhantomData<fn() -> T>);

macro_rules! families {
    ($($(#[$meta:meta])* $family:ident: $($kind:ident)*;)*) => { $(
        $(#[$meta])*
        pub trait $family {}
        $(impl $family for $kind {})*
    )* };
}

families! {
    /// Kinds with `contains`, `starts_with`, `like`, `regex` and their kin.
    #[diagnostic::on_unimplemented(
        message = "this field does not hold text but `{Self}` values",
        label = "only text fields have `contains`, `starts_with`, `like`, `regex` and their kin"
    )]
    IsText: Text;
    /// Kinds with an order.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` values have no order",
        label = "only `eq`, `ne`, `in_` and the null tests compare fields of this type"
    )]
    IsOrdered: Boolean Integer Float Decimal Text Bytes Uuid Date Time DateTime Timestamp Duration Enumeration;
    /// Kinds with bit operations.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` values have no bits to work on",
        label = "only integer fields have bit operations"
    )]
    IsInteger: Integer;
    /// Kinds with a year, a month and a day.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` values have no calendar date",
        label = "only `Date`, `DateTime` and `Timestamp` fields have `year`, `month`, `day` and `weekday`"
    )]
    HasDate: Date DateTime Timestamp;
    /// Kinds with an hour, a minute and a second.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` values have no time of day",
        label = "only `Time`, `DateTime` and `Timestamp` fields have `hour`, `minute` and `second`"
    )]
    HasTime: Time DateTime Timestamp;
    /// Kinds with paths into a document.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` values are not JSON",
        label = "only JSON fields have paths"
    )]
    IsJson: Json;
    /// Kinds that rows can be grouped by, and that can be counted as distinct.
    #[diagnostic::on_unimplemented(
        message = "rows cannot be grouped by `{Self}` values",
        label = "group by a field with plain equality, or by a path into the JSON"
    )]
    IsGroupable: Boolean Integer Float Decimal Text Bytes Uuid Date Time DateTime Timestamp Duration Enumeration;
}

/// Kinds with arithmetic, `sum` and `avg`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` values are not numbers",
    label = "only number fields have arithmetic, `sum` and `avg`"
)]
pub trait IsNumber {
    /// What `sum` gives.
    type Sum: super::Value;
    /// What `avg` gives.
    type Avg: super::Value;
}

impl IsNumber for Integer {
    type Sum = i64;
    type Avg = DecimalValue;
}

impl IsNumber for Float {
    type Sum = f64;
    type Avg = f64;
}

impl IsNumber for Decimal {
    type Sum = DecimalValue;
    type Avg = DecimalValue;
}

/// Kinds that are lists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` values are not lists",
    label = "only `Vec` fields have `overlaps`, `is_empty` and `len`"
)]
pub trait IsList {
    /// The type of the elements.
    type Item: super::Value;
}

impl<T: super::Value> IsList for List<T> {
    type Item = T;
}
