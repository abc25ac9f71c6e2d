//! Upserts, and the rows that they give back.

use ommi::prelude::*;

use super::{Seat, User, databases, user};

#[tokio::test]
async fn an_upsert_gives_rows_that_cannot_collide_with_their_keys() {
    for db in databases().await.unwrap() {
        let by_key = db.upsert_all([user("a", 1), user("b", 1)]).await.unwrap();
        assert_eq!(by_key.iter().map(|user| user.id).collect::<Vec<_>>(), [1, 2]);
        let known = User { email: Some("c".into()), ..user("c", 1) };
        let by_email = db.upsert_all([user("d", 1), known.clone(), user("e", 1)]).on(User::EMAIL).await.unwrap();
        assert_eq!(by_email.iter().map(|user| &*user.name).collect::<Vec<_>>(), ["d", "c", "e"]);
        for user in by_email {
            assert_eq!(db.get::<User>(user.id).await.unwrap(), user);
        }
        let again = db.upsert_all([known, user("f", 1)]).on(User::EMAIL).do_nothing().await.unwrap();
        assert!(again.iter().all(|user| user.id > 0), "{again:?}");
        assert_eq!(db.find(User::all()).count().await.unwrap(), 6);
    }
}

#[tokio::test]
async fn an_upsert_finds_rows_by_a_composite_key_in_any_order() {
    for db in databases().await.unwrap() {
        let seat = Seat { flight: 1, place: "12A".into(), taken: false };
        db.add(seat.clone()).await.unwrap();
        let taken = Seat { taken: true, ..seat };
        assert_eq!(db.upsert(taken.clone()).on((Seat::PLACE, Seat::FLIGHT)).await.unwrap(), [taken]);
    }
}

#[tokio::test]
async fn an_upsert_leaves_the_key_and_what_it_looks_for_as_they_are() {
    for db in databases().await.unwrap() {
        let known = User { email: Some("a".into()), ..user("a", 1) };
        let id = db.add(known.clone()).await.unwrap().id;
        let error = db.upsert(known.clone()).on(User::EMAIL).update((User::ID, User::NAME)).await.unwrap_err();
        assert!(error.is_query() && error.message().contains("`id`"), "{error}");
        let error = db.upsert(known.clone()).on(User::EMAIL).set(User::EMAIL.set("b")).await.unwrap_err();
        assert!(error.is_query() && error.message().contains("`email`"), "{error}");
        let renamed = User { name: "b".into(), ..known };
        let stored = db.upsert(renamed).on(User::EMAIL).update((User::EMAIL, User::NAME)).await.unwrap();
        assert_eq!((stored[0].id, &*stored[0].name), (id, "b"));
    }
}

#[tokio::test]
async fn an_upsert_of_many_rows_reads_them_back_at_once() {
    let (db, statements) = ommi::testing::counted("sqlite::memory:").await.unwrap();
    db.create::<User>().await.unwrap();
    let users = (0..100).map(|number| User { email: Some(number.to_string()), ..user("a", 1) });
    statements.reset();
    db.upsert_all(users).on(User::EMAIL).await.unwrap();
    assert_eq!(statements.get(), 2);
}

#[tokio::test]
async fn rows_of_keys_come_in_the_order_of_the_keys() {
    for db in databases().await.unwrap() {
        let seats: Vec<Seat> = (0..250).map(|flight| Seat { flight, place: "1A".into(), taken: false }).collect();
        db.add_all(seats.clone()).await.unwrap();
        let keys = seats.iter().rev().map(|seat| (seat.flight, &*seat.place));
        let found = db.get_many::<Seat, _>(keys.chain([(1000, "1A"), (7, "1A")])).await.unwrap();
        assert!(found.iter().take(250).eq(seats.iter().rev()));
        assert_eq!(found.len(), 251);
    }
}
