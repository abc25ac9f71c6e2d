//! PostgreSQL: Ommi beside tokio-postgres.

use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use ommi::Db;
use ommi::prelude::*;
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::measure;
use crate::peers::postgres::url;
use crate::relations::{self, ByHand, Comment, MEMBERS, Member, Post};
use crate::user::{User, Visit};

const ROWS: i64 = 100_000;
const COLUMNS: &str = "id, name, hair_color, age, created_at";

/// The statements of the raw side, prepared once.
struct Statements {
    get: Statement,
    rows: Statement,
    visits: Statement,
    filter: Statement,
    insert: Statement,
    unnest: Statement,
    update: Statement,
    relations: ByHand,
}

struct Lanes {
    runtime: Runtime,
    db: Db,
    raw: Arc<Client>,
    statements: Statements,
    next: Cell<i64>,
}

async fn connect() -> Arc<Client> {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    Arc::new(client)
}

fn open(runtime: Runtime, pool: usize) -> Lanes {
    let (db, raw, statements) = runtime.block_on(async {
        let separator = if url().contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}pool={pool}", url());
        let db = ommi::connect(&url).await.expect("a database");
        db.drop::<(User, Visit)>().await.expect("no tables");
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
        db.drop::<(Member, Post, Comment)>().await.expect("no tables");
        relations::fill(&db).await.expect("members with posts and comments");
        // both lanes begin with connections that did nothing before
        db.close().await.expect("a good end");
        let db = ommi::connect(&url).await.expect("a database");
        let raw = connect().await;
        raw.batch_execute("VACUUM ANALYZE users, visits, members, posts, comments").await.expect("statistics");
        let statements = prepare(&raw).await.expect("statements");
        (db, raw, statements)
    });
    Lanes { runtime, db, raw, statements, next: Cell::new(ROWS + 1) }
}

async fn prepare(raw: &Client) -> Result<Statements, tokio_postgres::Error> {
    Ok(Statements {
        get: raw.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id = $1")).await?,
        rows: raw.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id <= $1")).await?,
        visits: raw.prepare("SELECT id, began, day, CAST(cost AS text) FROM visits").await?,
        filter: raw
            .prepare(&format!("SELECT {COLUMNS} FROM users WHERE age = $1 AND hair_color = $2 ORDER BY name LIMIT $3"))
            .await?,
        insert: raw
            .prepare("INSERT INTO users (name, hair_color, age, created_at) VALUES ($1, $2, $3, $4) RETURNING id")
            .await?,
        unnest: raw
            .prepare(
                "INSERT INTO users (name, hair_color, age, created_at) \
                 SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) RETURNING id",
            )
            .await?,
        update: raw.prepare("UPDATE users SET hair_color = $1 WHERE id = $2").await?,
        relations: ByHand::prepare(raw).await?,
    })
}

fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2), age: row.get(3), created_at: row.get(4) }
}

/// A visit by hand.
pub fn visit(row: &Row) -> Option<Visit> {
    let began: std::time::SystemTime = row.get(1);
    let began =
        Timestamp::from_microsecond(began.duration_since(UNIX_EPOCH).ok()?.as_micros().try_into().ok()?).ok()?;
    let days: Days = row.get(2);
    let day = Date::constant(2000, 1, 1).checked_add(jiff::Span::new().days(days.0)).ok()?;
    let cost: &str = row.get(3);
    Some(Visit { id: row.get(0), began, day, cost: cost.parse().ok()? })
}

/// The days of a date since the first of 2000.
struct Days(i32);

impl<'a> tokio_postgres::types::FromSql<'a> for Days {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Days(i32::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::DATE
    }
}

async fn read(raw: &Client, statement: &Statement, parameters: &[&(dyn ToSql + Sync)]) -> Vec<User> {
    let rows = raw.query_raw(statement, parameters.iter().copied()).await.expect("rows");
    let mut rows = pin!(rows);
    let mut users = Vec::new();
    while let Some(row) = rows.try_next().await.expect("a row") {
        users.push(user(&row));
    }
    users
}

/// A workload: its name, how many operations a round has, and its two lanes.
type Work = (&'static str, u32, fn(&Lanes, u32), fn(&Lanes, u32));

const WORKS: &[Work] = &[
    (
        "get",
        1000,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let row = lanes.raw.query_one(&lanes.statements.get, &[&key(n)]).await.expect("a user");
                    black_box(user(&row));
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
    ("rows 10", 500, |lanes, times| raw_rows(lanes, times, 10), |lanes, times| ommi_rows(lanes, times, 10)),
    ("rows 1,000", 40, |lanes, times| raw_rows(lanes, times, 1000), |lanes, times| ommi_rows(lanes, times, 1000)),
    ("rows 10,000", 6, |lanes, times| raw_rows(lanes, times, 10_000), |lanes, times| ommi_rows(lanes, times, 10_000)),
    (
        "rows 10,000, by hand gathered before they are read",
        6,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let rows = lanes.raw.query(&lanes.statements.rows, &[&10_000i64]).await.expect("rows");
                    let users: Vec<User> = rows.iter().map(user).collect();
                    assert_eq!(black_box(users).len(), 10_000);
                }
            });
        },
        |lanes, times| ommi_rows(lanes, times, 10_000),
    ),
    (
        "rows 10,000 with times and decimals",
        6,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let none: [&(dyn ToSql + Sync); 0] = [];
                    let rows = lanes.raw.query_raw(&lanes.statements.visits, none).await.expect("rows");
                    let mut rows = pin!(rows);
                    let mut visits = Vec::new();
                    while let Some(row) = rows.try_next().await.expect("a row") {
                        visits.push(visit(&row).expect("a visit"));
                    }
                    assert_eq!(black_box(visits).len(), 10_000);
                }
            });
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
        50,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let (age, limit) = (i64::from(n % 90), 50i64);
                    black_box(read(&lanes.raw, &lanes.statements.filter, &[&age, &"black", &limit]).await);
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
        "insert 1",
        500,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    black_box(raw_insert(lanes).await);
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    black_box(lanes.db.add(User::numbered(next(lanes))).await.expect("a user"));
                }
            });
        },
    ),
    ("insert 100", 50, |lanes, times| raw_unnest(lanes, times, 100), |lanes, times| ommi_batch(lanes, times, 100)),
    ("insert 1,000", 10, |lanes, times| raw_unnest(lanes, times, 1000), |lanes, times| ommi_batch(lanes, times, 1000)),
    (
        "insert 10,000",
        1,
        |lanes, times| raw_copy(lanes, times, 10_000),
        |lanes, times| ommi_batch(lanes, times, 10_000),
    ),
    (
        "100 members with 10 posts with 10 comments each",
        8,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let members = lanes.statements.relations.read(&lanes.raw).await.expect("members");
                    assert_eq!(black_box(members).len() as i64, MEMBERS);
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let members = relations::eager(&lanes.db).await.expect("members");
                    assert_eq!(black_box(members).len() as i64, MEMBERS);
                }
            });
        },
    ),
    (
        "transaction of 10 inserts",
        100,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    lanes.raw.batch_execute("BEGIN").await.expect("a transaction");
                    for _ in 0..10 {
                        black_box(raw_insert(lanes).await);
                    }
                    lanes.raw.batch_execute("COMMIT").await.expect("a commit");
                }
            });
        },
        |lanes, times| {
            lanes.runtime.block_on(async {
                for _ in 0..times {
                    let added = lanes.db.transaction(async |tx| {
                        try_join_all((0..10).map(|_| tx.add(User::numbered(next(lanes))))).await
                    });
                    black_box(added.await.expect("users"));
                }
            });
        },
    ),
    (
        "update by key",
        500,
        |lanes, times| {
            lanes.runtime.block_on(async {
                for n in 0..times {
                    let key = key(n);
                    let values: [&(dyn ToSql + Sync); 2] = [&"red", &key];
                    let updated = lanes.raw.execute(&lanes.statements.update, &values).await.expect("an update");
                    assert_eq!(updated, 1);
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
            let users = read(&lanes.raw, &lanes.statements.rows, &[&rows]).await;
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

async fn raw_insert(lanes: &Lanes) -> User {
    let mut user = User::numbered(next(lanes));
    let values: [&(dyn ToSql + Sync); 4] = [&user.name, &user.hair_color, &user.age, &user.created_at];
    user.id = lanes.raw.query_one(&lanes.statements.insert, &values).await.expect("an insert").get(0);
    user
}

/// One statement of arrays, whose keys come back in the order of the rows, as they do in practice.
fn raw_unnest(lanes: &Lanes, times: u32, rows: usize) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let mut users: Vec<User> = (0..rows).map(|_| User::numbered(next(lanes))).collect();
            let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
            let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
            let ages: Vec<i64> = users.iter().map(|user| user.age).collect();
            let created: Vec<i64> = users.iter().map(|user| user.created_at).collect();
            let given =
                lanes.raw.query(&lanes.statements.unnest, &[&names, &colors, &ages, &created]).await.expect("inserts");
            for (user, row) in users.iter_mut().zip(&given) {
                user.id = row.get(0);
            }
            black_box(users);
        }
    });
}

/// `COPY`, which gives no keys back.
fn raw_copy(lanes: &Lanes, times: u32, rows: usize) {
    lanes.runtime.block_on(async {
        for _ in 0..times {
            let users: Vec<User> = (0..rows).map(|_| User::numbered(next(lanes))).collect();
            let sink = lanes
                .raw
                .copy_in("COPY users (name, hair_color, age, created_at) FROM STDIN (FORMAT binary)")
                .await
                .expect("a copy");
            let writer = BinaryCopyInWriter::new(sink, &[Type::TEXT, Type::TEXT, Type::INT8, Type::INT8]);
            let mut writer = pin!(writer);
            for user in &users {
                let row: [&(dyn ToSql + Sync); 4] = [&user.name, &user.hair_color, &user.age, &user.created_at];
                writer.as_mut().write(&row).await.expect("a row");
            }
            writer.finish().await.expect("the end of the copy");
            black_box(users);
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
    let lanes = open(crate::one_thread(), 4);
    let version = lanes.runtime.block_on(lanes.raw.query_one("SHOW server_version", &[])).expect("a version");
    println!("PostgreSQL {}, loopback, one thread, {ROWS} users", version.get::<_, &str>(0));
    same_answers(&lanes);
    measure::head();
    for (work, times, raw, ommi) in WORKS.iter().filter(|(work, ..)| work.starts_with(only)) {
        let figures = measure::interleave(
            25,
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
    lanes.runtime.block_on(async {
        let raw = read(&lanes.raw, &lanes.statements.rows, &[&ROWS]).await;
        let ommi = lanes.db.find(User::ID.le(ROWS)).all().await.expect("users");
        assert_eq!(raw.len(), ommi.len());
        let sorted = |mut users: Vec<User>| {
            users.sort_by_key(|user| user.id);
            users
        };
        assert_eq!(sorted(raw), sorted(ommi), "both lanes read the same users");
    });
}

/// Runs one lane of one workload.
pub fn count(work: &str, lane: &str, times: u32) {
    let lanes = open(crate::one_thread(), 4);
    let Some((_, _, raw, ommi)) = WORKS.iter().find(|(name, ..)| *name == work) else {
        eprintln!("no workload `{work}`: {}", WORKS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join("; "));
        std::process::exit(2);
    };
    match lane {
        "raw" => raw(&lanes, times),
        _ => ommi(&lanes, times),
    }
}

const TASKS: u32 = 64;
const CONNECTIONS: usize = 8;
const LOOKUPS: u32 = 2_000;

/// Look-ups by key of 64 tasks on 8 connections: shared by Ommi, checked out one by one by hand.
pub fn together() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let lanes = open(runtime, CONNECTIONS);
    let pool = lanes.runtime.block_on(async {
        let (give, take) = async_pool();
        for _ in 0..CONNECTIONS {
            let client = connect().await;
            let get = client.prepare(&format!("SELECT {COLUMNS} FROM users WHERE id = $1")).await.expect("a statement");
            give.send((client, get)).await.expect("a place");
        }
        Arc::new((give, take))
    });
    let figures = measure::interleave(
        9,
        TASKS * LOOKUPS,
        TASKS * LOOKUPS,
        |_| {
            let pool = Arc::clone(&pool);
            by_tasks(&lanes.runtime, move |keys| {
                let pool = Arc::clone(&pool);
                async move {
                    for n in keys {
                        let (client, get) = pool.1.lock().await.recv().await.expect("a connection");
                        let row = client.query_one(&get, &[&key(n)]).await.expect("a user");
                        pool.0.send((client, get)).await.expect("a place");
                        black_box(user(&row));
                    }
                }
            });
        },
        |_| {
            let db = lanes.db.clone();
            by_tasks(&lanes.runtime, move |keys| {
                let db = db.clone();
                async move {
                    for n in keys {
                        black_box(db.get::<User>(key(n)).await.expect("a user"));
                    }
                }
            });
        },
    );
    println!("{TASKS} tasks on {CONNECTIONS} connections, {LOOKUPS} look-ups each; by hand each look-up has its own");
    measure::head();
    measure::row("get", &figures);
}

type Pooled = (Arc<Client>, Statement);

/// A pool as simple as one can be: those who come first are served first.
fn async_pool() -> (tokio::sync::mpsc::Sender<Pooled>, tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Pooled>>) {
    let (give, take) = tokio::sync::mpsc::channel(CONNECTIONS);
    (give, tokio::sync::Mutex::new(take))
}

fn by_tasks<F: Future<Output = ()> + Send + 'static>(runtime: &Runtime, work: impl Fn(std::ops::Range<u32>) -> F) {
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(work(task * LOOKUPS..(task + 1) * LOOKUPS))).collect();
        for task in tasks {
            task.await.expect("a task");
        }
    });
}
