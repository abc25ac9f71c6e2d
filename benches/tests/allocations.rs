//! How many allocations the reading of rows takes beyond what the rows own.

use ommi::Db;
use ommi::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

const ROWS: usize = 1_000;

/// What the statement itself may take, with the buffers in which its rows come.
const STATEMENT: usize = 64;

/// A user, who owns a text or two.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "counted_users")]
struct User {
    #[ommi(key, auto)]
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}

async fn fill(db: &Db) {
    db.drop::<User>().await.expect("no table");
    db.create::<User>().await.expect("a table");
    let user = |number: i64| User {
        id: 0,
        name: format!("User number {number}"),
        hair_color: (number % 3 > 0).then(|| "black".to_owned()),
        age: number % 90,
        created_at: number,
    };
    db.add_all((1..=ROWS as i64).map(user)).await.expect("users");
}

/// The allocations of one read, of all threads; and how many of them the rows own.
async fn count(db: &Db) -> (usize, usize) {
    let find = async || db.find(User::ID.le(ROWS as i64)).all().await.expect("users");
    // plans, statements and buffers are made once
    find().await;
    let region = Region::new(ALLOCATOR);
    let users = find().await;
    let taken = region.change().allocations;
    assert_eq!(users.len(), ROWS);
    (taken, users.len() + users.iter().filter(|user| user.hair_color.is_some()).count())
}

/// One test, because the counter is the process's.
#[tokio::test]
async fn a_row_takes_at_most_one_allocation_beyond_what_it_owns() {
    let path = std::env::temp_dir().join(format!("ommi-allocations-{}.db", std::process::id()));
    let mut urls = vec![format!("sqlite://{}", path.display()), "memory:".to_owned()];
    urls.extend(std::env::var("OMMI_POSTGRES_URL"));
    for url in urls {
        let db = ommi::connect(&url).await.expect("a database");
        let driver = url.split(':').next().unwrap_or_default();
        fill(&db).await;
        let (taken, owned) = count(&db).await;
        println!("{driver}: {taken} allocations for {ROWS} rows, which own {owned}");
        assert!(taken <= owned + ROWS + STATEMENT, "{driver}: {taken} allocations for {ROWS} rows, which own {owned}");
        db.drop::<User>().await.expect("no table");
        db.close().await.expect("a good end");
    }
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}
