//! Aggregates, one value at a time.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::compare::{compare, decimal, integer};
use super::group_key::GroupKey;
use super::sum::{AvgDecimal, AvgFloat, AvgInt, SumDecimal, SumFloat, SumInt};
use crate::error::{Error, Result};
use crate::query::AggregateFunction;
use crate::value::{Datum, Decimal};

/// An aggregate function at work on one group.
#[derive(Clone, Debug)]
pub struct Accumulator {
    work: Work,
    seen: Option<HashSet<GroupKey>>,
}

#[derive(Clone, Debug)]
enum Work {
    Count(i64),
    /// A sum of values that are still to come; their type decides on its own.
    Sum,
    SumInt(SumInt),
    SumDecimal(Box<SumDecimal>),
    SumFloat(SumFloat),
    Avg,
    AvgInt(AvgInt),
    AvgDecimal(Box<AvgDecimal>),
    AvgFloat(AvgFloat),
    Extreme {
        best: Datum,
        better: Ordering,
    },
}

impl Accumulator {
    /// An accumulator without values; with `distinct`, equal values count once.
    pub fn new(function: AggregateFunction, distinct: bool) -> Self {
        let work = match function {
            AggregateFunction::Count => Work::Count(0),
            AggregateFunction::Sum => Work::Sum,
            AggregateFunction::Avg => Work::Avg,
            AggregateFunction::Min => Work::Extreme { best: Datum::Null, better: Ordering::Less },
            AggregateFunction::Max => Work::Extreme { best: Datum::Null, better: Ordering::Greater },
        };
        Accumulator { work, seen: distinct.then(HashSet::new) }
    }

    /// Counts a row, whatever its values: `count()` without an expression.
    pub fn add_row(&mut self) {
        if let Work::Count(count) = &mut self.work {
            *count += 1;
        }
    }

    /// Adds a value; null is left out.
    ///
    /// # Errors
    ///
    /// `Query` if the function cannot take such a value, or a sum grows beyond any decimal.
    pub fn add(&mut self, value: &Datum) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(GroupKey::new(value))
        {
            return Ok(());
        }
        // The first value decides how sums are kept.
        match (&self.work, value) {
            (Work::Sum, Datum::Int(_) | Datum::UInt(_)) => self.work = Work::SumInt(SumInt::default()),
            (Work::Sum, Datum::Decimal(_)) => self.work = Work::SumDecimal(Box::default()),
            (Work::Sum, Datum::Float(_)) => self.work = Work::SumFloat(SumFloat::default()),
            (Work::Avg, Datum::Int(_) | Datum::UInt(_)) => self.work = Work::AvgInt(AvgInt::default()),
            (Work::Avg, Datum::Decimal(_)) => self.work = Work::AvgDecimal(Box::default()),
            (Work::Avg, Datum::Float(_)) => self.work = Work::AvgFloat(AvgFloat::default()),
            _ => {}
        }
        match (&mut self.work, value) {
            (Work::Count(count), _) => *count += 1,
            (Work::SumFloat(sum), Datum::Float(value)) => sum.add(*value),
            (Work::AvgFloat(mean), Datum::Float(value)) => mean.add(*value),
            (Work::Extreme { best, better }, value) => {
                if best.is_null() || compare(value, best) == Some(*better) {
                    *best = value.clone();
                }
            }
            (Work::SumInt(sum), value) => sum.add(integer(value).ok_or_else(|| not_summable(value))?),
            (Work::AvgInt(mean), value) => mean.add(integer(value).ok_or_else(|| not_summable(value))?),
            (Work::SumDecimal(sum), value) => sum.add(decimal(value).ok_or_else(|| not_summable(value))?)?,
            (Work::AvgDecimal(mean), value) => mean.add(decimal(value).ok_or_else(|| not_summable(value))?)?,
            (Work::Sum | Work::Avg | Work::SumFloat(_) | Work::AvgFloat(_), value) => return Err(not_summable(value)),
        }
        Ok(())
    }

    /// The aggregate of the values so far.
    ///
    /// # Errors
    ///
    /// `Query` if it is outside its type.
    pub fn finish(&self) -> Result<Datum> {
        let number = |value: Option<Decimal>| value.map_or(Datum::Null, Datum::Decimal);
        Ok(match &self.work {
            Work::Count(count) => Datum::Int(*count),
            Work::Sum | Work::Avg => Datum::Null,
            Work::SumInt(sum) => sum.finish()?.map_or(Datum::Null, Datum::Int),
            Work::AvgInt(mean) => number(mean.finish()?),
            Work::SumDecimal(sum) => number(sum.finish()?),
            Work::AvgDecimal(mean) => number(mean.finish()?),
            Work::SumFloat(sum) => sum.finish()?.map_or(Datum::Null, Datum::Float),
            Work::AvgFloat(mean) => mean.finish()?.map_or(Datum::Null, Datum::Float),
            Work::Extreme { best, .. } => best.clone(),
        })
    }
}

#[cold]
fn not_summable(value: &Datum) -> Error {
    Error::query(format!("{} cannot be summed with the other values", value.cell().type_name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::decimal as exact;
    use AggregateFunction::*;

    fn aggregate(function: AggregateFunction, distinct: bool, values: &[Datum]) -> Result<Datum> {
        let mut accumulator = Accumulator::new(function, distinct);
        values.iter().try_for_each(|value| accumulator.add(value))?;
        accumulator.finish()
    }

    fn dec(text: &str) -> Datum {
        Datum::Decimal(exact::parse(text).unwrap())
    }

    fn ints(values: &[i64]) -> Vec<Datum> {
        values.iter().copied().map(Datum::Int).collect()
    }

    #[test]
    fn over_no_values_all_but_count_are_null() {
        for values in [&[][..], &[Datum::Null, Datum::Null]] {
            assert_eq!(aggregate(Count, false, values).unwrap(), Datum::Int(0));
            for function in [Sum, Avg, Min, Max] {
                assert_eq!(aggregate(function, false, values).unwrap(), Datum::Null);
            }
        }
    }

    #[test]
    fn nulls_are_left_out() {
        let values = [Datum::Null, Datum::Int(1), Datum::Null, Datum::Int(2)];
        assert_eq!(aggregate(Count, false, &values).unwrap(), Datum::Int(2));
        assert_eq!(aggregate(Sum, false, &values).unwrap(), Datum::Int(3));
        assert_eq!(aggregate(Avg, false, &values).unwrap(), dec("1.5"));
        assert_eq!(aggregate(Min, false, &values).unwrap(), Datum::Int(1));
        assert_eq!(aggregate(Max, false, &values).unwrap(), Datum::Int(2));
    }

    #[test]
    fn rows_are_counted_whatever_they_hold() {
        let mut rows = Accumulator::new(Count, false);
        rows.add_row();
        rows.add_row();
        assert_eq!(rows.finish().unwrap(), Datum::Int(2));
    }

    #[test]
    fn distinct_values_count_once() {
        let values = [dec("1.50"), dec("1.5"), dec("2"), Datum::Null];
        assert_eq!(aggregate(Count, true, &values).unwrap(), Datum::Int(2));
        assert_eq!(aggregate(Sum, true, &values).unwrap(), dec("3.5"));
    }

    #[test]
    fn an_integer_sum_may_leave_the_range_on_the_way_but_not_at_the_end() {
        assert_eq!(aggregate(Sum, false, &ints(&[i64::MAX, 1, -2])).unwrap(), Datum::Int(i64::MAX - 1));
        assert!(aggregate(Sum, false, &ints(&[i64::MAX, 1])).unwrap_err().is_query());
        assert!(aggregate(Sum, false, &[Datum::UInt(u64::MAX)]).unwrap_err().message().contains("outside i64"));
        let sum = aggregate(Sum, false, &[Datum::UInt(u64::MAX), Datum::Int(i64::MIN)]);
        assert_eq!(sum.unwrap(), Datum::Int(i64::MAX));
    }

    #[test]
    fn an_integer_mean_is_an_exact_decimal() {
        assert_eq!(aggregate(Avg, false, &ints(&[1, 1, 2])).unwrap(), dec("1.333333333333"));
        assert_eq!(aggregate(Avg, false, &ints(&[-1, -2])).unwrap(), dec("-1.5"));
        assert_eq!(aggregate(Avg, false, &ints(&[i64::MAX, i64::MAX])).unwrap(), dec("9223372036854775807"));
        assert!(aggregate(Avg, false, &ints(&[i64::MAX, i64::MAX - 1, 0])).unwrap_err().is_query());
    }

    #[test]
    fn a_decimal_sum_is_exact_even_if_it_is_long_on_the_way() {
        let large = "9999999999999999999999999999";
        let tiny = "0.0000000000000000000000000001";
        let values = [
            dec(large),
            dec(tiny),
            dec(large),
            dec("-9999999999999999999999999999"),
            dec("-9999999999999999999999999999"),
        ];
        assert_eq!(aggregate(Sum, false, &values).unwrap(), dec(tiny));
        assert!(aggregate(Sum, false, &[dec(large), dec("1")]).unwrap_err().message().contains("28 digits"));
        assert!(aggregate(Sum, false, &[dec(large), dec(tiny)]).unwrap_err().is_query());
        assert_eq!(aggregate(Sum, false, &[dec("-0.1"), dec("-0.20"), dec("0.05")]).unwrap(), dec("-0.25"));
        assert_eq!(aggregate(Sum, false, &[dec("1.50"), dec("-1.5")]).unwrap(), dec("0"));
        assert_eq!(aggregate(Sum, false, &[dec("-3.7"), dec("2.7")]).unwrap(), dec("-1"));
    }

    #[test]
    fn a_decimal_mean_rounds_half_even_from_the_exact_sum() {
        let mean = |values: &[&str]| aggregate(Avg, false, &values.iter().map(|text| dec(text)).collect::<Vec<_>>());
        assert_eq!(mean(&["0.000000000001", "0"]).unwrap(), dec("0"));
        assert_eq!(mean(&["0.000000000003", "0"]).unwrap(), dec("0.000000000002"));
        assert_eq!(mean(&["-0.000000000003", "0"]).unwrap(), dec("-0.000000000002"));
        assert_eq!(mean(&["0.000000000001", "0.0000000000000000000000000001"]).unwrap(), dec("0.000000000001"));
        assert_eq!(mean(&["1", "0", "0"]).unwrap(), dec("0.333333333333"));
        assert_eq!(mean(&["9999999999999999", "9999999999999999"]).unwrap(), dec("9999999999999999"));
        let large = "9999999999999999999999999999";
        assert_eq!(mean(&[large, large, large]).unwrap(), dec(large));
    }

    #[test]
    fn float_sums_do_not_lose_small_values() {
        let floats = |values: &[f64]| values.iter().copied().map(Datum::Float).collect::<Vec<_>>();
        assert_eq!(aggregate(Sum, false, &floats(&[1e100, 1.0, -1e100])).unwrap(), Datum::Float(1.0));
        assert_eq!(aggregate(Sum, false, &floats(&[0.1; 10])).unwrap(), Datum::Float(1.0));
        assert_eq!(aggregate(Avg, false, &floats(&[1.0, 2.0])).unwrap(), Datum::Float(1.5));
        assert_eq!(aggregate(Sum, false, &floats(&[f64::INFINITY, 1.0])).unwrap(), Datum::Float(f64::INFINITY));
        assert!(aggregate(Sum, false, &floats(&[f64::INFINITY, f64::NEG_INFINITY])).unwrap_err().is_query());
    }

    #[test]
    fn extremes_are_of_any_ordered_type() {
        let texts = ["b", "a", "c"].map(|text| Datum::Text(text.into()));
        assert_eq!(aggregate(Min, false, &texts).unwrap(), Datum::Text("a".into()));
        assert_eq!(aggregate(Max, false, &texts).unwrap(), Datum::Text("c".into()));
    }

    #[test]
    fn text_cannot_be_summed() {
        assert!(aggregate(Sum, false, &[Datum::Text("1".into())]).unwrap_err().is_query());
    }
}
