//! Limits, pages, cursors, and the ends of queries.

use ommi::prelude::*;

use crate::check::{Verdict, present, refused};
use crate::models::{Item, counted, fill, item, keys, named};

cases! { "pages":
    a_limit_keeps_the_first_rows,
    a_limit_of_zero_gives_nothing,
    a_limit_beyond_the_end_gives_all,
    an_offset_leaves_the_first_rows_out,
    an_offset_beyond_the_end_gives_nothing,
    pages_are_counted_from_zero,
    a_later_limit_replaces_an_earlier_one,
    limits_beyond_any_number_of_rows_are_no_limits,
    count_takes_limit_and_offset_into_account,
    exists_says_whether_there_is_a_row,
    exists_takes_an_offset_into_account,
    first_takes_the_first_row_of_the_order,
    one_wants_exactly_one_row,
    one_by_key_and_more,
    optional_wants_at_most_one_row,
    filters_are_added_to_a_query,
    distinct_gives_each_row_once,
    distinct_values_of_a_nullable_field_hold_null_once,
    distinct_is_ordered_and_limited_after,
    a_projection_gives_tuples_in_the_order_asked,
    cursors_walk_through_all_rows,
    cursors_keep_rows_that_tie,
    cursors_pass_nulls,
    cursors_walk_in_mixed_directions,
    cursors_walk_by_every_type_of_field,
    cursors_walk_by_composite_keys,
    cursors_are_not_disturbed_by_new_rows,
    a_cursor_is_a_text_and_comes_back,
    a_cursor_of_another_order_is_refused,
    a_page_needs_a_limit,
    a_page_is_not_ordered_by_expressions,
    the_last_page_has_no_next,
    a_filter_holds_on_every_page,
}

fn ordered(db: &Db) -> ommi::Query<Item> {
    db.find(Item::all()).order_by(Item::ID.asc())
}

async fn five(db: &Db) -> Result<Vec<Item>> {
    fill(db, named(&["a", "b", "c", "d", "e"])).await
}

async fn a_limit_keeps_the_first_rows(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).limit(2)).await?, [1, 2]);
    check_eq!(keys(db.find(Item::all()).order_by(Item::ID.desc()).limit(2)).await?, [5, 4]);
    check_eq!(db.find(Item::all()).limit(3).all().await?.len(), 3);
    Ok(())
}

async fn a_limit_of_zero_gives_nothing(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).limit(0)).await?, Vec::<i64>::new());
    check_eq!(ordered(&db).limit(0).count().await?, 0);
    check_eq!(ordered(&db).limit(0).optional().await?, None);
    Ok(())
}

async fn a_limit_beyond_the_end_gives_all(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).limit(100)).await?, [1, 2, 3, 4, 5]);
    check_eq!(keys(ordered(&db).limit(5)).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn an_offset_leaves_the_first_rows_out(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).offset(3)).await?, [4, 5]);
    check_eq!(keys(ordered(&db).limit(2).offset(1)).await?, [2, 3]);
    check_eq!(keys(ordered(&db).offset(0)).await?, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn an_offset_beyond_the_end_gives_nothing(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).offset(5)).await?, Vec::<i64>::new());
    check_eq!(keys(ordered(&db).offset(1000).limit(1)).await?, Vec::<i64>::new());
    Ok(())
}

async fn pages_are_counted_from_zero(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).page(0, 2)).await?, [1, 2]);
    check_eq!(keys(ordered(&db).page(1, 2)).await?, [3, 4]);
    check_eq!(keys(ordered(&db).page(2, 2)).await?, [5]);
    check_eq!(keys(ordered(&db).page(3, 2)).await?, Vec::<i64>::new());
    Ok(())
}

async fn a_later_limit_replaces_an_earlier_one(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).limit(1).limit(3)).await?, [1, 2, 3]);
    check_eq!(keys(ordered(&db).offset(4).offset(1).limit(1)).await?, [2]);
    Ok(())
}

async fn limits_beyond_any_number_of_rows_are_no_limits(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).limit(u64::MAX)).await?, [1, 2, 3, 4, 5]);
    check_eq!(keys(ordered(&db).limit(u64::MAX).offset(3)).await?, [4, 5]);
    check_eq!(keys(ordered(&db).offset(u64::MAX)).await?, Vec::<i64>::new());
    check_eq!(keys(ordered(&db).page(u64::MAX, u64::MAX)).await?, Vec::<i64>::new());
    Ok(())
}

async fn count_takes_limit_and_offset_into_account(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(ordered(&db).count().await?, 5);
    check_eq!(ordered(&db).limit(3).count().await?, 3);
    check_eq!(ordered(&db).offset(4).count().await?, 1);
    check_eq!(ordered(&db).offset(4).limit(3).count().await?, 1);
    check_eq!(ordered(&db).offset(9).count().await?, 0);
    check_eq!(db.find(Item::ID.gt(2)).limit(10).count().await?, 3);
    Ok(())
}

async fn exists_says_whether_there_is_a_row(db: Db) -> Verdict {
    five(&db).await?;
    check!(db.find(Item::NAME.eq("c")).exists().await?);
    check!(!db.find(Item::NAME.eq("z")).exists().await?);
    check!(ordered(&db).exists().await?);
    db.find(Item::all()).delete().await?;
    check!(!db.find(Item::all()).exists().await?);
    Ok(())
}

async fn exists_takes_an_offset_into_account(db: Db) -> Verdict {
    five(&db).await?;
    check!(ordered(&db).offset(4).exists().await?);
    check!(!ordered(&db).offset(5).exists().await?);
    check!(!ordered(&db).limit(0).exists().await?);
    Ok(())
}

async fn first_takes_the_first_row_of_the_order(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(db.find(Item::all()).order_by(Item::ID.desc()).first().await?, Some(item(5, "e")));
    check_eq!(ordered(&db).offset(2).first().await?, Some(item(3, "c")));
    check_eq!(db.find(Item::ID.gt(9)).first().await?, None);
    Ok(())
}

async fn one_wants_exactly_one_row(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "b"])).await?;
    check_eq!(db.find(Item::NAME.eq("a")).one().await?, item(1, "a"));
    let error = refused(db.find(Item::NAME.eq("b")).one().await)?;
    check!(error.is_not_unique(), "{error}");
    let error = refused(db.find(Item::NAME.eq("z")).one().await)?;
    check!(error.is_not_found(), "{error}");
    check_eq!(error.model(), Some("Item"));
    check_eq!(ordered(&db).limit(1).offset(1).one().await?.id, 2);
    Ok(())
}

async fn one_by_key_and_more(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(db.find(Item::ID.eq(3)).one().await?.name, "c");
    check_eq!(db.find(Item::ID.eq(3) & Item::NAME.eq("c")).one().await?.id, 3);
    check!(refused(db.find(Item::ID.eq(3) & Item::NAME.eq("d")).one().await)?.is_not_found());
    check!(refused(db.find(Item::ID.eq(3)).offset(1).one().await)?.is_not_found());
    Ok(())
}

async fn optional_wants_at_most_one_row(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "b"])).await?;
    check_eq!(db.find(Item::NAME.eq("a")).optional().await?, Some(item(1, "a")));
    check_eq!(db.find(Item::NAME.eq("z")).optional().await?, None);
    check!(refused(db.find(Item::NAME.eq("b")).optional().await)?.is_not_unique());
    Ok(())
}

async fn filters_are_added_to_a_query(db: Db) -> Verdict {
    five(&db).await?;
    check_eq!(keys(ordered(&db).filter(Item::ID.gt(1)).filter(Item::NAME.lt("d"))).await?, [2, 3]);
    Ok(())
}

async fn distinct_gives_each_row_once(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "a", "A", "a "])).await?;
    let mut names = db.find(Item::all()).select(Item::NAME).distinct().all().await?;
    names.sort();
    check_eq!(names, ["A", "a", "a ", "b"]);
    check_eq!(db.find(Item::all()).select((Item::NAME, Item::ID)).distinct().all().await?.len(), 5);
    Ok(())
}

async fn distinct_values_of_a_nullable_field_hold_null_once(db: Db) -> Verdict {
    fill(&db, counted(&[None, Some(1), None, Some(1), Some(2)])).await?;
    let found = db.find(Item::all()).select(Item::QUANTITY).distinct().order_by(Item::QUANTITY.asc()).all().await?;
    check_eq!(found, [None, Some(1), Some(2)]);
    Ok(())
}

async fn distinct_is_ordered_and_limited_after(db: Db) -> Verdict {
    fill(&db, counted(&[Some(3), Some(1), Some(3), Some(2), Some(1)])).await?;
    let query = || db.find(Item::all()).select(Item::QUANTITY).distinct().order_by(Item::QUANTITY.desc());
    check_eq!(query().limit(2).all().await?, [Some(3), Some(2)]);
    check_eq!(query().offset(1).all().await?, [Some(2), Some(1)]);
    check!(
        refused(db.find(Item::all()).select(Item::NAME).distinct().order_by(Item::ID.asc()).all().await)?.is_query()
    );
    Ok(())
}

async fn a_projection_gives_tuples_in_the_order_asked(db: Db) -> Verdict {
    fill(&db, vec![Item { quantity: Some(5), ..item(1, "a") }, item(2, "b")]).await?;
    let rows: Vec<(Option<i32>, String, i64, String)> =
        ordered(&db).select((Item::QUANTITY, Item::NAME, Item::ID, Item::NAME)).all().await?;
    check_eq!(rows, [(Some(5), "a".into(), 1, "a".into()), (None, "b".into(), 2, "b".into())]);
    check_eq!(ordered(&db).select(Item::NAME).all().await?, ["a", "b"]);
    check_eq!(ordered(&db).select((Item::NAME,)).first().await?, Some(("a".into(),)));
    Ok(())
}

/// The keys of all pages of a query.
async fn walk(query: ommi::Query<Item>, rows: u64) -> Result<Vec<i64>> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    for _ in 0..1000 {
        let page = query.clone().limit(rows).after(cursor).fetch_page().await?;
        ids.extend(page.rows.iter().map(|item| item.id));
        cursor = page.next();
        if cursor.is_none() {
            return Ok(ids);
        }
    }
    Err(Error::query("the pages have no end"))
}

async fn cursors_walk_through_all_rows(db: Db) -> Verdict {
    fill(&db, (1..=23).map(|id| item(id, &format!("{:02}", 23 - id))).collect()).await?;
    for rows in [1, 2, 5, 22, 23, 24] {
        check_eq!(walk(db.find(Item::all()), rows).await?, (1..=23).collect::<Vec<_>>(), "pages of {rows}");
        let by_name = db.find(Item::all()).order_by(Item::NAME.asc());
        check_eq!(walk(by_name, rows).await?, (1..=23).rev().collect::<Vec<_>>(), "pages of {rows} by name");
    }
    Ok(())
}

async fn cursors_keep_rows_that_tie(db: Db) -> Verdict {
    fill(&db, (1..=12).map(|id| Item { quantity: Some(i32::from(id > 7)), ..item(id, "same") }).collect()).await?;
    let query = db.find(Item::all()).order_by((Item::NAME.asc(), Item::QUANTITY.desc()));
    check_eq!(walk(query, 3).await?, [8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

async fn cursors_pass_nulls(db: Db) -> Verdict {
    fill(&db, counted(&[None, Some(2), None, Some(1), Some(2), None])).await?;
    for rows in [1, 2, 4] {
        let by = |order| db.find(Item::all()).order_by(order);
        check_eq!(walk(by(Item::QUANTITY.asc()), rows).await?, [1, 3, 6, 4, 2, 5], "upwards");
        check_eq!(walk(by(Item::QUANTITY.desc()), rows).await?, [2, 5, 4, 1, 3, 6], "downwards");
        check_eq!(walk(by(Item::QUANTITY.asc().nulls_last()), rows).await?, [4, 2, 5, 1, 3, 6], "nulls last");
        check_eq!(walk(by(Item::QUANTITY.desc().nulls_first()), rows).await?, [1, 3, 6, 2, 5, 4], "nulls first");
    }
    Ok(())
}

async fn cursors_walk_in_mixed_directions(db: Db) -> Verdict {
    let of = |id, name, quantity| Item { quantity, ..item(id, name) };
    fill(
        &db,
        vec![of(1, "a", Some(1)), of(2, "b", Some(1)), of(3, "a", Some(2)), of(4, "b", None), of(5, "a", Some(2))],
    )
    .await?;
    let query = || db.find(Item::all()).order_by((Item::NAME.desc(), Item::QUANTITY.asc(), Item::ID.desc()));
    for rows in [1, 2, 3] {
        check_eq!(walk(query(), rows).await?, [4, 2, 1, 5, 3], "pages of {rows}");
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Stamped {
    #[ommi(key)]
    id: Uuid,
    price: Decimal,
    weight: f64,
    at: Timestamp,
    bytes: Vec<u8>,
    large: u64,
    open: bool,
}

async fn cursors_walk_by_every_type_of_field(db: Db) -> Verdict {
    let rows = (0..20_u8).map(|n| Stamped {
        id: Uuid::from_u128(u128::from(n) * 7 % 20),
        price: Decimal::new(i64::from(n) % 7, 1),
        weight: if n == 3 { f64::INFINITY } else { f64::from(n % 5) / 3.0 },
        at: Timestamp::UNIX_EPOCH - Duration::from_micros(i64::from(n % 6)),
        bytes: vec![n % 3, 255],
        large: u64::MAX - u64::from(n % 4),
        open: n % 2 == 0,
    });
    fill(&db, rows.collect()).await?;
    for order in [
        Stamped::PRICE.asc(),
        Stamped::WEIGHT.desc(),
        Stamped::AT.asc(),
        Stamped::BYTES.desc(),
        Stamped::LARGE.asc(),
        Stamped::OPEN.desc(),
        Stamped::ID.desc(),
    ] {
        let all = db.find(Stamped::all()).order_by((order.clone(), Stamped::ID.asc())).all().await?;
        let (mut walked, mut cursor) = (Vec::new(), None);
        for _ in 0..10 {
            let page = db.find(Stamped::all()).order_by(order.clone()).limit(3).after(cursor).fetch_page().await?;
            cursor = page.next();
            walked.extend(page.rows);
            if cursor.is_none() {
                break;
            }
        }
        check_eq!(walked, all);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Composite {
    #[ommi(key)]
    a: String,
    #[ommi(key)]
    b: i64,
    rank: Option<i64>,
}

async fn cursors_walk_by_composite_keys(db: Db) -> Verdict {
    let rows: Vec<Composite> =
        (0..15).map(|n| Composite { a: format!("{}", n % 3), b: n / 3, rank: (n % 4 > 0).then_some(1) }).collect();
    fill(&db, rows).await?;
    let all = db
        .find(Composite::all())
        .order_by((Composite::RANK.desc(), Composite::A.asc(), Composite::B.asc()))
        .all()
        .await?;
    let (mut walked, mut cursor) = (Vec::new(), None);
    for _ in 0..10 {
        let page =
            db.find(Composite::all()).order_by(Composite::RANK.desc()).limit(4).after(cursor).fetch_page().await?;
        cursor = page.next();
        walked.extend(page.rows);
        if cursor.is_none() {
            break;
        }
    }
    check_eq!(walked, all);
    Ok(())
}

async fn cursors_are_not_disturbed_by_new_rows(db: Db) -> Verdict {
    fill(&db, [10, 20, 30, 40].map(|id| item(id, "")).into()).await?;
    let query = || db.find(Item::all()).limit(2);
    let page = query().fetch_page().await?;
    db.add_all([item(5, ""), item(25, "")]).await?;
    db.find(Item::ID.eq(20)).delete().await?;
    let next = query().after(page.next()).fetch_page().await?;
    check_eq!(next.rows.iter().map(|item| item.id).collect::<Vec<_>>(), [25, 30]);
    Ok(())
}

async fn a_cursor_is_a_text_and_comes_back(db: Db) -> Verdict {
    fill(&db, vec![Item { price: Some(dec!(1.5)), ..item(1, "a'\"\u{1F600}") }, item(2, "b"), item(3, "c")]).await?;
    let query = || db.find(Item::all()).order_by((Item::NAME.asc(), Item::PRICE.desc())).limit(1);
    let cursor = present(query().fetch_page().await?.next())?;
    let text = cursor.to_string();
    check!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text} is not fit for a URL");
    let back: ommi::Cursor = text.parse()?;
    check_eq!(back, cursor);
    check_eq!(query().after(back).fetch_page().await?.rows, [item(2, "b")]);
    Ok(())
}

async fn a_cursor_of_another_order_is_refused(db: Db) -> Verdict {
    five(&db).await?;
    let cursor = present(db.find(Item::all()).order_by(Item::NAME.asc()).limit(2).fetch_page().await?.next())?;
    check!(refused(db.find(Item::all()).limit(2).after(cursor.clone()).fetch_page().await)?.is_query());
    check!(
        refused(db.find(Item::all()).order_by(Item::QUANTITY.asc()).limit(2).after(cursor).fetch_page().await)?
            .is_query()
    );
    for text in ["", "zz", "é", "5b31", "123"] {
        check!(refused(text.parse::<ommi::Cursor>())?.is_query());
    }
    Ok(())
}

async fn a_page_needs_a_limit(db: Db) -> Verdict {
    five(&db).await?;
    check!(refused(db.find(Item::all()).fetch_page().await)?.is_query());
    Ok(())
}

async fn a_page_is_not_ordered_by_expressions(db: Db) -> Verdict {
    five(&db).await?;
    check!(refused(db.find(Item::all()).order_by((Item::QUANTITY + 1).asc()).limit(2).fetch_page().await)?.is_query());
    Ok(())
}

async fn the_last_page_has_no_next(db: Db) -> Verdict {
    five(&db).await?;
    check!(db.find(Item::all()).limit(5).fetch_page().await?.next().is_none());
    check!(db.find(Item::all()).limit(4).fetch_page().await?.next().is_some());
    check!(db.find(Item::ID.gt(9)).limit(4).fetch_page().await?.next().is_none());
    check_eq!(db.find(Item::ID.gt(9)).limit(4).fetch_page().await?.rows, []);
    Ok(())
}

async fn a_filter_holds_on_every_page(db: Db) -> Verdict {
    fill(&db, (1..=20).map(|id| item(id, if id % 3 == 0 { "yes" } else { "no" })).collect()).await?;
    check_eq!(walk(db.find(Item::NAME.eq("yes") | Item::ID.eq(1)), 2).await?, [1, 3, 6, 9, 12, 15, 18]);
    Ok(())
}
