//! Dropping the future of every operation at every await point that it has.
//!
//! ```no_run
//! # async fn example() {
//! use ommi_conformance::{Target, cancellation};
//!
//! let report = cancellation(&Target::from_url("SQLite in memory", "sqlite::memory:")).await;
//! println!("{report}");
//! assert!(report.is_clean());
//! # }
//! ```

pub(crate) mod cut;
mod next_user;
mod operation;
mod report;

use std::time::Duration;

use ommi::driver::BoxFuture;
use ommi::prelude::*;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use self::cut::{Cut, Ended, Moment};
use self::next_user::{PATIENCE, counter, use_database};
use self::operation::{KEPT, KEYS, Operation, kept};
pub use self::report::{CancellationReport, CancelledOperation};
use crate::models::{Item, User, item};
use crate::target::Target;

/// The most polls of an operation that are tried.
const MOST_POLLS: usize = 300;
/// How much is found before an operation is given up.
const ENOUGH: usize = 5;
/// How long somebody else keeps what an operation waits for.
const BLOCKED: Duration = Duration::from_millis(3);

/// Runs each operation of the handle on databases of a target, again and again, and drops its
/// future after 0, 1, 2, … polls, until it comes to its end before: as soon as the last poll was in
/// vain, when it is woken for the next, and both again while another transaction keeps what it
/// waits for.
///
/// After each drop the next user of the database has to find it clean: no open transaction, no
/// half-read result, no wrong row, no connection that is gone. A dropped write has been applied
/// wholly or not at all, wherever the driver has transactions.
///
/// The runtime needs a timer and more than one thread, and has nothing else to do: tasks that are
/// left running are found by their number.
pub async fn cancellation(target: &Target) -> CancellationReport {
    let mut operations = Vec::new();
    for operation in operation::all() {
        operations.push(drop_everywhere(target, &operation).await);
    }
    operations.push(drop_connect(target).await);
    operations.push(drop_close(target).await);
    CancellationReport { target: target.name().to_owned(), operations }
}

/// A report of an operation about which nothing is known yet.
fn nothing_found(name: &'static str) -> CancelledOperation {
    CancelledOperation { name, points: 0, dirty: Vec::new(), left_out: None }
}

/// An operation at one point.
#[derive(Clone, Copy)]
struct Point {
    cut: Cut,
    is_blocked: bool,
    first: i64,
}

impl Point {
    fn with(&self, found: impl std::fmt::Display) -> String {
        let blocked = if self.is_blocked { ", in line behind another" } else { "" };
        format!("{}{blocked}: {found}", self.cut)
    }
}

async fn drop_everywhere(target: &Target, operation: &Operation) -> CancelledOperation {
    let mut report = nothing_found(operation.name);
    let tasks = Handle::current().metrics().num_alive_tasks();
    let db = match prepared(target).await {
        Ok(db) => db,
        Err(error) => {
            report.dirty.push(format!("no database: {error}"));
            return report;
        }
    };
    let can = db.driver().capabilities();
    report.left_out = operation.needs.iter().find(|needed| !needed.is_in(can)).map(|needed| needed.name());
    if report.left_out.is_none() {
        drop_at_all_points(&db, operation, &mut report).await;
    }
    close(db, tasks, &mut report).await;
    report
}

/// A database with the rows that nobody changes.
async fn prepared(target: &Target) -> Result<Db> {
    let db = target.open().await?;
    db.create::<Item>().await?;
    let can = db.driver().capabilities().constraint;
    if can.unique && can.auto_integers {
        db.create::<User>().await?;
    }
    db.add_all((0..KEPT).map(kept)).await?;
    db.add(counter()).await?;
    Ok(db)
}

async fn drop_at_all_points(db: &Db, operation: &Operation, report: &mut CancelledOperation) {
    let mut seen = Vec::new();
    let mut first = 10_000;
    let mut count = 0;
    for is_blocked in [false, true] {
        if is_blocked && !db.driver().capabilities().transaction.transactions {
            break;
        }
        for moment in [Moment::AtOnce, Moment::Woken] {
            // before the first poll there is nothing to wake
            let fewest = usize::from(moment == Moment::Woken);
            for polls in fewest..=MOST_POLLS {
                first += KEYS;
                count += 2;
                let point = Point { cut: Cut { polls, moment }, is_blocked, first };
                let ended = tokio::time::timeout(PATIENCE * 2, attempt(db, operation, point, count)).await;
                match ended {
                    Ok(Ok(true)) => break,
                    Ok(Ok(false)) if polls == MOST_POLLS => {
                        report.dirty.push(format!("no end after {MOST_POLLS} polls"));
                    }
                    Ok(Ok(false)) => {}
                    Ok(Err(error)) => report.dirty.push(point.with(error)),
                    Err(_) => report.dirty.push(point.with(format!("no end after {:?}", PATIENCE * 2))),
                }
                report.points += 1;
                seen.push(point);
                if report.dirty.len() >= ENOUGH {
                    return;
                }
            }
        }
    }
    // what was dropped may come late, but not by halves
    tokio::time::sleep(Duration::from_millis(20)).await;
    for point in seen {
        if let Err(error) = check_rows(db, operation, point.first, None).await {
            report.dirty.push(point.with(format!("in the end, {error}")));
        }
    }
}

/// Runs an operation up to a point and looks at what it left. Gives whether it came to its end.
async fn attempt(db: &Db, operation: &Operation, point: Point, count: i32) -> Result<bool> {
    let before = (operation.before)(point.first);
    if !before.is_empty() {
        db.add_all(before).await?;
    }
    let blocker = match point.is_blocked {
        true => Some(block(db, point.first).await?),
        false => None,
    };
    let ran = (operation.run)(db.clone(), point.first, point.cut).await;
    if let Some(blocker) = blocker {
        blocker.await.map_err(|fault| Error::config(fault.to_string()))??;
    }
    let is_done = match ran {
        // a database may refuse to wait for another transaction
        Err(error) if error.is_retryable() && point.is_blocked => {
            check_rows(db, operation, point.first, Some(false)).await?;
            return Ok(true);
        }
        ran => ran?,
    };
    let is_applied = match (is_done, point.cut.polls) {
        (true, _) => Some(true),
        (false, _) if operation.goes_on => Some(true),
        (false, 0) => Some(false),
        (false, _) => None,
    };
    check_rows(db, operation, point.first, is_applied).await?;
    use_database(db, count).await?;
    check_rows(db, operation, point.first, is_applied).await?;
    if let Some(again) = operation.again {
        again(db.clone(), point.first).await?;
    }
    use_database(db, count).await?;
    Ok(is_done)
}

/// Keeps the rows of an operation, and the right to write where there is one, for a moment.
async fn block(db: &Db, first: i64) -> Result<JoinHandle<Result<()>>> {
    let tx = db.begin().await?;
    tx.find(Item::ID.between(first, first + KEYS - 1)).update(Item::NAME.set("blocked")).await?;
    tx.upsert(item(first, "blocked")).count().await?;
    Ok(tokio::spawn(async move {
        tokio::time::sleep(BLOCKED).await;
        tx.rollback().await
    }))
}

/// Checks that the rows of an operation are those before it or those after it, and which of both
/// where that is known.
async fn check_rows(db: &Db, operation: &Operation, first: i64, is_applied: Option<bool>) -> Result<()> {
    let (before, after) = ((operation.before)(first), (operation.after)(first));
    let rows = (operation.rows)(db.clone(), first).await?;
    let is_whole = match is_applied {
        Some(true) => rows == after,
        Some(false) => rows == before,
        None if db.driver().capabilities().transaction.transactions => rows == before || rows == after,
        // row by row: each is as before or as after
        None => rows.iter().all(|row| before.contains(row) || after.contains(row)),
    };
    if is_whole {
        return Ok(());
    }
    let what = match is_applied {
        Some(true) => "it came to its end, and its rows are not those after it",
        Some(false) => "it was never begun, and its rows are not those before it",
        None => "it was applied by halves",
    };
    let shown: Vec<(i64, &str)> = rows.iter().take(3).map(|row| (row.id, &*row.name)).collect();
    Err(Error::detached(format!("{what}: {} rows, {shown:?}", rows.len())))
}

/// Closes a database: no connection may be in use, and no task left.
async fn close(db: Db, tasks: usize, report: &mut CancelledOperation) {
    match tokio::time::timeout(PATIENCE, db.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => report.dirty.push(format!("in the end, at its close: {error}")),
        Err(_) => report.dirty.push(format!("in the end, its close had not ended after {PATIENCE:?}")),
    }
    drop(db);
    let metrics = Handle::current().metrics();
    for _ in 0..200 {
        if metrics.num_alive_tasks() <= tasks {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let left = metrics.num_alive_tasks().saturating_sub(tasks);
    report.dirty.push(format!("in the end, {left} tasks were left running"));
}

/// Drops the opening of a connection at all its points.
async fn drop_connect(target: &Target) -> CancelledOperation {
    let mut report = nothing_found("connect");
    let tasks = Handle::current().metrics().num_alive_tasks();
    for polls in 0..=MOST_POLLS {
        let opening: BoxFuture<'_, Result<Db>> = Box::pin(target.open());
        match (Cut { polls, moment: Moment::AtOnce }).of(opening).await {
            Ended::Dropped => report.points += 1,
            Ended::Done(Ok(db)) => {
                close(db, tasks, &mut report).await;
                return report;
            }
            Ended::Done(Err(error)) => {
                report.dirty.push(format!("after {polls} polls: {error}"));
                return report;
            }
        }
    }
    report
}

/// Drops the close of a database at all its points, each on a database of its own.
async fn drop_close(target: &Target) -> CancelledOperation {
    let mut report = nothing_found("close");
    let tasks = Handle::current().metrics().num_alive_tasks();
    for moment in [Moment::AtOnce, Moment::Woken] {
        for polls in usize::from(moment == Moment::Woken)..=MOST_POLLS {
            let db = match prepared(target).await {
                Ok(db) => db,
                Err(error) => {
                    report.dirty.push(format!("no database: {error}"));
                    return report;
                }
            };
            let cut = Cut { polls, moment };
            let is_done = match cut.of(db.close()).await {
                Ended::Dropped => false,
                Ended::Done(Ok(())) => true,
                Ended::Done(Err(error)) => {
                    report.dirty.push(format!("{cut}: {error}"));
                    true
                }
            };
            match tokio::time::timeout(PATIENCE, db.get::<Item>(1)).await {
                Ok(Ok(row)) if row == kept(1) => {}
                Ok(Err(error)) if error.is_connection() => {}
                other => report.dirty.push(format!("{cut}: a read after it gave {other:?}")),
            }
            close(db, tasks, &mut report).await;
            if is_done || report.dirty.len() >= ENOUGH {
                break;
            }
            report.points += 1;
        }
    }
    report
}
