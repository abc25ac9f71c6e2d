//! Who answers a query: the driver natively, or the engine, which completes what the driver lacks.
//!
//! A statement whose constants have been taken out is planned once per shape and database; the
//! plan is kept in a [`cache::PlanCache`] and run with each query's own parameters.

pub mod cache;
pub mod check;
pub mod explain;
pub mod parameter;
pub mod planner;

use std::sync::Arc;

pub use self::cache::PlanCache;
pub use self::explain::Explanation;

use crate::driver::Prepared;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::query::Condition;
use crate::query::statement::{InsertStatement, SelectStatement};

/// How a statement is answered.
#[derive(Debug)]
pub enum Plan {
    /// Rows are read.
    Select(SelectPlan),
    /// Rows are written.
    Insert(InsertPlan),
    /// Rows are changed or deleted.
    Write(WritePlan),
}

/// How rows are read.
#[derive(Debug)]
pub struct SelectPlan {
    /// What the driver runs.
    pub native: Prepared,
    /// What the engine does with the driver's rows, which then hold all fields of the model.
    pub completion: Option<Box<SelectStatement>>,
    /// The types of the driver's rows, where they are not those of the model's fields: with joins, the
    /// fields of the joined rows follow.
    pub row_types: Option<Vec<crate::value::ValueType>>,
    /// What the engine does, in words.
    pub completed: Vec<String>,
}

/// How rows are written.
#[derive(Debug)]
pub struct InsertPlan {
    /// What the driver runs.
    pub native: Prepared,
    /// The whole statement, where the engine looks for rows that are there already.
    pub completion: Option<InsertStatement>,
    /// What the engine does, in words.
    pub completed: Vec<String>,
}

/// How rows are changed or deleted.
#[derive(Debug)]
pub enum WritePlan {
    /// The driver does it.
    Native(Prepared),
    /// The engine reads the rows and writes them one by one, by their keys.
    ByKey {
        /// How the rows are found.
        select: Box<SelectPlan>,
        /// What is written: all fields but the key as parameters, then the key's; or the key's
        /// alone for a deletion.
        write: Prepared,
        /// The new values, for an update.
        assignments: Option<Vec<(u16, crate::query::Expr)>>,
        /// What the engine does, in words.
        completed: Vec<String>,
    },
}

impl Plan {
    /// What the engine does, in words; empty where the driver does all.
    pub fn completed(&self) -> &[String] {
        match self {
            Plan::Select(plan) => &plan.completed,
            Plan::Insert(plan) => &plan.completed,
            Plan::Write(WritePlan::Native(_)) => &[],
            Plan::Write(WritePlan::ByKey { completed, .. }) => completed,
        }
    }

    /// What the driver runs.
    pub fn native(&self) -> &Prepared {
        match self {
            Plan::Select(plan) => &plan.native,
            Plan::Insert(plan) => &plan.native,
            Plan::Write(WritePlan::Native(native)) => native,
            Plan::Write(WritePlan::ByKey { select, .. }) => &select.native,
        }
    }

    /// Refuses a plan in which the engine completes something.
    ///
    /// # Errors
    ///
    /// `Unsupported`, with what the driver lacks.
    pub fn check_strict(&self, driver: &'static str, model: &Arc<ModelDef>) -> Result<()> {
        if self.completed().is_empty() {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "the driver cannot do all of this by itself, and the query is strict: {}; drop `strict()` to let the engine do it",
            self.completed().join("; ")
        ))
        .with_driver(driver)
        .with_model(model.name()))
    }
}

/// The parts of a condition that all must hold.
pub(crate) fn conjuncts(condition: Condition) -> Vec<Condition> {
    match condition {
        Condition::Const(true) => Vec::new(),
        Condition::And(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}
