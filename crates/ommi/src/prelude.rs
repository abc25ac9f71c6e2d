//! What most programs use: `use ommi::prelude::*;`

pub use crate::{
    Date, DateTime, Db, Decimal, Duration, Error, Json, Many, Model, One, Result, Time, Timestamp, Tx, Uuid, Value,
    count, dec,
};
