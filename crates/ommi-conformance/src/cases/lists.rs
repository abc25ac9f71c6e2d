//! Lists of scalars.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::fill;

cases! { "lists":
    lists_of_every_type_come_back,
    order_and_repetition_are_kept,
    an_empty_list_is_not_null,
    contains_looks_for_an_element,
    not_contains_is_the_opposite_and_leaves_nulls_out,
    contains_compares_elements_exactly,
    overlaps_shares_an_element,
    overlaps_of_nothing_is_false,
    the_length_counts_elements,
    is_empty_is_unknown_for_null,
    lists_are_equal_element_by_element,
    lists_stand_in_in,
    numbers_in_lists_compare_by_value,
    elements_may_hold_any_text,
    nul_and_nan_are_refused_in_elements,
    a_list_is_replaced_by_an_update,
    a_list_of_thousands_comes_back,
    rows_are_ordered_by_the_length_of_a_list,
}

#[derive(Clone, Copy, Debug, PartialEq, Value)]
enum Mood {
    Calm,
    #[ommi(rename = "very \"merry\"")]
    Merry,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Lists {
    #[ommi(key)]
    id: i64,
    flags: Vec<bool>,
    bytes: Vec<i8>,
    shorts: Vec<u16>,
    large: Vec<u64>,
    floats: Vec<f64>,
    singles: Vec<f32>,
    decimals: Vec<Decimal>,
    texts: Vec<String>,
    blobs: Vec<Vec<u8>>,
    uuids: Vec<Uuid>,
    dates: Vec<Date>,
    times: Vec<Time>,
    moments: Vec<DateTime>,
    instants: Option<Vec<Timestamp>>,
    spans: Vec<Duration>,
    moods: Vec<Mood>,
}

async fn lists_of_every_type_come_back(db: Db) -> Verdict {
    let full = Lists {
        id: 1,
        flags: vec![true, false, true],
        bytes: vec![i8::MIN, 0, i8::MAX],
        shorts: vec![0, u16::MAX],
        large: vec![u64::MAX, 0, 1 << 63, (1 << 63) - 1],
        floats: vec![0.1, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324, 1.0],
        singles: vec![0.1, f32::MAX],
        decimals: vec![dec!(0.1), dec!(-9999999999999999999999999999), dec!(1e-28)],
        texts: ["", "a", "é\u{1F600}", "\"", "\\", "\n", "null", "[1]"].map(String::from).into(),
        blobs: vec![vec![], vec![0, 255], b"text".to_vec()],
        uuids: vec![Uuid::nil(), Uuid::max()],
        dates: vec![Date::constant(1, 1, 1), Date::constant(9999, 12, 31)],
        times: vec![Time::constant(23, 59, 59, 999_999_000)],
        moments: vec![DateTime::constant(1, 1, 1, 0, 0, 0, 1_000)],
        instants: Some(vec![Timestamp::UNIX_EPOCH]),
        spans: vec![Duration::from_micros(i64::MIN), Duration::from_micros(i64::MAX)],
        moods: vec![Mood::Merry, Mood::Calm],
    };
    let rows = vec![full, Lists { id: 2, ..Lists::default() }];
    check_eq!(fill(&db, rows.clone()).await?, rows);
    check_eq!(db.find(Lists::all()).order_by(Lists::ID.asc()).all().await?, rows);
    check_eq!(db.find(Lists::MOODS.contains(Mood::Merry)).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::LARGE.contains(u64::MAX)).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::FLOATS.contains(f64::INFINITY)).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::BLOBS.contains(vec![0_u8, 255])).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::UUIDS.contains(Uuid::max())).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::SPANS.contains(Duration::from_micros(i64::MIN))).select(Lists::ID).all().await?, [1]);
    check_eq!(db.find(Lists::DATES.contains(Date::constant(1, 1, 1))).select(Lists::ID).all().await?, [1]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Tagged {
    #[ommi(key)]
    id: i64,
    tags: Option<Vec<String>>,
    numbers: Vec<i64>,
    amounts: Vec<Decimal>,
    floats: Vec<f64>,
}

async fn tagged(db: &Db, tags: &[Option<&[&str]>]) -> Result<Vec<Tagged>> {
    let texts = |tags: &[&str]| tags.iter().copied().map(String::from).collect();
    let rows = (1..).zip(tags).map(|(id, tags)| Tagged { id, tags: tags.map(texts), ..Tagged::default() }).collect();
    fill(db, rows).await
}

async fn numbered(db: &Db, numbers: &[&[i64]]) -> Result<Vec<Tagged>> {
    let rows =
        (1..).zip(numbers).map(|(id, numbers)| Tagged { id, numbers: numbers.to_vec(), ..Tagged::default() }).collect();
    fill(db, rows).await
}

async fn found(db: &Db, filter: ommi::Filter<Tagged>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Tagged::ID.asc()).all().await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

async fn order_and_repetition_are_kept(db: Db) -> Verdict {
    let rows = numbered(&db, &[&[3, 1, 3, 2, 1], &[1]]).await?;
    check_eq!(db.find(Tagged::all()).order_by(Tagged::ID.asc()).all().await?, rows);
    Ok(())
}

async fn an_empty_list_is_not_null(db: Db) -> Verdict {
    let rows = tagged(&db, &[None, Some(&[]), Some(&[""])]).await?;
    check_eq!(db.find(Tagged::all()).order_by(Tagged::ID.asc()).all().await?, rows);
    check_eq!(found(&db, Tagged::TAGS.is_null()).await?, [1]);
    check_eq!(found(&db, Tagged::TAGS.is_empty()).await?, [2]);
    check_eq!(found(&db, Tagged::TAGS.eq(Vec::<String>::new())).await?, [2]);
    Ok(())
}

async fn contains_looks_for_an_element(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a", "b"]), Some(&["ab"]), Some(&[]), None, Some(&["b"])]).await?;
    check_eq!(found(&db, Tagged::TAGS.contains("b")).await?, [1, 5]);
    check_eq!(found(&db, Tagged::TAGS.contains("a".to_owned())).await?, [1]);
    check_eq!(found(&db, Tagged::TAGS.contains("c")).await?, Vec::<i64>::new());
    Ok(())
}

async fn not_contains_is_the_opposite_and_leaves_nulls_out(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a", "b"]), Some(&[]), None, Some(&["b"])]).await?;
    check_eq!(found(&db, Tagged::TAGS.not_contains("a")).await?, [2, 4]);
    check_eq!(found(&db, !Tagged::TAGS.contains("a")).await?, [2, 4]);
    Ok(())
}

async fn contains_compares_elements_exactly(db: Db) -> Verdict {
    tagged(&db, &[Some(&["A"]), Some(&["a "]), Some(&["a,b"]), Some(&["\"a\""]), Some(&["%"]), Some(&["a"])]).await?;
    check_eq!(found(&db, Tagged::TAGS.contains("a")).await?, [6]);
    check_eq!(found(&db, Tagged::TAGS.contains("\"a\"")).await?, [4]);
    check_eq!(found(&db, Tagged::TAGS.contains("%")).await?, [5]);
    Ok(())
}

async fn overlaps_shares_an_element(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a", "b"]), Some(&["c"]), Some(&["d", "a"]), None, Some(&[])]).await?;
    check_eq!(found(&db, Tagged::TAGS.overlaps(["a", "c"])).await?, [1, 2, 3]);
    check_eq!(found(&db, Tagged::TAGS.overlaps(["x", "d"])).await?, [3]);
    check_eq!(found(&db, !Tagged::TAGS.overlaps(["a"])).await?, [2, 5]);
    let many: Vec<String> = (0..50).map(|n| n.to_string()).chain(["c".into()]).collect();
    check_eq!(found(&db, Tagged::TAGS.overlaps(many)).await?, [2]);
    Ok(())
}

async fn overlaps_of_nothing_is_false(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a"]), Some(&[]), None]).await?;
    check_eq!(found(&db, Tagged::TAGS.overlaps(Vec::<String>::new())).await?, Vec::<i64>::new());
    check_eq!(found(&db, !Tagged::TAGS.overlaps(Vec::<String>::new())).await?, [1, 2]);
    Ok(())
}

async fn the_length_counts_elements(db: Db) -> Verdict {
    numbered(&db, &[&[], &[1], &[1, 1], &[1, 2, 3]]).await?;
    check_eq!(found(&db, Tagged::NUMBERS.len().ge(2)).await?, [3, 4]);
    check_eq!(found(&db, Tagged::NUMBERS.len().eq(0)).await?, [1]);
    let lengths = db.find(Tagged::all()).order_by(Tagged::ID.asc()).select(Tagged::NUMBERS.len()).all().await?;
    check_eq!(lengths, [0, 1, 2, 3]);
    Ok(())
}

async fn is_empty_is_unknown_for_null(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a"]), Some(&[]), None]).await?;
    check_eq!(found(&db, Tagged::TAGS.is_empty()).await?, [2]);
    check_eq!(found(&db, !Tagged::TAGS.is_empty()).await?, [1]);
    let lengths = db.find(Tagged::all()).order_by(Tagged::ID.asc()).select(Tagged::TAGS.len()).all().await?;
    check_eq!(lengths, [Some(1), Some(0), None]);
    Ok(())
}

async fn lists_are_equal_element_by_element(db: Db) -> Verdict {
    numbered(&db, &[&[1, 2], &[2, 1], &[1, 2, 3], &[1], &[]]).await?;
    check_eq!(found(&db, Tagged::NUMBERS.eq(vec![1, 2])).await?, [1]);
    check_eq!(found(&db, Tagged::NUMBERS.ne(vec![1, 2])).await?, [2, 3, 4, 5]);
    check_eq!(found(&db, Tagged::NUMBERS.eq(Vec::new())).await?, [5]);
    Ok(())
}

async fn lists_stand_in_in(db: Db) -> Verdict {
    numbered(&db, &[&[1, 2], &[2, 1], &[], &[3]]).await?;
    check_eq!(found(&db, Tagged::NUMBERS.in_([vec![1, 2], vec![]])).await?, [1, 3]);
    check_eq!(found(&db, Tagged::NUMBERS.not_in([vec![1, 2], vec![]])).await?, [2, 4]);
    let many: Vec<Vec<i64>> = (3..40).map(|n| vec![n]).collect();
    check_eq!(found(&db, Tagged::NUMBERS.in_(many)).await?, [4]);
    Ok(())
}

async fn numbers_in_lists_compare_by_value(db: Db) -> Verdict {
    let rows = vec![
        Tagged { id: 1, amounts: vec![dec!(1.50), dec!(2)], floats: vec![0.0, 1.0], ..Tagged::default() },
        Tagged { id: 2, amounts: vec![dec!(15)], floats: vec![1.5], ..Tagged::default() },
    ];
    fill(&db, rows).await?;
    check_eq!(found(&db, Tagged::AMOUNTS.contains(dec!(1.5))).await?, [1]);
    check_eq!(found(&db, Tagged::AMOUNTS.contains(dec!(2.000))).await?, [1]);
    check_eq!(found(&db, Tagged::AMOUNTS.eq(vec![dec!(15.0)])).await?, [2]);
    check_eq!(found(&db, Tagged::FLOATS.contains(-0.0)).await?, [1]);
    check_eq!(found(&db, Tagged::FLOATS.overlaps([1.5, 9.0])).await?, [2]);
    Ok(())
}

async fn elements_may_hold_any_text(db: Db) -> Verdict {
    let texts =
        ["'; DROP TABLE \"Tagged\"; --", "{\"$gt\": \"\"}", "a,b", "[\"x\"]", "\\", "\u{1F600}", "]", "null", ""];
    let rows: Vec<Option<&[&str]>> = texts.chunks(1).map(Some).collect();
    tagged(&db, &rows).await?;
    for (id, text) in (1_i64..).zip(texts) {
        check_eq!(found(&db, Tagged::TAGS.contains(text)).await?, [id]);
        check_eq!(found(&db, Tagged::TAGS.eq(vec![text.to_owned()])).await?, [id]);
        check_eq!(found(&db, Tagged::TAGS.overlaps([text, "other"])).await?, [id]);
    }
    Ok(())
}

async fn nul_and_nan_are_refused_in_elements(db: Db) -> Verdict {
    tagged(&db, &[]).await?;
    check!(refused(db.add(Tagged { id: 1, tags: Some(vec!["a\0".into()]), ..Tagged::default() }).await)?.is_query());
    check!(refused(db.add(Tagged { id: 1, floats: vec![f64::NAN], ..Tagged::default() }).await)?.is_query());
    check!(refused(db.find(Tagged::TAGS.contains("\0")).all().await)?.is_query());
    check!(refused(db.find(Tagged::FLOATS.overlaps([f64::NAN])).all().await)?.is_query());
    check_eq!(db.find(Tagged::all()).count().await?, 0);
    Ok(())
}

async fn a_list_is_replaced_by_an_update(db: Db) -> Verdict {
    numbered(&db, &[&[1, 2], &[3]]).await?;
    check_eq!(db.find(Tagged::NUMBERS.contains(3)).update(Tagged::NUMBERS.set(vec![9, 9])).await?, 1);
    check_eq!(db.get::<Tagged>(2).await?.numbers, [9, 9]);
    check_eq!(db.find(Tagged::all()).update(Tagged::TAGS.set(vec!["x".to_owned()])).await?, 2);
    check_eq!(found(&db, Tagged::TAGS.contains("x")).await?, [1, 2]);
    Ok(())
}

async fn a_list_of_thousands_comes_back(db: Db) -> Verdict {
    let numbers: Vec<i64> = (0..20_000).map(|n| n * n).collect();
    numbered(&db, &[&numbers, &[]]).await?;
    check!(db.get::<Tagged>(1).await?.numbers == numbers);
    check_eq!(found(&db, Tagged::NUMBERS.contains(19_999 * 19_999)).await?, [1]);
    check_eq!(found(&db, Tagged::NUMBERS.len().eq(20_000)).await?, [1]);
    Ok(())
}

async fn rows_are_ordered_by_the_length_of_a_list(db: Db) -> Verdict {
    tagged(&db, &[Some(&["a", "b"]), None, Some(&[]), Some(&["a"])]).await?;
    let ids = db.find(Tagged::all()).order_by(Tagged::TAGS.len().desc()).select(Tagged::ID).all().await?;
    check_eq!(ids, [1, 4, 3, 2]);
    Ok(())
}
