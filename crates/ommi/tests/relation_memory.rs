//! What relations cost in memory: counted by an allocator, so that this is the only test of its
//! program.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

#[path = "allocator/counting.rs"]
mod counting;

use counting::Counted;
use ommi::prelude::*;

const ROWS: usize = 100_000;

#[derive(Model, Clone, Debug, Default)]
struct Author {
    #[ommi(key)]
    id: i64,
}

#[derive(Model, Clone, Debug, Default)]
struct Book {
    #[ommi(key)]
    id: i64,
    title: String,
    #[ommi(references = Author, unenforced)]
    author_id: i64,
    author: One<Author>,
}

/// The same table without the relation.
#[derive(Model, Clone, Debug, Default)]
#[ommi(table = "Book")]
struct Plain {
    #[ommi(key)]
    id: i64,
    title: String,
    author_id: i64,
}

/// What a query keeps, with the allocations that it took.
async fn cost<M: Model>(db: &Db) -> (usize, usize) {
    // plans and pages are read once before
    db.find(M::all()).limit(1).all().await.unwrap();
    let before = Counted::until_now();
    let mut rows = db.find(M::all()).all().await.unwrap();
    let allocations = Counted::until_now().allocations - before.allocations;
    // vectors grow by halves: what is kept is what counts
    rows.shrink_to_fit();
    let kept = Counted::until_now().bytes - before.bytes;
    assert_eq!(rows.len(), ROWS);
    (kept, allocations)
}

#[tokio::test(flavor = "current_thread")]
async fn an_unloaded_relation_takes_40_bytes_a_row_and_no_allocation() {
    let db = ommi::testing::database::<(Author, Book)>().await.unwrap();
    let books = (0..ROWS).map(|number| Book {
        id: i64::try_from(number).unwrap(),
        title: "a title of some length".into(),
        author_id: i64::try_from(number % 1_000).unwrap(),
        ..Default::default()
    });
    db.add_all(books).await.unwrap();
    let (plain, plain_allocations) = cost::<Plain>(&db).await;
    let (with_relation, allocations) = cost::<Book>(&db).await;
    // 16 bytes in the struct, and at most 24 in the group, of which the key takes 8
    let a_row = (with_relation - plain).div_ceil(ROWS);
    assert!((24..=40).contains(&a_row), "{a_row} bytes a row");
    // what the group grows by, and nothing for a row
    let more = allocations.saturating_sub(plain_allocations);
    assert!(more < 100, "{more} allocations more than {plain_allocations}");
}
