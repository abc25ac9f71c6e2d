//! Running the cases.

use std::any::Any;
use std::time::{Duration, Instant};

use ommi::Db;
use tracing::instrument::WithSubscriber;

use crate::case::Case;
use crate::cases;
use crate::completion::Completions;
use crate::report::{CaseReport, Outcome, Report};
use crate::target::Target;

/// The longest time that a case may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names of all cases, `subject::name`.
pub fn case_names() -> impl Iterator<Item = String> {
    cases::all().map(|case| full_name(&case))
}

fn full_name(case: &Case) -> String {
    format!("{}::{}", case.subject, case.name)
}

/// Runs every case against a target, or those that have a text in their full name
/// `subject::name`, and says how each ended.
///
/// A case that fails, panics or takes longer than a minute does not stop the others. The runtime
/// needs a timer, and more than one thread if the driver may block one.
pub async fn run(target: Target, filter: Option<&str>) -> Report {
    let mut results = Vec::new();
    for case in cases::all() {
        if filter.is_some_and(|filter| !full_name(&case).contains(filter)) {
            continue;
        }
        let begun = Instant::now();
        let outcome = run_case(&target, case).await;
        results.push(CaseReport { subject: case.subject, name: case.name, outcome, time: begun.elapsed() });
    }
    Report { target: target.name().to_owned(), cases: results }
}

async fn run_case(target: &Target, case: Case) -> Outcome {
    let db = match target.open().await {
        Ok(db) => db,
        Err(error) => return Outcome::Failed(format!("no database: {error}")),
    };
    let outcome = match case.missing(db.driver().capabilities()) {
        Some(missing) => Outcome::Unsupported(missing),
        None => attempt(&db, case).await,
    };
    match db.close().await {
        Err(error) if !outcome.is_failure() => Outcome::Failed(format!("the database could not be closed: {error}")),
        _ => outcome,
    }
}

async fn attempt(db: &Db, case: Case) -> Outcome {
    let completions = Completions::default();
    let work = (case.run)(db.clone()).with_subscriber(completions.clone());
    let mut task = tokio::spawn(work);
    match tokio::time::timeout(PATIENCE, &mut task).await {
        Err(_) => {
            task.abort();
            Outcome::Failed(format!("no end after {} s", PATIENCE.as_secs()))
        }
        Ok(Err(fault)) if fault.is_panic() => {
            Outcome::Failed(format!("panic: {}", panic_message(&*fault.into_panic())))
        }
        Ok(Err(fault)) => Outcome::Failed(fault.to_string()),
        Ok(Ok(Err(failure))) => Outcome::Failed(failure.to_string()),
        Ok(Ok(Ok(()))) => match completions.take() {
            reasons if reasons.is_empty() => Outcome::Passed,
            reasons => Outcome::Completed(reasons),
        },
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => message,
        (_, Some(message)) => message,
        (None, None) => "without a message",
    }
}
