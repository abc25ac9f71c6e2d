//! The works whose instructions are counted: `dev/bench --gate` runs this under callgrind.
//!
//! Callgrind begins a new count where it comes to [`counting_begins`] or [`counting_ends`]; what is printed
//! says which work the counts between them are.

use std::hint::black_box;

use lanes::Work;

use super::{Store, memory, postgres, sqlite};

/// The works, and how many operations are counted: the more, the steadier.
const COUNTED: &[(Work, u32)] = &[
    (Work::Get, 500),
    (Work::Rows(10), 200),
    (Work::Rows(1_000), 10),
    (Work::Filter, 20),
    (Work::Insert, 200),
    (Work::InsertAll(100), 10),
    (Work::InsertAll(1_000), 2),
    (Work::Tree, 2),
    (Work::Update, 200),
];

/// How often each is counted. The least counts: a read that is handed over to a worker costs more, and when
/// that is depends on the time.
const COUNTS: u32 = 4;

/// Runs each work on one lane, once before it is counted.
pub fn run(database: &str, lane: &str) {
    let mut store: Box<dyn Store> = match database {
        "sqlite" => Box::new(sqlite::File::counted()),
        "memory" => Box::new(memory::Memory::create()),
        _ => Box::new(postgres::Database::create()),
    };
    let mut lanes = store.lanes();
    let lane = lanes.iter_mut().find(|known| known.name() == lane).expect("a lane of this name");
    for &(work, times) in COUNTED {
        lane.run(work, 1);
        for _ in 0..COUNTS {
            counting_begins();
            lane.run(work, times);
            counting_ends();
            if work.inserts() {
                store.clean();
            }
            // a tenth warms
            println!("{database}\t{}\t{}\t{}", lane.name(), work.name(), times + times.div_ceil(10));
        }
    }
}

#[inline(never)]
fn counting_begins() {
    black_box(());
}

#[inline(never)]
fn counting_ends() {
    black_box(true);
}
