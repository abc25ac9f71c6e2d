//! Sorting with a limit.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::compare::order_values;
use crate::query::{Direction, OrderBy};
use crate::value::Datum;

/// The values that an item is sorted by.
pub(super) type SortKeys = SmallVec<[Datum; 2]>;

/// Keeps the first items of an order, stable.
#[derive(Debug)]
pub(super) struct Sorter<T> {
    order: Vec<(Direction, bool)>,
    keep: usize,
    items: Vec<(SortKeys, T)>,
    is_full: bool,
}

impl<T> Sorter<T> {
    /// A sorter that keeps at most so many items.
    pub(super) fn new(order_by: &[OrderBy], keep: usize) -> Self {
        Sorter {
            order: order_by.iter().map(|by| (by.direction, by.nulls_first())).collect(),
            keep,
            items: Vec::new(),
            is_full: false,
        }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, keys: SortKeys, item: T) {
        // Once it is full the last of those kept is a bound: what ties with it came too late.
        if self.is_full
            && let Some((last, _)) = self.keep.checked_sub(1).and_then(|last| self.items.get(last))
            && compare_keys(&self.order, &keys, last).is_ge()
        {
            return;
        }
        self.items.push((keys, item));
        if self.items.len() >= self.keep.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.items.sort_by(|(left, _), (right, _)| compare_keys(&self.order, left, right));
        self.is_full = self.items.len() >= self.keep;
        self.items.truncate(self.keep);
    }

    /// The items in order.
    pub(super) fn finish(mut self) -> impl Iterator<Item = T> {
        self.cut();
        self.items.into_iter().map(|(_, item)| item)
    }
}

fn compare_keys(order: &[(Direction, bool)], left: &[Datum], right: &[Datum]) -> Ordering {
    for ((direction, nulls_first), (left, right)) in order.iter().zip(left.iter().zip(right)) {
        let found = order_values(left, right, *direction, *nulls_first);
        if found.is_ne() {
            return found;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Expr;

    fn sorted(values: &[i64], keep: usize) -> Vec<usize> {
        let by = OrderBy { expr: Expr::Field(0), direction: Direction::Ascending, nulls: None };
        let mut sorter = Sorter::new(&[by], keep);
        for (place, value) in values.iter().enumerate() {
            sorter.push([Datum::Int(*value)].into_iter().collect(), place);
        }
        sorter.finish().collect()
    }

    #[test]
    fn ties_keep_their_order() {
        assert_eq!(sorted(&[2, 1, 2, 1], usize::MAX), [1, 3, 0, 2]);
        assert_eq!(sorted(&[2, 1, 2, 1], 3), [1, 3, 0]);
        assert!(sorted(&[2, 1], 0).is_empty());
    }

    #[test]
    fn the_first_of_many_are_those_of_a_full_sort() {
        let values: Vec<i64> = (0..5_000).map(|n| n * 7919 % 613).collect();
        let all = sorted(&values, usize::MAX);
        for keep in [0, 1, 5, 64, 1000] {
            assert_eq!(sorted(&values, keep), all[..keep], "{keep}");
        }
    }
}
