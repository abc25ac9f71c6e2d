//! Inserts that find the row there already.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, User, fill, item, named, names, user};

cases! { "upsert":
    upsert_inserts_a_row_that_is_absent,
    upsert_updates_all_fields_of_a_row_that_is_there,
    upsert_gives_the_rows_as_they_are_stored,
    upsert_all_inserts_and_updates,
    upsert_of_nothing_does_nothing,
    do_nothing_leaves_the_row_that_is_there,
    do_nothing_counts_what_it_wrote,
    named_fields_alone_are_updated,
    assignments_see_the_old_values,
    upsert_finds_by_a_unique_group needs UNIQUE AUTO_INTEGERS,
    upsert_finds_by_a_group_of_several_fields needs UNIQUE,
    upsert_on_fields_that_are_not_unique_is_refused,
    a_conflict_on_another_unique_group_is_a_constraint_error needs UNIQUE AUTO_INTEGERS,
    a_null_in_the_group_never_conflicts needs UNIQUE,
    upsert_twice_gives_the_same_rows,
    upsert_by_a_composite_key,
    upsert_of_automatic_keys_inserts_with_new_ones needs UNIQUE AUTO_INTEGERS,
    a_batch_of_upserts_is_written_whole_or_not_at_all needs TRANSACTIONS UNIQUE AUTO_INTEGERS,
    thousands_of_rows_are_upserted,
}

async fn upsert_inserts_a_row_that_is_absent(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check_eq!(db.upsert(item(2, "b")).await?, [item(2, "b")]);
    check_eq!(names(&db, Item::all()).await?, ["a", "b"]);
    Ok(())
}

async fn upsert_updates_all_fields_of_a_row_that_is_there(db: Db) -> Verdict {
    fill(&db, vec![Item { note: Some("old".into()), quantity: Some(1), ..item(1, "a") }]).await?;
    let new = Item { quantity: Some(2), price: Some(dec!(3)), ..item(1, "b") };
    db.upsert(new.clone()).await?;
    check_eq!(db.find(Item::all()).all().await?, [new]);
    Ok(())
}

async fn upsert_gives_the_rows_as_they_are_stored(db: Db) -> Verdict {
    fill(&db, vec![Item { note: Some("kept".into()), ..item(1, "a") }]).await?;
    let stored = db.upsert_all([item(1, "b"), item(2, "c")]).update(Item::NAME).await?;
    check_eq!(stored, [Item { note: Some("kept".into()), ..item(1, "b") }, item(2, "c")]);
    Ok(())
}

async fn upsert_all_inserts_and_updates(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    check_eq!(db.upsert_all([item(2, "B"), item(3, "C"), item(1, "A")]).count().await?, 3);
    check_eq!(names(&db, Item::all()).await?, ["A", "B", "C"]);
    Ok(())
}

async fn upsert_of_nothing_does_nothing(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check_eq!(db.upsert_all(Vec::<Item>::new()).await?, []);
    check_eq!(db.upsert_all(Vec::<Item>::new()).count().await?, 0);
    Ok(())
}

async fn do_nothing_leaves_the_row_that_is_there(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let stored = db.upsert_all([item(1, "x"), item(2, "b")]).do_nothing().await?;
    check_eq!(stored, [item(1, "a"), item(2, "b")]);
    check_eq!(names(&db, Item::all()).await?, ["a", "b"]);
    Ok(())
}

async fn do_nothing_counts_what_it_wrote(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "c"])).await?;
    check_eq!(db.upsert_all((1..=5).map(|id| item(id, "x"))).do_nothing().count().await?, 2);
    check_eq!(db.upsert_all((1..=5).map(|id| item(id, "x"))).do_nothing().count().await?, 0);
    check_eq!(names(&db, Item::all()).await?, ["a", "b", "c", "x", "x"]);
    Ok(())
}

async fn named_fields_alone_are_updated(db: Db) -> Verdict {
    fill(&db, vec![Item { note: Some("n".into()), quantity: Some(1), ..item(1, "a") }]).await?;
    db.upsert(Item { quantity: Some(2), ..item(1, "b") }).update((Item::QUANTITY, Item::NOTE)).await?;
    check_eq!(db.get::<Item>(1).await?, Item { quantity: Some(2), ..item(1, "a") });
    Ok(())
}

async fn assignments_see_the_old_values(db: Db) -> Verdict {
    let of = |id, quantity| Item { quantity: Some(quantity), ..item(id, "a") };
    fill(&db, vec![of(1, 10)]).await?;
    db.upsert_all([of(1, 500), of(2, 500)])
        .set((Item::QUANTITY.set(Item::QUANTITY + 1), Item::NOTE.set("again")))
        .await?;
    check_eq!(db.get::<Item>(1).await?, Item { note: Some("again".into()), ..of(1, 11) });
    check_eq!(db.get::<Item>(2).await?, of(2, 500));
    Ok(())
}

async fn upsert_finds_by_a_unique_group(db: Db) -> Verdict {
    let added = fill(&db, vec![user("a")]).await?;
    let stored = db.upsert(User { visits: 5, ..user("a") }).on(User::EMAIL).await?;
    check_eq!(
        stored.iter().map(|user| user.id).collect::<Vec<_>>(),
        added.iter().map(|user| user.id).collect::<Vec<_>>()
    );
    check_eq!(db.find(User::all()).one().await?.visits, 5);
    let stored = db.upsert(User { visits: 1, ..user("b") }).on(User::EMAIL).await?;
    check_eq!(db.find(User::EMAIL.eq("b")).all().await?, stored);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
#[ommi(unique(country, city))]
struct Place {
    #[ommi(key)]
    id: i64,
    country: String,
    city: Option<String>,
    people: i64,
}

fn place(id: i64, country: &str, city: Option<&str>, people: i64) -> Place {
    Place { id, country: country.into(), city: city.map(Into::into), people }
}

async fn upsert_finds_by_a_group_of_several_fields(db: Db) -> Verdict {
    fill(&db, vec![place(1, "UA", Some("Kyiv"), 1), place(2, "UA", Some("Lviv"), 2)]).await?;
    let stored =
        db.upsert(place(9, "UA", Some("Lviv"), 5)).on((Place::CITY, Place::COUNTRY)).update(Place::PEOPLE).await?;
    check_eq!(stored, [place(2, "UA", Some("Lviv"), 5)]);
    check_eq!(db.find(Place::all()).count().await?, 2);
    Ok(())
}

async fn upsert_on_fields_that_are_not_unique_is_refused(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.upsert(item(1, "b")).on(Item::NAME).await)?;
    check!(error.is_query(), "{error}");
    check!(refused(db.upsert(item(1, "b")).on((Item::ID, Item::NAME)).do_nothing().count().await)?.is_query());
    check_eq!(names(&db, Item::all()).await?, ["a"]);
    Ok(())
}

async fn a_conflict_on_another_unique_group_is_a_constraint_error(db: Db) -> Verdict {
    fill(&db, vec![user("a"), user("b")]).await?;
    let error = refused(db.upsert(User { id: 77, ..user("a") }).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["email"]);
    check!(refused(db.upsert(User { id: 77, ..user("a") }).do_nothing().count().await)?.is_unique_violation());
    check!(
        refused(db.upsert(User { id: 2, ..user("c") }).on(User::EMAIL).do_nothing().count().await)?
            .is_unique_violation()
    );
    check_eq!(db.find(User::all()).count().await?, 2);
    Ok(())
}

async fn a_null_in_the_group_never_conflicts(db: Db) -> Verdict {
    fill(&db, vec![place(1, "UA", None, 1)]).await?;
    check_eq!(db.upsert(place(2, "UA", None, 2)).on((Place::COUNTRY, Place::CITY)).await?, [place(2, "UA", None, 2)]);
    check_eq!(db.find(Place::all()).count().await?, 2);
    Ok(())
}

async fn upsert_twice_gives_the_same_rows(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let rows: Vec<Item> = (1..=20).map(|id| item(id, &format!("name {id}"))).collect();
    for _ in 0..2 {
        check_eq!(db.upsert_all(rows.clone()).await?, rows);
        check_eq!(db.find(Item::all()).count().await?, 20);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Score {
    #[ommi(key)]
    player: String,
    #[ommi(key)]
    level: i32,
    points: i64,
}

async fn upsert_by_a_composite_key(db: Db) -> Verdict {
    let of = |player: &str, level, points| Score { player: player.into(), level, points };
    fill(&db, vec![of("a", 1, 10), of("a", 2, 20)]).await?;
    db.upsert_all([of("a", 2, 25), of("b", 2, 5)]).await?;
    let rows = db.find(Score::all()).order_by((Score::PLAYER.asc(), Score::LEVEL.asc())).all().await?;
    check_eq!(rows, [of("a", 1, 10), of("a", 2, 25), of("b", 2, 5)]);
    Ok(())
}

async fn upsert_of_automatic_keys_inserts_with_new_ones(db: Db) -> Verdict {
    fill(&db, vec![user("a")]).await?;
    let stored = db.upsert_all([user("b"), User { id: 1, visits: 3, ..user("a") }, user("c")]).await?;
    check_eq!(stored.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
    for row in &stored {
        check_eq!(db.get::<User>(row.id).await?, *row);
    }
    check_eq!(db.find(User::all()).count().await?, 3);
    check_eq!(db.get::<User>(1).await?.visits, 3);
    Ok(())
}

async fn a_batch_of_upserts_is_written_whole_or_not_at_all(db: Db) -> Verdict {
    fill(&db, vec![user("a"), user("b")]).await?;
    let rows = [User { id: 1, visits: 9, ..user("a") }, User { id: 3, ..user("b") }];
    check!(refused(db.upsert_all(rows).await)?.is_unique_violation());
    check_eq!(db.get::<User>(1).await?.visits, 0);
    check_eq!(db.find(User::all()).count().await?, 2);
    Ok(())
}

async fn thousands_of_rows_are_upserted(db: Db) -> Verdict {
    fill(&db, (0..1000).map(|id| item(id, "old")).collect()).await?;
    check_eq!(db.upsert_all((500..3000).map(|id| item(id, "new"))).count().await?, 2500);
    check_eq!(db.find(Item::NAME.eq("old")).count().await?, 500);
    check_eq!(db.find(Item::NAME.eq("new")).count().await?, 2500);
    Ok(())
}
