//! Aggregates and groups.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, counted, fill, item, priced};

cases! { "aggregates":
    count_counts_rows_and_values,
    count_distinct_counts_each_value_once,
    the_sum_of_integers_is_exact,
    a_sum_of_integers_beyond_64_bits_is_a_query_error,
    a_sum_may_leave_its_range_on_the_way,
    the_mean_of_integers_is_exact_with_twelve_digits_half_even,
    the_sum_of_decimals_is_exact,
    a_sum_of_decimals_of_more_than_28_digits_is_a_query_error,
    the_mean_of_decimals_is_exact_with_twelve_digits_half_even,
    the_sum_of_floats_is_close,
    infinities_in_sums_stay_infinite,
    a_sum_of_floats_outside_their_range_is_a_query_error,
    the_mean_of_unsigned_integers_is_exact,
    least_and_greatest_of_every_ordered_type,
    aggregates_of_no_rows_are_null_and_counts_are_zero,
    aggregates_leave_nulls_out,
    aggregates_of_nothing_but_nulls_are_null,
    aggregates_of_expressions,
    aggregates_of_filtered_rows,
    an_aggregate_takes_no_order_or_limit,
    groups_hold_the_rows_of_a_value,
    null_is_a_group_of_its_own,
    groups_of_several_fields,
    groups_of_equal_decimals_are_one,
    groups_of_text_are_exact,
    groups_of_an_expression,
    a_grouped_expression_with_a_constant_may_be_selected_and_ordered_by,
    groups_of_no_rows_are_none,
    having_chooses_groups,
    having_combines_conditions,
    groups_are_ordered_by_aggregates,
    groups_are_limited_after_they_are_ordered,
    groups_select_fewer_or_more_than_they_group_by,
    a_field_that_is_not_grouped_by_is_refused,
    groups_give_options_where_a_field_is_nullable,
    thousands_of_groups,
    one_of_a_group_query,
    grouping_and_ordering_by_json_is_refused,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Sale {
    #[ommi(key)]
    id: i64,
    shop: String,
    product: Option<String>,
    pieces: i64,
    price: Decimal,
    weight: f64,
    large: u64,
    discount: Option<i32>,
}

fn sale(id: i64, shop: &str, product: Option<&str>, pieces: i64, price: Decimal) -> Sale {
    Sale { id, shop: shop.into(), product: product.map(Into::into), pieces, price, ..Sale::default() }
}

async fn sales(db: &Db) -> Result<()> {
    fill(
        db,
        vec![
            sale(1, "a", Some("x"), 1, dec!(1.50)),
            sale(2, "a", Some("y"), 2, dec!(2.25)),
            sale(3, "b", Some("x"), 3, dec!(1.5)),
            sale(4, "b", None, 4, dec!(10)),
            sale(5, "a", Some("x"), 5, dec!(3)),
            sale(6, "c", None, 6, dec!(0.1)),
        ],
    )
    .await?;
    Ok(())
}

async fn count_counts_rows_and_values(db: Db) -> Verdict {
    sales(&db).await?;
    let counts = db.find(Sale::all()).aggregate((count(), Sale::PRODUCT.count(), Sale::SHOP.count())).await?;
    check_eq!(counts, (6, 4, 6));
    check_eq!(db.find(Sale::all()).count().await?, 6);
    Ok(())
}

async fn count_distinct_counts_each_value_once(db: Db) -> Verdict {
    sales(&db).await?;
    let counts = db
        .find(Sale::all())
        .aggregate((
            Sale::SHOP.count_distinct(),
            Sale::PRODUCT.count_distinct(),
            Sale::PRICE.count_distinct(),
            Sale::DISCOUNT.count_distinct(),
        ))
        .await?;
    check_eq!(counts, (3, 2, 5, 0));
    Ok(())
}

async fn the_sum_of_integers_is_exact(db: Db) -> Verdict {
    fill(
        &db,
        vec![sale(1, "", None, (1 << 53) + 1, dec!(0)), sale(2, "", None, 1, dec!(0)), sale(3, "", None, -3, dec!(0))],
    )
    .await?;
    check_eq!(db.find(Sale::all()).aggregate(Sale::PIECES.sum()).await?, Some((1 << 53) - 1));
    Ok(())
}

async fn a_sum_of_integers_beyond_64_bits_is_a_query_error(db: Db) -> Verdict {
    fill(&db, vec![sale(1, "", None, i64::MAX, dec!(0)), sale(2, "", None, 1, dec!(0))]).await?;
    check!(refused(db.find(Sale::all()).aggregate(Sale::PIECES.sum()).await)?.is_query());
    let of = |id, large| Sale { large, ..sale(id, "", None, 0, dec!(0)) };
    db.upsert_all([of(1, u64::MAX), of(2, 0)]).await?;
    check!(refused(db.find(Sale::all()).aggregate(Sale::LARGE.sum()).await)?.is_query());
    check_eq!(db.find(Sale::ID.eq(2)).aggregate(Sale::LARGE.sum()).await?, Some(0));
    Ok(())
}

async fn a_sum_may_leave_its_range_on_the_way(db: Db) -> Verdict {
    fill(
        &db,
        (1..).zip([i64::MAX, i64::MAX, i64::MIN, i64::MIN, 5]).map(|(id, n)| sale(id, "", None, n, dec!(0))).collect(),
    )
    .await?;
    check_eq!(db.find(Sale::all()).aggregate(Sale::PIECES.sum()).await?, Some(3));
    Ok(())
}

async fn the_mean_of_integers_is_exact_with_twelve_digits_half_even(db: Db) -> Verdict {
    fill(&db, counted(&[Some(1), Some(2), Some(2), None])).await?;
    check_eq!(db.find(Item::all()).aggregate(Item::QUANTITY.avg()).await?, Some(dec!(1.666666666667)));
    check_eq!(db.find(Item::ID.lt(3)).aggregate(Item::QUANTITY.avg()).await?, Some(dec!(1.5)));
    db.find(Item::all()).update(Item::QUANTITY.set(i32::MAX)).await?;
    check_eq!(db.find(Item::all()).aggregate(Item::QUANTITY.avg()).await?, Some(i32::MAX.into()));
    Ok(())
}

async fn the_sum_of_decimals_is_exact(db: Db) -> Verdict {
    let prices: Vec<Option<Decimal>> = (0..1000).map(|_| Some(dec!(0.1))).chain([Some(dec!(1e-12)), None]).collect();
    fill(&db, priced(&prices)).await?;
    check_eq!(db.find(Item::all()).aggregate(Item::PRICE.sum()).await?, Some(dec!(100.000000000001)));
    Ok(())
}

async fn a_sum_of_decimals_of_more_than_28_digits_is_a_query_error(db: Db) -> Verdict {
    fill(&db, priced(&[Some(dec!(9999999999999999999999999999)), Some(dec!(1)), Some(dec!(-5))])).await?;
    check_eq!(db.find(Item::all()).aggregate(Item::PRICE.sum()).await?, Some(dec!(9999999999999999999999999995)));
    check!(refused(db.find(Item::ID.lt(3)).aggregate(Item::PRICE.sum()).await)?.is_query());
    Ok(())
}

async fn the_mean_of_decimals_is_exact_with_twelve_digits_half_even(db: Db) -> Verdict {
    fill(&db, priced(&[Some(dec!(1)), Some(dec!(1)), Some(dec!(0)), None])).await?;
    check_eq!(db.find(Item::all()).aggregate(Item::PRICE.avg()).await?, Some(dec!(0.666666666667)));
    db.find(Item::ID.eq(1)).update(Item::PRICE.set(dec!(0.000000000001))).await?;
    db.find(Item::ID.eq(2)).update(Item::PRICE.set(dec!(0))).await?;
    check_eq!(db.find(Item::ID.lt(3)).aggregate(Item::PRICE.avg()).await?, Some(dec!(0)));
    db.find(Item::ID.eq(1)).update(Item::PRICE.set(dec!(0.000000000003))).await?;
    check_eq!(db.find(Item::ID.lt(3)).aggregate(Item::PRICE.avg()).await?, Some(dec!(0.000000000002)));
    Ok(())
}

async fn weights(db: &Db, weights: &[f64]) -> Result<()> {
    let rows =
        (1..).zip(weights).map(|(id, weight)| Sale { weight: *weight, ..sale(id, "", None, 0, dec!(0)) }).collect();
    fill(db, rows).await?;
    Ok(())
}

fn is_close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() <= 1e-12 * expected.abs())
}

async fn the_sum_of_floats_is_close(db: Db) -> Verdict {
    weights(&db, &[0.1; 1000]).await?;
    let (sum, mean) = db.find(Sale::all()).aggregate((Sale::WEIGHT.sum(), Sale::WEIGHT.avg())).await?;
    check!(is_close(sum, 100.0) && is_close(mean, 0.1), "the sum is {sum:?}, the mean {mean:?}");
    Ok(())
}

async fn infinities_in_sums_stay_infinite(db: Db) -> Verdict {
    weights(&db, &[1.0, f64::NEG_INFINITY, f64::MAX, f64::MAX]).await?;
    let sums = db.find(Sale::all()).aggregate((Sale::WEIGHT.sum(), Sale::WEIGHT.avg(), Sale::WEIGHT.max())).await?;
    check_eq!(sums, (Some(f64::NEG_INFINITY), Some(f64::NEG_INFINITY), Some(f64::MAX)));
    db.add(Sale { weight: f64::INFINITY, ..sale(9, "", None, 0, dec!(0)) }).await?;
    check!(refused(db.find(Sale::all()).aggregate(Sale::WEIGHT.sum()).await)?.is_query());
    Ok(())
}

async fn a_sum_of_floats_outside_their_range_is_a_query_error(db: Db) -> Verdict {
    weights(&db, &[f64::MAX, f64::MAX, -f64::MAX]).await?;
    check!(is_close(db.find(Sale::all()).aggregate(Sale::WEIGHT.sum()).await?, f64::MAX));
    check!(refused(db.find(Sale::ID.lt(3)).aggregate(Sale::WEIGHT.sum()).await)?.is_query());
    check!(is_close(db.find(Sale::ID.lt(3)).aggregate(Sale::WEIGHT.avg()).await?, f64::MAX));
    Ok(())
}

async fn the_mean_of_unsigned_integers_is_exact(db: Db) -> Verdict {
    let of = |id, large| Sale { large, ..sale(id, "", None, 0, dec!(0)) };
    fill(&db, vec![of(1, 1 << 52), of(2, (1 << 52) + 1)]).await?;
    check_eq!(db.find(Sale::all()).aggregate(Sale::LARGE.avg()).await?, Some(Decimal::from(1_u64 << 52) + dec!(0.5)));
    // 20 digits and 12 more are more than a decimal keeps
    db.upsert_all([of(1, u64::MAX), of(2, u64::MAX - 1), of(3, u64::MAX)]).await?;
    check!(refused(db.find(Sale::all()).aggregate(Sale::LARGE.avg()).await)?.is_query());
    Ok(())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Value)]
enum Grade {
    #[default]
    Low,
    #[ommi(rename = "a top grade")]
    High,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Ordered {
    #[ommi(key)]
    id: i64,
    flag: bool,
    text: String,
    bytes: Vec<u8>,
    uuid: Uuid,
    date: Date,
    moment: DateTime,
    span: Option<Duration>,
    large: u64,
    grade: Grade,
}

async fn least_and_greatest_of_every_ordered_type(db: Db) -> Verdict {
    let of = |id: u8, span| Ordered {
        id: id.into(),
        flag: id == 1,
        text: ["a", "B", "\u{1F600}"].get(usize::from(id)).copied().unwrap_or_default().into(),
        bytes: vec![255 - id],
        uuid: Uuid::from_u128(u128::from(id) << 126),
        date: Date::constant(2000, 1, 1 + id.cast_signed()),
        moment: DateTime::constant(2000, 1, 1, 0, 0, 0, i32::from(id) * 1000),
        span,
        large: u64::MAX - u64::from(id),
        grade: if id == 0 { Grade::Low } else { Grade::High },
    };
    fill(&db, vec![of(0, None), of(1, Some(Duration::from_micros(-5))), of(2, Some(Duration::ZERO))]).await?;
    let found = db.find(Ordered::all());
    let (no, yes, least, greatest) = found
        .clone()
        .aggregate((Ordered::FLAG.min(), Ordered::FLAG.max(), Ordered::TEXT.min(), Ordered::TEXT.max()))
        .await?;
    check_eq!(
        (no, yes, least.as_deref(), greatest.as_deref()),
        (Some(false), Some(true), Some("B"), Some("\u{1F600}"))
    );
    let ends = found
        .clone()
        .aggregate((Ordered::BYTES.min(), Ordered::UUID.max(), Ordered::LARGE.min(), Ordered::LARGE.max()))
        .await?;
    check_eq!(ends, (Some(vec![253]), Some(Uuid::from_u128(2 << 126)), Some(u64::MAX - 2), Some(u64::MAX)));
    let ends = found
        .clone()
        .aggregate((Ordered::DATE.max(), Ordered::MOMENT.max(), Ordered::SPAN.min(), Ordered::SPAN.max()))
        .await?;
    let (date, moment) = (Date::constant(2000, 1, 3), DateTime::constant(2000, 1, 1, 0, 0, 0, 2_000));
    check_eq!(ends, (Some(date), Some(moment), Some(Duration::from_micros(-5)), Some(Duration::ZERO)));
    check_eq!(
        found.aggregate((Ordered::GRADE.min(), Ordered::GRADE.max())).await?,
        (Some(Grade::Low), Some(Grade::High))
    );
    Ok(())
}

async fn aggregates_of_no_rows_are_null_and_counts_are_zero(db: Db) -> Verdict {
    db.create::<Sale>().await?;
    let none = db
        .find(Sale::all())
        .aggregate((
            count(),
            Sale::PIECES.sum(),
            Sale::PIECES.avg(),
            Sale::PRICE.sum(),
            Sale::WEIGHT.avg(),
            Sale::SHOP.max(),
            Sale::SHOP.count(),
        ))
        .await?;
    check_eq!(none, (0, None, None, None, None, None, 0));
    sales(&db).await?;
    let none = db.find(Sale::ID.gt(100)).aggregate((count(), Sale::PIECES.min(), Sale::SHOP.count_distinct())).await?;
    check_eq!(none, (0, None, 0));
    Ok(())
}

async fn aggregates_leave_nulls_out(db: Db) -> Verdict {
    fill(&db, counted(&[Some(4), None, Some(2), None])).await?;
    let found = db
        .find(Item::all())
        .aggregate((count(), Item::QUANTITY.count(), Item::QUANTITY.sum(), Item::QUANTITY.avg(), Item::QUANTITY.min()))
        .await?;
    check_eq!(found, (4, 2, Some(6), Some(dec!(3)), Some(2)));
    Ok(())
}

async fn aggregates_of_nothing_but_nulls_are_null(db: Db) -> Verdict {
    fill(&db, counted(&[None, None])).await?;
    let found =
        db.find(Item::all()).aggregate((count(), Item::QUANTITY.sum(), Item::PRICE.avg(), Item::NOTE.max())).await?;
    check_eq!(found, (2, None, None, None));
    Ok(())
}

async fn aggregates_of_expressions(db: Db) -> Verdict {
    sales(&db).await?;
    let found = db
        .find(Sale::all())
        .aggregate(((Sale::PIECES * 2).sum(), (Sale::PRICE + 1).max(), (Sale::PIECES % 2).count_distinct()))
        .await?;
    check_eq!(found, (Some(42), Some(dec!(11)), 2));
    Ok(())
}

async fn aggregates_of_filtered_rows(db: Db) -> Verdict {
    sales(&db).await?;
    let found = db.find(Sale::SHOP.eq("a") & Sale::PRODUCT.eq("x")).aggregate((count(), Sale::PRICE.sum())).await?;
    check_eq!(found, (2, Some(dec!(4.5))));
    Ok(())
}

async fn an_aggregate_takes_no_order_or_limit(db: Db) -> Verdict {
    sales(&db).await?;
    check!(refused(db.find(Sale::all()).limit(1).aggregate(count()).await)?.is_query());
    check!(refused(db.find(Sale::all()).order_by(Sale::ID.asc()).aggregate(count()).await)?.is_query());
    Ok(())
}

async fn groups_hold_the_rows_of_a_value(db: Db) -> Verdict {
    sales(&db).await?;
    let groups: Vec<(String, i64, Decimal, i64)> = db
        .find(Sale::all())
        .group_by(Sale::SHOP)
        .select((Sale::SHOP, count(), Sale::PRICE.sum(), Sale::PIECES.max()))
        .order_by(Sale::SHOP.asc())
        .all()
        .await?;
    check_eq!(groups, [("a".into(), 3, dec!(6.75), 5), ("b".into(), 2, dec!(11.5), 4), ("c".into(), 1, dec!(0.1), 6)]);
    Ok(())
}

async fn null_is_a_group_of_its_own(db: Db) -> Verdict {
    sales(&db).await?;
    let groups = db
        .find(Sale::all())
        .group_by(Sale::PRODUCT)
        .select((Sale::PRODUCT, count()))
        .order_by(Sale::PRODUCT.asc())
        .all()
        .await?;
    check_eq!(groups, [(None, 2), (Some("x".into()), 3), (Some("y".into()), 1)]);
    Ok(())
}

async fn groups_of_several_fields(db: Db) -> Verdict {
    sales(&db).await?;
    let groups = db
        .find(Sale::all())
        .group_by((Sale::SHOP, Sale::PRODUCT))
        .select((Sale::SHOP, Sale::PRODUCT, Sale::PIECES.sum()))
        .order_by((Sale::SHOP.desc(), Sale::PRODUCT.desc()))
        .all()
        .await?;
    let of = |shop: &str, product: Option<&str>, sum| (shop.to_owned(), product.map(String::from), sum);
    check_eq!(
        groups,
        [of("c", None, 6), of("b", Some("x"), 3), of("b", None, 4), of("a", Some("y"), 2), of("a", Some("x"), 6)]
    );
    Ok(())
}

async fn groups_of_equal_decimals_are_one(db: Db) -> Verdict {
    sales(&db).await?;
    let groups = db
        .find(Sale::PRICE.lt(2))
        .group_by(Sale::PRICE)
        .select((Sale::PRICE, count()))
        .order_by(Sale::PRICE.asc())
        .all()
        .await?;
    check_eq!(groups, [(dec!(0.1), 1), (dec!(1.5), 2)]);
    Ok(())
}

async fn groups_of_text_are_exact(db: Db) -> Verdict {
    fill(&db, crate::models::named(&["a", "A", "a ", "a", "", "ä", "a\u{308}"])).await?;
    let groups = db
        .find(Item::all())
        .group_by(Item::NAME)
        .select((Item::NAME, count()))
        .order_by(Item::NAME.asc())
        .all()
        .await?;
    let of = |name: &str, rows| (name.to_owned(), rows);
    check_eq!(groups, [of("", 1), of("A", 1), of("a", 2), of("a ", 1), of("a\u{308}", 1), of("ä", 1)]);
    Ok(())
}

#[expect(clippy::eq_op, reason = "the operators of fields build expressions")]
async fn groups_of_an_expression(db: Db) -> Verdict {
    sales(&db).await?;
    let sum = || Sale::PIECES - Sale::PIECES;
    let groups = db.find(Sale::all()).group_by(sum()).select((sum(), count())).all().await?;
    check_eq!(groups, [(0, 6)]);
    Ok(())
}

async fn a_grouped_expression_with_a_constant_may_be_selected_and_ordered_by(db: Db) -> Verdict {
    sales(&db).await?;
    let odd = || Sale::PIECES % 2;
    let groups =
        db.find(Sale::all()).group_by(odd()).select((odd(), odd() + 10, count())).order_by(odd().desc()).all().await?;
    check_eq!(groups, [(Some(1), Some(11), 3), (Some(0), Some(10), 3)]);
    let twice = || Sale::PIECES * 2;
    let distinct = db.find(Sale::ID.lt(3)).select(twice()).distinct().order_by(twice().desc()).all().await?;
    check_eq!(distinct, [4, 2]);
    Ok(())
}

async fn groups_of_no_rows_are_none(db: Db) -> Verdict {
    db.create::<Sale>().await?;
    check_eq!(db.find(Sale::all()).group_by(Sale::SHOP).select((Sale::SHOP, count())).all().await?, []);
    Ok(())
}

async fn having_chooses_groups(db: Db) -> Verdict {
    sales(&db).await?;
    let shops = |having| {
        db.find(Sale::all()).group_by(Sale::SHOP).select(Sale::SHOP).having(having).order_by(Sale::SHOP.asc()).all()
    };
    check_eq!(shops(count().gt(1)).await?, ["a", "b"]);
    check_eq!(shops(count().eq(1)).await?, ["c"]);
    check_eq!(shops(Sale::PRICE.sum().ge(dec!(6.75))).await?, ["a", "b"]);
    check_eq!(shops(Sale::PRODUCT.max().ne(Some("x".to_owned()))).await?, ["a"]);
    check_eq!(shops(Sale::PIECES.avg().lt(dec!(3.4))).await?, ["a"]);
    Ok(())
}

async fn having_combines_conditions(db: Db) -> Verdict {
    sales(&db).await?;
    let shops = |having| {
        db.find(Sale::all()).group_by(Sale::SHOP).select(Sale::SHOP).having(having).order_by(Sale::SHOP.asc()).all()
    };
    check_eq!(shops(count().gt(1) & Sale::PIECES.max().lt(5)).await?, ["b"]);
    check_eq!(shops(count().eq(1) | Sale::PIECES.max().lt(5)).await?, ["b", "c"]);
    check_eq!(shops(!(count().gt(1))).await?, ["c"]);
    // unknown for the shop whose products are all null
    check_eq!(shops(!Sale::PRODUCT.max().eq(Some("y".to_owned()))).await?, ["b"]);
    let twice = db
        .find(Sale::all())
        .group_by(Sale::SHOP)
        .select(Sale::SHOP)
        .having(count().gt(1))
        .having(count().lt(3))
        .all()
        .await?;
    check_eq!(twice, ["b"]);
    Ok(())
}

async fn groups_are_ordered_by_aggregates(db: Db) -> Verdict {
    sales(&db).await?;
    let shops = db
        .find(Sale::all())
        .group_by(Sale::SHOP)
        .select((Sale::SHOP, Sale::PIECES.sum()))
        .order_by((Sale::PIECES.min().desc(), Sale::SHOP.asc()))
        .all()
        .await?;
    check_eq!(shops, [("c".into(), 6), ("b".into(), 7), ("a".into(), 8)]);
    let shops = db
        .find(Sale::all())
        .group_by(Sale::SHOP)
        .select(Sale::SHOP)
        .order_by((Sale::PRODUCT.count().asc(), count().desc()))
        .all()
        .await?;
    check_eq!(shops, ["c", "b", "a"]);
    Ok(())
}

async fn groups_are_limited_after_they_are_ordered(db: Db) -> Verdict {
    sales(&db).await?;
    let query = || db.find(Sale::all()).group_by(Sale::SHOP).select((Sale::SHOP, count())).order_by(count().desc());
    check_eq!(query().limit(1).all().await?, [("a".into(), 3)]);
    check_eq!(query().offset(1).limit(1).all().await?, [("b".into(), 2)]);
    check_eq!(query().offset(5).all().await?, []);
    check_eq!(query().first().await?, Some(("a".into(), 3)));
    Ok(())
}

async fn groups_select_fewer_or_more_than_they_group_by(db: Db) -> Verdict {
    sales(&db).await?;
    let counts = db
        .find(Sale::all())
        .group_by((Sale::SHOP, Sale::PRODUCT))
        .select(count())
        .order_by((count().desc(), Sale::SHOP.asc()))
        .all()
        .await?;
    check_eq!(counts, [2, 1, 1, 1, 1]);
    let twice = db
        .find(Sale::SHOP.eq("c"))
        .group_by(Sale::SHOP)
        .select((Sale::SHOP, count(), Sale::SHOP, count()))
        .all()
        .await?;
    check_eq!(twice, [("c".into(), 1, "c".into(), 1)]);
    Ok(())
}

async fn a_field_that_is_not_grouped_by_is_refused(db: Db) -> Verdict {
    sales(&db).await?;
    let error = refused(db.find(Sale::all()).group_by(Sale::SHOP).select((Sale::PRODUCT, count())).all().await)?;
    check!(error.is_query(), "{error}");
    let error =
        refused(db.find(Sale::all()).group_by(Sale::SHOP).select(count()).order_by(Sale::PIECES.asc()).all().await)?;
    check!(error.is_query(), "{error}");
    Ok(())
}

async fn groups_give_options_where_a_field_is_nullable(db: Db) -> Verdict {
    let rows = vec![Item { quantity: Some(1), ..item(1, "a") }, item(2, "b")];
    fill(&db, rows).await?;
    let groups: Vec<(String, Option<i64>, Option<Decimal>)> = db
        .find(Item::all())
        .group_by(Item::NAME)
        .select((Item::NAME, Item::QUANTITY.sum(), Item::PRICE.avg()))
        .order_by(Item::NAME.asc())
        .all()
        .await?;
    check_eq!(groups, [("a".into(), Some(1), None), ("b".into(), None, None)]);
    Ok(())
}

async fn thousands_of_groups(db: Db) -> Verdict {
    fill(&db, (0..10_000).map(|id| sale(id, &format!("shop {}", id % 2500), None, id, dec!(1))).collect()).await?;
    let groups =
        db.find(Sale::all()).group_by(Sale::SHOP).select((Sale::SHOP, count(), Sale::PIECES.sum())).all().await?;
    check_eq!(groups.len(), 2500);
    check!(groups.iter().all(|(_, rows, _)| *rows == 4));
    check_eq!(groups.iter().map(|(_, _, sum)| *sum).sum::<i64>(), (0..10_000).sum::<i64>());
    Ok(())
}

async fn one_of_a_group_query(db: Db) -> Verdict {
    sales(&db).await?;
    let query = |shop: &str| db.find(Sale::SHOP.eq(shop)).group_by(Sale::SHOP).select((Sale::SHOP, count()));
    check_eq!(query("a").one().await?, ("a".into(), 3));
    check!(refused(query("z").one().await)?.is_not_found());
    check_eq!(query("z").optional().await?, None);
    check!(refused(db.find(Sale::all()).group_by(Sale::SHOP).select(count()).one().await)?.is_not_unique());
    Ok(())
}

async fn grouping_and_ordering_by_json_is_refused(db: Db) -> Verdict {
    use ommi::model::{FieldDef, ModelBuilder};
    use ommi::query::{Condition, Direction, Expr, OrderBy};
    use ommi::value::ValueType;
    let model = ModelBuilder::new("documents")
        .field(FieldDef::new("id", ValueType::I64))
        .field(FieldDef::new("data", ValueType::Json))
        .field(FieldDef::new("tags", ValueType::List(Box::new(ValueType::Text))))
        .key(["id"])
        .build()?;
    db.create_models(std::slice::from_ref(&model)).await?;
    let all = || db.model(&model).find(Condition::Const(true));
    for field in [1, 2] {
        let by = OrderBy { expr: Expr::Field(field), direction: Direction::Ascending, nulls: None };
        check!(refused(all().order_by([by]).rows().await)?.is_query());
        check!(refused(all().group_by([Expr::Field(field)]).select([Expr::Field(field)]).rows().await)?.is_query());
        check!(refused(all().select([Expr::Field(field)]).distinct().rows().await)?.is_query());
    }
    Ok(())
}
