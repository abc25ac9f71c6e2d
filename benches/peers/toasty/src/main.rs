//! Toasty beside the raw drivers.

#[path = "../../../lanes/raw/sqlite.rs"]
mod raw;

mod by_toasty;

use std::rc::Rc;
use std::sync::Arc;

use by_toasty::Toasty;
use lanes::lane::{Run, Runner};
use lanes::postgres;
use lanes::program::{self, Lanes};
use lanes::shared::{self, SharedRunner};
use lanes::work::Database;

/// How many connections the pool of the lane of one thread has.
const POOL: usize = 4;

fn main() {
    program::main(|database| match database {
        Database::Sqlite => sqlite(),
        Database::Postgres => postgres(),
    });
}

fn sqlite() -> Lanes {
    let file = raw::File::create();
    let path = file.path().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let runtime = Rc::new(runtime);
    let toasty = runtime.block_on(Toasty::open_sqlite(&path, POOL));
    let tasks = shared::runtime();
    let shared_toasty = tasks.block_on(Toasty::open_sqlite(&path, shared::CONNECTIONS));
    let cleaner = raw::open(&path);
    Lanes {
        database: Database::Sqlite,
        lanes: vec![
            Runner::new("raw", &runtime, raw::Raw(raw::open(&path))) as Box<dyn Run>,
            Runner::new("Toasty", &runtime, toasty),
        ],
        shared: vec![
            SharedRunner::new("raw", &tasks, raw::RawPool::open(&path)),
            SharedRunner::new("Toasty", &tasks, shared_toasty),
        ],
        clean: Box::new(move || {
            let _ = &file;
            raw::clean(&cleaner);
        }),
    }
}

fn postgres() -> Lanes {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let runtime = Rc::new(runtime);
    let database = runtime.block_on(postgres::Database::create());
    let url = database.url().to_owned();
    let (raw, cleaner, toasty) = runtime.block_on(async {
        (
            postgres::Raw::prepare(Arc::new(postgres::connect(&url).await)).await.expect("statements"),
            postgres::connect(&url).await,
            Toasty::connect(&url, POOL).await,
        )
    });
    let tasks = shared::runtime();
    let (shared_raw, shared_toasty) = tasks
        .block_on(async { (postgres::RawPool::connect(&url).await, Toasty::connect(&url, shared::CONNECTIONS).await) });
    Lanes {
        database: Database::Postgres,
        lanes: vec![Runner::new("raw", &runtime, raw) as Box<dyn Run>, Runner::new("Toasty", &runtime, toasty)],
        shared: vec![SharedRunner::new("raw", &tasks, shared_raw), SharedRunner::new("Toasty", &tasks, shared_toasty)],
        clean: Box::new(move || {
            let _ = &database;
            runtime.block_on(postgres::clean(&cleaner));
        }),
    }
}
