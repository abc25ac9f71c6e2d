//! What relations cost in memory: counted by an allocator, so that this is the only test of its
//! program.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]
#![allow(unsafe_code, reason = "an allocator that counts is what sees every allocation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ommi::prelude::*;

struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's own; the counters are beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above, that is from the system.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let (bytes, allocations) = (BYTES.load(Ordering::Relaxed), ALLOCATIONS.load(Ordering::Relaxed));
    let mut rows = db.find(M::all()).all().await.unwrap();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - allocations;
    // vectors grow by halves: what is kept is what counts
    rows.shrink_to_fit();
    let kept = BYTES.load(Ordering::Relaxed) - bytes;
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
