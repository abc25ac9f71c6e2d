//! Aggregates.

use ommi_core::query::AggregateFunction;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};
use ommi_sql::{Operand, Sql};

use super::{decimal, float};

pub(super) fn aggregate(function: AggregateFunction, of: Option<&Operand<'_>>, distinct: bool) -> Result<Sql> {
    let Some(of) = of else {
        return match function {
            AggregateFunction::Count => Ok(Sql::primary("COUNT(*)")),
            other => Err(Error::query(format!("`{}` needs an expression", other.name()))),
        };
    };
    let distinct = if distinct { "DISTINCT " } else { "" };
    let value = of.argument();
    let sum = || format!("SUM({distinct}{value})");
    Ok(Sql::primary(match function {
        AggregateFunction::Count => format!("COUNT({distinct}{value})"),
        AggregateFunction::Min => extreme("MIN", "bool_and", of),
        AggregateFunction::Max => extreme("MAX", "bool_or", of),
        AggregateFunction::Sum => match &of.value_type {
            // the sum of these is a bigint already
            ValueType::I8 | ValueType::I16 | ValueType::I32 | ValueType::U8 | ValueType::U16 => sum(),
            of if of.is_integer() => format!("CAST({} AS bigint)", sum()),
            of if of.is_decimal() => decimal::short(&sum()),
            of if of.is_float() => float::sum(distinct, value, false),
            other => return Err(not_summable(function, other)),
        },
        AggregateFunction::Avg => match &of.value_type {
            of if of.is_integer() || of.is_decimal() => {
                let sum = format!("CAST({} AS numeric)", sum());
                let count = format!("CAST(COUNT({distinct}{value}) AS numeric)");
                decimal::short(&decimal::quotient(&sum, &count))
            }
            of if of.is_float() => float::sum(distinct, value, true),
            other => return Err(not_summable(function, other)),
        },
    }))
}

#[cold]
fn not_summable(function: AggregateFunction, of: &ValueType) -> Error {
    Error::query(format!("values of type {of} have no `{}`", function.name()))
}

/// The least or the greatest value. It is the same with and without `DISTINCT`.
fn extreme(name: &str, of_booleans: &str, of: &Operand<'_>) -> String {
    let value = of.argument();
    match &of.value_type {
        ValueType::Bool => format!("{of_booleans}({value})"),
        // texts of one length that sort as the bytes do
        ValueType::Uuid => format!("CAST({name}(CAST({value} AS text) COLLATE \"C\") AS uuid)"),
        ValueType::Bytes => format!("decode({name}(encode({value}, 'hex') COLLATE \"C\"), 'hex')"),
        _ => format!("{name}({value})"),
    }
}
