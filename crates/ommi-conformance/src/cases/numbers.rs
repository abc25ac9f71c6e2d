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
    infinity_is_a_value_of_its_own,
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

async fn selected<V: Value>(db: &Db, what: ommi::Expression<Number, V>) -> Result<Vec<V>> {
    db.find(Number::all()).order_by(Number::ID.asc()).select(what).all().await
}

async fn integers_compare_by_value(db: Db) -> Verdict {
    pairs(&db, &[(i64::MIN, 0), (-1, 0), (0, 0), (1 << 53, 0), ((1 << 53) + 1, 0), (i64::MAX, 0)]).await?;
    check_eq!(found(&db, Number::A.lt(0)).await?, [1, 2]);
    check_eq!(found(&db, Number::A.gt(1_i64 << 53)).await?, [5, 6]);
    check_eq!(found(&db, Number::A.eq((1_i64 << 53) + 1)).await?, [5]);
    check_eq!(found(&db, Number::A.ge(i64::MAX)).await?, [6]);
    check_eq!(found(&db, Number::A.le(i64::MIN)).await?, [1]);
    check_eq!(found(&db, Number::A.ne(0)).await?, [1, 2, 4, 5, 6]);
    Ok(())
}

async fn unsigned_integers_compare_beyond_the_signed_range(db: Db) -> Verdict {
    let of = |unsigned| Number { unsigned, ..Number::default() };
    let middle = 1_u64 << 63;
    numbers(&db, vec![of(0), of(middle - 1), of(middle), of(u64::MAX), of(2)]).await?;
    check_eq!(found(&db, Number::UNSIGNED.ge(middle)).await?, [3, 4]);
    check_eq!(found(&db, Number::UNSIGNED.lt(middle)).await?, [1, 2, 5]);
    check_eq!(found(&db, Number::UNSIGNED.between(3_u64, middle)).await?, [2, 3]);
    check_eq!(found(&db, Number::UNSIGNED.in_([middle, u64::MAX, 7])).await?, [3, 4]);
    check_eq!(found(&db, Number::UNSIGNED.not_in((0..20).map(|n| u64::MAX - n))).await?, [1, 2, 3, 5]);
    Ok(())
}

async fn decimals_compare_as_numbers_whatever_their_scale(db: Db) -> Verdict {
    fill(&db, priced(&[Some(dec!(1.5)), Some(dec!(1.50)), Some(dec!(10)), Some(dec!(9.99)), None])).await?;
    check_eq!(matching(&db, Item::PRICE.eq(dec!(1.500))).await?, [1, 2]);
    check_eq!(matching(&db, Item::PRICE.ne(dec!(1.5))).await?, [3, 4]);
    check_eq!(matching(&db, Item::PRICE.gt(dec!(9.5))).await?, [3, 4]);
    check_eq!(matching(&db, Item::PRICE.lt(dec!(9.990000000000001))).await?, [1, 2, 4]);
    check_eq!(matching(&db, Item::PRICE.in_([dec!(1.50000), dec!(10.0)])).await?, [1, 2, 3]);
    check_eq!(matching(&db, Item::PRICE.not_in((0..20).map(Decimal::from))).await?, [1, 2, 4]);
    Ok(())
}

async fn decimals_compare_with_integers(db: Db) -> Verdict {
    fill(&db, priced(&[Some(dec!(1.0)), Some(dec!(1.1)), Some(dec!(-3)), Some(dec!(18446744073709551615))])).await?;
    check_eq!(matching(&db, Item::PRICE.eq(1)).await?, [1]);
    check_eq!(matching(&db, Item::PRICE.gt(1)).await?, [2, 4]);
    check_eq!(matching(&db, Item::PRICE.le(-3_i64)).await?, [3]);
    check_eq!(matching(&db, Item::PRICE.ge(u64::MAX)).await?, [4]);
    Ok(())
}

async fn decimals_of_a_size_compare_with_finer_arguments(db: Db) -> Verdict {
    let of = |sized| Number { sized: Some(sized), ..Number::default() };
    numbers(&db, vec![of(dec!(1)), of(dec!(1.01)), of(dec!(9999.99)), Number::default()]).await?;
    check_eq!(found(&db, Number::SIZED.eq(dec!(1.0000))).await?, [1]);
    check_eq!(found(&db, Number::SIZED.gt(dec!(1.005))).await?, [2, 3]);
    check_eq!(found(&db, Number::SIZED.eq(dec!(1.005))).await?, Vec::<i64>::new());
    check_eq!(found(&db, Number::SIZED.lt(dec!(1000000))).await?, [1, 2, 3]);
    check_eq!(found(&db, Number::SIZED.in_([dec!(1.010), dec!(2)])).await?, [2]);
    Ok(())
}

async fn floats_compare_with_infinities(db: Db) -> Verdict {
    let of = |double| Number { double, ..Number::default() };
    numbers(&db, vec![of(f64::INFINITY), of(f64::MAX), of(0.1 + 0.2), of(0.3), of(f64::NEG_INFINITY)]).await?;
    check_eq!(found(&db, Number::DOUBLE.eq(f64::INFINITY)).await?, [1]);
    check_eq!(found(&db, Number::DOUBLE.lt(f64::INFINITY)).await?, [2, 3, 4, 5]);
    check_eq!(found(&db, Number::DOUBLE.eq(0.3)).await?, [4]);
    check_eq!(found(&db, Number::DOUBLE.in_([f64::NEG_INFINITY, f64::MAX])).await?, [2, 5]);
    let many: Vec<f64> = (0..20).map(f64::from).chain([f64::INFINITY, f64::NEG_INFINITY]).collect();
    check_eq!(found(&db, Number::DOUBLE.in_(many)).await?, [1, 5]);
    Ok(())
}

async fn infinity_is_a_value_of_its_own(db: Db) -> Verdict {
    let of = |double| Number { double, ..Number::default() };
    let values = [f64::INFINITY, 2f64.powi(52), f64::NEG_INFINITY, -(2f64.powi(52)), f64::MAX, 2f64.powi(1023)];
    numbers(&db, values.map(of).into()).await?;
    let groups = db.find(Number::all()).group_by(Number::DOUBLE).select((Number::DOUBLE, count())).all().await?;
    check_eq!(groups.len(), 6);
    let many: Vec<f64> = (0..20).map(f64::from).chain([f64::INFINITY, -(2f64.powi(52))]).collect();
    check_eq!(found(&db, Number::DOUBLE.in_(many)).await?, [1, 4]);
    let distinct = db.find(Number::all()).aggregate(Number::DOUBLE.count_distinct()).await?;
    check_eq!(distinct, 6);
    Ok(())
}

async fn a_single_precision_field_compares_with_its_own_values(db: Db) -> Verdict {
    let of = |single| Number { single, ..Number::default() };
    numbers(&db, vec![of(0.1), of(0.2), of(16_777_216.0)]).await?;
    check_eq!(found(&db, Number::SINGLE.eq(0.1)).await?, [1]);
    check_eq!(found(&db, Number::SINGLE.gt(0.1)).await?, [2, 3]);
    check_eq!(found(&db, Number::SINGLE.in_([0.2])).await?, [2]);
    check_eq!(selected(&db, Number::SINGLE + 1.0).await?, [1.1, 1.2, 16_777_216.0]);
    Ok(())
}

async fn between_holds_both_ends(db: Db) -> Verdict {
    pairs(&db, &[(1, 5), (2, 5), (3, 5), (6, 5)]).await?;
    check_eq!(found(&db, Number::A.between(1, 2)).await?, [1, 2]);
    check_eq!(found(&db, !Number::A.between(1, 2)).await?, [3, 4]);
    check_eq!(found(&db, Number::A.between(3, Number::B)).await?, [3]);
    check_eq!(found(&db, Number::A.between(2, 2)).await?, [2]);
    Ok(())
}

async fn between_of_reversed_ends_is_empty(db: Db) -> Verdict {
    pairs(&db, &[(1, 0), (2, 0), (3, 0)]).await?;
    check_eq!(found(&db, Number::A.between(3, 1)).await?, Vec::<i64>::new());
    check_eq!(found(&db, !Number::A.between(3, 1)).await?, [1, 2, 3]);
    Ok(())
}

async fn integer_arithmetic_is_exact(db: Db) -> Verdict {
    pairs(&db, &[(7, 3), (-7, 3), (i64::MAX - 1, 1), ((1 << 53) + 1, 0)]).await?;
    check_eq!(selected(&db, Number::A + Number::B).await?, [10, -4, i64::MAX, (1 << 53) + 1]);
    check_eq!(selected(&db, Number::A - Number::B).await?, [4, -10, i64::MAX - 2, (1 << 53) + 1]);
    check_eq!(selected(&db, Number::B * 3 - 1).await?, [8, 8, 2, -1]);
    check_eq!(found(&db, (Number::A + 1).eq((1_i64 << 53) + 2)).await?, [4]);
    Ok(())
}

async fn integer_division_truncates_towards_zero(db: Db) -> Verdict {
    pairs(&db, &[(7, 2), (-7, 2), (7, -2), (-7, -2), (1, 2), (i64::MAX, 1), (i64::MIN, 2)]).await?;
    let expected = [3, -3, -3, 3, 0, i64::MAX, i64::MIN / 2].map(Some);
    check_eq!(selected(&db, Number::A / Number::B).await?, expected);
    Ok(())
}

async fn the_remainder_has_the_sign_of_the_dividend(db: Db) -> Verdict {
    pairs(&db, &[(7, 3), (-7, 3), (7, -3), (-7, -3), (i64::MIN, -1)]).await?;
    check_eq!(selected(&db, Number::A % Number::B).await?, [1, -1, 1, -1, 0].map(Some));
    Ok(())
}

async fn division_by_zero_is_null(db: Db) -> Verdict {
    numbers(&db, vec![Number { a: 5, double: 1.5, money: dec!(2), ..Number::default() }]).await?;
    check_eq!(selected(&db, Number::A / Number::B).await?, [None]);
    check_eq!(selected(&db, Number::A % 0).await?, [None]);
    check_eq!(selected(&db, Number::DOUBLE / 0.0).await?, [None]);
    check_eq!(selected(&db, Number::MONEY / Number::RATE).await?, [None]);
    check_eq!(selected(&db, Number::MONEY % dec!(0)).await?, [None]);
    check_eq!(found(&db, (Number::A / Number::B).is_null()).await?, [1]);
    check_eq!(found(&db, (Number::A / Number::B).eq(0)).await?, Vec::<i64>::new());
    check_eq!(found(&db, (Number::A / Number::B).ne(0)).await?, Vec::<i64>::new());
    Ok(())
}

async fn an_integer_beyond_its_type_is_a_query_error(db: Db) -> Verdict {
    pairs(&db, &[(i64::MAX, i64::MIN)]).await?;
    for what in
        [Number::A + 1, Number::A - Number::B, Number::B - 1, Number::A * 2, Number::B * -1, Number::A * Number::A]
    {
        let error = refused(db.find(Number::all()).select(what).all().await)?;
        check!(error.is_query(), "{error}");
    }
    check!(refused(db.find(Number::all()).select(Number::B / -1).all().await)?.is_query());
    check!(refused(db.find((Number::A + 1).gt(0)).all().await)?.is_query());
    Ok(())
}

async fn a_narrow_integer_overflows_at_its_own_ends(db: Db) -> Verdict {
    numbers(&db, vec![Number { small: 100, ..Number::default() }]).await?;
    check_eq!(selected(&db, Number::SMALL + 27).await?, [127]);
    check!(refused(selected(&db, Number::SMALL + 28).await)?.is_query());
    check!(refused(selected(&db, Number::SMALL * 2).await)?.is_query());
    check!(refused(selected(&db, (Number::SMALL + 28) - 28).await)?.is_query());
    Ok(())
}

async fn an_unsigned_integer_below_zero_is_a_query_error(db: Db) -> Verdict {
    numbers(&db, vec![Number { unsigned: 1, ..Number::default() }]).await?;
    check_eq!(selected(&db, Number::UNSIGNED - 1_u64).await?, [0]);
    check!(refused(selected(&db, Number::UNSIGNED - 2_u64).await)?.is_query());
    Ok(())
}

async fn unsigned_arithmetic_is_exact_beyond_the_signed_range(db: Db) -> Verdict {
    let of = |unsigned| Number { unsigned, ..Number::default() };
    numbers(&db, vec![of(u64::MAX - 1), of(1 << 63), of((1 << 63) - 1)]).await?;
    check_eq!(selected(&db, Number::UNSIGNED + 1_u64).await?, [u64::MAX, (1 << 63) + 1, 1 << 63]);
    check_eq!(selected(&db, Number::UNSIGNED / 2_u64).await?, [u64::MAX / 2, 1 << 62, (1 << 62) - 1].map(Some));
    check_eq!(found(&db, (Number::UNSIGNED - 1_u64).ge(1_u64 << 63)).await?, [1]);
    check!(refused(selected(&db, Number::UNSIGNED + 2_u64).await)?.is_query());
    check!(refused(selected(&db, Number::UNSIGNED * 3_u64).await)?.is_query());
    Ok(())
}

async fn decimal_arithmetic_is_exact(db: Db) -> Verdict {
    let of = |money, rate| Number { money, rate, ..Number::default() };
    numbers(
        &db,
        vec![of(dec!(0.1), dec!(0.2)), of(dec!(-1.50), dec!(2.25)), of(dec!(99999999999999), dec!(0.00000000000001))],
    )
    .await?;
    check_eq!(
        selected(&db, Number::MONEY + Number::RATE).await?,
        [dec!(0.3), dec!(0.75), dec!(99999999999999.00000000000001)]
    );
    check_eq!(
        selected(&db, Number::MONEY - Number::RATE).await?,
        [dec!(-0.1), dec!(-3.75), dec!(99999999999998.99999999999999)]
    );
    check_eq!(selected(&db, Number::MONEY * Number::RATE).await?, [dec!(0.02), dec!(-3.375), dec!(0.99999999999999)]);
    check_eq!(selected(&db, Number::MONEY % Number::RATE).await?, [dec!(0.1), dec!(-1.5), dec!(0)].map(Some));
    check_eq!(found(&db, (Number::MONEY + Number::RATE).eq(dec!(0.3))).await?, [1]);
    Ok(())
}

async fn decimal_quotients_have_twelve_digits_half_even(db: Db) -> Verdict {
    let of = |money, rate| Number { money, rate, ..Number::default() };
    numbers(
        &db,
        vec![
            of(dec!(1), dec!(3)),
            of(dec!(-2), dec!(3)),
            of(dec!(0.000000000001), dec!(2)),
            of(dec!(0.000000000003), dec!(2)),
            of(dec!(1), dec!(8)),
        ],
    )
    .await?;
    let expected = [dec!(0.333333333333), dec!(-0.666666666667), dec!(0), dec!(0.000000000002), dec!(0.125)].map(Some);
    check_eq!(selected(&db, Number::MONEY / Number::RATE).await?, expected);
    Ok(())
}

async fn decimals_of_more_than_28_digits_are_a_query_error(db: Db) -> Verdict {
    let largest = dec!(9999999999999999999999999999);
    numbers(&db, vec![Number { money: largest, rate: dec!(0.1), ..Number::default() }]).await?;
    check!(refused(selected(&db, Number::MONEY + 1).await)?.is_query());
    check!(refused(selected(&db, Number::MONEY + Number::RATE).await)?.is_query());
    check!(refused(selected(&db, Number::MONEY * Number::MONEY).await)?.is_query());
    check_eq!(selected(&db, Number::MONEY - 1).await?, [dec!(9999999999999999999999999998)]);
    check_eq!(selected(&db, Number::MONEY * Number::RATE).await?, [dec!(999999999999999999999999999.9)]);
    Ok(())
}

async fn float_arithmetic_is_that_of_ieee(db: Db) -> Verdict {
    let of = |double| Number { double, ..Number::default() };
    numbers(&db, vec![of(0.1), of(-1.5), of(f64::INFINITY)]).await?;
    check_eq!(selected(&db, Number::DOUBLE + 0.2).await?, [0.1 + 0.2, -1.3, f64::INFINITY]);
    check_eq!(selected(&db, Number::DOUBLE * 2.0).await?, [0.2, -3.0, f64::INFINITY]);
    check_eq!(selected(&db, Number::DOUBLE / 3.0).await?, [0.1 / 3.0, -0.5, f64::INFINITY].map(Some));
    check_eq!(found(&db, (Number::DOUBLE + 0.2).eq(0.3)).await?, Vec::<i64>::new());
    Ok(())
}

async fn a_float_overflow_is_a_query_error(db: Db) -> Verdict {
    numbers(&db, vec![Number { double: f64::MAX, single: f32::MAX, ..Number::default() }]).await?;
    check!(refused(selected(&db, Number::DOUBLE * 2.0).await)?.is_query());
    check!(refused(selected(&db, Number::SINGLE * 2.0).await)?.is_query());
    check!(refused(selected(&db, Number::DOUBLE / 0.5).await)?.is_query());
    Ok(())
}

#[expect(clippy::eq_op, reason = "the operators of fields build expressions")]
async fn a_float_result_that_is_no_number_is_a_query_error(db: Db) -> Verdict {
    numbers(&db, vec![Number { double: f64::INFINITY, ..Number::default() }]).await?;
    check!(refused(selected(&db, Number::DOUBLE - Number::DOUBLE).await)?.is_query());
    check!(refused(selected(&db, Number::DOUBLE * 0.0).await)?.is_query());
    check!(refused(selected(&db, Number::DOUBLE / Number::DOUBLE).await)?.is_query());
    Ok(())
}

async fn fields_compare_with_expressions(db: Db) -> Verdict {
    pairs(&db, &[(3, 1), (2, 1), (1, 1), (0, 1)]).await?;
    check_eq!(found(&db, Number::A.gt(Number::B + 1)).await?, [1]);
    check_eq!(found(&db, Number::A.eq(Number::B)).await?, [3]);
    check_eq!(found(&db, Number::A.le(Number::B * 2 - 1)).await?, [3, 4]);
    check_eq!(found(&db, (Number::A - Number::B).ne(Number::A)).await?, [1, 2, 3, 4]);
    check_eq!(found(&db, (Number::A * 2).between(Number::B, Number::B + 3)).await?, [2, 3]);
    Ok(())
}

async fn expressions_nest(db: Db) -> Verdict {
    pairs(&db, &[(2, 3), (10, 4)]).await?;
    check_eq!(selected(&db, (Number::A + Number::B) * (Number::A - Number::B)).await?, [-5, 84]);
    check_eq!(selected(&db, (Number::A + Number::B * 2) / (Number::A - 1)).await?, [Some(8), Some(2)]);
    Ok(())
}

async fn bits_are_tested_and_combined(db: Db) -> Verdict {
    pairs(&db, &[(0b1100, 0b1010), (-1, 0b0110), (0, -1), (i64::MIN, i64::MAX)]).await?;
    check_eq!(selected(&db, Number::A.bit_and(Number::B)).await?, [0b1000, 0b0110, 0, 0]);
    check_eq!(selected(&db, Number::A.bit_or(Number::B)).await?, [0b1110, -1, -1, -1]);
    check_eq!(selected(&db, Number::A.bit_xor(Number::B)).await?, [0b0110, !0b0110, -1, -1]);
    check_eq!(found(&db, Number::A.bit_and(4).ne(0)).await?, [1, 2]);
    Ok(())
}

async fn shifts_move_bits_and_keep_the_sign(db: Db) -> Verdict {
    pairs(&db, &[(1, 4), (-16, 2), (3, 0)]).await?;
    check_eq!(selected(&db, Number::A.shift_left(Number::B)).await?, [16, -64, 3]);
    check_eq!(selected(&db, Number::A.shift_right(Number::B)).await?, [0, -4, 3]);
    check_eq!(selected(&db, Number::A.shift_right(63)).await?, [0, -1, 0]);
    Ok(())
}

async fn a_shift_by_too_many_bits_is_a_query_error(db: Db) -> Verdict {
    numbers(&db, vec![Number { a: 1, small: 1, ..Number::default() }]).await?;
    check!(refused(selected(&db, Number::A.shift_left(64)).await)?.is_query());
    check!(refused(selected(&db, Number::A.shift_right(-1)).await)?.is_query());
    check!(refused(selected(&db, Number::A.shift_left(63)).await)?.is_query());
    check!(refused(selected(&db, Number::SMALL.shift_left(8)).await)?.is_query());
    check_eq!(selected(&db, Number::SMALL.shift_left(6)).await?, [64]);
    Ok(())
}

async fn an_update_counts_up_in_the_database(db: Db) -> Verdict {
    pairs(&db, &[(1, 10), (2, 20)]).await?;
    let update = (
        Number::A.set(Number::A + 1),
        Number::B.set(Number::B * Number::A),
        Number::MONEY.set(Number::MONEY + dec!(0.1)),
    );
    check_eq!(db.find(Number::all()).update(update).await?, 2);
    let rows = db.find(Number::all()).order_by(Number::ID.asc()).all().await?;
    let values: Vec<(i64, i64, Decimal)> = rows.into_iter().map(|row| (row.a, row.b, row.money)).collect();
    check_eq!(values, [(2, 10, dec!(0.1)), (3, 40, dec!(0.1))]);
    Ok(())
}

async fn an_update_that_overflows_changes_nothing(db: Db) -> Verdict {
    let rows = numbers(&db, vec![Number { small: 1, ..Number::default() }, Number { small: 127, ..Number::default() }])
        .await?;
    let error = refused(db.find(Number::all()).update(Number::SMALL.set(Number::SMALL + 1)).await)?;
    check!(error.is_query(), "{error}");
    let after = db.find(Number::all()).order_by(Number::ID.asc()).all().await?;
    if db.driver().capabilities().transaction.transactions {
        check_eq!(after, rows);
    }
    Ok(())
}

async fn expressions_are_selected(db: Db) -> Verdict {
    pairs(&db, &[(1, 2), (3, 4)]).await?;
    let rows = db
        .find(Number::A.gt(0))
        .order_by((Number::A + Number::B).desc())
        .select((Number::ID, Number::A + Number::B, Number::B))
        .all()
        .await?;
    check_eq!(rows, [(2, 7, 4), (1, 3, 2)]);
    Ok(())
}

async fn a_decimal_of_29_digits_is_refused(db: Db) -> Verdict {
    fill(&db, vec![crate::models::item(1, "")]).await?;
    let error = refused(db.find(Item::ID.eq(1)).update(Item::PRICE.set(Decimal::MAX)).await)?;
    check!(error.is_query(), "{error}");
    check!(refused(db.find(Item::PRICE.lt(Decimal::MAX)).all().await)?.is_query());
    check!(refused(db.add(Item { price: Some(Decimal::MIN), ..crate::models::item(2, "") }).await)?.is_query());
    check_eq!(matching(&db, Item::PRICE.is_null()).await?, [1]);
    Ok(())
}
