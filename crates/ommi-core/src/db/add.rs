//! Adding rows.

use super::Db;
use super::source::{ModelRows, take};
use crate::driver::AssignedKeys;
use crate::error::{Error, Result};
use crate::model::{Model, Touch};
use crate::query::statement::OnConflict;
use crate::relation::write::{Known, has_given};
use crate::value::Timestamp;

/// Brings new rows to the form in which they are written.
pub(super) fn prepare<M: Model>(rows: &mut [M]) {
    let now = Timestamp::now();
    for row in rows {
        row.touch(Touch::Insert, now);
        if row.version() == Some(0) {
            // a version of 1 fits every integer type
            let _ = row.set_version(1);
        }
        row.normalize();
    }
}

impl Db {
    /// Adds a row, and gives it back as it was stored: with its automatic key, its timestamps, and
    /// finer digits than microseconds cut.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses the row, with its kind and fields; `Query` for a value that no
    /// database may be given; `Unknown` if the write was sent and not answered; and the database's.
    pub async fn add<M: Model>(&self, row: M) -> Result<M> {
        let mut rows = self.add_all([row]).await?;
        rows.pop().ok_or_else(|| Error::decode("the driver lost the row: a fault of the driver"))
    }

    /// Adds rows, any number of them, and gives them back as they were stored. All are added or
    /// none, wherever the driver has transactions.
    ///
    /// Related rows that they were given are added with them, in one transaction: a [`One`] whose row
    /// has no automatic key yet first, the rows of a [`Many`] after their owner, each with the keys
    /// that they need. The rows of a model go into one call, whatever the number of owners.
    ///
    /// [`One`]: crate::relation::One
    /// [`Many`]: crate::relation::Many
    ///
    /// # Errors
    ///
    /// Those of [`Db::add`]; without transactions the message says how many rows were written.
    pub async fn add_all<M: Model>(&self, rows: impl IntoIterator<Item = M>) -> Result<Vec<M>> {
        let mut rows: Vec<M> = rows.into_iter().collect();
        prepare(&mut rows);
        if has_given(&mut rows) {
            return Box::pin(self.in_one_transaction(async |db| db.add_with_given(rows, "add").await)).await;
        }
        let mut rows = self.add_prepared(rows, "add").await?;
        self.attach_rows(&mut rows, Known::Written)?;
        Ok(rows)
    }

    /// Adds rows that are in the form in which they are written.
    pub(crate) async fn add_prepared<M: Model>(&self, rows: Vec<M>, operation: &'static str) -> Result<Vec<M>> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let inserted = self.insert(M::definition(), OnConflict::Fail, ModelRows(rows), operation).await?;
        let (ModelRows(mut rows), _, keys) = take::<ModelRows<M>>(inserted)?;
        assign_keys(&mut rows, keys)?;
        Ok(rows)
    }
}

/// The keys that an insert assigned, given to the models that had none.
pub(super) fn assign_keys<M: Model>(rows: &mut [M], keys: AssignedKeys) -> Result<()> {
    let AssignedKeys::List(keys) = keys else { return Ok(()) };
    let mut keys = keys.into_iter();
    for row in rows.iter_mut().filter(|row| row.is_unassigned()) {
        match keys.next() {
            Some(key) => row.assign(key)?,
            None => {
                return Err(Error::decode("the driver assigned fewer keys than rows lacked: a fault of the driver")
                    .with_model(M::definition().name()));
            }
        }
    }
    Ok(())
}
