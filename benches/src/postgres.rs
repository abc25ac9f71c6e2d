//! PostgreSQL: tokio-postgres and Ommi on the same database.

use std::rc::Rc;
use std::sync::Arc;

use lanes::lane::{Run, Runner};
use lanes::postgres;
use lanes::program::{Figure, Lanes};
use lanes::shared::{self, SharedRunner};
use lanes::work::{Database, Work};

use crate::further::{self, OmmiFurther};
use crate::further_postgres::RawFurther;
use crate::lane::{Ommi, Together};

/// How many connections the pool of the lane of one thread has.
const POOL: usize = 4;

fn with_pool(url: &str, pool: usize) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}pool={pool}")
}

/// Measures the further workloads.
pub fn further(rounds: usize, only: &[String]) -> Vec<Figure> {
    let runtime = Rc::new(crate::one_thread());
    let database = runtime.block_on(postgres::Database::create());
    let url = with_pool(database.url(), POOL);
    let (ommi, cleaner, further) = runtime.block_on(async {
        let ommi = Ommi::connect(&url).await;
        OmmiFurther::fill(&ommi.0).await;
        let further = RawFurther::fill(database.url().to_owned()).await;
        (ommi, postgres::connect(database.url()).await, further)
    });
    let mut clean = || runtime.block_on(postgres::clean(&cleaner));
    further::measure(Database::Postgres, &runtime, further, &ommi, &url, &mut clean, rounds, only)
}

/// Opens the lanes.
pub fn open() -> Lanes {
    let runtime = Rc::new(crate::one_thread());
    let database = runtime.block_on(postgres::Database::create());
    let url = database.url().to_owned();
    let (raw, cleaner, ommi) = runtime.block_on(async {
        (
            postgres::Raw::prepare(Arc::new(postgres::connect(&url).await)).await.expect("statements"),
            postgres::connect(&url).await,
            Ommi::connect(&with_pool(&url, POOL)).await,
        )
    });
    let tasks = shared::runtime();
    let (raw_pool, pool) = tasks.block_on(async {
        (postgres::RawPool::connect(&url).await, Ommi::connect(&with_pool(&url, shared::CONNECTIONS)).await)
    });
    Lanes {
        database: Database::Postgres,
        lanes: vec![
            Runner::new("raw", &runtime, raw) as Box<dyn Run>,
            Runner::new("Ommi", &runtime, ommi.clone()),
            Runner::of(Work::Transaction, "Ommi, together", &runtime, Together(ommi)),
        ],
        shared: vec![SharedRunner::new("raw", &tasks, raw_pool), SharedRunner::new("Ommi", &tasks, pool)],
        clean: Box::new(move || {
            let _ = &database;
            runtime.block_on(postgres::clean(&cleaner));
        }),
    }
}
