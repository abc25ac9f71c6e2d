//! The values of expressions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;

use super::arithmetic::arithmetic;
use super::condition::Remembered;
use super::related::Related;
use crate::error::{Error, Result};
use crate::query::statement::SelectStatement;
use crate::query::{DatePart, Expr, RelatedNode};
use crate::value::json::{self, JsonCast, PathStep};
use crate::value::{Datum, Json, iso};

use smallvec::SmallVec;

/// Evaluates the expressions and conditions of one statement over rows.
///
/// A row holds all fields of the model in the order of its definition, and behind them those of the
/// rows it is joined with, if it is: see [`Evaluator::of_select`]. What is the same for every
/// row (patterns, long lists) is worked out once.
///
/// ```
/// use ommi_core::evaluate::Evaluator;
/// use ommi_core::query::{Comparison, Condition, Expr};
/// use ommi_core::value::Datum;
///
/// let condition = Condition::compare(Expr::Field(0), Comparison::Ge, Expr::Parameter(0));
/// let parameters = [Datum::Int(18)];
/// let evaluator = Evaluator::new(&parameters);
/// assert_eq!(evaluator.condition(&condition, &[Datum::Int(20)])?, Some(true));
/// assert_eq!(evaluator.condition(&condition, &[Datum::Null])?, None);
/// # Ok::<(), ommi_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Evaluator<'a> {
    parameters: &'a [Datum],
    inserted: Option<&'a [Datum]>,
    /// What is known of related rows.
    pub(super) related: Option<&'a Related>,
    /// Where in a row the fields of each join begin.
    joins: SmallVec<[usize; 1]>,
    /// What was worked out for a condition, by the condition's address.
    pub(super) remembered: RefCell<Vec<(usize, Arc<Remembered>)>>,
    /// Makes the lifetime invariant: conditions live as long as the evaluator, so that no two ever
    /// have the same address.
    conditions: PhantomData<Cell<&'a ()>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator for a statement with these parameters.
    pub fn new(parameters: &'a [Datum]) -> Self {
        Evaluator {
            parameters,
            inserted: None,
            related: None,
            joins: SmallVec::new(),
            remembered: RefCell::default(),
            conditions: PhantomData,
        }
    }

    /// An evaluator for a select with these parameters, which knows where the fields of its joins are.
    pub fn of_select(select: &SelectStatement, parameters: &'a [Datum]) -> Self {
        let mut evaluator = Evaluator::new(parameters);
        let mut begin = select.model.fields().len();
        for join in select.joins() {
            evaluator.joins.push(begin);
            begin += join.link.target().fields().len();
        }
        evaluator
    }

    /// The same evaluator, with what is known of related rows.
    pub fn with_related(mut self, related: &'a Related) -> Self {
        self.related = Some(related);
        self
    }

    /// The same evaluator, with the row that an upsert would have inserted.
    pub fn with_inserted(mut self, inserted: &'a [Datum]) -> Self {
        self.inserted = Some(inserted);
        self
    }

    /// The value of an expression for a row, borrowed where it lies somewhere already.
    ///
    /// # Errors
    ///
    /// `Query` if it is outside its type, or the expression does not fit the row or the
    /// parameters.
    pub fn value<'v>(&self, expr: &'v Expr, row: &'v [Datum]) -> Result<Cow<'v, Datum>>
    where
        'a: 'v,
    {
        let found = |value: Option<&'v Datum>, what, index| match value {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => Err(out_of_place(what, index)),
        };
        match expr {
            Expr::Field(index) => found(row.get(usize::from(*index)), "field", *index),
            Expr::Literal(value) => Ok(Cow::Borrowed(value)),
            Expr::Parameter(index) => found(self.parameters.get(usize::from(*index)), "parameter", *index),
            Expr::Inserted(index) => {
                found(self.inserted.and_then(|row| row.get(usize::from(*index))), "inserted field", *index)
            }
            Expr::Arithmetic { operator, left, right, value_type } => {
                let (left, right) = (self.value(left, row)?, self.value(right, row)?);
                arithmetic(*operator, &left, &right, value_type).map(Cow::Owned)
            }
            Expr::DatePart { part, of } => date_part(*part, &*self.value(of, row)?).map(Cow::Owned),
            Expr::JsonPath { of, path, cast } => match &*self.value(of, row)? {
                Datum::Json(document) => Ok(Cow::Owned(json_value(document, path, *cast))),
                Datum::Null => Ok(Cow::Owned(Datum::Null)),
                other => Err(Error::query(format!("{} is no JSON and has no paths", other.cell().type_name()))),
            },
            Expr::Length(of) => match &*self.value(of, row)? {
                Datum::List(items) => Ok(Cow::Owned(Datum::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)))),
                Datum::Null => Ok(Cow::Owned(Datum::Null)),
                other => Err(Error::query(format!("{} is no list and has no length", other.cell().type_name()))),
            },
            Expr::Joined { join, field, .. } => {
                let begin = self.joins.get(usize::from(*join));
                found(begin.and_then(|begin| row.get(begin + usize::from(*field))), "joined field", *field)
            }
            Expr::Related { link, condition, of } => {
                self.related_value(&RelatedNode { link, condition, of: Some(of) }, row)
            }
            Expr::Aggregate { function, .. } => Err(Error::query(format!(
                "`{}` stands where each row is looked at by itself: use it in `select`, `having` or the order of groups",
                function.name()
            ))),
        }
    }
}

#[cold]
fn out_of_place(what: &str, index: u16) -> Error {
    Error::query(format!("the statement has no {what} {index} here"))
}

/// A part of a date or time; of an instant, in UTC. Null of null.
///
/// # Errors
///
/// `Query` if the value has no such part.
pub fn date_part(part: DatePart, value: &Datum) -> Result<Datum> {
    let moment = match value {
        Datum::Null => return Ok(Datum::Null),
        Datum::DateTime(value) => Some(*value),
        Datum::Timestamp(value) => Some(iso::utc(*value)),
        _ => None,
    };
    let date = match value {
        Datum::Date(date) => Some(*date),
        _ => moment.map(|moment| moment.date()),
    };
    let time = match value {
        Datum::Time(time) => Some(*time),
        _ => moment.map(|moment| moment.time()),
    };
    let number = match part {
        DatePart::Year => date.map(|date| date.year().into()),
        DatePart::Month => date.map(|date| date.month().into()),
        DatePart::Day => date.map(|date| date.day().into()),
        DatePart::Weekday => date.map(|date| date.weekday().to_monday_one_offset().into()),
        DatePart::Hour => time.map(|time| time.hour().into()),
        DatePart::Minute => time.map(|time| time.minute().into()),
        DatePart::Second => time.map(|time| time.second().into()),
    };
    number.map(Datum::Int).ok_or_else(|| Error::query(format!("{} has no {part:?}", value.cell().type_name())))
}

/// The value at a path into a document, read as a type: null where the path is missing or holds
/// something else. JSON null is a value only for [`JsonCast::Json`].
pub fn json_value(document: &Json, path: &[PathStep], cast: JsonCast) -> Datum {
    let Some(value) = json::at(document, path) else { return Datum::Null };
    let read = match cast {
        JsonCast::Json => Some(Datum::Json(Box::new(value.clone()))),
        JsonCast::Text => value.as_str().map(|text| Datum::Text(text.into())),
        JsonCast::Int => json::integer(value).map(Datum::Int),
        JsonCast::Float => value.as_f64().map(|number| Datum::Float(number + 0.0)),
        JsonCast::Bool => value.as_bool().map(Datum::Bool),
    };
    read.unwrap_or(Datum::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{AggregateFunction, ArithmeticOperator};
    use crate::value::ValueType;
    use serde_json::json;

    fn value(expr: &Expr, row: &[Datum]) -> Result<Datum> {
        let parameters = [Datum::Int(5)];
        let inserted = [Datum::Int(9)];
        Evaluator::new(&parameters).with_inserted(&inserted).value(expr, row).map(Cow::into_owned)
    }

    #[test]
    fn leaves_are_found_by_index() {
        let row = [Datum::Int(1), Datum::Text("a".into())];
        assert_eq!(value(&Expr::Field(1), &row).unwrap(), Datum::Text("a".into()));
        assert_eq!(value(&Expr::Parameter(0), &row).unwrap(), Datum::Int(5));
        assert_eq!(value(&Expr::Inserted(0), &row).unwrap(), Datum::Int(9));
        assert_eq!(value(&Expr::Literal(Datum::Null), &row).unwrap(), Datum::Null);
        assert!(value(&Expr::Field(2), &row).unwrap_err().message().contains("no field 2"));
        assert!(value(&Expr::Parameter(1), &row).unwrap_err().is_query());
    }

    #[test]
    fn arithmetic_nests() {
        let sum = Expr::Arithmetic {
            operator: ArithmeticOperator::Add,
            left: Box::new(Expr::Field(0)),
            right: Box::new(Expr::Arithmetic {
                operator: ArithmeticOperator::Multiply,
                left: Box::new(Expr::Parameter(0)),
                right: Box::new(Expr::Literal(Datum::Int(2))),
                value_type: ValueType::I64,
            }),
            value_type: ValueType::I64,
        };
        assert_eq!(value(&sum, &[Datum::Int(1)]).unwrap(), Datum::Int(11));
        assert_eq!(value(&sum, &[Datum::Null]).unwrap(), Datum::Null);
        assert!(value(&sum, &[Datum::Int(i64::MAX)]).unwrap_err().is_query());
    }

    #[test]
    fn date_parts_are_those_of_the_calendar_and_of_utc() {
        let date = Datum::Date(iso::parse_date("2013-01-06").unwrap());
        let moment = Datum::Timestamp(iso::parse_timestamp("2013-12-31T23:30:59.5-01:00").unwrap());
        let early = Datum::Timestamp(iso::parse_timestamp("0001-01-01 00:00:00").unwrap());
        let before_epoch = Datum::Timestamp(iso::parse_timestamp("1969-12-31 23:59:59.999999").unwrap());
        let part = |part, value: &Datum| date_part(part, value).unwrap();
        assert_eq!(part(DatePart::Weekday, &date), Datum::Int(7));
        assert_eq!(part(DatePart::Day, &date), Datum::Int(6));
        assert_eq!(part(DatePart::Year, &moment), Datum::Int(2014));
        assert_eq!(part(DatePart::Hour, &moment), Datum::Int(0));
        assert_eq!(part(DatePart::Second, &moment), Datum::Int(59));
        assert_eq!(part(DatePart::Year, &early), Datum::Int(1));
        assert_eq!(part(DatePart::Weekday, &early), Datum::Int(1));
        assert_eq!(part(DatePart::Second, &before_epoch), Datum::Int(59));
        assert_eq!(part(DatePart::Minute, &Datum::Time(iso::parse_time("06:07").unwrap())), Datum::Int(7));
        assert_eq!(part(DatePart::Year, &Datum::Null), Datum::Null);
        assert!(date_part(DatePart::Hour, &date).unwrap_err().is_query());
    }

    #[test]
    fn json_paths_are_read_as_their_type_or_null() {
        let document = json!({"a": {"n": 1, "f": 1.5, "t": "x", "b": true, "z": null, "big": u64::MAX}, "l": [10]});
        let at = |path: &[&str], cast| {
            let path: Vec<PathStep> = path.iter().map(|step| (*step).into()).collect();
            json_value(&document, &path, cast)
        };
        assert_eq!(at(&["a", "n"], JsonCast::Int), Datum::Int(1));
        assert_eq!(at(&["a", "n"], JsonCast::Float), Datum::Float(1.0));
        assert_eq!(at(&["a", "n"], JsonCast::Text), Datum::Null);
        assert_eq!(at(&["a", "f"], JsonCast::Int), Datum::Null);
        assert_eq!(at(&["a", "t"], JsonCast::Text), Datum::Text("x".into()));
        assert_eq!(at(&["a", "b"], JsonCast::Bool), Datum::Bool(true));
        assert_eq!(at(&["a", "big"], JsonCast::Int), Datum::Null);
        assert_eq!(at(&["a", "z"], JsonCast::Text), Datum::Null);
        assert_eq!(at(&["a", "z"], JsonCast::Json), Datum::Json(Box::new(Json::Null)));
        assert_eq!(at(&["a", "y"], JsonCast::Json), Datum::Null);
        assert_eq!(at(&["l"], JsonCast::Json), Datum::Json(Box::new(json!([10]))));
        assert_eq!(json_value(&document, &["l".into(), 0.into()], JsonCast::Int), Datum::Int(10));
        let path = Expr::JsonPath { of: Box::new(Expr::Field(0)), path: Vec::new(), cast: JsonCast::Json };
        assert_eq!(value(&path, &[Datum::Null]).unwrap(), Datum::Null);
        assert_eq!(value(&path, &[Datum::Json(Box::new(Json::Null))]).unwrap(), Datum::Json(Box::new(Json::Null)));
    }

    #[test]
    fn a_list_has_a_length() {
        let length = Expr::Length(Box::new(Expr::Field(0)));
        assert_eq!(value(&length, &[Datum::List(vec![Datum::Int(1); 3])]).unwrap(), Datum::Int(3));
        assert_eq!(value(&length, &[Datum::Null]).unwrap(), Datum::Null);
        assert!(value(&length, &[Datum::Int(1)]).unwrap_err().is_query());
    }

    #[test]
    fn an_aggregate_has_no_value_for_a_single_row() {
        let count = Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false };
        assert!(value(&count, &[]).unwrap_err().is_query());
    }
}
