//! SQLite: rusqlite and Ommi on the same file.

use std::path::Path;
use std::rc::Rc;

use lanes::lane::{Run, Runner};
use lanes::program::{Figure, Lanes};
use lanes::shared::{self, SharedRunner};
use lanes::work::{Database, Work};

use crate::further::{self, OmmiFurther};
use crate::further_sqlite::RawFurther;
use crate::lane::{Ommi, Together};
use crate::raw_sqlite as raw;

/// How many connections read; the same as on PostgreSQL.
const POOL: usize = 4;

fn url(path: &Path, pool: usize) -> String {
    format!("sqlite://{}?synchronous=normal&readers={pool}", path.display())
}

/// Measures the further workloads.
pub fn further(rounds: usize, only: &[String]) -> Vec<Figure> {
    let file = raw::File::create();
    let url = url(file.path(), POOL);
    let runtime = Rc::new(crate::one_thread());
    let ommi = runtime.block_on(async {
        let ommi = Ommi::connect(&url).await;
        OmmiFurther::fill(&ommi.0).await;
        ommi
    });
    let cleaner = raw::open(file.path());
    let further = RawFurther::fill(file.path().to_owned());
    let mut clean = || raw::clean(&cleaner);
    further::measure(Database::Sqlite, &runtime, further, &ommi, &url, &mut clean, rounds, only)
}

/// Opens the lanes.
pub fn open() -> Lanes {
    let file = raw::File::create();
    let path = file.path().to_owned();
    let runtime = Rc::new(crate::one_thread());
    let ommi = runtime.block_on(Ommi::connect(&url(&path, POOL)));
    let tasks = shared::runtime();
    let pool = tasks.block_on(Ommi::connect(&url(&path, shared::CONNECTIONS)));
    let cleaner = raw::open(&path);
    Lanes {
        database: Database::Sqlite,
        lanes: vec![
            Runner::new("raw", &runtime, raw::Raw(raw::open(&path))) as Box<dyn Run>,
            Runner::new("Ommi", &runtime, ommi.clone()),
            Runner::of(Work::Transaction, "Ommi, together", &runtime, Together(ommi)),
        ],
        shared: vec![
            SharedRunner::new("raw", &tasks, raw::RawPool::open(&path)),
            SharedRunner::new("Ommi", &tasks, pool),
        ],
        clean: Box::new(move || {
            let _ = &file;
            raw::clean(&cleaner);
        }),
    }
}
