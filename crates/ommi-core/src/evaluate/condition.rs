//! Conditions, in three-valued logic.

use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;

use super::compare::{compare, equal};
use super::expr::Evaluator;
use super::group_key::GroupKey;
use crate::error::{Error, Result};
use crate::query::pattern::{LikePattern, RegexPattern, fold};
use crate::query::{Comparison, Condition, Expr, InList, ListOperator, RelatedNode, TextOperator};
use crate::value::Datum;

/// What is worked out once for a condition.
#[derive(Debug)]
pub(super) enum Remembered {
    /// A pattern of `like` or `ilike`.
    Like(LikePattern),
    /// A regular expression.
    Regex(Arc<RegexPattern>),
    /// An argument of a folded test.
    Folded(Box<str>),
    /// The values of a long list.
    Set(HashSet<GroupKey>),
}

/// Lists that are longer than this are searched by hash.
const LINEAR_LIST: usize = 8;

impl<'a> Evaluator<'a> {
    /// Whether a condition holds for a row; `None` is unknown.
    ///
    /// `And` and `Or` stop at the first part that decides them.
    ///
    /// # Errors
    ///
    /// `Query` if a value is outside its type, values of different kinds are compared, or a
    /// pattern is wrong.
    pub fn condition(&self, condition: &'a Condition, row: &[Datum]) -> Result<Option<bool>> {
        let truth = match condition {
            Condition::Const(value) => Some(*value),
            Condition::Compare { operator, left, right } => {
                let (left, right) = (self.value(left, row)?, self.value(right, row)?);
                compared(*operator, &left, &right)?
            }
            Condition::In { expr, list, negated } => {
                let value = self.value(expr, row)?;
                self.is_in(condition, &value, list, row)?.map(|found| found != *negated)
            }
            Condition::IsNull { expr, negated } => Some(self.value(expr, row)?.is_null() != *negated),
            Condition::Text { operator, expr, pattern, negated } => {
                let (text, argument) = (self.value(expr, row)?, self.value(pattern, row)?);
                match (&*text, &*argument) {
                    (Datum::Null, _) | (_, Datum::Null) => None,
                    (Datum::Text(text), Datum::Text(argument)) => {
                        let is_constant = matches!(pattern, Expr::Literal(_) | Expr::Parameter(_));
                        let place = is_constant.then_some(condition);
                        Some(self.text_test(place, *operator, text, argument)? != *negated)
                    }
                    (text, argument) => return Err(different_kinds(text, operator.name(), argument)),
                }
            }
            Condition::List { operator, expr, argument, negated } => {
                let (list, argument) = (self.value(expr, row)?, self.value(argument, row)?);
                list_test(*operator, &list, &argument)?.map(|holds| holds != *negated)
            }
            Condition::And(parts) => self.decided_by(parts, false, row)?,
            Condition::Or(parts) => self.decided_by(parts, true, row)?,
            Condition::Not(condition) => self.condition(condition, row)?.map(|holds| !holds),
            Condition::IsTrue { condition, negated } => Some(self.is_true(condition, row)? != *negated),
            Condition::Related { link, condition } => {
                let node = RelatedNode { link, condition, of: None };
                Some(matches!(&*self.related_value(&node, row)?, Datum::Bool(true)))
            }
        };
        Ok(truth)
    }

    /// Whether a condition is true for a row, neither false nor unknown.
    ///
    /// # Errors
    ///
    /// As [`Evaluator::condition`].
    pub fn is_true(&self, condition: &'a Condition, row: &[Datum]) -> Result<bool> {
        Ok(self.condition(condition, row)? == Some(true))
    }

    /// The truth of parts of which one alone can decide; else unknown if one is, else the opposite.
    fn decided_by(&self, parts: &'a [Condition], decides: bool, row: &[Datum]) -> Result<Option<bool>> {
        let mut truth = Some(!decides);
        for part in parts {
            match self.condition(part, row)? {
                Some(holds) if holds == decides => return Ok(Some(decides)),
                Some(_) => {}
                None => truth = None,
            }
        }
        Ok(truth)
    }

    /// What was worked out for a condition, or is now.
    fn remembered(
        &self,
        condition: &'a Condition,
        work_out: impl FnOnce() -> Result<Remembered>,
    ) -> Result<Arc<Remembered>> {
        let place = ptr::from_ref(condition).addr();
        let mut all = self.remembered.borrow_mut();
        if let Some((_, known)) = all.iter().find(|(of, _)| *of == place) {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(work_out()?);
        all.push((place, Arc::clone(&known)));
        Ok(known)
    }

    fn is_in(&self, condition: &'a Condition, value: &Datum, list: &'a InList, row: &[Datum]) -> Result<Option<bool>> {
        if value.is_null() {
            return Ok(None);
        }
        let mut truth = Some(false);
        match list {
            InList::Values(items) => {
                for item in items {
                    match compared(Comparison::Eq, value, &*self.value(item, row)?)? {
                        Some(true) => return Ok(Some(true)),
                        Some(false) => {}
                        None => truth = None,
                    }
                }
            }
            InList::Whole(list) => {
                let items = self.value(list, row)?;
                let Datum::List(items) = &*items else {
                    return Err(Error::query("the values of `in` are not a list"));
                };
                let is_constant = matches!(list, Expr::Literal(_) | Expr::Parameter(_));
                if is_constant && items.len() > LINEAR_LIST {
                    let set =
                        self.remembered(condition, || Ok(Remembered::Set(items.iter().map(GroupKey::new).collect())))?;
                    if let Remembered::Set(set) = &*set {
                        return Ok(Some(set.contains(&GroupKey::new(value))));
                    }
                }
                for item in items {
                    match compared(Comparison::Eq, value, item)? {
                        Some(true) => return Ok(Some(true)),
                        Some(false) => {}
                        None => truth = None,
                    }
                }
            }
        }
        Ok(truth)
    }

    /// Tests a text. The place is there if the argument is the same for all rows.
    fn text_test(
        &self,
        place: Option<&'a Condition>,
        operator: TextOperator,
        text: &str,
        argument: &str,
    ) -> Result<bool> {
        match operator {
            TextOperator::Contains => return Ok(text.contains(argument)),
            TextOperator::StartsWith => return Ok(text.starts_with(argument)),
            TextOperator::EndsWith => return Ok(text.ends_with(argument)),
            _ => {}
        }
        let work_out = || {
            Ok(match operator {
                TextOperator::Like | TextOperator::ILike => Remembered::Like(LikePattern::parse(argument)?),
                TextOperator::Regex => Remembered::Regex(RegexPattern::cached(argument)?),
                _ => Remembered::Folded(fold(argument).into()),
            })
        };
        let known = match place {
            Some(place) => self.remembered(place, work_out)?,
            None => Arc::new(work_out()?),
        };
        Ok(match (&*known, operator) {
            (Remembered::Like(pattern), _) => pattern.matches(text, operator.is_folded()),
            (Remembered::Regex(pattern), _) => pattern.is_match(text),
            (Remembered::Folded(argument), TextOperator::IContains) => fold(text).contains(&**argument),
            (Remembered::Folded(argument), TextOperator::IStartsWith) => fold(text).starts_with(&**argument),
            (Remembered::Folded(argument), TextOperator::IEndsWith) => fold(text).ends_with(&**argument),
            (Remembered::Folded(argument), _) => *fold(text) == **argument,
            (Remembered::Set(_), _) => false,
        })
    }
}

/// The truth of a comparison.
fn compared(operator: Comparison, left: &Datum, right: &Datum) -> Result<Option<bool>> {
    if left.is_null() || right.is_null() {
        return Ok(None);
    }
    let holds = match operator {
        Comparison::Eq => equal(left, right),
        Comparison::Ne => equal(left, right).map(|same| !same),
        Comparison::Lt => compare(left, right).map(|order| order.is_lt()),
        Comparison::Le => compare(left, right).map(|order| order.is_le()),
        Comparison::Gt => compare(left, right).map(|order| order.is_gt()),
        Comparison::Ge => compare(left, right).map(|order| order.is_ge()),
    };
    match holds {
        Some(holds) => Ok(Some(holds)),
        None => Err(different_kinds(left, operator.sign(), right)),
    }
}

fn list_test(operator: ListOperator, list: &Datum, argument: &Datum) -> Result<Option<bool>> {
    let has = |items: &[Datum], wanted: &Datum| items.iter().any(|item| equal(item, wanted) == Some(true));
    match (operator, list, argument) {
        (_, Datum::Null, _) | (_, _, Datum::Null) => Ok(None),
        (ListOperator::Contains, Datum::List(items), wanted) => Ok(Some(has(items, wanted))),
        (ListOperator::Overlaps, Datum::List(items), Datum::List(wanted)) => {
            Ok(Some(wanted.iter().any(|wanted| has(items, wanted))))
        }
        (ListOperator::Contains, ..) => Err(different_kinds(list, "has", argument)),
        (ListOperator::Overlaps, ..) => Err(different_kinds(list, "overlaps", argument)),
    }
}

#[cold]
fn different_kinds(left: &Datum, operator: &str, right: &Datum) -> Error {
    Error::query(format!(
        "{} cannot be compared with {} by `{operator}`",
        left.cell().type_name(),
        right.cell().type_name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELD: Expr = Expr::Field(0);

    fn holds(condition: &Condition, value: Datum) -> Option<bool> {
        Evaluator::new(&[]).condition(condition, &[value]).unwrap()
    }

    fn text(value: &str) -> Datum {
        Datum::Text(value.into())
    }

    fn is_in(values: impl IntoIterator<Item = Datum>) -> Condition {
        Condition::is_in(FIELD, values.into_iter().map(Expr::Literal))
    }

    fn is_not_in(values: impl IntoIterator<Item = Datum>) -> Condition {
        Condition::is_not_in(FIELD, values.into_iter().map(Expr::Literal))
    }

    fn compare_with(operator: Comparison, value: Datum) -> Condition {
        Condition::Compare { operator, left: FIELD, right: Expr::Literal(value) }
    }

    fn text_test(operator: TextOperator, pattern: &str) -> Condition {
        Condition::Text { operator, expr: FIELD, pattern: Expr::Literal(text(pattern)), negated: false }
    }

    #[test]
    fn every_comparison_has_its_truth_table() {
        use Comparison::*;
        for (operator, less, same, more) in [
            (Eq, false, true, false),
            (Ne, true, false, true),
            (Lt, true, false, false),
            (Le, true, true, false),
            (Gt, false, false, true),
            (Ge, false, true, true),
        ] {
            let condition = compare_with(operator, Datum::Int(5));
            assert_eq!(holds(&condition, Datum::Int(4)), Some(less), "{operator:?}");
            assert_eq!(holds(&condition, Datum::Int(5)), Some(same), "{operator:?}");
            assert_eq!(holds(&condition, Datum::Int(6)), Some(more), "{operator:?}");
            assert_eq!(holds(&condition, Datum::Null), None, "{operator:?}");
            assert_eq!(holds(&compare_with(operator, Datum::Null), Datum::Int(1)), None, "{operator:?}");
        }
    }

    #[test]
    fn unknown_follows_three_valued_logic() {
        let unknown = || compare_with(Comparison::Eq, Datum::Null);
        let (yes, no) = (|| Condition::Const(true), || Condition::Const(false));
        let truth = |condition: Condition| holds(&condition, Datum::Int(1));
        assert_eq!(truth(Condition::And(vec![unknown(), yes()])), None);
        assert_eq!(truth(Condition::And(vec![unknown(), no()])), Some(false));
        assert_eq!(truth(Condition::And(vec![yes(), yes()])), Some(true));
        assert_eq!(truth(Condition::Or(vec![unknown(), yes()])), Some(true));
        assert_eq!(truth(Condition::Or(vec![unknown(), no()])), None);
        assert_eq!(truth(Condition::Or(vec![no(), no()])), Some(false));
        assert_eq!(truth(Condition::Not(Box::new(unknown()))), None);
        assert_eq!(truth(Condition::Not(Box::new(no()))), Some(true));
        assert_eq!(truth(Condition::And(vec![])), Some(true));
        assert_eq!(truth(Condition::Or(vec![])), Some(false));
    }

    #[test]
    fn a_part_that_decides_ends_the_evaluation() {
        let wrong = compare_with(Comparison::Eq, text("x"));
        let both = Condition::And(vec![Condition::Const(false), wrong.clone()]);
        assert_eq!(holds(&both, Datum::Int(1)), Some(false));
        let parameters = [];
        let either = Condition::Or(vec![Condition::Const(false), wrong]);
        assert!(Evaluator::new(&parameters).condition(&either, &[Datum::Int(1)]).unwrap_err().is_query());
    }

    #[test]
    fn null_tests_are_never_unknown() {
        let is_null = Condition::IsNull { expr: FIELD, negated: false };
        assert_eq!(holds(&is_null, Datum::Null), Some(true));
        assert_eq!(holds(&is_null, Datum::Int(0)), Some(false));
        assert_eq!(holds(&is_null, Datum::Json(Box::new(json!(null)))), Some(false));
        assert_eq!(holds(&is_null.negate(), Datum::Null), Some(false));
    }

    #[test]
    fn in_is_the_or_of_equalities() {
        let among = is_in([Datum::Int(1), Datum::Int(2)]);
        assert_eq!(holds(&among, Datum::Int(2)), Some(true));
        assert_eq!(holds(&among, Datum::Int(3)), Some(false));
        assert_eq!(holds(&among, Datum::Null), None);
        let among_with_null = is_in([Datum::Int(1), Datum::Null]);
        assert_eq!(holds(&among_with_null, Datum::Null), Some(true));
        assert_eq!(holds(&among_with_null, Datum::Int(2)), Some(false));
        assert_eq!(holds(&is_in([]), Datum::Null), Some(false));
    }

    #[test]
    fn not_in_is_the_and_of_inequalities() {
        let not_among = is_not_in([Datum::Int(1), Datum::Int(2)]);
        assert_eq!(holds(&not_among, Datum::Int(2)), Some(false));
        assert_eq!(holds(&not_among, Datum::Int(3)), Some(true));
        assert_eq!(holds(&not_among, Datum::Null), None);
        let with_null = is_not_in([Datum::Int(1), Datum::Null]);
        assert_eq!(holds(&with_null, Datum::Null), Some(false));
        assert_eq!(holds(&with_null, Datum::Int(2)), Some(true));
        assert_eq!(holds(&is_not_in([]), Datum::Null), Some(true));
    }

    #[test]
    fn a_long_list_means_the_same_as_a_short_one() {
        let decimal = Datum::Decimal(crate::value::decimal::parse("7.00").unwrap());
        let among = is_in((0..100_000).map(Datum::Int));
        let evaluator = Evaluator::new(&[]);
        for (value, expected) in [
            (Datum::Int(99_999), Some(true)),
            (Datum::Int(100_000), Some(false)),
            (decimal, Some(true)),
            (Datum::Null, None),
        ] {
            assert_eq!(evaluator.condition(&among, &[value]).unwrap(), expected);
        }
    }

    #[test]
    fn long_lists_of_two_conditions_are_kept_apart() {
        let even = is_in((0..40).map(|n| Datum::Int(n * 2)));
        let odd = is_in((0..40).map(|n| Datum::Int(n * 2 + 1)));
        let both = Condition::And(vec![even.clone(), odd.clone()]);
        let either = Condition::Or(vec![even, odd]);
        let evaluator = Evaluator::new(&[]);
        for n in 0..80 {
            assert_eq!(evaluator.condition(&both, &[Datum::Int(n)]).unwrap(), Some(false));
            assert_eq!(evaluator.condition(&either, &[Datum::Int(n)]).unwrap(), Some(true));
        }
    }

    #[test]
    fn every_text_test_has_its_meaning() {
        use TextOperator::*;
        for (operator, pattern, yes, no) in [
            (Contains, "%", "a%b", "ab"),
            (Contains, "b", "abc", "aBc"),
            (StartsWith, "a", "ab", "Ab"),
            (EndsWith, "b", "ab", "aB"),
            (Like, "a%_", "abc", "a"),
            (Regex, "^a.c$", "abc", "abcd"),
            (IContains, "ÄB", "xäby", "xay"),
            (IStartsWith, "Straẞe", "straßenbahn", "strassenbahn"),
            (IEndsWith, "Σ", "ας", "αa"),
            (ILike, "A_C%", "aßcd", "ac"),
            (IEq, "GRÜN", "grün", "grun"),
        ] {
            let condition = text_test(operator, pattern);
            assert_eq!(holds(&condition, text(yes)), Some(true), "{operator:?} {yes}");
            assert_eq!(holds(&condition, text(no)), Some(false), "{operator:?} {no}");
            assert_eq!(holds(&condition, Datum::Null), None, "{operator:?}");
            let negated = condition.negate();
            assert_eq!(holds(&negated, text(no)), Some(true), "{operator:?} {no}");
            assert_eq!(holds(&negated, Datum::Null), None, "{operator:?}");
        }
    }

    #[test]
    fn a_pattern_may_be_another_field() {
        let like =
            Condition::Text { operator: TextOperator::Like, expr: FIELD, pattern: Expr::Field(1), negated: false };
        let evaluator = Evaluator::new(&[]);
        for (pattern, expected) in [("a%", Some(true)), ("b%", Some(false))] {
            assert_eq!(evaluator.condition(&like, &[text("abc"), text(pattern)]).unwrap(), expected);
        }
        assert_eq!(evaluator.condition(&like, &[text("abc"), Datum::Null]).unwrap(), None);
        assert!(evaluator.condition(&like, &[text("abc"), text("\\")]).unwrap_err().is_query());
    }

    #[test]
    fn lists_are_searched_and_overlapped() {
        let list = Datum::List(vec![text("a"), text("b")]);
        let contains = |wanted: Datum, negated| Condition::List {
            operator: ListOperator::Contains,
            expr: FIELD,
            argument: Expr::Literal(wanted),
            negated,
        };
        assert_eq!(holds(&contains(text("b"), false), list.clone()), Some(true));
        assert_eq!(holds(&contains(text("c"), false), list.clone()), Some(false));
        assert_eq!(holds(&contains(text("c"), true), list.clone()), Some(true));
        assert_eq!(holds(&contains(text("c"), true), Datum::Null), None);
        let overlaps = |wanted: &[&str]| Condition::List {
            operator: ListOperator::Overlaps,
            expr: FIELD,
            argument: Expr::Literal(Datum::List(wanted.iter().map(|item| text(item)).collect())),
            negated: false,
        };
        assert_eq!(holds(&overlaps(&["x", "a"]), list.clone()), Some(true));
        assert_eq!(holds(&overlaps(&["x"]), list.clone()), Some(false));
        assert_eq!(holds(&overlaps(&[]), list), Some(false));
    }

    #[test]
    fn json_equality_is_structural() {
        let condition = compare_with(Comparison::Eq, Datum::Json(Box::new(json!({"a": [1, null]}))));
        assert_eq!(holds(&condition, Datum::Json(Box::new(json!({"a": [1.0, null]})))), Some(true));
        assert_eq!(holds(&condition, Datum::Json(Box::new(json!({"a": [1]})))), Some(false));
        assert_eq!(holds(&condition, Datum::Null), None);
    }
}
