//! Reports beside each other.

use std::time::Duration;

use ommi_conformance::{CaseReport, Outcome, Report, matrix};

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
