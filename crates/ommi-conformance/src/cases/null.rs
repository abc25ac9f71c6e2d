//! Nulls, in three-valued logic.

use ommi::prelude::*;

use crate::check::Verdict;
use crate::models::{Item, counted, fill, item, matching};

cases! { "null":
    eq_none_means_is_null,
    ne_none_means_is_not_null,
    comparing_with_null_is_unknown_and_such_rows_are_not_returned,
    ordering_by_the_constant_null_matches_nothing_even_negated,
    not_of_unknown_is_unknown,
    not_twice_leaves_unknown_unknown,
    true_or_unknown_is_true,
    false_and_unknown_is_false,
    null_is_not_equal_to_null_between_fields,
    null_does_not_differ_from_a_value_between_fields,
    in_with_none_means_null_or_one_of_the_others,
    in_with_none_alone_means_is_null,
    not_in_with_none_means_not_null_and_none_of_the_others,
    not_in_without_none_leaves_nulls_out,
    in_of_nothing_matches_nothing_not_even_null,
    not_in_of_nothing_matches_everything_even_null,
    negated_in_leaves_nulls_out,
    between_leaves_nulls_out,
    text_tests_of_null_are_unknown_negated_or_not,
    arithmetic_with_null_is_null,
    a_required_field_is_never_null,
    none_is_stored_as_null_and_empty_text_is_not,
    an_update_sets_null_and_takes_it_away,
    a_filter_of_constants_alone_decides_for_all_rows,
}

async fn sample(db: &Db) -> Result<Vec<Item>> {
    fill(db, counted(&[None, Some(0), Some(1), Some(2), None])).await
}

async fn eq_none_means_is_null(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.eq(None)).await?, [1, 5]);
    check_eq!(matching(&db, Item::QUANTITY.is_null()).await?, [1, 5]);
    check_eq!(matching(&db, !Item::QUANTITY.eq(None)).await?, [2, 3, 4]);
    Ok(())
}

async fn ne_none_means_is_not_null(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.ne(None)).await?, [2, 3, 4]);
    check_eq!(matching(&db, Item::QUANTITY.is_not_null()).await?, [2, 3, 4]);
    check_eq!(matching(&db, !Item::QUANTITY.ne(None)).await?, [1, 5]);
    Ok(())
}

async fn comparing_with_null_is_unknown_and_such_rows_are_not_returned(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.eq(1)).await?, [3]);
    check_eq!(matching(&db, Item::QUANTITY.ne(1)).await?, [2, 4]);
    check_eq!(matching(&db, Item::QUANTITY.lt(1)).await?, [2]);
    check_eq!(matching(&db, Item::QUANTITY.le(1)).await?, [2, 3]);
    check_eq!(matching(&db, Item::QUANTITY.gt(1)).await?, [4]);
    check_eq!(matching(&db, Item::QUANTITY.ge(1)).await?, [3, 4]);
    Ok(())
}

async fn ordering_by_the_constant_null_matches_nothing_even_negated(db: Db) -> Verdict {
    sample(&db).await?;
    let nothing: [i64; 0] = [];
    check_eq!(matching(&db, Item::QUANTITY.lt(None)).await?, nothing);
    check_eq!(matching(&db, Item::QUANTITY.ge(None)).await?, nothing);
    check_eq!(matching(&db, !Item::QUANTITY.lt(None)).await?, nothing);
    check_eq!(matching(&db, Item::QUANTITY.between(None, 5)).await?, nothing);
    // the part that is known decides: 0 is not between null and -1
    check_eq!(matching(&db, !Item::QUANTITY.between(None, -1)).await?, [2, 3, 4]);
    Ok(())
}

async fn not_of_unknown_is_unknown(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, !Item::QUANTITY.gt(0)).await?, [2]);
    check_eq!(matching(&db, !Item::QUANTITY.eq(1)).await?, [2, 4]);
    Ok(())
}

async fn not_twice_leaves_unknown_unknown(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, !!Item::QUANTITY.gt(0)).await?, [3, 4]);
    check_eq!(matching(&db, !(!(Item::QUANTITY.gt(0) | Item::QUANTITY.lt(0)))).await?, [3, 4]);
    Ok(())
}

async fn true_or_unknown_is_true(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.gt(1) | Item::ID.eq(1)).await?, [1, 4]);
    check_eq!(matching(&db, !(Item::QUANTITY.gt(1) | Item::ID.eq(1))).await?, [2, 3]);
    Ok(())
}

async fn false_and_unknown_is_false(db: Db) -> Verdict {
    sample(&db).await?;
    // for the key 1: not (unknown and true) is unknown; for the key 5: not (unknown and false) is true
    check_eq!(matching(&db, !(Item::QUANTITY.gt(1) & Item::ID.lt(4))).await?, [2, 3, 4, 5]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Pair {
    #[ommi(key)]
    id: i64,
    a: Option<i32>,
    b: Option<i32>,
}

async fn pairs(db: &Db) -> Result<Vec<Pair>> {
    let of = |id, a, b| Pair { id, a, b };
    let rows = vec![
        of(1, None, None),
        of(2, Some(1), None),
        of(3, None, Some(1)),
        of(4, Some(1), Some(1)),
        of(5, Some(1), Some(2)),
    ];
    fill(db, rows).await
}

async fn pair_keys(db: &Db, filter: ommi::Filter<Pair>) -> Result<Vec<i64>> {
    let rows = db.find(filter).order_by(Pair::ID.asc()).all().await?;
    Ok(rows.into_iter().map(|pair| pair.id).collect())
}

async fn null_is_not_equal_to_null_between_fields(db: Db) -> Verdict {
    pairs(&db).await?;
    check_eq!(pair_keys(&db, Pair::A.eq(Pair::B)).await?, [4]);
    check_eq!(pair_keys(&db, !Pair::A.eq(Pair::B)).await?, [5]);
    check_eq!(pair_keys(&db, Pair::A.le(Pair::B)).await?, [4, 5]);
    Ok(())
}

async fn null_does_not_differ_from_a_value_between_fields(db: Db) -> Verdict {
    pairs(&db).await?;
    check_eq!(pair_keys(&db, Pair::A.ne(Pair::B)).await?, [5]);
    check_eq!(pair_keys(&db, Pair::A.ne(Pair::B) | Pair::A.eq(Pair::B)).await?, [4, 5]);
    Ok(())
}

async fn in_with_none_means_null_or_one_of_the_others(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.in_([None, Some(2)])).await?, [1, 4, 5]);
    let long: Vec<Option<i32>> = (2..40).map(Some).chain([None]).collect();
    check_eq!(matching(&db, Item::QUANTITY.in_(long)).await?, [1, 4, 5]);
    Ok(())
}

async fn in_with_none_alone_means_is_null(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.in_([None::<i32>])).await?, [1, 5]);
    check_eq!(matching(&db, Item::QUANTITY.not_in([None::<i32>])).await?, [2, 3, 4]);
    Ok(())
}

async fn not_in_with_none_means_not_null_and_none_of_the_others(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.not_in([None, Some(2)])).await?, [2, 3]);
    let long: Vec<Option<i32>> = (1..40).map(Some).chain([None]).collect();
    check_eq!(matching(&db, Item::QUANTITY.not_in(long)).await?, [2]);
    Ok(())
}

async fn not_in_without_none_leaves_nulls_out(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.not_in([0, 7])).await?, [3, 4]);
    check_eq!(matching(&db, Item::QUANTITY.not_in(5..50)).await?, [2, 3, 4]);
    Ok(())
}

async fn in_of_nothing_matches_nothing_not_even_null(db: Db) -> Verdict {
    sample(&db).await?;
    let nothing: [i64; 0] = [];
    check_eq!(matching(&db, Item::QUANTITY.in_(Vec::<i32>::new())).await?, nothing);
    check_eq!(matching(&db, !Item::QUANTITY.in_(Vec::<i32>::new())).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn not_in_of_nothing_matches_everything_even_null(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.not_in(Vec::<i32>::new())).await?, [1, 2, 3, 4, 5]);
    check_eq!(matching(&db, Item::QUANTITY.not_in(Vec::<i32>::new()) & Item::ID.gt(3)).await?, [4, 5]);
    Ok(())
}

async fn negated_in_leaves_nulls_out(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, !Item::QUANTITY.in_([1])).await?, [2, 4]);
    check_eq!(matching(&db, !Item::QUANTITY.not_in([1])).await?, [3]);
    Ok(())
}

async fn between_leaves_nulls_out(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(matching(&db, Item::QUANTITY.between(0, 1)).await?, [2, 3]);
    check_eq!(matching(&db, !Item::QUANTITY.between(0, 1)).await?, [4]);
    Ok(())
}

async fn text_tests_of_null_are_unknown_negated_or_not(db: Db) -> Verdict {
    let noted = |id, note: Option<&str>| Item { note: note.map(Into::into), ..item(id, "") };
    fill(&db, vec![noted(1, None), noted(2, Some("abc")), noted(3, Some(""))]).await?;
    check_eq!(matching(&db, Item::NOTE.contains("b")).await?, [2]);
    check_eq!(matching(&db, Item::NOTE.not_contains("b")).await?, [3]);
    check_eq!(matching(&db, !Item::NOTE.starts_with("a")).await?, [3]);
    check_eq!(matching(&db, Item::NOTE.not_like("a%")).await?, [3]);
    check_eq!(matching(&db, !Item::NOTE.ilike("A%")).await?, [3]);
    check_eq!(matching(&db, !Item::NOTE.ieq("ABC")).await?, [3]);
    check_eq!(matching(&db, !Item::NOTE.regex("b")).await?, [3]);
    check_eq!(matching(&db, Item::NOTE.contains("")).await?, [2, 3]);
    Ok(())
}

async fn arithmetic_with_null_is_null(db: Db) -> Verdict {
    pairs(&db).await?;
    check_eq!(pair_keys(&db, (Pair::A + Pair::B).is_null()).await?, [1, 2, 3]);
    check_eq!(pair_keys(&db, (Pair::A * 0).eq(0)).await?, [2, 4, 5]);
    let sums = db.find(Pair::all()).order_by(Pair::ID.asc()).select(Pair::A + Pair::B).all().await?;
    check_eq!(sums, [None, None, None, Some(2), Some(3)]);
    Ok(())
}

async fn a_required_field_is_never_null(db: Db) -> Verdict {
    sample(&db).await?;
    let nothing: [i64; 0] = [];
    check_eq!(matching(&db, Item::NAME.is_null()).await?, nothing);
    check_eq!(matching(&db, Item::NAME.is_not_null()).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn none_is_stored_as_null_and_empty_text_is_not(db: Db) -> Verdict {
    let empty = Item { note: Some(String::new()), ..item(2, "") };
    let rows = fill(&db, vec![item(1, ""), empty]).await?;
    check_eq!(db.find(Item::all()).order_by(Item::ID.asc()).all().await?, rows);
    check_eq!(matching(&db, Item::NOTE.is_null()).await?, [1]);
    check_eq!(matching(&db, Item::NOTE.eq("")).await?, [2]);
    Ok(())
}

async fn an_update_sets_null_and_takes_it_away(db: Db) -> Verdict {
    sample(&db).await?;
    check_eq!(db.find(Item::QUANTITY.gt(0)).update(Item::QUANTITY.set(None)).await?, 2);
    check_eq!(matching(&db, Item::QUANTITY.is_null()).await?, [1, 3, 4, 5]);
    check_eq!(db.find(Item::QUANTITY.is_null()).update(Item::QUANTITY.set(9)).await?, 4);
    check_eq!(matching(&db, Item::QUANTITY.eq(9)).await?, [1, 3, 4, 5]);
    Ok(())
}

async fn a_filter_of_constants_alone_decides_for_all_rows(db: Db) -> Verdict {
    sample(&db).await?;
    let nothing: [i64; 0] = [];
    check_eq!(matching(&db, Item::all()).await?, [1, 2, 3, 4, 5]);
    check_eq!(matching(&db, !Item::all()).await?, nothing);
    check_eq!(matching(&db, Item::all() & Item::ID.eq(2)).await?, [2]);
    check_eq!(matching(&db, !Item::all() | Item::ID.eq(2)).await?, [2]);
    Ok(())
}
