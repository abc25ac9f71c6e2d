//! Writes.
//!
//! A write of one row, and an insert of several until its budget is spent, runs on the executor's thread
//! where no disk has to be waited for: inside a transaction, or where a commit does not sync. All others
//! run on a worker. A write is never interrupted because it takes long.

use std::time::Instant;

use ommi_core::driver::{AssignedKeys, Call, Inserted, RowSource, RowsMatched};
use ommi_core::query::statement::OnConflict;

use crate::connection::{Connection, StatementKey};
use crate::encode::{RowBinder, bind_slots};
use crate::error::{self, Failure, Outcome};
use crate::held::Held;
use crate::insert::{self, Many, Written};
use crate::native::{Insert, Native};
use crate::reference;
use crate::watch::LONG;
use crate::worker;
use ommi_core::driver::Prepared;
use ommi_core::value::Datum;

/// What an attempt on the executor's thread came to.
enum Attempt<T> {
    Done(T),
    /// It has to be made on a worker.
    Left,
}

/// Updates or deletes.
pub(crate) async fn execute<H: Held>(mut held: H, call: Call<'_>, is_durable: bool) -> Outcome<RowsMatched> {
    let native = Native::of(call.prepared)?;
    if native.is_quick && (!is_durable || held.is_transaction()) {
        let begun = Instant::now();
        let connection = held.connection()?;
        connection.watch().begin_short();
        let attempt = connection.update(call.prepared, native, call.parameters);
        if let Attempt::Done(rows) = unless_busy(attempt)? {
            drop(held);
            give_way(begun).await;
            return Ok(rows);
        }
    }
    held.set_holder(|| call.holder());
    let (prepared, parameters) = (call.prepared.clone(), call.parameters.to_vec());
    worker::run(held, move |mut held| held.connection()?.update(&prepared, Native::of(&prepared)?, &parameters)).await
}

/// Writes new rows.
pub(crate) async fn insert<H: Held>(
    mut held: H,
    call: Call<'_>,
    rows: Box<dyn RowSource>,
    is_durable: bool,
) -> Outcome<Inserted> {
    let native = Native::of(call.prepared)?;
    let form = insert_of(native)?;
    if rows.is_empty() {
        return Ok(Inserted { rows: 0, keys: AssignedKeys::None, source: rows });
    }
    let mut progress = insert::Progress::inline();
    if !is_durable || held.is_transaction() {
        let begun = Instant::now();
        held.connection()?.watch().begin_short();
        let attempt = {
            let Call { prepared, parameters, .. } = call;
            let many = Many { prepared, native, insert: form, parameters, rows: &*rows };
            match rows.len() {
                1 => many.insert_one(&mut held, false),
                _ => many.go_on(&mut held, &mut progress),
            }
        };
        if let Attempt::Done(Some(written)) = unless_busy(attempt)? {
            drop(held);
            give_way(begun).await;
            return Ok(written.with(rows));
        }
    }
    held.set_holder(|| call.holder());
    let (prepared, parameters) = (call.prepared.clone(), call.parameters.to_vec());
    worker::run(held, move |mut held| {
        let native = Native::of(&prepared)?;
        let many =
            Many { prepared: &prepared, native, insert: insert_of(native)?, parameters: &parameters, rows: &*rows };
        let written = match rows.len() {
            1 => many.insert_one(&mut held, true)?,
            _ => many.go_on(&mut held, &mut progress.on_worker())?,
        };
        match written {
            Some(written) => Ok(written.with(rows)),
            None => Err(Failure::Ommi(ommi_core::Error::query("the rows were not written"))),
        }
    })
    .await
}

fn insert_of(native: &Native) -> Outcome<&Insert> {
    native.insert.as_ref().ok_or_else(|| Failure::Ommi(ommi_core::Error::query("the statement inserts no rows")))
}

/// Leaves what met a lock to a worker, which may wait.
fn unless_busy<T>(attempt: Outcome<T>) -> Outcome<Attempt<T>> {
    match attempt {
        Ok(answer) => Ok(Attempt::Done(answer)),
        Err(failure) if failure.is_busy() => Ok(Attempt::Left),
        Err(failure) => Err(failure),
    }
}

/// Gives other tasks a turn if work took long.
async fn give_way(begun: Instant) {
    if begun.elapsed() >= LONG {
        worker::give_way().await;
    }
}

impl Connection {
    fn update(&mut self, prepared: &Prepared, native: &Native, parameters: &[Datum]) -> Outcome<RowsMatched> {
        let key = StatementKey::prepared(prepared.id());
        self.with_statement(key, prepared.text(), |statement, _| {
            let is_large = bind_slots(statement, &native.slots, parameters, prepared.parameters())?;
            let rows = statement.raw_execute()?;
            if is_large {
                statement.clear_bindings();
            }
            Ok(u64::try_from(rows).unwrap_or(u64::MAX))
        })
        .map_err(|failure| match failure.is_reference_violation() {
            true => {
                let candidates = error::reference_candidates(&native.model, &native.written);
                Failure::Ommi(error::reference(&candidates, &native.model))
            }
            false => failure,
        })
    }
}

impl Many<'_> {
    /// Inserts the one row that there is; not if it is large and that `may_block` is not said.
    fn insert_one<H: Held>(&self, held: &mut H, may_block: bool) -> Outcome<Option<Written>> {
        let Many { prepared, native, insert, parameters, rows } = *self;
        let connection = held.connection()?;
        let form = insert.form(0)?;
        let key = StatementKey::form(prepared.id(), 0);
        let attempt = connection.with_statement(key, &form.sql.text, |statement, owned| {
            bind_slots(statement, &native.slots, parameters, prepared.parameters())?;
            let mut binder = RowBinder::new(statement, insert.fields(), None, form.first_row - 1);
            rows.encode(0, &mut binder)?;
            let is_large = binder.is_large();
            if is_large && !may_block {
                return Ok(None);
            }
            let changed = u64::try_from(statement.raw_execute()?).unwrap_or(u64::MAX);
            if is_large {
                statement.clear_bindings();
            }
            let keys = match insert.statement.on_conflict {
                // which row was updated is not told, and which was left out has no key
                OnConflict::Update(..) => AssignedKeys::None,
                _ if changed == 1 && insert.statement.model.auto().is_some() && rows.is_unassigned(0) => {
                    AssignedKeys::List(vec![owned.sqlite().last_insert_rowid()])
                }
                _ => AssignedKeys::None,
            };
            Ok(Some(Written { rows: changed, keys }))
        });
        attempt.map_err(|failure| match failure.is_reference_violation() {
            true => Failure::Ommi(reference::find(connection, native, rows)),
            false => failure,
        })
    }
}
