//! The answers that trees have in a database.

use ommi::driver::BoxFuture;
use ommi::{Db, Many, One, Result};

use super::models::{Cell, Graph, Loads, filter, for_model, orders};
use super::tree::{Load, Tree, shape};

/// A row with the rows that were loaded for it, a branch for each relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) with: Vec<Branch>,
}

/// Rows of one owner.
pub(super) type Branch = Vec<Row>;

/// Related rows that are being read.
pub(super) type Found<'a> = BoxFuture<'a, Result<Branch>>;

/// The row of a relation to one.
pub(super) fn of_one<'a, T: Graph>(field: &'a One<Option<T>>, load: &'a Load) -> Found<'a> {
    Box::pin(async move {
        let row = match load.is_lazy {
            true => field.get().await?,
            false => field.loaded().ok_or_else(unloaded)?,
        };
        rows_of(row, &load.with).await
    })
}

/// The rows of a relation to many.
pub(super) fn of_rows<'a, T: Graph>(field: &'a Many<T>, load: &'a Load) -> Found<'a> {
    Box::pin(async move {
        let rows = match load.is_lazy {
            true => field.get().await?,
            false => field.loaded().ok_or_else(unloaded)?,
        };
        rows_of(rows, &load.with).await
    })
}

fn unloaded() -> ommi::Error {
    ommi::Error::query("a relation was to be loaded with its rows and is not")
}

async fn rows_of<T: Graph>(rows: impl IntoIterator<Item = &T> + Send, with: &[Load]) -> Result<Branch> {
    let mut branch = Vec::new();
    for row in rows.into_iter().collect::<Vec<_>>() {
        let mut branches = Vec::with_capacity(with.len());
        for load in with {
            branches.push(row.found(load).await?);
        }
        branch.push(Row { cells: row.row(), with: branches });
    }
    Ok(branch)
}

async fn answer_of<M: Graph>(db: &Db, tree: &Tree) -> Result<Branch> {
    let mut query = db.find(filter::<M>(&tree.condition)).with(Loads::<M>::all(&tree.with));
    for order in orders::<M>(&tree.order) {
        query = query.order_by(order);
    }
    if let Some(limit) = tree.limit {
        query = query.limit(limit);
    }
    if let Some(offset) = tree.offset {
        query = query.offset(offset);
    }
    let rows = query.all().await?;
    rows_of(&rows, &tree.with).await
}

/// The answer of a tree, and how many statements it took.
pub(super) async fn answer(db: &Db, tree: &Tree) -> (Result<Branch>, u64) {
    db.count_statements(async |db| for_model!(tree.model, answer_of(db, tree))).await
}

/// The most statements that an answer may take where the database answers filters across models by
/// itself: one for the rows, one for each relation, two for one by way of a link model where the
/// database cannot join.
pub(super) fn most_statements(db: &Db, tree: &Tree) -> Option<u64> {
    fn of_loads(model: usize, loads: &[Load], of_link: u64) -> u64 {
        let of_load = |load: &Load| {
            let leads = shape(model).relations.get(load.relation)?;
            let own = if leads.through.is_some() { of_link } else { 1 };
            Some(own + of_loads(leads.target, &load.with, of_link))
        };
        loads.iter().filter_map(of_load).sum()
    }
    let can = db.driver().capabilities();
    let is_native = can.relation.filters && can.relation.values && can.relation.unindexed_values;
    let of_link = if can.relation.joins { 1 } else { 2 };
    is_native.then(|| 1 + of_loads(tree.model, &tree.with, of_link))
}

async fn store_of<M: Graph>(db: &Db, rows: &[Vec<Cell>]) -> Result<()> {
    db.find(M::all()).delete().await?;
    db.add_all(rows.iter().map(|row| M::of_row(row))).await.map(drop)
}

/// Puts rows in the place of those of a model.
pub(super) async fn store(db: &Db, model: usize, rows: &[Vec<Cell>]) -> Result<()> {
    for_model!(model, store_of(db, rows))
}

/// Brings rows whose order is free to one.
pub(super) fn settle(branch: &mut [Row], is_ordered: bool, with: &[Load]) {
    for row in branch.iter_mut() {
        for (branch, load) in row.with.iter_mut().zip(with) {
            settle(branch, !load.order.is_empty() && load.limit.is_some(), &load.with);
        }
    }
    if !is_ordered {
        branch.sort();
    }
}

/// Whether rows are in an order, whatever those are in that tie in it.
pub(super) fn is_in_order(branch: &[Row], order: &[(usize, bool)]) -> bool {
    branch.windows(2).all(|pair| {
        let [one, other] = pair else { return true };
        let ordering = order.iter().fold(std::cmp::Ordering::Equal, |so_far, (field, descending)| {
            let ordering = one.cells.get(*field).cmp(&other.cells.get(*field));
            so_far.then(if *descending { ordering.reverse() } else { ordering })
        });
        ordering.is_le()
    })
}

/// Whether all rows are in the order that was asked for.
pub(super) fn is_ordered(branch: &[Row], order: &[(usize, bool)], with: &[Load]) -> bool {
    is_in_order(branch, order)
        && branch
            .iter()
            .all(|row| row.with.iter().zip(with).all(|(branch, load)| is_ordered(branch, &load.order, &load.with)))
}
