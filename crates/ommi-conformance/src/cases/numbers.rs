//! Numbers: comparison and arithmetic.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, matching, priced};

cases! { "numbers":
    integers_compare_by_value,
    unsigned_integers_compare_beyond_the_signed_range,
    decimals_compare_as_numbers_whatever_their_scale,
    decimals_compare_with_integers,
    decimals_of_a_size_compare_with_finer_arguments,
    floats_compare_with_infinities,
    a_single_precision_field_compares_with_its_own_values,
    between_holds_both_ends,
    between_of_reversed_ends_is_empty,
    integer_arithmetic_is_exact,
    integer_division_truncates_towards_zero,
    the_remainder_has_the_sign_of_the_dividend,
    division_by_zero_is_null,
    an_integer_beyond_its_type_is_a_query_error,
    a_narrow_integer_overflows_at_its_own_ends,
    an_unsigned_integer_below_zero_is_a_query_error,
    unsigned_arithmetic_is_exact_beyond_the_signed_range,
    decimal_arithmetic_is_exact,
    decimal_quotients_have_twelve_digits_half_even,
    decimals_of_more_than_28_digits_are_a_query_error,
    float_arithmetic_is_that_of_ieee,
    a_float_overflow_is_a_query_error,
    a_float_result_that_is_no_number_is_a_query_error,
    fields_compare_with_expressions,
    expressions_nest,
    bits_are_tested_and_combined,
    shifts_move_bits_and_keep_the_sign,
    a_shift_by_too_many_bits_is_a_query_error,
    an_update_counts_up_in_the_database,
    an_update_that_overflows_changes_nothing,
    expressions_are_selected,
    a_decimal_of_29_digits_is_refused,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Number {
    #[ommi(key)]
    id: i64,
    a: i64,
    b: i64,
    small: i8,
    unsigned: u64,
    double: f64,
    single: f32,
    money: Decimal,
    rate: Decimal,
    #[ommi(decimal(6, 2))]
    sized: Option<Decimal>,
}

async fn numbers(db: &Db, rows: Vec<Number>) -> Result<Vec<Number>> {
    let rows = (1..).zip(rows).map(|(id, row)| Number { id, ..row }).collect();
    fill(db, rows).await
}

async fn pairs(db: &Db, pairs: &[(i64, i64)]) -> Result<Vec<Number>> {
    numbers(db, pairs.iter().map(|(a, b)| Number { a: *a, b: *b, ..Number::default() }).collect()).await
}

async fn found(db: &Db, filter: ommi::Filter<Number>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Number::ID.asc()).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn selected<V: Value>(db: &Db, what: ommi::Expression<Number, V>) -> Result<Vec<Option<V>>> {
    // every result can be null: by division
    let rows = db.find(Number::all()).order_by(Number::ID.asc()).select((Number::ID, Nullable::of(what))).all().await?;
    Ok(rows.into_iter().map(|(_, value)| value).collect())
}

/// Reads an expression as one that may be null.
struct Nullable;

impl Nullable {
    fn of<V: Value>(what: ommi::Expression<Number, V>) -> ommi::Expression<Number, Option<V>> {
        what.or_null()
    }
}
