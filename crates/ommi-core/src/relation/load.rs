//! Reading the related rows of some keys.

use std::any::Any;
use std::sync::Arc;

use super::eager::Spec;
use super::group::{Group, GroupBuilder};
use super::keys::{Key, KeySet};
use crate::db::Db;
use crate::db::sink::keep_whole;
use crate::driver::{Flow, RowRef, RowSink};
use crate::error::Result;
use crate::model::relation::LinkKind;
use crate::model::{Link, Model, Route};
use crate::query::extras::{Join, LimitBy};
use crate::query::statement::SelectStatement;
use crate::query::{Comparison, Condition, Expr};
use crate::value::{Cell, Datum, ValueType};

/// Takes the rows that keys lead to, in the order in which they come.
pub trait FoundRows: Send + 'static {
    /// Takes the next row, which holds all fields of its model.
    ///
    /// # Errors
    ///
    /// Those of decoding it.
    fn push(&mut self, row: &dyn RowRef) -> Result<()>;

    /// Forgets all rows but the first ones.
    fn truncate(&mut self, rows: usize);

    /// The integer that the last row has in a column, if the rows tell: it is then not read a second time.
    fn integer(&self, column: usize) -> Option<i64> {
        let _ = column;
        None
    }
}

/// How many keys of several fields go into one statement: each is a condition of its own.
const COMPOSITE_KEYS: usize = 100;

/// Rows with the keys that they were found by.
pub(crate) struct Related<T> {
    /// The rows, those of one key next to each other.
    pub(crate) rows: Vec<T>,
    /// For each key, where its rows begin and end.
    pub(crate) ranges: Vec<(u32, u32)>,
    /// The rows' own group, if they have relations.
    pub(crate) group: Option<Arc<Group>>,
}

impl<T> Related<T> {
    /// The rows of a key, by its number.
    #[inline]
    pub(crate) fn of(&self, number: u32) -> &[T] {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        let range = self.ranges.get(place(number)).copied().unwrap_or_default();
        self.rows.get(place(range.0)..place(range.1)).unwrap_or_default()
    }
}

/// Reads the rows that a relation leads to from each of some keys, as a model's.
pub(crate) async fn load<T: Model>(db: &Db, route: &Route, keys: &Arc<KeySet>, spec: &Spec) -> Result<Related<T>> {
    if keys.is_empty() {
        return Ok(Related { rows: Vec::new(), ranges: Vec::new(), group: None });
    }
    let sink = WholeRows::<T> { rows: Vec::new(), group: GroupBuilder::of::<T>(db) };
    let found = find(db, route, keys, spec, sink).await?;
    let group = found.rows.group.map(|group| group.seal());
    let (rows, numbers) = match found.leading {
        None => (found.rows.rows, found.numbers),
        Some(leading) => for_each_owner(found.rows.rows, &found.numbers, &leading),
    };
    let mut related = arrange((rows, numbers), keys.len(), group);
    if let Some(limit) = spec.limit {
        related.limit(limit);
    }
    Ok(related)
}

/// Rows that keys lead to.
pub(crate) struct Found<R> {
    pub(crate) rows: R,
    /// For each row, the number of the key that it was found by.
    pub(crate) numbers: Vec<u32>,
    /// Where the rows were found by the keys of a link model's rows: for each of those, the numbers
    /// of the keys that lead to it.
    pub(crate) leading: Option<Vec<Vec<u32>>>,
}

/// Reads the rows that a relation leads to from each of some keys, in one query (in several where
/// the keys are more than a statement takes; by way of a link model in two, where the database
/// cannot join).
pub(crate) async fn find<R: FoundRows>(
    db: &Db,
    route: &Route,
    keys: &Arc<KeySet>,
    spec: &Spec,
    rows: R,
) -> Result<Found<R>> {
    match &route.second {
        None => direct(db, &route.first, keys, spec, rows).await,
        Some(second) if db.driver().capabilities().relation.joins => {
            joined(db, &route.first, second, keys, spec, rows).await
        }
        Some(second) => by_link_rows(db, &route.first, second, keys, spec, rows).await,
    }
}

async fn direct<R: FoundRows>(db: &Db, link: &Link, keys: &Arc<KeySet>, spec: &Spec, rows: R) -> Result<Found<R>> {
    let own = of_kind(Condition::Const(true), link.kind_of_target(), Expr::Field);
    let by: Vec<Expr> = link.to().iter().map(|field| Expr::Field(*field)).collect();
    let columns = link.to().iter().map(|field| usize::from(*field)).collect();
    let select = SelectStatement::new(Arc::clone(link.target()), own.and(spec.condition.clone()));
    fetch(db, select, &by, columns, keys, spec, rows).await
}

/// Reads rows together with the rows of the link model that lead to them.
async fn joined<R: FoundRows>(
    db: &Db,
    first: &Link,
    second: &Link,
    keys: &Arc<KeySet>,
    spec: &Spec,
    rows: R,
) -> Result<Found<R>> {
    let target = second.target();
    let mut select = SelectStatement::new(Arc::clone(target), spec.condition.clone());
    let join = Join { link: Arc::new(second.reversed()) };
    let place = select.join(Arc::clone(&join.link));
    let of_link = |field| join.field(place, field);
    select.condition =
        of_kind(of_kind(select.condition, first.kind_of_target(), of_link), second.kind_of_source(), of_link);
    let fields = u16::try_from(target.fields().len()).unwrap_or(u16::MAX);
    let by: Vec<Expr> = first.to().iter().map(|field| of_link(*field)).collect();
    select.output = (0..fields).map(Expr::Field).chain(by.iter().cloned()).collect();
    let columns = (usize::from(fields)..).take(by.len()).collect();
    fetch(db, select, &by, columns, keys, spec, rows).await
}

/// Runs a select for the keys, which are values of some expressions of it and are found in some
/// columns of its rows.
async fn fetch<R: FoundRows>(
    db: &Db,
    select: SelectStatement,
    by: &[Expr],
    columns: Vec<usize>,
    keys: &Arc<KeySet>,
    spec: &Spec,
    rows: R,
) -> Result<Found<R>> {
    let model = Arc::clone(&select.model);
    let types: Vec<ValueType> = by.iter().map(|expr| expr.value_type(&model).unwrap_or(ValueType::I64)).collect();
    let columns = columns.into_iter().zip(types.iter().cloned()).collect();
    let mut sink = KeyedRows { rows, numbers: Vec::new(), keys: Arc::clone(keys), columns, start: 0, last: None };
    for condition in key_conditions(db, by, &types, keys.keys()) {
        let mut select = select.clone();
        select.condition = condition.and(select.condition);
        select.order_by.clone_from(&spec.order_by);
        if let Some(limit) = spec.limit {
            let limit = Expr::Literal(Datum::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
            select.set_limit_by(LimitBy { by: by.to_vec(), limit, offset: None });
        }
        sink.start = sink.numbers.len();
        sink = db.select(&model, select, sink, "load").await?;
    }
    Ok(Found { rows: sink.rows, numbers: sink.numbers, leading: None })
}

/// Reads the rows of the link model first, then those that they lead to.
async fn by_link_rows<R: FoundRows>(
    db: &Db,
    first: &Link,
    second: &Link,
    keys: &Arc<KeySet>,
    spec: &Spec,
    rows: R,
) -> Result<Found<R>> {
    let mut targets = KeySet::default();
    // for each target, the keys that lead to it
    let mut leading: Vec<Vec<u32>> = Vec::new();
    let by: Vec<Expr> = first.to().iter().map(|field| Expr::Field(*field)).collect();
    let of_link = first.target();
    let types: Vec<ValueType> = by.iter().map(|expr| expr.value_type(of_link).unwrap_or(ValueType::I64)).collect();
    for condition in key_conditions(db, &by, &types, keys.keys()) {
        let condition = of_kind(condition, first.kind_of_target(), Expr::Field);
        let condition = of_kind(condition, second.kind_of_source(), Expr::Field);
        let mut select = SelectStatement::new(Arc::clone(first.target()), condition);
        select.output = first.to().iter().chain(second.from()).map(|field| Expr::Field(*field)).collect();
        for mut row in db.select_untyped(select, "load").await? {
            let target = row.split_off(first.to().len());
            let (Some(owner), Some(target)) = (keys.find(&row), Key::of(target)) else { continue };
            let number = targets.number(target);
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            if place == leading.len() {
                leading.push(Vec::new());
            }
            if let Some(owners) = leading.get_mut(place) {
                owners.push(owner);
            }
        }
    }
    if targets.is_empty() {
        return Ok(Found { rows, numbers: Vec::new(), leading: None });
    }
    let direct_link = Link::new(second.source(), second.target(), second.from(), second.to())?;
    // the limit is for each owner, and here for each target
    let spec = Spec { limit: None, ..spec.clone() };
    let found = direct(db, &direct_link, &Arc::new(targets), &spec, rows).await?;
    Ok(Found { leading: Some(leading), ..found })
}

/// Rows once for each owner whose keys lead to them, with the number of that owner's key.
fn for_each_owner<T: Clone>(found: Vec<T>, numbers: &[u32], leading: &[Vec<u32>]) -> (Vec<T>, Vec<u32>) {
    let (mut rows, mut owners) = (Vec::new(), Vec::new());
    for (row, number) in found.into_iter().zip(numbers) {
        let of = usize::try_from(*number).ok().and_then(|number| leading.get(number));
        if let Some((last, others)) = of.and_then(|of| of.split_last()) {
            for owner in others {
                rows.push(row.clone());
                owners.push(*owner);
            }
            rows.push(row);
            owners.push(*last);
        }
    }
    (rows, owners)
}

/// A condition on the rows that keys lead to, where one field may reference several models.
fn of_kind(condition: Condition, kind: Option<&LinkKind>, of: impl Fn(u16) -> Expr) -> Condition {
    match kind {
        Some(kind) => condition.and(Condition::compare(
            of(kind.field),
            Comparison::Eq,
            Expr::Literal(Datum::Text(kind.value.clone())),
        )),
        None => condition,
    }
}

/// The conditions that expressions of some types have the values of keys: one, or more where the keys
/// do not fit into one statement; none where no row can have them.
fn key_conditions<'a>(
    db: &Db,
    by: &'a [Expr],
    types: &'a [ValueType],
    keys: &'a [Key],
) -> impl Iterator<Item = Condition> + use<'a> {
    let limits = &db.driver().capabilities().limits;
    let chunk = match by {
        [_] => limits.list_values,
        // some of the parameters are for the relation's own filter
        by => COMPOSITE_KEYS.min(limits.parameters / 2 / by.len().max(1)),
    };
    keys.chunks(chunk.max(1)).filter_map(move |keys| match (by, types) {
        ([one], [of]) => {
            let values = keys.iter().flat_map(|key| key.clone().into_values()).filter(|value| of.may_hold(value));
            let values: Vec<Expr> = values.map(Expr::Literal).collect();
            (!values.is_empty()).then(|| Condition::is_in(one.clone(), values))
        }
        _ => {
            let conditions = keys.iter().filter_map(|key| {
                let mut equal = Condition::Const(true);
                for ((expr, of), value) in by.iter().zip(types).zip(key.clone().into_values()) {
                    if !of.may_hold(&value) {
                        return None;
                    }
                    equal = equal.and(Condition::compare(expr.clone(), Comparison::Eq, Expr::Literal(value)));
                }
                Some(equal)
            });
            conditions.reduce(Condition::or)
        }
    })
}

/// Puts the rows of each key next to each other, in the order in which they came.
fn arrange<T>((rows, numbers): (Vec<T>, Vec<u32>), keys: usize, group: Option<Arc<Group>>) -> Related<T> {
    let mut ranges = vec![(0u32, 0u32); keys];
    let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    // an index on the fields gives the rows of one key together
    let mut is_arranged = true;
    let mut last = u32::MAX;
    for (position, number) in (0u32..).zip(&numbers) {
        if let Some(range) = ranges.get_mut(place(*number)) {
            if *number != last {
                is_arranged &= range.1 == 0;
                range.0 = position;
                last = *number;
            }
            range.1 = position + 1;
        }
    }
    if is_arranged {
        return Related { rows, ranges, group };
    }
    let mut counts = vec![0u32; keys];
    for number in &numbers {
        if let Some(count) = counts.get_mut(place(*number)) {
            *count += 1;
        }
    }
    let mut next = 0;
    for (range, count) in ranges.iter_mut().zip(&counts) {
        *range = (next, next);
        next += count;
    }
    let mut arranged: Vec<Option<T>> = std::iter::repeat_with(|| None).take(rows.len()).collect();
    for (row, number) in rows.into_iter().zip(numbers) {
        if let Some(range) = ranges.get_mut(place(number)) {
            if let Some(slot) = arranged.get_mut(place(range.1)) {
                *slot = Some(row);
            }
            range.1 += 1;
        }
    }
    Related { rows: arranged.into_iter().flatten().collect(), ranges, group }
}

impl<T> Related<T> {
    /// Keeps no more than some rows of each key.
    fn limit(&mut self, limit: u64) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        if self.ranges.iter().all(|(start, end)| end - start <= limit) {
            return;
        }
        let mut by_place: Vec<&mut (u32, u32)> = self.ranges.iter_mut().filter(|(start, end)| end > start).collect();
        by_place.sort_by_key(|range| range.0);
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        for range in by_place {
            let (all, kept) = (range.1 - range.0, (range.1 - range.0).min(limit));
            let first = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            for position in 0..all {
                let row = rows.next();
                if position < kept {
                    self.rows.extend(row);
                }
            }
            *range = (first, first + kept);
        }
    }
}

/// Takes the rows of a model.
struct WholeRows<T> {
    rows: Vec<T>,
    group: Option<Box<GroupBuilder>>,
}

impl<T: Model> FoundRows for WholeRows<T> {
    #[inline]
    fn push(&mut self, row: &dyn RowRef) -> Result<()> {
        keep_whole(&mut self.rows, row, &mut self.group)
    }

    fn truncate(&mut self, rows: usize) {
        self.rows.truncate(rows);
        if let Some(group) = &mut self.group {
            group.truncate(u32::try_from(rows).unwrap_or(u32::MAX));
        }
    }

    #[inline]
    fn integer(&self, column: usize) -> Option<i64> {
        self.rows.last()?.integer(u16::try_from(column).ok()?)
    }
}

/// Takes rows with the numbers of the keys that they were found by.
struct KeyedRows<R> {
    rows: R,
    numbers: Vec<u32>,
    keys: Arc<KeySet>,
    /// The columns of the key, with their types.
    columns: Vec<(usize, ValueType)>,
    /// How many rows earlier statements gave.
    start: usize,
    /// The last key of one integer with its number: rows of one key mostly come one after the other.
    last: Option<(i64, u32)>,
}

impl<R: FoundRows> KeyedRows<R> {
    /// The number of the key of a row, which was pushed last.
    #[inline]
    fn number(&mut self, row: &dyn RowRef) -> Result<Option<u32>> {
        if let [(column, _)] = self.columns.as_slice() {
            if let Some(key) = self.rows.integer(*column) {
                return Ok(self.number_of(key));
            }
            // matched where it lies: to copy a cell right after it was written takes longer than to look it up
            if let Ok(Cell::Int(key)) = row.cell(*column) {
                return Ok(self.number_of(key));
            }
        }
        let values: Result<Vec<Datum>> =
            self.columns.iter().map(|(column, value_type)| Datum::decode(row.cell(*column)?, value_type)).collect();
        Ok(self.keys.find(&values?))
    }

    #[inline]
    fn number_of(&mut self, key: i64) -> Option<u32> {
        if let Some((last, number)) = self.last
            && last == key
        {
            return Some(number);
        }
        let number = self.keys.find_integer(key)?;
        self.last = Some((key, number));
        Some(number)
    }
}

impl<R: FoundRows> RowSink for KeyedRows<R> {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        self.rows.push(row)?;
        match self.number(row)? {
            Some(number) => self.numbers.push(number),
            // a row that no key leads to, such as one that the engine was to leave out
            None => self.rows.truncate(self.numbers.len()),
        }
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.truncate(self.start);
        self.numbers.truncate(self.start);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(numbers: &[u32], keys: usize) -> Vec<Vec<usize>> {
        let rows: Vec<usize> = (0..numbers.len()).collect();
        let related = arrange((rows, numbers.to_vec()), keys, None);
        (0..keys as u32).map(|number| related.of(number).to_vec()).collect()
    }

    #[test]
    fn rows_that_come_together_stay_where_they_are() {
        assert_eq!(arranged(&[2, 2, 0], 4), [vec![2], vec![], vec![0, 1], vec![]]);
    }

    #[test]
    fn rows_that_come_mixed_keep_their_order_within_a_key() {
        assert_eq!(arranged(&[1, 0, 1, 2, 0], 3), [vec![1, 4], vec![0, 2], vec![3]]);
    }

    #[test]
    fn no_rows_and_no_keys_are_fine() {
        assert!(arranged(&[], 0).is_empty());
        assert_eq!(arranged(&[], 1), [Vec::<usize>::new()]);
    }

    #[test]
    fn a_limit_holds_for_each_key() {
        for numbers in [vec![0, 0, 0, 1, 2, 2, 2], vec![0, 2, 0, 2, 1, 0, 2]] {
            let mut related = arrange(((0..7).collect::<Vec<_>>(), numbers), 3, None);
            related.limit(2);
            assert_eq!([0, 1, 2].map(|number| related.of(number).len()), [2, 1, 2]);
            assert_eq!(related.rows.len(), 5);
            related.limit(0);
            assert!(related.rows.is_empty() && related.of(1).is_empty());
        }
    }
}
