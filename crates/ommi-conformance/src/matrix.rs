//! Several reports beside each other: the cases by the drivers.

use std::fmt::Write;

use crate::report::{Outcome, Report};

/// A table in Markdown of the cases of several reports, grouped by subject: a column for each
/// report, whose cells are `pass`, `completed`, the capability that is absent, or `FAIL`.
///
/// The text depends on the outcomes alone: not on time, and not on the order of the runs.
pub fn matrix(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut subject = "";
    let cases = reports.first().map(|report| report.cases.as_slice()).unwrap_or_default();
    // writing to a text cannot fail
    let _ = writeln!(text, "| | cases | pass | completed | unsupported | failed |\n|---|---:|---:|---:|---:|---:|");
    for report in reports {
        let number = |is: fn(&Outcome) -> bool| report.cases.iter().filter(|case| is(&case.outcome)).count();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            report.target,
            report.cases.len(),
            number(|outcome| matches!(outcome, Outcome::Passed)),
            number(|outcome| matches!(outcome, Outcome::Completed(_))),
            number(|outcome| !outcome.was_run()),
            number(Outcome::is_failure),
        );
    }
    for case in cases {
        if case.subject != subject {
            subject = case.subject;
            let names: Vec<&str> = reports.iter().map(|report| report.target.as_str()).collect();
            let _ = writeln!(text, "\n## {}\n\n| case | {} |", capitalized(subject), names.join(" | "));
            let _ = writeln!(text, "|---|{}", "---|".repeat(reports.len()));
        }
        let cells: Vec<String> = reports
            .iter()
            .map(|report| {
                let found = report.cases.iter().find(|of| of.subject == case.subject && of.name == case.name);
                found.map_or_else(|| "not run".to_owned(), |case| cell(&case.outcome))
            })
            .collect();
        let _ = writeln!(text, "| {} | {} |", case.name.replace('_', " "), cells.join(" | "));
    }
    text
}

fn cell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "pass".to_owned(),
        Outcome::Completed(_) => "completed".to_owned(),
        Outcome::Unsupported(capability) => format!("no `{capability}`"),
        Outcome::Failed(_) => "**FAIL**".to_owned(),
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
