//! What `explain()` shows.

use std::fmt;

use crate::value::ValueType;

/// How a query is answered: the driver's part with its text and its own plan, and the engine's.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The driver.
    pub driver: &'static str,
    /// The model.
    pub model: String,
    /// What the driver runs.
    pub native: String,
    /// The types of the parameters.
    pub parameters: Vec<ValueType>,
    /// What the engine completes, in words; empty where the driver does all.
    pub completed: Vec<String>,
    /// The database's own plan, where it has one.
    pub database_plan: Option<String>,
}

impl Explanation {
    /// Whether the driver does all.
    pub fn is_native(&self) -> bool {
        self.completed.is_empty()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}", self.model, self.driver)?;
        writeln!(f, "native: {}", self.native)?;
        if !self.parameters.is_empty() {
            let types: Vec<String> =
                self.parameters.iter().enumerate().map(|(index, of)| format!("{}: {of}", index + 1)).collect();
            writeln!(f, "parameters: {}", types.join(", "))?;
        }
        match self.completed.as_slice() {
            [] => writeln!(f, "engine: nothing to complete")?,
            completed => completed.iter().try_for_each(|part| writeln!(f, "engine: {part}"))?,
        }
        if let Some(plan) = &self.database_plan {
            writeln!(f, "database:")?;
            plan.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        Ok(())
    }
}
