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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::CaseReport;

    fn report(target: &str, outcomes: [Outcome; 2]) -> Report {
        let names = [("null", "null_is_unknown"), ("text", "text_is_text")];
        let cases = names.into_iter().zip(outcomes).map(|((subject, name), outcome)| CaseReport {
            subject,
            name,
            outcome,
            time: Duration::from_millis(1),
        });
        Report { target: target.to_owned(), cases: cases.collect() }
    }

    #[test]
    fn drivers_stand_beside_each_other() {
        let one = report("one", [Outcome::Passed, Outcome::Completed(vec!["like".into()])]);
        let two = report("two", [Outcome::Unsupported("operation.raw"), Outcome::Failed("no".into())]);
        assert_eq!(
            matrix(&[one, two]),
            "\
| | cases | pass | completed | unsupported | failed |
|---|---:|---:|---:|---:|---:|
| one | 2 | 1 | 1 | 0 | 0 |
| two | 2 | 0 | 0 | 1 | 1 |

## Null

| case | one | two |
|---|---|---|
| null is unknown | pass | no `operation.raw` |

## Text

| case | one | two |
|---|---|---|
| text is text | completed | **FAIL** |
"
        );
    }
}
