//! What the drops left behind.

use std::fmt;

/// An operation, and what drops of its future left behind.
#[derive(Clone, Debug)]
pub struct CancelledOperation {
    /// What it does.
    pub name: &'static str,
    /// At how many points it was dropped.
    pub points: usize,
    /// What was found that should not be: at which point, and what.
    pub dirty: Vec<String>,
    /// Why it was left out, if it was: the capability that the driver lacks.
    pub left_out: Option<&'static str>,
}

/// What drops of all operations left behind. It displays as a table.
#[derive(Clone, Debug)]
pub struct CancellationReport {
    /// The target's name.
    pub target: String,
    /// The operations.
    pub operations: Vec<CancelledOperation>,
}

impl CancellationReport {
    /// Whether no drop left anything behind.
    pub fn is_clean(&self) -> bool {
        self.operations.iter().all(|operation| operation.dirty.is_empty())
    }

    /// The numbers in a sentence.
    pub fn summary(&self) -> String {
        let run = self.operations.iter().filter(|operation| operation.left_out.is_none());
        let points: usize = self.operations.iter().map(|operation| operation.points).sum();
        let dirty: usize = self.operations.iter().map(|operation| operation.dirty.len()).sum();
        let left_out = self.operations.iter().filter(|operation| operation.left_out.is_some()).count();
        format!(
            "{}: {} operations dropped at {points} points: {dirty} dirty; {left_out} unsupported",
            self.target,
            run.count()
        )
    }
}

impl fmt::Display for CancellationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.operations.iter().map(|operation| operation.name.len()).max().unwrap_or(0);
        for operation in &self.operations {
            match operation.left_out {
                Some(capability) => writeln!(f, "  {:width$}  unsupported: no {capability}", operation.name)?,
                None => {
                    writeln!(
                        f,
                        "  {:width$}  {:4} points, {} dirty",
                        operation.name,
                        operation.points,
                        operation.dirty.len()
                    )?;
                }
            }
            for dirty in &operation.dirty {
                writeln!(f, "      {dirty}")?;
            }
        }
        f.write_str(&self.summary())
    }
}
