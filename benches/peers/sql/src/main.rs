//! sqlx, SeaORM and Diesel.

mod by_diesel;
mod by_diesel_async;
mod by_sea_orm;
mod by_sqlx;

use std::rc::Rc;

use by_diesel::{Diesel, SharedDiesel};
use by_diesel_async::{DieselAsync, SharedDieselAsync};
use by_sea_orm::SeaOrm;
use lanes::{CONNECTIONS, POOL, Run, Runner};

fn main() {
    lanes::peer::serve(|database, address| match database {
        "sqlite" => sqlite(address),
        _ => postgres(address),
    });
}

fn sqlite(path: &str) -> Vec<Box<dyn Run>> {
    let one = Rc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
    let many = Rc::new(lanes::tasks());
    let diesel = (Diesel::open(path), many.block_on(async { SharedDiesel::open(path) }));
    let sqlx =
        (one.block_on(by_sqlx::Sqlite::open(path, POOL)), many.block_on(by_sqlx::Sqlite::open(path, CONNECTIONS)));
    let sea_orm =
        (one.block_on(SeaOrm::open_sqlite(path, POOL)), many.block_on(SeaOrm::open_sqlite(path, CONNECTIONS)));
    vec![
        Runner::boxed("Diesel", (&one, diesel.0), (&many, diesel.1)),
        Runner::boxed("sqlx", (&one, sqlx.0), (&many, sqlx.1)),
        Runner::boxed("SeaORM", (&one, sea_orm.0), (&many, sea_orm.1)),
    ]
}

fn postgres(url: &str) -> Vec<Box<dyn Run>> {
    let one = Rc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
    let many = Rc::new(lanes::tasks());
    let diesel = (one.block_on(DieselAsync::connect(url)), many.block_on(async { SharedDieselAsync::connect(url) }));
    let sqlx = (
        one.block_on(by_sqlx::Postgres::connect(url, POOL)),
        many.block_on(by_sqlx::Postgres::connect(url, CONNECTIONS)),
    );
    let sea_orm = (one.block_on(SeaOrm::connect(url, POOL)), many.block_on(SeaOrm::connect(url, CONNECTIONS)));
    vec![
        Runner::boxed("diesel-async", (&one, diesel.0), (&many, diesel.1)),
        Runner::boxed("sqlx", (&one, sqlx.0), (&many, sqlx.1)),
        Runner::boxed("SeaORM", (&one, sea_orm.0), (&many, sea_orm.1)),
    ]
}
