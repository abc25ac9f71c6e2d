//! Keys: given and assigned, single and composite.

use ommi::prelude::*;

use crate::check::{Verdict, refused};
use crate::models::{Item, User, fill, item, named, user};

cases! { "keys":
    automatic_keys_are_assigned_from_one needs AUTO_INTEGERS UNIQUE,
    automatic_keys_of_a_batch_belong_to_their_rows needs AUTO_INTEGERS UNIQUE,
    given_keys_are_kept_and_later_ones_do_not_collide needs AUTO_INTEGERS UNIQUE,
    a_batch_may_mix_given_and_automatic_keys needs AUTO_INTEGERS UNIQUE,
    the_key_of_a_deleted_row_is_not_assigned_again needs AUTO_INTEGERS UNIQUE,
    automatic_keys_may_be_of_narrow_types needs AUTO_INTEGERS,
    automatic_keys_may_be_optional needs AUTO_INTEGERS,
    a_model_of_nothing_but_its_automatic_key_is_added needs AUTO_INTEGERS,
    uuid_keys_are_assigned_in_order_of_time,
    a_given_uuid_is_kept,
    text_keys_are_exact,
    unsigned_keys_reach_their_end,
    composite_keys_find_one_row,
    composite_keys_are_unique_as_a_whole,
    keys_of_every_ordered_type_find_their_row,
    newtype_keys_work,
    get_of_an_absent_key_is_not_found,
    get_many_keeps_the_order_of_the_keys,
    get_many_leaves_absent_keys_out_and_repeats_repeated_ones,
    get_many_takes_composite_keys,
    get_many_takes_thousands_of_keys,
    a_key_is_not_given_twice,
    a_batch_with_a_key_twice_is_refused,
    a_key_is_changed_by_an_update,
    zero_and_negative_keys_are_keys,
}

async fn automatic_keys_are_assigned_from_one(db: Db) -> Verdict {
    db.create::<User>().await?;
    let first = db.add(user("a")).await?;
    let second = db.add(user("b")).await?;
    check_eq!((first.id, second.id), (1, 2));
    check_eq!(db.get::<User>(2).await?, second);
    Ok(())
}

async fn automatic_keys_of_a_batch_belong_to_their_rows(db: Db) -> Verdict {
    db.create::<User>().await?;
    let users = db.add_all((0..1000).map(|n| user(&format!("user {}", n * 7919 % 1000)))).await?;
    let mut keys: Vec<i64> = users.iter().map(|user| user.id).collect();
    for user in &users {
        let found = db.find(User::EMAIL.eq(&user.email)).one().await?;
        check_eq!(found.id, user.id, "the key of {}", user.email);
    }
    keys.sort_unstable();
    keys.dedup();
    check_eq!(keys.len(), 1000);
    Ok(())
}

async fn given_keys_are_kept_and_later_ones_do_not_collide(db: Db) -> Verdict {
    db.create::<User>().await?;
    let given = db.add(User { id: 100, ..user("a") }).await?;
    check_eq!(given.id, 100);
    let later = db.add_all((0..5).map(|n| user(&n.to_string()))).await?;
    check!(later.iter().all(|user| user.id > 100), "an automatic key is below the given one: {later:?}");
    check_eq!(db.find(User::all()).count().await?, 6);
    Ok(())
}

async fn a_batch_may_mix_given_and_automatic_keys(db: Db) -> Verdict {
    db.create::<User>().await?;
    let rows = vec![user("a"), User { id: 50, ..user("b") }, user("c"), User { id: 7, ..user("d") }, user("e")];
    let added = db.add_all(rows).await?;
    let emails: Vec<&str> = added.iter().map(|user| user.email.as_str()).collect();
    check_eq!(emails, ["a", "b", "c", "d", "e"]);
    check_eq!(added.iter().filter(|user| user.id == 50 || user.id == 7).count(), 2);
    for row in added {
        check_eq!(db.find(User::EMAIL.eq(&row.email)).one().await?, row);
    }
    Ok(())
}

async fn the_key_of_a_deleted_row_is_not_assigned_again(db: Db) -> Verdict {
    db.create::<User>().await?;
    let users = db.add_all(["a", "b", "c"].map(user)).await?;
    let last = users.iter().map(|user| user.id).max().unwrap_or_default();
    check_eq!(db.find(User::all()).delete().await?, 3);
    let next = db.add(user("d")).await?;
    check!(next.id > last, "the key {} was assigned again", next.id);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Narrow {
    #[ommi(key, auto)]
    id: u8,
    name: String,
}

async fn automatic_keys_may_be_of_narrow_types(db: Db) -> Verdict {
    db.create::<Narrow>().await?;
    let added = db.add_all((0..3).map(|_| Narrow::default())).await?;
    check_eq!(added.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2, 3]);
    check_eq!(db.get::<Narrow>(3_u8).await?.id, 3);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Maybe {
    #[ommi(key, auto)]
    id: Option<i64>,
    name: String,
}

async fn automatic_keys_may_be_optional(db: Db) -> Verdict {
    db.create::<Maybe>().await?;
    let added = db.add(Maybe::default()).await?;
    check_eq!(added.id, Some(1));
    check_eq!(db.add(Maybe { id: Some(9), ..Maybe::default() }).await?.id, Some(9));
    check_eq!(db.get::<Maybe>(1).await?, added);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Counter {
    #[ommi(key, auto)]
    id: i64,
}

async fn a_model_of_nothing_but_its_automatic_key_is_added(db: Db) -> Verdict {
    db.create::<Counter>().await?;
    let added = db.add_all(vec![Counter::default(); 3]).await?;
    check_eq!(added, [1, 2, 3].map(|id| Counter { id }));
    check_eq!(db.find(Counter::all()).count().await?, 3);
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Token {
    #[ommi(key, auto)]
    id: Uuid,
    name: String,
}

async fn uuid_keys_are_assigned_in_order_of_time(db: Db) -> Verdict {
    db.create::<Token>().await?;
    let first = db.add(Token::default()).await?;
    check!(!first.id.is_nil());
    check_eq!(first.id.get_version_num(), 7);
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let second = db.add(Token::default()).await?;
    check!(first.id < second.id, "{} came before {}", first.id, second.id);
    check_eq!(db.get::<Token>(second.id).await?, second);
    let many = db.add_all(vec![Token::default(); 100]).await?;
    check!(many.iter().all(|token| !token.id.is_nil()));
    check_eq!(db.find(Token::all()).count().await?, 102);
    Ok(())
}

async fn a_given_uuid_is_kept(db: Db) -> Verdict {
    db.create::<Token>().await?;
    let id = Uuid::from_u128(42);
    check_eq!(db.add(Token { id, name: "x".into() }).await?.id, id);
    check_eq!(db.get::<Token>(id).await?.name, "x");
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Country {
    #[ommi(key)]
    code: String,
    name: String,
}

async fn text_keys_are_exact(db: Db) -> Verdict {
    let codes = ["UA", "ua", "UA ", "", "\u{1F600}", "'", "e\u{301}", "é"];
    let rows = codes.iter().map(|code| Country { code: (*code).into(), name: format!("<{code}>") }).collect();
    fill(&db, rows).await?;
    for code in codes {
        check_eq!(db.get::<Country>(code).await?.name, format!("<{code}>"));
    }
    check!(refused(db.get::<Country>("uA").await)?.is_not_found());
    Ok(())
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Unsigned {
    #[ommi(key)]
    id: u64,
    name: String,
}

async fn unsigned_keys_reach_their_end(db: Db) -> Verdict {
    let ids = [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX];
    fill(&db, ids.iter().map(|id| Unsigned { id: *id, name: id.to_string() }).collect()).await?;
    for id in ids {
        check_eq!(db.get::<Unsigned>(id).await?.name, id.to_string());
    }
    check!(refused(db.add(Unsigned { id: u64::MAX, ..Unsigned::default() }).await)?.is_unique_violation());
    check_eq!(db.find(Unsigned::ID.ge(1_u64 << 63)).count().await?, 2);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Seat {
    #[ommi(key)]
    flight: i64,
    #[ommi(key)]
    place: String,
    #[ommi(key)]
    day: Date,
    guest: Option<String>,
}

fn seat(flight: i64, place: &str, day: i8) -> Seat {
    Seat { flight, place: place.into(), day: Date::constant(2020, 1, day), guest: None }
}

async fn composite_keys_find_one_row(db: Db) -> Verdict {
    fill(&db, vec![seat(1, "12A", 1), seat(1, "12A", 2), seat(1, "12B", 1), seat(2, "12A", 1)]).await?;
    let found = db.get::<Seat>((1, "12A", Date::constant(2020, 1, 2))).await?;
    check_eq!(found, seat(1, "12A", 2));
    check!(refused(db.get::<Seat>((2, "12B", Date::constant(2020, 1, 1))).await)?.is_not_found());
    db.delete(&seat(1, "12B", 1)).await?;
    check_eq!(db.find(Seat::all()).count().await?, 3);
    Ok(())
}

async fn composite_keys_are_unique_as_a_whole(db: Db) -> Verdict {
    fill(&db, vec![seat(1, "a", 1)]).await?;
    db.add_all([seat(1, "a", 2), seat(1, "b", 1), seat(2, "a", 1)]).await?;
    let error = refused(db.add(seat(2, "a", 1)).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.fields(), ["flight", "place", "day"]);
    Ok(())
}

macro_rules! key_of_type {
    ($db:expr, $type:ty, $($value:expr),+) => {{
        #[derive(Model, Clone, Debug, PartialEq)]
        struct Keyed {
            #[ommi(key)]
            key: $type,
            number: i64,
        }
        let values: Vec<$type> = vec![$($value),+];
        fill(&$db, (1..).zip(&values).map(|(number, key)| Keyed { key: key.clone(), number }).collect()).await?;
        for (number, key) in (1..).zip(values) {
            check_eq!(db_get::<Keyed, $type>(&$db, key.clone()).await?.number, number, "the row of {key:?}");
            let again = refused($db.add(Keyed { key, number: 0 }).await)?;
            check!(again.is_unique_violation(), "{again}");
        }
        $db.drop::<Keyed>().await?;
    }};
}

async fn db_get<M: Model<Key = V>, V: Value>(db: &Db, key: V) -> Result<M> {
    db.get::<M>(key).await
}

async fn keys_of_every_ordered_type_find_their_row(db: Db) -> Verdict {
    key_of_type!(db, bool, false, true);
    key_of_type!(db, i8, i8::MIN, 0, i8::MAX);
    key_of_type!(db, u32, 0, u32::MAX);
    key_of_type!(db, Decimal, dec!(1.5), dec!(10), dec!(-1));
    key_of_type!(db, Vec<u8>, vec![], vec![0], vec![255, 0]);
    key_of_type!(db, Uuid, Uuid::nil(), Uuid::max());
    key_of_type!(db, Date, Date::constant(1, 1, 1), Date::constant(9999, 12, 31));
    key_of_type!(db, Time, Time::midnight(), Time::constant(1, 2, 3, 4_000));
    key_of_type!(
        db,
        DateTime,
        DateTime::constant(2020, 1, 1, 0, 0, 0, 0),
        DateTime::constant(2020, 1, 1, 0, 0, 0, 1_000)
    );
    key_of_type!(db, Timestamp, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + Duration::from_micros(1));
    key_of_type!(db, Duration, Duration::ZERO, Duration::from_micros(-1));
    Ok(())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Value)]
struct BookId(i64);

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Book {
    #[ommi(key)]
    id: BookId,
    title: String,
}

async fn newtype_keys_work(db: Db) -> Verdict {
    fill(&db, vec![Book { id: BookId(3), title: "x".into() }]).await?;
    check_eq!(db.get::<Book>(BookId(3)).await?.title, "x");
    check_eq!(db.find(Book::ID.in_([BookId(3), BookId(4)])).count().await?, 1);
    Ok(())
}

async fn get_of_an_absent_key_is_not_found(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.get::<Item>(2).await)?;
    check!(error.is_not_found(), "{error}");
    check_eq!(error.model(), Some("Item"));
    Ok(())
}

async fn get_many_keeps_the_order_of_the_keys(db: Db) -> Verdict {
    fill(&db, named(&["a", "b", "c", "d"])).await?;
    let names: Vec<String> = db.get_many::<Item, _>([3, 1, 4]).await?.into_iter().map(|item| item.name).collect();
    check_eq!(names, ["c", "a", "d"]);
    check_eq!(db.get_many::<Item, i64>([]).await?, []);
    Ok(())
}

async fn get_many_leaves_absent_keys_out_and_repeats_repeated_ones(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    let ids: Vec<i64> = db.get_many::<Item, _>([9, 2, 2, 1, 8, 2]).await?.into_iter().map(|item| item.id).collect();
    check_eq!(ids, [2, 2, 1, 2]);
    Ok(())
}

async fn get_many_takes_composite_keys(db: Db) -> Verdict {
    fill(&db, vec![seat(1, "a", 1), seat(1, "b", 1), seat(2, "a", 1)]).await?;
    let day = Date::constant(2020, 1, 1);
    let found = db.get_many::<Seat, _>([(2, "a", day), (1, "c", day), (1, "b", day)]).await?;
    check_eq!(found, [seat(2, "a", 1), seat(1, "b", 1)]);
    let many = db.get_many::<Seat, _>((0..350).map(|flight| (flight, "a", day))).await?;
    check_eq!(many, [seat(1, "a", 1), seat(2, "a", 1)]);
    Ok(())
}

async fn get_many_takes_thousands_of_keys(db: Db) -> Verdict {
    fill(&db, (0..500).map(|id| item(id, "")).collect()).await?;
    let found = db.get_many::<Item, _>((0..20_000).rev()).await?;
    check_eq!(found.len(), 500);
    check_eq!(found.first().map(|item| item.id), Some(499));
    Ok(())
}

async fn a_key_is_not_given_twice(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.add(item(1, "b")).await)?;
    check!(error.is_unique_violation(), "{error}");
    check_eq!(error.model(), Some("Item"));
    check_eq!(error.fields(), ["id"]);
    check_eq!(db.get::<Item>(1).await?.name, "a");
    Ok(())
}

async fn a_batch_with_a_key_twice_is_refused(db: Db) -> Verdict {
    fill(&db, named(&["a"])).await?;
    let error = refused(db.add_all([item(5, "b"), item(6, "c"), item(5, "d")]).await)?;
    check!(error.is_unique_violation(), "{error}");
    if db.driver().capabilities().transaction.transactions {
        check_eq!(db.find(Item::all()).count().await?, 1);
    }
    Ok(())
}

async fn a_key_is_changed_by_an_update(db: Db) -> Verdict {
    fill(&db, named(&["a", "b"])).await?;
    check_eq!(db.find(Item::ID.eq(1)).update(Item::ID.set(10)).await?, 1);
    check_eq!(db.get::<Item>(10).await?.name, "a");
    check!(refused(db.get::<Item>(1).await)?.is_not_found());
    check!(refused(db.find(Item::ID.eq(10)).update(Item::ID.set(2)).await)?.is_unique_violation());
    Ok(())
}

async fn zero_and_negative_keys_are_keys(db: Db) -> Verdict {
    fill(&db, vec![item(0, "zero"), item(-1, "below"), item(i64::MIN, "least")]).await?;
    check_eq!(db.get::<Item>(0).await?.name, "zero");
    check_eq!(db.get::<Item>(-1).await?.name, "below");
    check_eq!(db.get::<Item>(i64::MIN).await?.name, "least");
    Ok(())
}
