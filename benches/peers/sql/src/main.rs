//! sqlx, SeaORM and Diesel beside the raw drivers.

#[path = "../../../lanes/raw/sqlite.rs"]
mod raw;

mod by_diesel;
mod by_diesel_async;
mod by_sea_orm;
mod by_sqlx;

use std::rc::Rc;
use std::sync::Arc;

use lanes::lane::Runner;
use lanes::postgres;
use lanes::program::{self, Lanes};
use lanes::shared::{self, SharedRunner};
use lanes::work::Database;

/// How many connections the pools of lanes of one thread have.
const POOL: u32 = 4;

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
    let sqlx = runtime.block_on(by_sqlx::Sqlite::open(&path, POOL));
    let sea_orm = runtime.block_on(by_sea_orm::SeaOrm::open_sqlite(&path, POOL));
    let tasks = shared::runtime();
    let (shared_sqlx, shared_diesel, shared_sea_orm) = tasks.block_on(async {
        let size = u32::try_from(shared::CONNECTIONS).expect("a small pool");
        (
            by_sqlx::Sqlite::open(&path, size).await,
            by_diesel::SharedDiesel::open(&path),
            by_sea_orm::SeaOrm::open_sqlite(&path, size).await,
        )
    });
    let cleaner = raw::open(&path);
    Lanes {
        database: Database::Sqlite,
        lanes: vec![
            Runner::new("raw", &runtime, raw::Raw(raw::open(&path))),
            Runner::new("Diesel", &runtime, by_diesel::Diesel::open(&path)),
            Runner::new("sqlx", &runtime, sqlx),
            Runner::new("SeaORM", &runtime, sea_orm),
        ],
        shared: vec![
            SharedRunner::new("raw", &tasks, raw::RawPool::open(&path)),
            SharedRunner::new("Diesel", &tasks, shared_diesel),
            SharedRunner::new("sqlx", &tasks, shared_sqlx),
            SharedRunner::new("SeaORM", &tasks, shared_sea_orm),
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
    let (raw, cleaner, diesel, sqlx, sea_orm) = runtime.block_on(async {
        (
            postgres::Raw::prepare(Arc::new(postgres::connect(&url).await)).await.expect("statements"),
            postgres::connect(&url).await,
            by_diesel_async::DieselAsync::connect(&url).await,
            by_sqlx::Postgres::connect(&url, POOL).await,
            by_sea_orm::SeaOrm::connect(&url, POOL).await,
        )
    });
    let tasks = shared::runtime();
    let (shared_raw, shared_diesel, shared_sqlx, shared_sea_orm) = tasks.block_on(async {
        let size = u32::try_from(shared::CONNECTIONS).expect("a small pool");
        (
            postgres::RawPool::connect(&url).await,
            by_diesel_async::SharedDiesel::connect(&url),
            by_sqlx::Postgres::connect(&url, size).await,
            by_sea_orm::SeaOrm::connect(&url, size).await,
        )
    });
    let lanes = vec![
        Runner::new("raw", &runtime, raw) as Box<dyn lanes::lane::Run>,
        Runner::new("diesel-async", &runtime, diesel),
        Runner::new("sqlx", &runtime, sqlx),
        Runner::new("SeaORM", &runtime, sea_orm),
    ];
    Lanes {
        database: Database::Postgres,
        lanes,
        shared: vec![
            SharedRunner::new("raw", &tasks, shared_raw),
            SharedRunner::new("diesel-async", &tasks, shared_diesel),
            SharedRunner::new("sqlx", &tasks, shared_sqlx),
            SharedRunner::new("SeaORM", &tasks, shared_sea_orm),
        ],
        clean: Box::new(move || {
            let _ = &database;
            runtime.block_on(postgres::clean(&cleaner));
        }),
    }
}
