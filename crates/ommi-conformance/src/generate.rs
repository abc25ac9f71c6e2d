//! Random models, rows and queries, answered by a driver and by the reference evaluator.

mod action;
mod compare;
mod expression;
mod family;
mod graph;
mod nested;
mod reference;
mod show;
mod shrink;
mod table;
mod value;

use std::fmt;
use std::sync::Arc;

use fastrand::Rng;
use ommi::model::ModelDef;
use ommi::query::Condition;
use ommi::{Db, Dynamic, Result};

use self::action::Action;
use self::compare::{Answer, difference};
pub use self::graph::fuzz_graphs;
use self::reference::reference;
use self::table::{Rules, Table};

/// How many queries are run over one table.
const QUERIES_OF_A_TABLE: u64 = 75;
/// How many of a hundred tables have others that they lead to.
const FAMILIES: u8 = 50;
/// How many tables one connection sees.
const TABLES_OF_A_CONNECTION: u64 = 40;
/// How many differences are told of before the run ends.
const DIFFERENCES: usize = 5;
/// How many smaller cases are tried for a difference.
const ATTEMPTS: usize = 1500;

/// A query that a driver and the reference answer differently, made as small as it gets.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The seed of the table: a run with it meets the query among its first.
    pub seed: u64,
    /// The flags of such a run.
    pub again: String,
    /// What differs.
    pub message: String,
    /// The model, its rows and the query.
    pub case: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "difference, to be met again by `{}`", self.again)?;
        writeln!(f, "{}", self.case)?;
        write!(f, "{}", self.message)
    }
}

/// What a run of generated queries came to.
#[derive(Clone, Debug)]
pub struct FuzzReport {
    /// The seed of the run.
    pub seed: u64,
    /// What was generated: queries, or trees of related rows.
    pub of: &'static str,
    /// How many of them were answered.
    pub queries: u64,
    /// How many of them were answered by an error, as the reference allows.
    pub errors: u64,
    /// What was answered differently.
    pub differences: Vec<Difference>,
    /// What ended the run before its time: a database that cannot be reached, say.
    pub fault: Option<String>,
}

impl FuzzReport {
    /// Whether all queries were run, without a difference.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.fault.is_none()
    }
}

impl fmt::Display for FuzzReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}\n")?;
        }
        if let Some(fault) = &self.fault {
            writeln!(f, "the run ended early: {fault}")?;
        }
        write!(
            f,
            "seed {}: {} {}, {} answered by an error as they may be, {} differences",
            self.seed,
            self.queries,
            self.of,
            self.errors,
            self.differences.len()
        )
    }
}

/// Runs generated queries on the database of a URL and in the reference evaluator, and compares.
///
/// The same seed makes the same models, rows and queries. The database gets tables named
/// `generated 1` and so on, which are dropped again.
pub async fn fuzz(url: &str, queries: u64, seed: u64) -> FuzzReport {
    fuzz_with_progress(url, queries, seed, |_| {}).await
}

/// [`fuzz`], which calls a function with the number of queries so far, some times a second.
pub async fn fuzz_with_progress(url: &str, queries: u64, seed: u64, mut progress: impl FnMut(u64)) -> FuzzReport {
    let mut report = FuzzReport { seed, of: "queries", queries: 0, errors: 0, differences: Vec::new(), fault: None };
    let mut tables = 0;
    while report.queries < queries && report.differences.len() < DIFFERENCES {
        let db = match ommi::connect(url).await {
            Ok(db) => db,
            Err(error) => {
                report.fault = Some(error.to_string());
                break;
            }
        };
        for _ in 0..TABLES_OF_A_CONNECTION {
            if report.queries >= queries || report.differences.len() >= DIFFERENCES {
                break;
            }
            let left = queries - report.queries;
            if let Err(error) = one_table(&db, seed.wrapping_add(tables), left, &mut report).await {
                report.fault = Some(error.to_string());
                return report;
            }
            tables += 1;
            progress(report.queries);
        }
        if let Err(error) = db.close().await {
            report.fault = Some(error.to_string());
            break;
        }
    }
    report
}

/// Runs queries over one generated table until one differs.
async fn one_table(db: &Db, seed: u64, left: u64, report: &mut FuzzReport) -> Result<()> {
    let mut rng = Rng::with_seed(seed);
    let table = if rng.u8(..100) < FAMILIES { Table::with_family(&mut rng)? } else { Table::random(&mut rng) };
    let stored = Stored::new(db, &table).await.map_err(|error| {
        ommi::Error::query(format!("seed {seed}: the rows could not be stored: {error}\n{}", show::table(&table)))
    })?;
    for _ in 0..QUERIES_OF_A_TABLE.min(left) {
        let action = Action::random(&mut rng, &table);
        report.queries += 1;
        match stored.attempt(&action).await {
            Verdict::Right => {}
            Verdict::Refused => report.errors += 1,
            Verdict::Different(message) => {
                report.differences.push(minimal(db, &table, action, message, seed).await);
                break;
            }
        }
    }
    stored.drop().await
}

/// A generated table in a database.
struct Stored<'a> {
    db: &'a Db,
    table: &'a Table,
    model: Dynamic,
    definition: Arc<ModelDef>,
    definitions: Vec<Arc<ModelDef>>,
}

enum Verdict {
    Right,
    /// By an error that is allowed.
    Refused,
    Different(String),
}

impl<'a> Stored<'a> {
    async fn new(db: &'a Db, table: &'a Table) -> Result<Self> {
        let definition = table.definition()?;
        let definitions = match &table.family {
            Some(family) => family.definitions.clone(),
            None => vec![Arc::clone(&definition)],
        };
        db.create_models(&definitions).await?;
        for (definition, rows) in definitions.iter().skip(1).zip(&table.others) {
            db.model(definition).add_all(rows.clone()).await?;
        }
        let model = db.model(&definition);
        model.add_all(table.rows.clone()).await?;
        Ok(Stored { db, table, model, definition, definitions })
    }

    async fn drop(self) -> Result<()> {
        self.db.drop_models(&self.definitions).await
    }

    async fn attempt(&self, action: &Action) -> Verdict {
        let reference = reference(&self.definition, self.table, action);
        let answer = self.answer(action).await;
        match difference(&reference, &answer) {
            Some(message) => Verdict::Different(message),
            None if answer.is_err() => Verdict::Refused,
            None => Verdict::Right,
        }
    }

    async fn answer(&self, action: &Action) -> Result<Answer> {
        let find = |condition: &Condition| self.model.find(condition.clone());
        match action {
            Action::Select(selection) => {
                let mut query = find(&selection.condition);
                query.select = selection.statement(&self.definition);
                Ok(Answer::Rows(query.rows().await?))
            }
            Action::Count(condition) => Ok(Answer::Count(find(condition).count().await?)),
            Action::Update(condition, assignments) => {
                self.written(find(condition).update(assignments.clone()).await).await
            }
            Action::Delete(condition) => self.written(find(condition).delete().await).await,
        }
    }

    /// The table after a write; then the rows are put back.
    async fn written(&self, matched: Result<u64>) -> Result<Answer> {
        let after = self.model.find(Condition::Const(true)).rows().await?;
        let is_atomic = self.db.driver().capabilities().transaction.transactions;
        let unchanged = matched.is_ok() || !is_atomic || after.len() == self.table.rows.len();
        self.model.find(Condition::Const(true)).delete().await?;
        self.model.add_all(self.table.rows.clone()).await?;
        match matched {
            Ok(matched) => Ok(Answer::Table(matched, after)),
            Err(_) if !unchanged => Ok(Answer::Table(0, after)),
            Err(error) => Err(error),
        }
    }
}

/// The smallest case that still differs.
async fn minimal(db: &Db, table: &Table, action: Action, message: String, seed: u64) -> Difference {
    let (mut table, mut action, mut message) = (table.clone(), action, message);
    let mut attempts = 0;
    'smaller: while attempts < ATTEMPTS {
        for (smaller_table, smaller_action) in shrink::smaller(&table, &action) {
            attempts += 1;
            if attempts >= ATTEMPTS {
                break 'smaller;
            }
            if let Some(other) = differs(db, &smaller_table, &smaller_action).await {
                (table, action, message) = (smaller_table, smaller_action, other);
                continue 'smaller;
            }
        }
        break;
    }
    let case = format!("model and rows\n{}{}", show::table(&table), show::action(&table, &action));
    let again = format!("--seed {seed} --queries {QUERIES_OF_A_TABLE}");
    Difference { seed, again, message, case }
}

/// What differs in a case, if it is a case at all.
async fn differs(db: &Db, table: &Table, action: &Action) -> Option<String> {
    let mut rules = Rules::default();
    if !table.rows.iter().all(|row| rules.admit(table, row)) {
        return None;
    }
    let stored = Stored::new(db, table).await.ok()?;
    let verdict = stored.attempt(action).await;
    stored.drop().await.ok()?;
    match verdict {
        Verdict::Different(message) => Some(message),
        _ => None,
    }
}
