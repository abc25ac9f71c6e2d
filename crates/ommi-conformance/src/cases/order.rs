//! Orders of rows.

use ommi::prelude::*;

use crate::check::Verdict;
use crate::models::{Item, counted, fill, item, keys, named, priced};

cases! { "order":
    null_sorts_lowest_upwards,
    null_sorts_lowest_downwards,
    nulls_stand_first_where_asked,
    nulls_stand_last_where_asked,
    text_sorts_by_code_point,
    characters_beyond_the_basic_plane_sort_above_all_others,
    trailing_spaces_count,
    the_empty_text_sorts_before_all_others,
    bytes_sort_unsigned,
    uuids_sort_as_unsigned_bytes,
    booleans_sort_false_before_true,
    decimals_sort_by_number_not_by_text,
    floats_sort_with_infinities_at_the_ends,
    unsigned_integers_sort_beyond_the_signed_range,
    durations_sort_below_zero_too,
    enums_sort_as_their_stored_text,
    several_orders_decide_one_after_the_other,
    a_later_order_by_has_less_weight,
    an_expression_orders,
    a_date_part_orders,
    the_same_field_twice_is_harmless,
    an_order_holds_for_thousands_of_rows,
    an_order_applies_before_a_limit,
    comparison_agrees_with_order,
}

async fn ordered(db: &Db, order: impl ommi::query::OrderOf<Item>) -> Result<Vec<i64>> {
    keys(db.find(Item::all()).order_by(order)).await
}

async fn null_sorts_lowest_upwards(db: Db) -> Verdict {
    fill(&db, counted(&[Some(2), None, Some(-1)])).await?;
    check_eq!(ordered(&db, Item::QUANTITY.asc()).await?, [2, 3, 1]);
    Ok(())
}

async fn null_sorts_lowest_downwards(db: Db) -> Verdict {
    fill(&db, counted(&[Some(2), None, Some(-1)])).await?;
    check_eq!(ordered(&db, Item::QUANTITY.desc()).await?, [1, 3, 2]);
    Ok(())
}

async fn nulls_stand_first_where_asked(db: Db) -> Verdict {
    fill(&db, counted(&[Some(2), None, Some(-1)])).await?;
    check_eq!(ordered(&db, Item::QUANTITY.asc().nulls_first()).await?, [2, 3, 1]);
    check_eq!(ordered(&db, Item::QUANTITY.desc().nulls_first()).await?, [2, 1, 3]);
    Ok(())
}

async fn nulls_stand_last_where_asked(db: Db) -> Verdict {
    fill(&db, counted(&[Some(2), None, Some(-1)])).await?;
    check_eq!(ordered(&db, Item::QUANTITY.asc().nulls_last()).await?, [3, 1, 2]);
    check_eq!(ordered(&db, Item::QUANTITY.desc().nulls_last()).await?, [1, 3, 2]);
    Ok(())
}

async fn text_order(db: &Db, texts: &[&str]) -> Result<Vec<String>> {
    fill(db, named(texts)).await?;
    let rows = db.find(Item::all()).order_by(Item::NAME.asc()).all().await?;
    Ok(rows.into_iter().map(|item| item.name).collect())
}

async fn text_sorts_by_code_point(db: Db) -> Verdict {
    let sorted = text_order(&db, &["b", "a", "B", "ä", "Z", "é", "e", "1", "10", "2", "_", "ß"]).await?;
    check_eq!(sorted, ["1", "10", "2", "B", "Z", "_", "a", "b", "e", "ß", "ä", "é"]);
    Ok(())
}

async fn characters_beyond_the_basic_plane_sort_above_all_others(db: Db) -> Verdict {
    let sorted = text_order(&db, &["\u{1F600}", "\u{FFFD}", "\u{FFFF}", "\u{D7FF}", "\u{E000}", "\u{10FFFF}"]).await?;
    check_eq!(sorted, ["\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{FFFF}", "\u{1F600}", "\u{10FFFF}"]);
    Ok(())
}

async fn trailing_spaces_count(db: Db) -> Verdict {
    let sorted = text_order(&db, &["a  ", "a", "a ", "a\t", " a"]).await?;
    check_eq!(sorted, [" a", "a", "a\t", "a ", "a  "]);
    check_eq!(crate::models::names(&db, Item::NAME.eq("a ")).await?, ["a "]);
    check_eq!(crate::models::names(&db, Item::NAME.gt("a")).await?, ["a\t", "a ", "a  "]);
    Ok(())
}

async fn the_empty_text_sorts_before_all_others(db: Db) -> Verdict {
    check_eq!(text_order(&db, &["a", "", " ", "\u{1}"]).await?, ["", "\u{1}", " ", "a"]);
    Ok(())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Value)]
enum Size {
    #[default]
    Small,
    Medium,
    #[ommi(rename = "a lot")]
    Large,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Sorted {
    #[ommi(key)]
    id: i64,
    bytes: Vec<u8>,
    uuid: Uuid,
    flag: bool,
    float: f64,
    large: u64,
    duration: Duration,
    size: Size,
    date: Option<Date>,
}

async fn sorted(db: &Db, rows: Vec<Sorted>, order: ommi::Order<Sorted>) -> Result<Vec<i64>> {
    let rows = (1..).zip(rows).map(|(id, row)| Sorted { id, ..row }).collect();
    fill(db, rows).await?;
    let rows = db.find(Sorted::all()).order_by((order, Sorted::ID.asc())).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn bytes_sort_unsigned(db: Db) -> Verdict {
    let of = |bytes: &[u8]| Sorted { bytes: bytes.into(), ..Sorted::default() };
    let rows = vec![of(&[0x80]), of(&[0x7f]), of(&[]), of(&[0x7f, 0]), of(&[0xff]), of(&[0])];
    check_eq!(sorted(&db, rows, Sorted::BYTES.asc()).await?, [3, 6, 2, 4, 1, 5]);
    Ok(())
}

async fn uuids_sort_as_unsigned_bytes(db: Db) -> Verdict {
    let of = |number: u128| Sorted { uuid: Uuid::from_u128(number), ..Sorted::default() };
    let rows = vec![of(u128::MAX), of(0), of(1 << 127), of((1 << 127) - 1), of(1)];
    check_eq!(sorted(&db, rows, Sorted::UUID.asc()).await?, [2, 5, 4, 3, 1]);
    Ok(())
}

async fn booleans_sort_false_before_true(db: Db) -> Verdict {
    let of = |flag| Sorted { flag, ..Sorted::default() };
    check_eq!(sorted(&db, vec![of(true), of(false), of(true)], Sorted::FLAG.asc()).await?, [2, 1, 3]);
    let ids = db.find(Sorted::FLAG.gt(false)).order_by(Sorted::ID.asc()).select(Sorted::ID).all().await?;
    check_eq!(ids, [1, 3]);
    Ok(())
}

async fn decimals_sort_by_number_not_by_text(db: Db) -> Verdict {
    let prices = [dec!(10), dec!(9), dec!(-10), dec!(-9), dec!(0.5), dec!(1e-28), dec!(0), dec!(9.10)];
    fill(&db, priced(&prices.map(Some))).await?;
    check_eq!(ordered(&db, Item::PRICE.asc()).await?, [3, 4, 7, 6, 5, 2, 8, 1]);
    check_eq!(ordered(&db, Item::PRICE.desc()).await?, [1, 8, 2, 5, 6, 7, 4, 3]);
    Ok(())
}

async fn floats_sort_with_infinities_at_the_ends(db: Db) -> Verdict {
    let of = |float| Sorted { float, ..Sorted::default() };
    let rows = vec![of(f64::INFINITY), of(1.5), of(f64::NEG_INFINITY), of(f64::MAX), of(f64::MIN), of(5e-324), of(0.0)];
    check_eq!(sorted(&db, rows, Sorted::FLOAT.asc()).await?, [3, 5, 7, 6, 2, 4, 1]);
    Ok(())
}

async fn unsigned_integers_sort_beyond_the_signed_range(db: Db) -> Verdict {
    let of = |large| Sorted { large, ..Sorted::default() };
    let rows = vec![of(u64::MAX), of(9), of(1 << 63), of((1 << 63) - 1), of(10), of((1 << 63) + 1)];
    check_eq!(sorted(&db, rows, Sorted::LARGE.asc()).await?, [2, 5, 4, 3, 6, 1]);
    let ids =
        db.find(Sorted::LARGE.gt(i64::MAX as u64)).order_by(Sorted::LARGE.desc()).select(Sorted::ID).all().await?;
    check_eq!(ids, [1, 6, 3]);
    Ok(())
}

async fn durations_sort_below_zero_too(db: Db) -> Verdict {
    let of = |micros| Sorted { duration: Duration::from_micros(micros), ..Sorted::default() };
    let rows = vec![of(1), of(-1), of(0), of(-1_000_000), of(999_999)];
    check_eq!(sorted(&db, rows, Sorted::DURATION.asc()).await?, [4, 2, 3, 1, 5]);
    Ok(())
}

async fn enums_sort_as_their_stored_text(db: Db) -> Verdict {
    let of = |size| Sorted { size, ..Sorted::default() };
    let rows = vec![of(Size::Small), of(Size::Medium), of(Size::Large)];
    check_eq!(sorted(&db, rows, Sorted::SIZE.asc()).await?, [2, 1, 3]);
    Ok(())
}

async fn several_orders_decide_one_after_the_other(db: Db) -> Verdict {
    let of = |id, name, quantity| Item { quantity, ..item(id, name) };
    fill(&db, vec![of(1, "b", Some(1)), of(2, "a", Some(1)), of(3, "b", None), of(4, "a", Some(2))]).await?;
    check_eq!(ordered(&db, (Item::NAME.asc(), Item::QUANTITY.desc())).await?, [4, 2, 1, 3]);
    check_eq!(ordered(&db, (Item::QUANTITY.desc(), Item::NAME.asc())).await?, [4, 2, 1, 3]);
    check_eq!(ordered(&db, (Item::QUANTITY.asc(), Item::NAME.desc())).await?, [3, 1, 2, 4]);
    Ok(())
}

async fn a_later_order_by_has_less_weight(db: Db) -> Verdict {
    let of = |id, name, quantity| Item { quantity: Some(quantity), ..item(id, name) };
    fill(&db, vec![of(1, "b", 1), of(2, "a", 2), of(3, "a", 1)]).await?;
    let query = db.find(Item::all()).order_by(Item::NAME.asc()).order_by(Item::QUANTITY.asc());
    check_eq!(keys(query).await?, [3, 2, 1]);
    Ok(())
}

async fn an_expression_orders(db: Db) -> Verdict {
    fill(&db, counted(&[Some(5), Some(-3), Some(1), None])).await?;
    let square = Item::QUANTITY * Item::QUANTITY;
    check_eq!(ordered(&db, square.clone().asc()).await?, [4, 3, 2, 1]);
    check_eq!(ordered(&db, square.desc().nulls_first()).await?, [4, 1, 2, 3]);
    Ok(())
}

async fn a_date_part_orders(db: Db) -> Verdict {
    let of = |year, month| Sorted { date: Some(Date::constant(year, month, 1)), ..Sorted::default() };
    let rows = vec![of(2001, 12), of(2020, 1), of(1999, 6), Sorted::default()];
    check_eq!(sorted(&db, rows, Sorted::DATE.month().asc()).await?, [4, 2, 3, 1]);
    Ok(())
}

async fn the_same_field_twice_is_harmless(db: Db) -> Verdict {
    fill(&db, counted(&[Some(2), Some(3), Some(1)])).await?;
    check_eq!(ordered(&db, (Item::QUANTITY.asc(), Item::QUANTITY.desc())).await?, [3, 1, 2]);
    Ok(())
}

async fn an_order_holds_for_thousands_of_rows(db: Db) -> Verdict {
    let quantities: Vec<Option<i32>> = (0..5000).map(|n| (n % 97 != 0).then_some(n * 7919 % 5003)).collect();
    fill(&db, counted(&quantities)).await?;
    let rows = db.find(Item::all()).order_by((Item::QUANTITY.desc(), Item::ID.asc())).all().await?;
    let found: Vec<(Option<i32>, i64)> = rows.into_iter().map(|row| (row.quantity, row.id)).collect();
    let mut expected: Vec<(Option<i32>, i64)> = quantities.into_iter().zip(1..).collect();
    expected.sort_by(|(a, i), (b, j)| b.cmp(a).then(i.cmp(j)));
    check!(found == expected);
    Ok(())
}

async fn an_order_applies_before_a_limit(db: Db) -> Verdict {
    fill(&db, counted(&[Some(5), Some(1), Some(4), None, Some(3)])).await?;
    check_eq!(keys(db.find(Item::all()).order_by(Item::QUANTITY.desc()).limit(2)).await?, [1, 3]);
    check_eq!(keys(db.find(Item::all()).order_by(Item::QUANTITY.asc()).offset(1).limit(2)).await?, [2, 5]);
    Ok(())
}

async fn comparison_agrees_with_order(db: Db) -> Verdict {
    let texts = ["", " ", "A", "a", "a ", "aa", "z", "ä", "\u{FFFF}", "\u{1F600}"];
    fill(&db, named(&texts)).await?;
    for (position, text) in texts.iter().enumerate() {
        check_eq!(db.find(Item::NAME.lt(*text)).count().await?, position as u64, "what is less than {text:?}");
        check_eq!(db.find(Item::NAME.le(*text)).count().await?, position as u64 + 1, "what is at most {text:?}");
    }
    Ok(())
}
