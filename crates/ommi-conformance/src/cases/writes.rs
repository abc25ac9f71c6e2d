//! Adding, updating, deleting, saving.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, User, counted, fill, item, keys, matching, named, names, user};

cases! { "writes":
    add_gives_the_row_back,
    add_all_keeps_the_order_of_the_rows,
    add_all_of_nothing_does_nothing,
    add_all_of_one_row_adds_it,
    a_batch_is_added_whole_or_not_at_all needs TRANSACTIONS UNIQUE,
    a_refused_row_leaves_the_table_usable,
    update_says_how_many_rows_matched,
    update_counts_rows_that_stay_the_same,
    update_sees_the_old_values_on_the_right,
    update_sets_several_fields_and_leaves_the_others,
    update_takes_another_field,
    update_of_no_rows_is_zero,
    update_by_any_filter,
    update_with_an_order_or_a_limit_is_refused,
    a_field_is_not_assigned_twice,
    delete_says_how_many_rows_there_were,
    delete_by_any_filter,
    delete_of_everything_is_said_aloud,
    delete_with_a_limit_is_refused,
    save_inserts_an_unassigned_row_and_updates_it_after needs AUTO_INTEGERS UNIQUE,
    save_with_a_given_key_inserts_or_updates,
    update_of_an_instance_writes_the_named_fields_alone,
    update_of_an_instance_refuses_its_key,
    update_of_an_absent_instance_is_not_found,
    reload_reads_all_fields_anew,
    reload_of_a_deleted_row_is_not_found,
    delete_of_an_instance_deletes_its_row_alone,
    delete_of_an_absent_instance_is_not_found,
    an_instance_without_a_key_is_refused needs AUTO_INTEGERS UNIQUE,
    get_or_create_creates_once,
    get_or_create_does_not_call_for_a_row_that_is_there,
    get_or_create_of_several_rows_is_not_unique,
    a_model_without_a_key_is_read_only,
    defaults_do_not_replace_given_values,
    a_write_is_seen_by_the_next_read,
}

async fn add_gives_the_row_back(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let row = Item { note: Some("n".into()), quantity: Some(-1), price: Some(dec!(1.5)), ..item(1, "a") };
    check_eq!(db.add(row.clone()).await?, row);
    check_eq!(db.get::<Item>(1).await?, row);
    Ok(())
}

async fn add_all_keeps_the_order_of_the_rows(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let rows: Vec<Item> = [5, 3, 9, 1].map(|id| item(id, &id.to_string())).into();
    check_eq!(db.add_all(rows.clone()).await?, rows);
    check_eq!(matching(&db, Item::all()).await?, [1, 3, 5, 9]);
    Ok(())
}

async fn add_all_of_nothing_does_nothing(db: Db) -> Verdict {
    db.create::<Item>().await?;
    check_eq!(db.add_all(Vec::<Item>::new()).await?, []);
    check_eq!(db.find(Item::all()).count().await?, 0);
    Ok(())
}

async fn add_all_of_one_row_adds_it(db: Db) -> Verdict {
    db.create::<Item>().await?;
    check_eq!(db.add_all([item(1, "a")]).await?, [item(1, "a")]);
    check_eq!(db.find(Item::all()).all().await?, [item(1, "a")]);
    Ok(())
}

async fn a_batch_is_added_whole_or_not_at_all(db: Db) -> Verdict {
    fill(&db, vec![item(3000, "there")]).await?;
    let error = refused(db.add_all((1..=5000).map(|id| item(id, "new"))).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(matching(&db, Item::all()).await?, [3000]);
    db.add_all((1..3000).map(|id| item(id, "new"))).await?;
    check_eq!(db.find(Item::all()).count().await?, 3000);
    Ok(())
}

async fn a_refused_row_leaves_the_table_usable(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    refused(db.add(item(1, "b")).await)?;
    refused(db.add(item(2, "\0")).await)?;
    db.add(item(2, "c")).await?;
    check_eq!(names(&db, Item::all()).await?, ["a", "c"]);
    Ok(())
}

async fn update_says_how_many_rows_matched(db: Db) -> Verdict {
    fill(&db, counted(&[Some(1), Some(2), Some(3), None])).await?;
    check_eq!(db.find(Item::QUANTITY.ge(2)).update(Item::NAME.set("x")).await?, 2);
    check_eq!(matching(&db, Item::NAME.eq("x")).await?, [2, 3]);
    Ok(())
}

async fn update_counts_rows_that_stay_the_same(db: Db) -> Verdict {
    fill(&db, named(&["a", "a", "b"])).await?;
    check_eq!(db.find(Item::NAME.eq("a")).update(Item::NAME.set("a")).await?, 2);
    check_eq!(db.find(Item::all()).update(Item::NAME.set(Item::NAME)).await?, 3);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Pair {
    #[ommi(key)]
    id: i64,
    a: i32,
    b: i32,
    c: Option<i32>,
}

async fn update_sees_the_old_values_on_the_right(db: Db) -> Verdict {
    fill(&db, vec![Pair { id: 1, a: 1, b: 2, c: None }, Pair { id: 2, a: 3, b: 4, c: Some(9) }]).await?;
    let swap = (Pair::A.set(Pair::B), Pair::B.set(Pair::A), Pair::C.set(Pair::A + Pair::B));
    check_eq!(db.find(Pair::all()).update(swap).await?, 2);
    let rows = db.find(Pair::all()).order_by(Pair::ID.asc()).all().await?;
    check_eq!(rows, [Pair { id: 1, a: 2, b: 1, c: Some(3) }, Pair { id: 2, a: 4, b: 3, c: Some(7) }]);
    Ok(())
}

async fn update_sets_several_fields_and_leaves_the_others(db: Db) -> Verdict {
    let row = Item { note: Some("n".into()), quantity: Some(1), price: Some(dec!(2)), ..item(1, "a") };
    fill(&db, vec![row.clone()]).await?;
    db.find(Item::ID.eq(1)).update((Item::QUANTITY.set(5), Item::NOTE.set("m"))).await?;
    check_eq!(db.get::<Item>(1).await?, Item { quantity: Some(5), note: Some("m".into()), ..row });
    Ok(())
}

async fn update_takes_another_field(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    db.find(Item::all()).update(Item::NOTE.set(Item::NAME)).await?;
    check_eq!(matching(&db, Item::NOTE.eq(Item::NAME)).await?, [1, 2]);
    Ok(())
}

async fn update_of_no_rows_is_zero(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check_eq!(db.find(Item::ID.eq(9)).update(Item::NAME.set("x")).await?, 0);
    check_eq!(db.find(Item::ID.in_(Vec::<i64>::new())).update(Item::NAME.set("x")).await?, 0);
    check_eq!(names(&db, Item::all()).await?, ["a"]);
    Ok(())
}

async fn update_by_any_filter(db: Db) -> Verdict {
    fill(&db, named(&["apple", "Apfel", "pear", "APE"])).await?;
    check_eq!(
        db.find(Item::NAME.istarts_with("ap") & !Item::NAME.ends_with("e")).update(Item::QUANTITY.set(1)).await?,
        2
    );
    check_eq!(matching(&db, Item::QUANTITY.eq(1)).await?, [2, 4]);
    check_eq!(db.find(Item::NAME.regex("^p|e$")).update(Item::QUANTITY.set(Item::QUANTITY + 1)).await?, 2);
    check_eq!(matching(&db, Item::QUANTITY.is_not_null()).await?, [2, 4]);
    Ok(())
}

async fn update_with_an_order_or_a_limit_is_refused(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    check!(refused(db.find(Item::all()).limit(1).update(Item::NAME.set("x")).await)?.is_query());
    check!(refused(db.find(Item::all()).order_by(Item::ID.asc()).update(Item::NAME.set("x")).await)?.is_query());
    check!(refused(db.find(Item::all()).offset(1).update(Item::NAME.set("x")).await)?.is_query());
    check_eq!(names(&db, Item::all()).await?, ["a", "b"]);
    Ok(())
}

async fn a_field_is_not_assigned_twice(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.find(Item::all()).update((Item::NAME.set("x"), Item::NAME.set("y"))).await)?;
    check!(error.is_query(), "{error}");
    check!(refused(db.find(Item::all()).update(Vec::<ommi::Assignment<Item>>::new()).await)?.is_query());
    Ok(())
}

async fn delete_says_how_many_rows_there_were(db: Db) -> Verdict {
    fill(&db, counted(&[Some(1), Some(2), Some(2), None])).await?;
    check_eq!(db.find(Item::QUANTITY.eq(2)).delete().await?, 2);
    check_eq!(db.find(Item::QUANTITY.eq(2)).delete().await?, 0);
    check_eq!(matching(&db, Item::all()).await?, [1, 4]);
    Ok(())
}

async fn delete_by_any_filter(db: Db) -> Verdict {
    fill(&db, named(&["a", "B", "c", "ab"])).await?;
    check_eq!(db.find(Item::NAME.icontains("b") | Item::ID.eq(1)).delete().await?, 3);
    check_eq!(names(&db, Item::all()).await?, ["c"]);
    Ok(())
}

async fn delete_of_everything_is_said_aloud(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "c"])).await?;
    check_eq!(db.find(Item::all()).delete().await?, 3);
    check_eq!(db.find(Item::all()).count().await?, 0);
    db.add(item(1, "again")).await?;
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn delete_with_a_limit_is_refused(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    check!(refused(db.find(Item::all()).limit(1).delete().await)?.is_query());
    check!(refused(db.find(Item::all()).order_by(Item::ID.asc()).delete().await)?.is_query());
    check_eq!(db.find(Item::all()).count().await?, 2);
    Ok(())
}

async fn save_inserts_an_unassigned_row_and_updates_it_after(db: Db) -> Verdict {
    db.create::<User>().await?;
    let mut row = user("a");
    db.save(&mut row).await?;
    check_eq!(row.id, 1);
    row.visits = 7;
    row.name = Some("Ada".into());
    db.save(&mut row).await?;
    check_eq!(db.find(User::all()).all().await?, [row]);
    Ok(())
}

async fn save_with_a_given_key_inserts_or_updates(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let mut there = Item { quantity: Some(1), ..item(1, "changed") };
    let mut absent = item(2, "new");
    db.save(&mut there).await?;
    db.save(&mut absent).await?;
    check_eq!(db.find(Item::all()).order_by(Item::ID.asc()).all().await?, [there, absent]);
    Ok(())
}

async fn update_of_an_instance_writes_the_named_fields_alone(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let row = Item { quantity: Some(5), note: Some("n".into()), ..item(1, "changed") };
    db.update(&row, (Item::QUANTITY, Item::NOTE)).await?;
    check_eq!(db.get::<Item>(1).await?, Item { name: "a".into(), ..row.clone() });
    db.update(&row, Item::NAME).await?;
    check_eq!(db.get::<Item>(1).await?, row);
    check_eq!(db.get::<Item>(2).await?, item(2, "b"));
    Ok(())
}

async fn update_of_an_instance_refuses_its_key(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check!(refused(db.update(&item(1, "x"), (Item::NAME, Item::ID)).await)?.is_query());
    check_eq!(names(&db, Item::all()).await?, ["a"]);
    Ok(())
}

async fn update_of_an_absent_instance_is_not_found(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check!(refused(db.update(&item(9, "x"), Item::NAME).await)?.is_not_found());
    Ok(())
}

async fn reload_reads_all_fields_anew(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let mut row = Item { quantity: Some(9), ..item(1, "mine") };
    db.find(Item::ID.eq(1)).update(Item::NOTE.set("theirs")).await?;
    db.reload(&mut row).await?;
    check_eq!(row, Item { note: Some("theirs".into()), ..item(1, "a") });
    Ok(())
}

async fn reload_of_a_deleted_row_is_not_found(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let mut row = db.get::<Item>(1).await?;
    db.find(Item::all()).delete().await?;
    check!(refused(db.reload(&mut row).await)?.is_not_found());
    check_eq!(row, item(1, "a"));
    Ok(())
}

async fn delete_of_an_instance_deletes_its_row_alone(db: Db) -> Verdict {
    let rows = fill(&db, named(&["a", "a", "a"])).await?;
    if let [_, second, _] = rows.as_slice() {
        db.delete(second).await?;
    }
    check_eq!(matching(&db, Item::all()).await?, [1, 3]);
    Ok(())
}

async fn delete_of_an_absent_instance_is_not_found(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    check!(refused(db.delete(&item(9, "a")).await)?.is_not_found());
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn an_instance_without_a_key_is_refused(db: Db) -> Verdict {
    db.create::<User>().await?;
    let mut row = user("a");
    check!(refused(db.delete(&row).await)?.is_query());
    check!(refused(db.reload(&mut row).await)?.is_query());
    check!(refused(db.update(&row, User::NAME).await)?.is_query());
    Ok(())
}

async fn get_or_create_creates_once(db: Db) -> Verdict {
    db.create::<Item>().await?;
    let first = db.get_or_create(Item::ID.eq(1), || item(1, "new")).await?;
    let second = db.get_or_create(Item::ID.eq(1), || item(1, "other")).await?;
    check_eq!((first, second), (item(1, "new"), item(1, "new")));
    check_eq!(db.find(Item::all()).count().await?, 1);
    Ok(())
}

async fn get_or_create_does_not_call_for_a_row_that_is_there(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let mut calls = 0;
    let found = db
        .get_or_create(Item::NAME.eq("a"), || {
            calls += 1;
            item(2, "a")
        })
        .await?;
    check_eq!((found.id, calls), (1, 0));
    Ok(())
}

async fn get_or_create_of_several_rows_is_not_unique(db: Db) -> Verdict {
    fill(&db, named(&["a", "a"])).await?;
    check!(refused(db.get_or_create(Item::NAME.eq("a"), || item(3, "a")).await)?.is_not_unique());
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[ommi(table = "Item", read_only)]
struct ItemName {
    id: i64,
    name: String,
}

async fn a_model_without_a_key_is_read_only(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let row = ItemName { id: 1, name: "x".into() };
    check!(refused(db.add(row.clone()).await)?.is_schema());
    check!(refused(db.find(ItemName::ID.eq(1)).update(ItemName::NAME.set("x")).await)?.is_schema());
    check!(refused(db.find(ItemName::ID.eq(1)).delete().await)?.is_schema());
    check!(refused(db.delete(&row).await)?.is_schema());
    check_eq!(names(&db, Item::all()).await?, ["a", "b"]);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Defaulted {
    #[ommi(key)]
    id: i64,
    #[ommi(default = "unnamed")]
    name: String,
    #[ommi(default = 5)]
    level: i32,
    #[ommi(default = Some(true))]
    open: Option<bool>,
}

async fn defaults_do_not_replace_given_values(db: Db) -> Verdict {
    let rows = vec![
        Defaulted { id: 1, ..Defaulted::default() },
        Defaulted { id: 2, name: "x".into(), level: 1, open: Some(false) },
    ];
    fill(&db, rows.clone()).await?;
    check_eq!(db.find(Defaulted::all()).order_by(Defaulted::ID.asc()).all().await?, rows);
    Ok(())
}

async fn a_write_is_seen_by_the_next_read(db: Db) -> Verdict {
    db.create::<Item>().await?;
    for id in 1..=50 {
        db.add(item(id, "")).await?;
        check_eq!(db.find(Item::all()).count().await?, u64::try_from(id).unwrap_or_default());
        check_eq!(keys(db.find(Item::ID.eq(id))).await?, [id]);
    }
    Ok(())
}
