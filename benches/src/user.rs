//! The model of the workloads.

use lanes::data;
use ommi::prelude::*;

/// A user.
#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "users")]
pub struct User {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// The name.
    pub name: String,
    /// The colour of the hair.
    pub hair_color: Option<String>,
    /// The age in years.
    #[ommi(index)]
    pub age: i64,
    /// When the user came, in microseconds since 1970.
    pub created_at: i64,
}

/// A visit, which has times in it.
#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(table = "visits")]
pub struct Visit {
    /// The key.
    #[ommi(key, auto)]
    pub id: i64,
    /// When it began.
    pub began: Timestamp,
    /// On which day.
    pub day: Date,
    /// What it cost.
    #[ommi(decimal(10, 2))]
    pub cost: Decimal,
}

impl User {
    /// The user of a number.
    pub fn numbered(number: i64) -> User {
        let data::User { id, name, hair_color, age, created_at } = data::User::numbered(number);
        User { id, name, hair_color, age, created_at }
    }
}
