//! SQLite: Ommi beside rusqlite.

use std::cell::Cell;
use std::hint::black_box;

use ommi::Db;
use ommi::prelude::*;
use rusqlite::{Connection, Row, params};
use tokio::runtime::Runtime;

use crate::measure;
use crate::relations::{self, Comment, Remark, by_hand, eager};
use crate::user::{User, Visit};

const ROWS: i64 = 100_000;
const COLUMNS: &str = "id, name, hair_color, age, created_at";

struct Lanes {
    runtime: Runtime,
    db: Db,
    raw: Connection,
    next: Cell<i64>,
}

fn open() -> Lanes {
    let path = std::env::temp_dir().join(format!("ommi-bench-{}.db", std::process::id()));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let db = runtime.block_on(async {
        let db = ommi::connect(&format!("sqlite://{}?synchronous=normal", path.display())).await.expect("a database");
        db.create::<(User, Visit)>().await.expect("tables");
        db.add_all((1..=ROWS).map(User::numbered)).await.expect("users");
        let start = Timestamp::from_second(1_357_000_000).expect("an instant");
        let visits = (0..10_000i64).map(|number| Visit {
            id: 0,
            began: start + Duration::from_micros(number * 1_234_567),
            day: Date::constant(2013, 1, 1),
            cost: Decimal::new(number * 7, 2),
        });
        db.add_all(visits).await.expect("visits");
        relations::fill(&db).await.expect("members");
        db
    });
    let raw = Connection::open(&path).expect("a connection");
    raw.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    raw.pragma_update(None, "synchronous", "NORMAL").expect("synchronous");
    raw.pragma_update(None, "foreign_keys", "ON").expect("foreign keys");
    raw.set_prepared_statement_cache_capacity(64);
    Lanes { runtime, db, raw, next: Cell::new(ROWS + 1) }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, hair_color: row.get(2)?, age: row.get(3)?, created_at: row.get(4)? })
}

/// A visit by hand.
pub fn raw_visit(row: &Row<'_>) -> Option<Visit> {
    let began: &str = row.get_ref(1).ok()?.as_str().ok()?;
    let began: jiff::civil::DateTime = began.parse().ok()?;
    let day: jiff::civil::Date = row.get_ref(2).ok()?.as_str().ok()?.parse().ok()?;
    let cost = row.get_ref(3).ok()?.as_str().ok()?.parse().ok()?;
    Some(Visit { id: row.get(0).ok()?, began: jiff::tz::TimeZone::UTC.to_timestamp(began).ok()?, day, cost })
}

/// A workload: its name, how many operations a round has, and its two lanes.
type Work = (&'static str, u32, fn(&Lanes, u32), fn(&Lanes, u32));

const WORKS: &[Work] = &[
    (
        "get",
        2000,
        |lanes, times| {
            for n in 0..times {
                let mut statement = lanes
                    .raw
                    .prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))
                    .expect("a statement");
                black_box(statement.query_row([key(n)], user).expect("a user"));
            }
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    black_box(lanes.db.get::<User>(key(n)).await.expect("a user"));
                }
            });
        },
    ),
    ("rows 10", 500, |lanes, times| raw_rows(lanes, times, 10), |lanes, times| ommi_rows(lanes, times, 10)),
    ("rows 1,000", 20, |lanes, times| raw_rows(lanes, times, 1000), |lanes, times| ommi_rows(lanes, times, 1000)),
    ("rows 10,000", 4, |lanes, times| raw_rows(lanes, times, 10_000), |lanes, times| ommi_rows(lanes, times, 10_000)),
    (
        "rows 10,000 with times and decimals",
        4,
        |lanes, times| {
            for _ in 0..times {
                let mut statement =
                    lanes.raw.prepare_cached("SELECT id, began, day, cost FROM visits").expect("a statement");
                let mut rows = statement.query([]).expect("rows");
                let mut visits = Vec::new();
                while let Some(row) = rows.next().expect("a row") {
                    visits.push(raw_visit(row).expect("a visit"));
                }
                assert_eq!(black_box(visits).len(), 10_000);
            }
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let visits = lanes.db.find(Visit::all()).all().await.expect("visits");
                    assert_eq!(black_box(visits).len(), 10_000);
                }
            });
        },
    ),
    (
        "filter, order, limit 50",
        20,
        |lanes, times| {
            for n in 0..times {
                let mut statement = lanes
                    .raw
                    .prepare_cached(&format!(
                        "SELECT {COLUMNS} FROM users WHERE age = ?1 AND hair_color = ?2 ORDER BY name LIMIT ?3"
                    ))
                    .expect("a statement");
                let rows = statement.query_map(params![i64::from(n % 90), "black", 50], user).expect("rows");
                black_box(rows.collect::<rusqlite::Result<Vec<_>>>().expect("users"));
            }
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
        "insert 1",
        200,
        |lanes, times| {
            for _ in 0..times {
                raw_insert(lanes, &User::numbered(next(lanes)));
            }
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    black_box(lanes.db.add(User::numbered(next(lanes))).await.expect("a user"));
                }
            });
        },
    ),
    ("insert 100", 20, |lanes, times| raw_batch(lanes, times, 100), |lanes, times| ommi_batch(lanes, times, 100)),
    ("insert 1,000", 4, |lanes, times| raw_batch(lanes, times, 1000), |lanes, times| ommi_batch(lanes, times, 1000)),
    (
        "relations 100 x 10 x 10",
        4,
        |lanes, times| {
            for _ in 0..times {
                let members = black_box(by_hand(&lanes.raw).expect("members"));
                assert_eq!(members[99].posts[9].comments.len(), 10);
            }
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let members = black_box(eager(&lanes.db).await.expect("members"));
                    let posts = members[99].posts.loaded().expect("posts");
                    assert_eq!(posts[9].comments.loaded().expect("comments").len(), 10);
                }
            });
        },
    ),
    (
        "10,000 rows with a relation that is not loaded, beside those without it",
        4,
        |lanes, times| ommi_all::<Comment>(lanes, times),
        |lanes, times| ommi_all::<Remark>(lanes, times),
    ),
    (
        "update by key",
        200,
        |lanes, times| {
            for n in 0..times {
                let mut statement =
                    lanes.raw.prepare_cached("UPDATE users SET hair_color = ?1 WHERE id = ?2").expect("a statement");
                statement.execute(params!["red", key(n)]).expect("an update");
            }
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
    for _ in 0..times {
        let mut statement =
            lanes.raw.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id <= ?1")).expect("a statement");
        let users = statement.query_map([rows], user).expect("rows");
        let users = users.collect::<rusqlite::Result<Vec<_>>>().expect("users");
        assert_eq!(black_box(users).len() as i64, rows);
    }
}

fn ommi_rows(lanes: &Lanes, times: u32, rows: i64) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let users = lanes.db.find(User::ID.le(rows)).all().await.expect("users");
            assert_eq!(black_box(users).len() as i64, rows);
        }
    });
}

fn raw_insert(lanes: &Lanes, user: &User) {
    let mut statement = lanes
        .raw
        .prepare_cached("INSERT INTO users (name, hair_color, age, created_at) VALUES (?1, ?2, ?3, ?4)")
        .expect("a statement");
    statement.execute(params![user.name, user.hair_color, user.age, user.created_at]).expect("an insert");
    black_box(lanes.raw.last_insert_rowid());
}

fn raw_batch(lanes: &Lanes, times: u32, rows: usize) {
    for _ in 0..times {
        let mut users: Vec<User> = (0..rows).map(|_| User::numbered(next(lanes))).collect();
        let transaction = lanes.raw.unchecked_transaction().expect("a transaction");
        for user in &mut users {
            raw_insert(lanes, user);
            user.id = lanes.raw.last_insert_rowid();
        }
        transaction.commit().expect("a commit");
        black_box(users);
    }
}

fn ommi_all<M: Model>(lanes: &Lanes, times: u32) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let rows = lanes.db.find(M::all()).all().await.expect("rows");
            assert_eq!(black_box(rows).len(), 10_000);
        }
    });
}

fn ommi_batch(lanes: &Lanes, times: u32, rows: usize) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let users: Vec<User> = (0..rows).map(|_| User::numbered(next(lanes))).collect();
            black_box(lanes.db.add_all(users).await.expect("users"));
        }
    });
}

/// Prints the table.
pub fn compare(only: &str) {
    let lanes = open();
    let version: String = lanes.raw.query_row("SELECT sqlite_version()", [], |row| row.get(0)).expect("a version");
    println!("SQLite {version}, WAL, synchronous=NORMAL, one thread, {ROWS} users");
    same_answers(&lanes);
    measure::head();
    for (work, times, raw, ommi) in WORKS.iter().filter(|(work, ..)| work.starts_with(only)) {
        let figures = measure::interleave(25, *times, *times, |times| raw(&lanes, times), |times| ommi(&lanes, times));
        measure::row(work, &figures);
    }
}

/// Both lanes give the same rows.
fn same_answers(lanes: &Lanes) {
    let mut statement = lanes.raw.prepare(&format!("SELECT {COLUMNS} FROM users ORDER BY id")).expect("a statement");
    let raw: Vec<User> = statement.query_map([], user).expect("rows").map(|user| user.expect("a user")).collect();
    let ommi = lanes.runtime.block_on(lanes.db.find(User::all()).order_by(User::ID.asc()).all()).expect("users");
    assert_eq!(raw, ommi, "both lanes read the same users");
}

/// Runs one lane of one workload.
pub fn count(work: &str, lane: &str, times: u32) {
    let lanes = open();
    let Some((_, _, raw, ommi)) = WORKS.iter().find(|(name, ..)| *name == work) else {
        eprintln!("no workload `{work}`: {}", WORKS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join("; "));
        std::process::exit(2);
    };
    match lane {
        "raw" => raw(&lanes, times),
        _ => ommi(&lanes, times),
    }
}
