//! What is large: lists, batches, values, filters.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, fill, item, matching, named};

cases! { "limits":
    in_takes_a_hundred_thousand_values,
    not_in_takes_a_hundred_thousand_values,
    in_takes_a_hundred_thousand_texts,
    in_is_right_at_every_short_length,
    forty_thousand_rows_are_added_at_once,
    forty_thousand_rows_are_read_at_once,
    a_text_of_several_megabytes_comes_back,
    bytes_of_several_megabytes_come_back,
    a_value_beyond_the_limit_is_one_clear_error needs VALUE_LIMIT,
    a_filter_of_hundreds_of_parts_works,
    a_filter_nests_deeply,
    a_select_of_many_expressions_works,
    queries_of_many_shapes_work,
    an_update_sets_many_rows,
}

async fn in_takes_a_hundred_thousand_values(db: Db) -> Verdict {
    fill(&db, (0..100).map(|n| item(n * 1_000, "")).collect()).await?;
    let found = matching(&db, Item::ID.in_(0..100_000)).await?;
    check_eq!(found.len(), 100);
    check_eq!(matching(&db, Item::ID.in_(1..100_000)).await?.len(), 99);
    check_eq!(db.find(Item::ID.in_((0..100_000).map(|n| n * 2))).count().await?, 100);
    check_eq!(db.find(Item::ID.in_(50_000..150_000)).delete().await?, 50);
    Ok(())
}

async fn not_in_takes_a_hundred_thousand_values(db: Db) -> Verdict {
    fill(&db, vec![item(5, ""), item(100_001, ""), item(-1, "")]).await?;
    check_eq!(matching(&db, Item::ID.not_in(0..100_000)).await?, [-1, 100_001]);
    Ok(())
}

async fn in_takes_a_hundred_thousand_texts(db: Db) -> Verdict {
    fill(&db, named(&["5", "99999", "x", "'"])).await?;
    let texts: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    check_eq!(matching(&db, Item::NAME.in_(texts)).await?, [1, 2]);
    Ok(())
}

async fn in_is_right_at_every_short_length(db: Db) -> Verdict {
    fill(&db, (0..20).map(|id| item(id, "")).collect()).await?;
    for length in 0..20 {
        check_eq!(
            matching(&db, Item::ID.in_(0..length)).await?,
            (0..length).collect::<Vec<_>>(),
            "in_ of {length} values"
        );
        check_eq!(
            matching(&db, Item::ID.not_in(0..length)).await?,
            (length..20).collect::<Vec<_>>(),
            "not_in of {length}"
        );
        let repeated = (0..length).chain(0..length);
        check_eq!(db.find(Item::ID.in_(repeated)).count().await?, length.unsigned_abs());
    }
    Ok(())
}

async fn forty_thousand_rows_are_added_at_once(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let rows = (0..40_000).map(|id| Item { quantity: i32::try_from(id % 1000).ok(), ..item(id, "row") });
    let added = db.add_all(rows).await?;
    check_eq!(added.len(), 40_000);
    check_eq!(db.find(Item::all()).count().await?, 40_000);
    check_eq!(db.find(Item::QUANTITY.eq(999)).count().await?, 40);
    check_eq!(db.get::<Item>(39_999).await?.quantity, Some(999));
    Ok(())
}

async fn forty_thousand_rows_are_read_at_once(db: Db) -> Verdict {
    fill(&db, (0..40_000).map(|id| item(id, "row")).collect()).await?;
    let rows = db.find(Item::all()).order_by(Item::ID.asc()).all().await?;
    check_eq!(rows.len(), 40_000);
    check!((0..).zip(&rows).all(|(id, row)| row.id == id));
    Ok(())
}

/// Bytes that a value may have here: several megabytes, or what the database takes.
fn large(db: &Db) -> usize {
    (8 << 20).min(db.driver().capabilities().limits.value_bytes / 2)
}

async fn a_text_of_several_megabytes_comes_back(db: Db) -> Verdict {
    let text: String = "aé\u{1F600}'\"\\%".chars().cycle().take(large(&db) / 3).collect();
    fill(&db, vec![item(1, &text), item(2, "")]).await?;
    check!(db.get::<Item>(1).await?.name == text);
    check_eq!(matching(&db, Item::NAME.eq(&text)).await?, [1]);
    db.find(Item::ID.eq(2)).update(Item::NAME.set(&text)).await?;
    check_eq!(matching(&db, Item::NAME.in_([&text])).await?, [1, 2]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Blob {
    #[ommi(key)]
    id: i64,
    data: Vec<u8>,
}

async fn bytes_of_several_megabytes_come_back(db: Db) -> Verdict {
    let data: Vec<u8> = (0..=255).cycle().take(large(&db)).collect();
    fill(&db, vec![Blob { id: 1, data: data.clone() }]).await?;
    check!(db.get::<Blob>(1).await?.data == data);
    Ok(())
}

async fn a_value_beyond_the_limit_is_one_clear_error(db: Db) -> Verdict {
    let limit = db.driver().capabilities().limits.value_bytes;
    db.create::<Blob>().await?;
    let error = refused(db.add(Blob { id: 1, data: vec![1; limit + 1] }).await)?;
    check!(error.is_query() || error.is_unsupported(), "{error}");
    check_eq!(db.find(Blob::all()).count().await?, 0);
    Ok(())
}

async fn a_filter_of_hundreds_of_parts_works(db: Db) -> Verdict {
    fill(&db, (0..300).map(|id| item(id, &id.to_string())).collect()).await?;
    let any = (0..200).map(|id| Item::ID.eq(id) & Item::NAME.ne("7")).reduce(|any, part| any | part);
    let any = crate::check::present(any)?;
    check_eq!(db.find(any.clone()).count().await?, 199);
    check_eq!(db.find(!any).count().await?, 101);
    let all = (0..200).map(|id| Item::ID.ne(id)).fold(Item::all(), |all, part| all & part);
    check_eq!(db.find(all).count().await?, 100);
    Ok(())
}

async fn a_filter_nests_deeply(db: Db) -> Verdict {
    fill(&db, (0..10).map(|id| item(id, "")).collect()).await?;
    let mut filter = Item::ID.eq(0);
    for n in 0..30 {
        filter = if n % 2 == 0 { !(filter & Item::ID.ne(100)) } else { filter | Item::ID.lt(0) };
    }
    // an odd number of negations
    check_eq!(matching(&db, filter.clone()).await?, (1..10).collect::<Vec<_>>());
    check_eq!(matching(&db, !filter).await?, [0]);
    let mut sum = Item::ID + 1;
    for _ in 0..40 {
        sum = sum + 1;
    }
    check_eq!(matching(&db, sum.eq(41 + 4)).await?, [4]);
    Ok(())
}

async fn a_select_of_many_expressions_works(db: Db) -> Verdict {
    use ommi::query::{Condition, Expr};
    fill(&db, named(&["a"])).await?;
    let output = (0..500).map(|n| Expr::Field(n % 2));
    let rows = db.model(Item::definition()).find(Condition::Const(true)).select(output).rows().await?;
    check_eq!(rows.first().map(Vec::len), Some(500));
    Ok(())
}

async fn queries_of_many_shapes_work(db: Db) -> Verdict {
    fill(&db, (0..10).map(|id| item(id, "")).collect()).await?;
    for parts in 1_u64..300 {
        let any = (0..parts).map(|id| Item::ID.eq(id.cast_signed())).reduce(|any, part| any | part);
        check_eq!(db.find(crate::check::present(any)?).count().await?, parts.min(10));
    }
    Ok(())
}

async fn an_update_sets_many_rows(db: Db) -> Verdict {
    fill(&db, (0..20_000).map(|id| item(id, "old")).collect()).await?;
    check_eq!(db.find(Item::ID.ge(5_000)).update((Item::NAME.set("new"), Item::QUANTITY.set(7))).await?, 15_000);
    check_eq!(db.find(Item::NAME.eq("new") & Item::QUANTITY.eq(7)).count().await?, 15_000);
    check_eq!(db.find(Item::NAME.eq("old")).delete().await?, 5_000);
    Ok(())
}
