//! Comparing a driver's answer with the reference's.

use ommi::Result;
use ommi::value::{Datum, Decimal};

use super::reference::{Exactness, Expected, Reference, Row, is_about_a_value};
use super::show;

/// What a driver answers.
#[derive(Debug)]
pub(super) enum Answer {
    /// Rows.
    Rows(Vec<Row>),
    /// A number of rows.
    Count(u64),
    /// A number of rows that matched, and the table afterwards.
    Table(u64, Vec<Row>),
}

/// What is wrong with an answer, in words.
pub(super) fn difference(reference: &Reference, answer: &Result<Answer>) -> Option<String> {
    match (&reference.expected, answer) {
        (Expected::Open, Ok(_)) => None,
        (Expected::Failure, Ok(answer)) => {
            Some(format!("an error was expected, the answer is {}", show_answer(answer)))
        }
        (Expected::Failure | Expected::Open, Err(error)) if is_about_a_value(error) => None,
        (_, Err(error)) if reference.may_fail && is_about_a_value(error) => None,
        (expected, Err(error)) => Some(format!("the error `{error}` came, expected were {}", show_expected(expected))),
        (expected, Ok(answer)) => {
            let is_right = match (expected, answer) {
                (Expected::Rows(parts), Answer::Rows(rows)) => in_parts(parts, rows, &reference.exactness),
                (Expected::Count(expected), Answer::Count(count)) => expected == count,
                (Expected::Table(expected, after), Answer::Table(matched, rows)) => {
                    expected == matched && same_rows(after, rows, &[])
                }
                _ => false,
            };
            let tell = || format!("the answer is {}\nexpected:     {}", show_answer(answer), show_expected(expected));
            (!is_right).then(tell)
        }
    }
}

fn show_answer(answer: &Answer) -> String {
    match answer {
        Answer::Rows(rows) => show::rows(rows),
        Answer::Count(count) => count.to_string(),
        Answer::Table(matched, rows) => format!("{matched} rows matched, then {}", show::rows(rows)),
    }
}

fn show_expected(expected: &Expected) -> String {
    match expected {
        Expected::Rows(parts) if parts.iter().all(|part| part.len() == 1) || parts.len() == 1 => {
            show::rows(&parts.concat())
        }
        Expected::Rows(parts) => parts.iter().map(|part| show::rows(part)).collect::<Vec<_>>().join(" then "),
        Expected::Count(count) => count.to_string(),
        Expected::Table(matched, rows) => format!("{matched} rows matched, then {}", show::rows(rows)),
        Expected::Failure => "an error".into(),
        Expected::Open => "an error or rows".into(),
    }
}

fn in_parts(parts: &[Vec<Row>], rows: &[Row], exactness: &[Exactness]) -> bool {
    let mut rest = rows;
    for part in parts {
        let Some((these, after)) = rest.split_at_checked(part.len()) else { return false };
        if !same_rows(part, these, exactness) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

/// Whether two lists hold the same rows, in any order.
fn same_rows(expected: &[Row], rows: &[Row], exactness: &[Exactness]) -> bool {
    if expected.len() != rows.len() {
        return false;
    }
    let mut left: Vec<&Row> = rows.iter().collect();
    expected.iter().all(|row| match left.iter().position(|other| same_row(row, other, exactness)) {
        Some(found) => {
            left.swap_remove(found);
            true
        }
        None => false,
    })
}

fn same_row(expected: &[Datum], row: &[Datum], exactness: &[Exactness]) -> bool {
    let exactness = exactness.iter().copied().chain(std::iter::repeat(Exactness::Stored));
    expected.len() == row.len()
        && expected.iter().zip(row).zip(exactness).all(|((left, right), how)| same(left, right, how))
}

fn same(left: &Datum, right: &Datum, exactness: Exactness) -> bool {
    match (left, right) {
        (Datum::Float(left), Datum::Float(right)) if exactness == Exactness::Close => {
            left == right
                || left.is_finite() && right.is_finite() && (left - right).abs() <= 1e-12 * left.abs().max(right.abs())
        }
        (Datum::Decimal(left), Datum::Decimal(right)) if exactness == Exactness::Stored => {
            as_written(*left) == as_written(*right)
        }
        _ => left == right,
    }
}

/// A decimal with its scale; zero has no sign.
fn as_written(value: Decimal) -> (Decimal, u32) {
    (value, value.scale())
}
