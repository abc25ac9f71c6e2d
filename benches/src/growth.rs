//! How times grow with rows and with tasks: `dev/bench sqlite --growth`.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use lanes::data::User;
use lanes::{Lane, Shared};
use tokio::runtime::Runtime;

use crate::measure::quantile;
use crate::peers::{self, ommi::Ommi, report};

mod plot;

use plot::{Line, plot};

const ROWS: &[i64] = &[100, 1_000, 10_000, 100_000, 1_000_000];
const TASKS: &[i64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/// How often each lane has its turn, if that takes no longer than [`LONG`].
const ROUNDS: usize = 5;
const LONG: Duration = Duration::from_secs(10);

/// How many look-ups all tasks do together.
const LOOKUPS: i64 = 10_240;

#[derive(Clone, Copy)]
enum Growing {
    Get,
    Rows,
    Filter,
    InsertAll,
    Update,
}

const WORKS: &[(Growing, &str)] = &[
    (Growing::Get, "one row by key"),
    (Growing::Rows, "all rows"),
    (Growing::Filter, "filter, order, limit 50"),
    (Growing::InsertAll, "insert of as many"),
    (Growing::Update, "update by key"),
];

/// Times in microseconds by size, of one work on one lane.
type Points = Vec<(f64, f64)>;

/// Measures, draws and puts the exponents into the report.
pub fn compare(database: &str) {
    let one = crate::one_thread();
    let mut rows = vec![[Points::new(), Points::new()]; WORKS.len()];
    for &size in ROWS {
        eprintln!("{database}: {size} rows");
        match database {
            "sqlite" => {
                let store = peers::sqlite::File::of(size);
                let ommi = one.block_on(Ommi::connect(&store.url()));
                by_rows(&one, store.raw(), ommi, size, &mut || store.clean_after(size), &mut rows);
            }
            _ => {
                let store = peers::postgres::Database::of(size);
                let ommi = one.block_on(Ommi::connect(&store.url(lanes::POOL)));
                let raw = one.block_on(store.raw());
                by_rows(&one, raw, ommi, size, &mut || store.clean_after(size), &mut rows);
            }
        }
    }
    let mut tasks = [Points::new(), Points::new()];
    let many = lanes::tasks();
    match database {
        "sqlite" => {
            let store = peers::sqlite::File::create();
            let ommi = many.block_on(Ommi::connect(&store.pooled_url()));
            by_tasks(&many, store.raw_pool(), ommi, &mut tasks);
        }
        _ => {
            let store = peers::postgres::Database::create();
            let ommi = many.block_on(Ommi::connect(&store.url(lanes::CONNECTIONS)));
            by_tasks(&many, many.block_on(store.raw_pool()), ommi, &mut tasks);
        }
    }
    write(database, &rows, &tasks);
}

fn by_rows<R: Lane, O: Lane>(
    one: &Runtime,
    mut raw: R,
    mut ommi: O,
    size: i64,
    clean: &mut dyn FnMut(),
    points: &mut [[Points; 2]],
) {
    for (&(work, _), points) in WORKS.iter().zip(points) {
        let mut times = [Vec::new(), Vec::new()];
        let begun = Instant::now();
        for round in 0..=ROUNDS {
            for place in 0..2 {
                let lane = (place + round) % 2;
                lanes::rest();
                let took = match lane {
                    0 => one.block_on(each(&mut raw, work, size)),
                    _ => one.block_on(each(&mut ommi, work, size)),
                };
                if matches!(work, Growing::InsertAll) {
                    clean();
                }
                times[lane].push(took.as_secs_f64() * 1e6);
            }
            if begun.elapsed() > LONG {
                break;
            }
        }
        for (times, points) in times.iter().zip(points) {
            // the first round warms, if there are others
            points.push((size as f64, quantile(&times[usize::from(times.len() > 1)..], 0.5)));
        }
    }
}

/// The time of one operation.
async fn each<L: Lane>(lane: &mut L, work: Growing, size: i64) -> Duration {
    let times = match work {
        Growing::Get => 2_000,
        Growing::Update => 500,
        Growing::Filter => (100_000 / size).clamp(1, 50),
        Growing::Rows | Growing::InsertAll => (10_000 / size).max(1),
    };
    let mut took = Duration::ZERO;
    for number in 0..times {
        let key = number * 7919 % size + 1;
        let users: Vec<User> = match work {
            Growing::InsertAll => (size + 1..=size * 2).map(User::numbered).collect(),
            _ => Vec::new(),
        };
        let begun = Instant::now();
        match work {
            Growing::Get => _ = black_box(lane.get(key).await),
            Growing::Rows => assert_eq!(black_box(lane.rows(size).await).len() as i64, size),
            Growing::Filter => _ = black_box(lane.filter(number % 90).await),
            Growing::InsertAll => assert_eq!(black_box(lane.insert_all(users).await).len() as i64, size),
            Growing::Update => _ = black_box(lane.update(key, if number % 2 == 0 { "red" } else { "grey" }).await),
        }
        took += begun.elapsed();
    }
    took / u32::try_from(times).unwrap_or(1)
}

fn by_tasks(many: &Runtime, raw: impl Shared, ommi: impl Shared, points: &mut [Points; 2]) {
    for &tasks in TASKS {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for place in 0..2 {
                let lane = (place + round) % 2;
                lanes::rest();
                let begun = Instant::now();
                match lane {
                    0 => many.block_on(look_up(raw.clone(), tasks)),
                    _ => many.block_on(look_up(ommi.clone(), tasks)),
                }
                times[lane].push(begun.elapsed().as_secs_f64() * 1e6 / LOOKUPS as f64);
            }
        }
        for (times, points) in times.iter().zip(&mut *points) {
            points.push((tasks as f64, quantile(&times[1..], 0.5)));
        }
    }
}

async fn look_up(shared: impl Shared, tasks: i64) {
    let task = |task: i64| {
        let mut shared = shared.clone();
        tokio::spawn(async move {
            for number in (task..LOOKUPS).step_by(usize::try_from(tasks).unwrap_or(1)) {
                let key = lanes::key(u32::try_from(number).unwrap_or_default());
                assert_eq!(shared.look_up(key).await, key);
            }
        })
    };
    let tasks: Vec<_> = (0..tasks).map(task).collect();
    for task in tasks {
        task.await.expect("a task");
    }
}

fn write(database: &str, rows: &[[Points; 2]], tasks: &[Points; 2]) {
    let mut table = String::from(
        "| work | exponent of raw | of Ommi | Ommi ÷ raw at 100 | at 1,000,000 |\n|---|---:|---:|---:|---:|\n",
    );
    let mut lines = Vec::new();
    for ((_, name), [raw, ommi]) in WORKS.iter().zip(rows) {
        let ratio = |(raw, ommi): (&(f64, f64), &(f64, f64))| ommi.1 / raw.1;
        let ratios: Vec<f64> = raw.iter().zip(ommi).map(ratio).collect();
        let (first, last) = (ratios.first().unwrap_or(&1.0), ratios.last().unwrap_or(&1.0));
        let _ = writeln!(table, "| {name} | {:.2} | {:.2} | {first:.2} | {last:.2} |", exponent(raw), exponent(ommi));
        lines.push(Line { name: format!("{name}, raw"), points: raw.clone(), is_dashed: true });
        lines.push(Line { name: format!("{name}, Ommi"), points: ommi.clone(), is_dashed: false });
    }
    let by_rows = format!("growth-{database}-rows.svg");
    let by_tasks = format!("growth-{database}-tasks.svg");
    save(&by_rows, &plot("µs an operation, by rows of the table", &lines));
    let [raw, ommi] = tasks;
    let lines = [
        Line { name: "raw".into(), points: raw.clone(), is_dashed: true },
        Line { name: "Ommi".into(), points: ommi.clone(), is_dashed: false },
    ];
    save(&by_tasks, &plot("µs a look-up, by tasks", &lines));
    let ends = |points: &Points| points.iter().map(|(_, time)| format!("{time:.1}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{}, {ROUNDS} rounds.\n\n{table}\n![Times by rows]({by_rows})\n\nLook-ups of 1, 2, 4 … 512 tasks, µs each: raw {}; Ommi {}.\n\n![Times by tasks]({by_tasks})",
        report::machine(),
        ends(raw),
        ends(ommi)
    );
    println!("{text}");
    report::put(&format!("growth {database}"), &text);
}

fn save(name: &str, svg: &str) {
    std::fs::write(format!("docs/{name}"), svg).expect("a plot");
}

/// The slope in logarithms, of the sizes from 10,000 on, where what is the same for all sizes is little.
fn exponent(points: &Points) -> f64 {
    let logs: Vec<(f64, f64)> =
        points.iter().filter(|(size, _)| *size >= 10_000.0).map(|(size, time)| (size.ln(), time.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = logs.iter().fold((0.0, 0.0), |sum, log| (sum.0 + log.0 / count, sum.1 + log.1 / count));
    let (up, down) =
        logs.iter().fold((0.0, 0.0), |sum, log| (sum.0 + (log.0 - x) * (log.1 - y), sum.1 + (log.0 - x) * (log.0 - x)));
    up / down
}
