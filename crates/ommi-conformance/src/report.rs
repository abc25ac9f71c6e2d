//! How the cases ended.

use std::fmt::{self, Write};
use std::time::Duration;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The driver behaves as the case says.
    Passed,
    /// So it does, with the engine completing what is listed.
    Completed(Vec<String>),
    /// The case was left out: the driver lacks this capability.
    Unsupported(&'static str),
    /// The driver behaves otherwise.
    Failed(String),
}

impl Outcome {
    /// Whether the driver behaves otherwise than the case says.
    pub fn is_failure(&self) -> bool {
        matches!(self, Outcome::Failed(_))
    }

    /// Whether the case was run.
    pub fn was_run(&self) -> bool {
        !matches!(self, Outcome::Unsupported(_))
    }

    fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "pass",
            Outcome::Completed(_) => "completed",
            Outcome::Unsupported(_) => "unsupported",
            Outcome::Failed(_) => "FAIL",
        }
    }

    fn detail(&self) -> String {
        match self {
            Outcome::Passed => String::new(),
            Outcome::Completed(reasons) => reasons.join("; "),
            Outcome::Unsupported(capability) => format!("no {capability}"),
            Outcome::Failed(message) => message.clone(),
        }
    }
}

/// A case, and how it ended.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// What the case is about.
    pub subject: &'static str,
    /// What it says.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub time: Duration,
}

/// How all cases ended. It displays as a table.
#[derive(Clone, Debug)]
pub struct Report {
    /// The target's name.
    pub target: String,
    /// The cases, in the order in which they ran.
    pub cases: Vec<CaseReport>,
}

impl Report {
    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| case.outcome.is_failure())
    }

    /// The cases that were left out.
    pub fn unsupported(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| !case.outcome.was_run())
    }

    /// The numbers in a sentence.
    pub fn summary(&self) -> String {
        let number = |word: &str| self.cases.iter().filter(|case| case.outcome.word() == word).count();
        let time: Duration = self.cases.iter().map(|case| case.time).sum();
        format!(
            "{}: {} cases in {:.1} s: {} passed, {} completed by the engine, {} unsupported, {} failed",
            self.target,
            self.cases.len(),
            time.as_secs_f64(),
            number("pass"),
            number("completed"),
            number("unsupported"),
            number("FAIL"),
        )
    }

    /// The report as a Markdown table.
    pub fn markdown(&self) -> String {
        let mut text =
            format!("## {}\n\n{}.\n\n| subject | case | outcome | |\n|---|---|---|---|\n", self.target, self.summary());
        for case in &self.cases {
            let detail = case.outcome.detail().replace('|', "\\|").replace('\n', " ");
            // writing to a text cannot fail
            let _ =
                writeln!(text, "| {} | {} | {} | {detail} |", case.subject, sentence(case.name), case.outcome.word());
        }
        text
    }
}

fn sentence(name: &str) -> String {
    name.replace('_', " ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
        let mut subject = "";
        for case in &self.cases {
            if case.subject != subject {
                subject = case.subject;
                writeln!(f, "{subject}")?;
            }
            let line =
                format!("  {:width$}  {:11}  {}", sentence(case.name), case.outcome.word(), case.outcome.detail());
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "{}", self.summary())
    }
}
