//! MongoDB: Ommi beside the official driver with serde structs, on the same collection.

use std::cell::Cell;
use std::hint::black_box;

use futures_util::TryStreamExt;
use ommi::Db;
use ommi::mongodb::mongodb::bson::doc;
use ommi::mongodb::mongodb::{Client, Collection};
use ommi::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::measure;
use crate::user::{User, Visit};

const ROWS: i64 = 100_000;

/// A user, as the official driver reads and writes one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RawUser {
    #[serde(rename = "_id")]
    id: i64,
    name: String,
    hair_color: Option<String>,
    age: i64,
    created_at: i64,
}

impl RawUser {
    fn numbered(number: i64) -> RawUser {
        let User { name, hair_color, age, created_at, .. } = User::numbered(number);
        RawUser { id: number, name, hair_color, age, created_at }
    }
}

struct Lanes {
    runtime: Runtime,
    db: Db,
    users: Collection<RawUser>,
    next: Cell<i64>,
}

fn open(fill: bool) -> Lanes {
    let Ok(url) = std::env::var("OMMI_MONGODB_URL") else {
        eprintln!("OMMI_MONGODB_URL is not set: eval \"$(dev/services env)\"");
        std::process::exit(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (db, users) = runtime.block_on(async {
        let db = ommi::connect(&url).await.expect("a database");
        if fill {
            db.drop::<(User, Visit)>().await.expect("no collections");
            db.create::<(User, Visit)>().await.expect("collections");
            // a transaction has to fit into the server's cache
            for from in (1..=ROWS).step_by(5_000) {
                db.add_all((from..from + 5_000).map(User::numbered)).await.expect("users");
            }
            let start = Timestamp::from_second(1_357_000_000).expect("an instant");
            let visits = (0..10_000i64).map(|number| Visit {
                id: 0,
                began: start + Duration::from_micros(number * 1_234_567),
                day: Date::constant(2013, 1, 1),
                cost: Decimal::new(number * 7, 2),
            });
            db.add_all(visits).await.expect("visits");
        }
        let client = Client::with_uri_str(&url).await.expect("a client");
        let users = client.default_database().expect("a database in the URL").collection("users");
        (db, users)
    });
    Lanes { runtime, db, users, next: Cell::new(10 * ROWS) }
}

/// A workload: its name, how many operations a round has, and its two lanes.
type Work = (&'static str, u32, fn(&Lanes, u32), fn(&Lanes, u32));

const WORKS: &[Work] = &[
    (
        "get",
        300,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let user = lanes.users.find_one(doc! { "_id": key(n) }).await.expect("an answer");
                    black_box(user.expect("a user"));
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    black_box(lanes.db.get::<User>(key(n)).await.expect("a user"));
                }
            });
        },
    ),
    ("rows 10", 200, |lanes, times| raw_rows(lanes, times, 10), |lanes, times| ommi_rows(lanes, times, 10)),
    ("rows 1,000", 20, |lanes, times| raw_rows(lanes, times, 1000), |lanes, times| ommi_rows(lanes, times, 1000)),
    ("rows 10,000", 4, |lanes, times| raw_rows(lanes, times, 10_000), |lanes, times| ommi_rows(lanes, times, 10_000)),
    (
        "filter, order, limit 50",
        20,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let find = lanes.users.find(doc! { "age": i64::from(n % 90), "hair_color": "black" });
                    let found = find.sort(doc! { "name": 1 }).limit(50).await.expect("an answer");
                    black_box(found.try_collect::<Vec<RawUser>>().await.expect("users"));
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let users = lanes
                        .db
                        .find(User::AGE.eq(i64::from(n % 90)) & User::HAIR_COLOR.eq("black"))
                        .order_by(User::NAME.asc())
                        .limit(50);
                    black_box(users.all().await.expect("users"));
                }
            });
        },
    ),
    (
        "insert 1, with its key",
        100,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    lanes.users.insert_one(RawUser::numbered(next(lanes))).await.expect("an insert");
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let number = next(lanes);
                    let user = User { id: number, ..User::numbered(number) };
                    black_box(lanes.db.add(user).await.expect("a user"));
                }
            });
        },
    ),
    (
        "insert 1,000, with their keys",
        4,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let users: Vec<RawUser> = (0..1_000).map(|_| RawUser::numbered(next(lanes))).collect();
                    lanes.users.insert_many(users).await.expect("inserts");
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let user = |_| {
                        let number = next(lanes);
                        User { id: number, ..User::numbered(number) }
                    };
                    let users: Vec<User> = (0..1_000).map(user).collect();
                    black_box(lanes.db.add_all(users).await.expect("users"));
                }
            });
        },
    ),
    (
        "update by key",
        100,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let set = doc! { "$set": { "hair_color": "red" } };
                    lanes.users.update_one(doc! { "_id": key(n) }, set).await.expect("an update");
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let update = lanes.db.find(User::ID.eq(key(n))).update(User::HAIR_COLOR.set("red"));
                    assert_eq!(update.await.expect("an update"), 1);
                }
            });
        },
    ),
];

fn key(n: u32) -> i64 {
    i64::from(n) * 7919 % ROWS + 1
}

fn next(lanes: &Lanes) -> i64 {
    let number = lanes.next.get();
    lanes.next.set(number + 1);
    number
}

fn raw_rows(lanes: &Lanes, times: u32, rows: i64) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let found = lanes.users.find(doc! { "_id": { "$lte": rows } }).await.expect("an answer");
            let users: Vec<RawUser> = found.try_collect().await.expect("users");
            assert_eq!(black_box(users).len() as i64, rows);
        }
    });
}

fn ommi_rows(lanes: &Lanes, times: u32, rows: i64) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let users = lanes.db.find(User::ID.le(rows)).all().await.expect("users");
            assert_eq!(black_box(users).len() as i64, rows);
        }
    });
}

/// Prints the table.
pub fn compare(only: &str) {
    let lanes = open(true);
    println!("MongoDB, one thread, {ROWS} users");
    same_answers(&lanes);
    measure::head();
    for (work, times, raw, ommi) in WORKS.iter().filter(|(work, ..)| work.starts_with(only)) {
        let figures = measure::interleave(
            15,
            *times,
            measure::OF_A_TURN,
            |times| raw(&lanes, times),
            |times| ommi(&lanes, times),
        );
        measure::row(work, &figures);
    }
}

/// Both lanes give the same rows.
fn same_answers(lanes: &Lanes) {
    let (raw, ommi) = lanes.runtime.block_on(async {
        let found = lanes.users.find(doc! {}).sort(doc! { "_id": 1 }).await.expect("an answer");
        let raw: Vec<RawUser> = found.try_collect().await.expect("users");
        (raw, lanes.db.find(User::all()).order_by(User::ID.asc()).all().await.expect("users"))
    });
    let ommi: Vec<RawUser> = ommi
        .into_iter()
        .map(|User { id, name, hair_color, age, created_at }| RawUser { id, name, hair_color, age, created_at })
        .collect();
    assert_eq!(raw, ommi, "both lanes read the same users");
}

/// Runs one lane of one workload, on the collection that is there; `fill` makes it.
pub fn count(work: &str, lane: &str, times: u32) {
    let lanes = open(work == "fill");
    let found = WORKS.iter().find(|(name, ..)| *name == work);
    match (found, lane) {
        (Some((_, _, raw, _)), "raw") => raw(&lanes, times),
        (Some((_, _, _, ommi)), _) => ommi(&lanes, times),
        (None, _) if work == "fill" => {}
        (None, _) => {
            eprintln!("no workload `{work}`: {}", WORKS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join("; "));
            std::process::exit(2);
        }
    }
}
