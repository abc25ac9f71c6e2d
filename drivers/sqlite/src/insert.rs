//! Inserts of several rows, in statements of several rows each.

use ommi_core::driver::{AssignedKeys, Inserted, Prepared, RowSource};
use ommi_core::query::statement::OnConflict;
use ommi_core::value::Datum;
use ommi_core::{Error, ModelDef};
use ommi_sql::Dialect;

use crate::connection::{Command, Connection, StatementKey};
use crate::dialect::SQLITE;
use crate::encode::{RowBinder, bind_slots};
use crate::error::{Failure, Outcome};
use crate::held::Held;
use crate::native::{Insert, Native};
use crate::reference;

/// The number of the form that reads the greatest key; those of inserts are lower.
const KEY_FORM: u32 = 15;

/// What an insert wrote.
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) keys: AssignedKeys,
}

impl Written {
    /// The answer, with the rows that were given.
    pub(crate) fn with(self, source: Box<dyn RowSource>) -> Inserted {
        Inserted { rows: self.rows, keys: self.keys, source }
    }
}

/// Inserts several rows, all or none.
pub(crate) fn many<H: Held>(
    held: &mut H,
    prepared: &Prepared,
    native: &Native,
    insert: &Insert,
    parameters: &[Datum],
    rows: &dyn RowSource,
) -> Outcome<Written> {
    let is_nested = held.is_transaction();
    // encoding runs code of the program, which may panic while the transaction is open
    held.set_dirty(true);
    let connection = held.connection()?;
    match is_nested {
        true => connection.batch("SAVEPOINT ommi_rows")?,
        false => connection.command(Command::Begin("BEGIN IMMEDIATE"))?,
    }
    let written = connection.insert_rows(prepared, native, insert, parameters, rows).and_then(|written| {
        match is_nested {
            true => connection.batch("RELEASE ommi_rows")?,
            false => connection.command(Command::Commit)?,
        }
        Ok(written)
    });
    let written = written.or_else(|failure| {
        // SQLite has rolled all of the transaction back where the failure is a grave one
        if !connection.is_autocommit() {
            match is_nested {
                true => connection.batch("ROLLBACK TO ommi_rows; RELEASE ommi_rows")?,
                false => connection.command(Command::Rollback)?,
            }
        }
        match failure.is_reference_violation() {
            true => Err(Failure::Ommi(reference::find(connection, native, rows))),
            false => Err(failure),
        }
    });
    held.set_dirty(false);
    written
}

impl Connection {
    fn insert_rows(
        &mut self,
        prepared: &Prepared,
        native: &Native,
        insert: &Insert,
        parameters: &[Datum],
        rows: &dyn RowSource,
    ) -> Outcome<Written> {
        let model = &*native.model;
        let mut form = insert.largest_form();
        let unassigned = (0..rows.len()).filter(|row| rows.is_unassigned(*row)).count();
        // row by row SQLite picks the keys itself and tells them, unless a later row brings its own,
        // which an earlier one must not get
        let picks = form == 0 && unassigned == rows.len();
        let mut keys = match model.auto() {
            Some(_) if unassigned > 0 && picks => Some(Keys { next: 0, given: Vec::with_capacity(rows.len()) }),
            Some(auto) if unassigned > 0 => {
                Some(Keys { next: self.next_key(prepared.id(), model, auto, rows)?, given: Vec::new() })
            }
            _ => None,
        };
        let mut written = 0;
        let mut row = 0;
        while row < rows.len() {
            while 1 << form > rows.len() - row {
                form -= 1;
            }
            let rendered = insert.form(form)?;
            self.with_statement(StatementKey::form(prepared.id(), form), &rendered.sql.text, |statement, owned| {
                bind_slots(statement, &rendered.sql.parameters, parameters, prepared.parameters())?;
                let mut is_large = false;
                while 1 << form <= rows.len() - row {
                    let mut binder = RowBinder::new(statement, insert.fields(), model.auto(), rendered.first_row - 1);
                    for _ in 0..1 << form {
                        let key = match &mut keys {
                            Some(keys) if !picks && rows.is_unassigned(row) => Some(keys.give()?),
                            _ => None,
                        };
                        binder.begin_row(key);
                        rows.encode(row, &mut binder)?;
                        row += 1;
                    }
                    is_large |= binder.is_large();
                    let changed = statement.raw_execute()?;
                    written += u64::try_from(changed).unwrap_or(u64::MAX);
                    if picks
                        && changed == 1
                        && let Some(keys) = &mut keys
                    {
                        keys.given.push(owned.sqlite().last_insert_rowid());
                    }
                }
                if is_large {
                    statement.clear_bindings();
                }
                Ok(())
            })?;
        }
        let all_written = written == u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let keys = match (keys, &insert.statement.on_conflict) {
            (Some(keys), OnConflict::Fail) => AssignedKeys::List(keys.given),
            (Some(keys), OnConflict::Ignore(_)) if all_written => AssignedKeys::List(keys.given),
            // which rows were left out or updated, and so have other keys, is not told
            _ => AssignedKeys::None,
        };
        Ok(Written { rows: written, keys })
    }

    /// The first of the automatic keys that neither a row, nor one that was deleted, nor one of the
    /// new rows has. The write lock keeps it free.
    fn next_key(&mut self, id: u64, model: &ModelDef, auto: u16, rows: &dyn RowSource) -> Outcome<i64> {
        let greatest = (0..rows.len()).filter_map(|row| rows.key(row)).max().unwrap_or(0).max(0);
        let table = SQLITE.quote(&model.table().name);
        let column = SQLITE.quote(model.field(auto).map_or("rowid", |field| &field.column));
        let there = format!("coalesce((SELECT max({column}) FROM {table}), 0)");
        let text = format!(
            "SELECT max({there}, coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?1 COLLATE NOCASE), 0))"
        );
        let name = &*model.table().name;
        let read = self.with_statement(StatementKey::form(id, KEY_FORM), &text, |statement, _| {
            Ok(statement.query_row([name], |row| row.get::<_, i64>(0))?)
        });
        let there = match read {
            Ok(there) => there,
            // a table that another program made may do without the counter
            Err(failure) if failure.is_missing("sqlite_sequence") => {
                self.sqlite().query_row(&format!("SELECT {there}"), [], |row| row.get::<_, i64>(0))?
            }
            Err(failure) => return Err(failure),
        };
        there.max(greatest).checked_add(1).ok_or_else(exhausted)
    }
}

#[cold]
fn exhausted() -> Failure {
    Failure::Ommi(Error::query("the automatic keys are exhausted: a row has the greatest integer for its key"))
}

/// Keys that are given to rows in their order.
struct Keys {
    next: i64,
    given: Vec<i64>,
}

impl Keys {
    fn give(&mut self) -> Outcome<i64> {
        let key = self.next;
        self.next = key.checked_add(1).ok_or_else(exhausted)?;
        self.given.push(key);
        Ok(key)
    }
}
