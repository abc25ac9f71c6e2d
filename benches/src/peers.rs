//! Ommi beside the raw drivers and other mappers, in one run: `dev/bench sqlite --peers`.
//!
//! The raw lane and Ommi's are here, those of other mappers in programs of their own, which take their
//! turn when they are told to. All use the same file or database, and one of them works at a time.

pub mod gate;
mod memory;
pub mod model;
pub mod ommi;
mod pool;
pub mod postgres;
pub mod report;
pub mod sqlite;

use std::collections::HashMap;
use std::path::PathBuf;

use lanes::data::{USERS, User};
use lanes::peer::Peer;
use lanes::{Run, Work};

/// How often each lane has its turn.
const ROUNDS: usize = 11;

/// What all lanes work on.
pub trait Store {
    /// Where the programs of peers find it.
    fn address(&self) -> String;
    /// The name and version of the database.
    fn version(&mut self) -> String;
    /// The raw lane, and Ommi's.
    fn lanes(&mut self) -> Vec<Box<dyn Run>>;
    /// The users of these keys, in this order.
    fn users(&mut self, keys: &[i64]) -> Vec<User>;
    /// Removes the rows that were inserted.
    fn clean(&mut self);
}

/// The times of a lane in a work, in microseconds an operation, a round each.
type Times = HashMap<(Work, String), Vec<f64>>;

/// Measures all lanes in turn, and puts the table into the report. `only` is the beginning of the names
/// of works that are wanted; the report is written if all are.
pub fn compare(database: &str, only: &str) {
    let mut store: Box<dyn Store> = match database {
        "sqlite" => Box::new(sqlite::File::create()),
        _ => Box::new(postgres::Database::create()),
    };
    let mut lanes = store.lanes();
    for program in programs() {
        lanes.extend(Peer::start(&program, database, &store.address()));
    }
    let works: Vec<Work> = Work::all().filter(|work| work.name().starts_with(only)).collect();
    check(&mut *store, &mut lanes, &works);
    let mut times = Times::new();
    for &work in &works {
        eprintln!("{database}: {}", work.name());
        measure(&mut *store, &mut lanes, work, &mut times);
    }
    let names: Vec<String> = lanes.iter().map(|lane| lane.name().to_owned()).collect();
    let table = report::table(&works, &names, &times);
    println!("{table}");
    if only.is_empty() {
        report::put(database, &format!("{}\n\n{table}", report::circumstances(&store.version(), ROUNDS)));
    }
    drop(lanes);
}

/// The programs of other mappers, which `dev/bench` builds.
fn programs() -> Vec<PathBuf> {
    let folder = PathBuf::from(std::env::var("OMMI_PEERS").expect("OMMI_PEERS, which dev/bench sets"));
    ["peers-sql", "peers-toasty"].map(|program| folder.join(program)).into()
}

/// Every lane answers what it must, and stores what it was given.
fn check(store: &mut dyn Store, lanes: &mut [Box<dyn Run>], works: &[Work]) {
    for &work in works {
        for lane in &mut *lanes {
            let keys = lane.check(work);
            let numbered = |(key, number): (&i64, i64)| User { id: *key, ..User::numbered(number) };
            let given: Vec<User> = keys.iter().zip(USERS + 1..).map(numbered).collect();
            assert!(store.users(&keys) == given, "{} stores otherwise: {}", lane.name(), work.name());
            if work == Work::Update {
                let color = store.users(&[USERS]).remove(0).hair_color;
                assert_eq!(color.as_deref(), Some("green"), "{} updates", lane.name());
                lane.run(work, 1);
            }
            store.clean();
        }
    }
}

/// Runs one work on all lanes in turn; another lane is the first in each round.
fn measure(store: &mut dyn Store, of: &mut [Box<dyn Run>], work: Work, times: &mut Times) {
    for round in 0..=ROUNDS {
        for place in 0..of.len() {
            let count = of.len();
            let lane = &mut of[(place + round) % count];
            lanes::rest();
            let took = lane.run(work, work.times());
            if work.inserts() {
                store.clean();
            }
            // the first round warms
            if let (Some(took), 1..) = (took, round) {
                let each = took.as_secs_f64() / f64::from(work.times()) * 1e6;
                times.entry((work, lane.name().to_owned())).or_default().push(each);
            }
        }
    }
}
