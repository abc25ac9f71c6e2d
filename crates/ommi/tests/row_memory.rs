//! How often memory is asked for to read rows: counted by an allocator, so that this is the only test of
//! its program.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

#[path = "allocator/counting.rs"]
mod counting;

use counting::Counted;
use ommi::prelude::*;

const ROWS: i64 = 10_000;

#[derive(Model, Clone, Debug, Default)]
struct User {
    #[ommi(key)]
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
}

/// The allocations that a row takes beyond its texts, in thousandths.
async fn beyond_its_texts(db: &Db) -> usize {
    db.create::<User>().await.unwrap();
    let user = |id: i64| User {
        id,
        name: format!("User number {id}"),
        hair_color: (id % 3 > 0).then(|| "black".to_owned()),
        age: id % 90,
    };
    db.add_all((0..ROWS).map(user)).await.unwrap();
    // the plan is made and the statement prepared before
    db.find(User::ID.lt(10)).all().await.unwrap();
    let before = Counted::until_now().allocations;
    let users = db.find(User::ID.lt(ROWS)).all().await.unwrap();
    let allocations = Counted::until_now().allocations - before;
    let texts: usize = users.iter().map(|user| 1 + usize::from(user.hair_color.is_some())).sum();
    assert_eq!(users.len(), 10_000);
    (allocations - texts) * 1_000 / users.len()
}

#[tokio::test(flavor = "current_thread")]
async fn a_row_takes_at_most_one_allocation_beyond_what_its_struct_owns() {
    let mut databases = vec![ommi::connect("sqlite::memory:").await.unwrap()];
    if cfg!(feature = "memory") {
        databases.push(ommi::connect("memory:").await.unwrap());
    }
    if let (true, Ok(url)) = (cfg!(feature = "postgres"), std::env::var("OMMI_POSTGRES_URL")) {
        let db = ommi::options(&url).set("search_path", "ommi_row_memory").connect().await.unwrap();
        db.raw("DROP SCHEMA IF EXISTS ommi_row_memory CASCADE").execute().await.unwrap();
        db.raw("CREATE SCHEMA ommi_row_memory").execute().await.unwrap();
        databases.push(db);
    }
    for db in databases {
        let thousandths = beyond_its_texts(&db).await;
        assert!(thousandths <= 1_000, "{thousandths} thousandths of an allocation a row beyond its texts on {db:?}");
        db.drop::<User>().await.unwrap();
    }
}
