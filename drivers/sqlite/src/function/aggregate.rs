//! Exact sums and means.

use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use ommi_core::Result;
use ommi_core::evaluate::{AvgDecimal, AvgFloat, AvgInt, SumDecimal, SumFloat, SumInt};
use ommi_core::value::{Datum, Decimal, ValueType, decimal};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context};
use rusqlite::types::{Value, ValueRef};

use super::flags;
use super::number::{number, stored};
use crate::error::from_function;

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_aggregate_function("ommi_sum_int", 1, flags(), Of::<SumInt>(PhantomData))?;
    connection.create_aggregate_function("ommi_avg_int", 1, flags(), Of::<AvgInt>(PhantomData))?;
    connection.create_aggregate_function("ommi_sum_decimal", 1, flags(), Of::<SumDecimal>(PhantomData))?;
    connection.create_aggregate_function("ommi_avg_decimal", 1, flags(), Of::<AvgDecimal>(PhantomData))?;
    connection.create_aggregate_function("ommi_sum_float", 1, flags(), Of::<SumFloat>(PhantomData))?;
    connection.create_aggregate_function("ommi_avg_float", 1, flags(), Of::<AvgFloat>(PhantomData))
}

/// An accumulator of the core's.
trait Total: Default + RefUnwindSafe + UnwindSafe {
    fn add_value(&mut self, value: Datum) -> Result<()>;
    fn total(&self) -> Result<Datum>;
}

/// SQLite's view of an accumulator.
struct Of<T>(PhantomData<fn() -> T>);

impl<T: Total> Aggregate<T, Value> for Of<T> {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<T> {
        Ok(T::default())
    }

    fn step(&self, context: &mut Context<'_>, total: &mut T) -> rusqlite::Result<()> {
        match context.get_raw(0) {
            ValueRef::Null => Ok(()),
            value => number(value).and_then(|value| total.add_value(value)).map_err(from_function),
        }
    }

    fn finalize(&self, _: &mut Context<'_>, total: Option<T>) -> rusqlite::Result<Value> {
        let total = total.unwrap_or_default().total();
        total.and_then(|total| stored(total, &ValueType::DECIMAL, false)).map_err(from_function)
    }
}

fn integer(value: &Datum) -> Result<i128> {
    match value {
        Datum::Int(value) => Ok((*value).into()),
        Datum::UInt(value) => Ok((*value).into()),
        other => Err(other.cell().mismatch("an integer")),
    }
}

fn exact(value: &Datum) -> Result<Decimal> {
    match value {
        Datum::Decimal(value) => Ok(*value),
        Datum::Int(value) => Ok((*value).into()),
        // 20 digits without a point, which looked like an integer
        Datum::UInt(value) => decimal::parse(&value.to_string()),
        other => Err(other.cell().mismatch("a decimal")),
    }
}

fn float(value: &Datum) -> Result<f64> {
    match value {
        Datum::Float(value) => Ok(*value),
        other => Err(other.cell().mismatch("a float")),
    }
}

macro_rules! totals {
    ($($accumulator:ty, $read:ident, $fallible:tt, $made:ident;)*) => { $(
        impl Total for $accumulator {
            fn add_value(&mut self, value: Datum) -> Result<()> {
                totals!(@ $fallible self.add($read(&value)?))
            }

            fn total(&self) -> Result<Datum> {
                Ok(self.finish()?.map_or(Datum::Null, Datum::$made))
            }
        }
    )* };
    (@ fallible $added:expr) => { $added };
    (@ certain $added:expr) => {{
        $added;
        Ok(())
    }};
}

totals! {
    SumInt, integer, certain, Int;
    AvgInt, integer, certain, Decimal;
    SumDecimal, exact, fallible, Decimal;
    AvgDecimal, exact, fallible, Decimal;
    SumFloat, float, certain, Float;
    AvgFloat, float, certain, Float;
}
