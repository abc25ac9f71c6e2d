//! Inserts of several rows, in statements of several rows each.
//!
//! They begin on the executor's thread where a commit does not sync, and go on on a worker when the
//! budget is spent or a value is large.

use std::time::Instant;

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
use crate::watch::INLINE_BUDGET;

/// After how many rows the clock is looked at.
const LOOK_AFTER: usize = 16;
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

/// An insert of several rows, all or none, with what is done of it. The transaction around it is open
/// between its parts.
pub(crate) struct Many<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) native: &'a Native,
    pub(crate) insert: &'a Insert,
    pub(crate) parameters: &'a [Datum],
    pub(crate) rows: &'a dyn RowSource,
}

/// How far an insert of several rows has come.
#[derive(Default)]
pub(crate) struct Progress {
    /// The first row that is not written.
    row: usize,
    written: u64,
    /// The keys of rows without one; none before it is known whether there are such rows.
    keys: Option<Keys>,
    has_begun: bool,
    /// When others are to have a turn; never on a worker.
    until: Option<Instant>,
}

impl Progress {
    /// That of an insert which stops when the budget of the executor's thread is spent.
    pub(crate) fn inline() -> Self {
        Progress { until: Some(Instant::now() + INLINE_BUDGET), ..Progress::default() }
    }

    /// Goes on where it may block.
    pub(crate) fn on_worker(self) -> Self {
        Progress { until: None, ..self }
    }

    fn is_inline(&self) -> bool {
        self.until.is_some()
    }

    fn is_spent(&self) -> bool {
        self.row.is_multiple_of(LOOK_AFTER) && self.until.is_some_and(|until| Instant::now() >= until)
    }
}

impl Many<'_> {
    /// Begins, or goes on until all rows are written or the time is up.
    ///
    /// # Errors
    ///
    /// Those of the database, after which no row is written, and the insert may be begun anew.
    pub(crate) fn go_on<H: Held>(&self, held: &mut H, progress: &mut Progress) -> Outcome<Option<Written>> {
        let is_nested = held.is_transaction();
        let has_begun = progress.has_begun;
        if !has_begun {
            // encoding runs code of the program, which may panic while the transaction is open
            held.set_dirty(true);
        }
        let connection = held.connection()?;
        if !has_begun {
            let begun = match is_nested {
                true => connection.batch("SAVEPOINT ommi_rows"),
                false => connection.command(Command::Begin("BEGIN IMMEDIATE")),
            };
            if let Err(failure) = begun {
                held.set_dirty(false);
                return Err(failure);
            }
            progress.has_begun = true;
        }
        let written = match connection.insert_rows(self, progress) {
            Ok(false) => return Ok(None),
            Ok(true) => match is_nested {
                true => connection.batch("RELEASE ommi_rows"),
                false => connection.command(Command::Commit),
            },
            Err(failure) => Err(failure),
        };
        let written = written.or_else(|failure| {
            *progress = Progress { until: progress.until, ..Progress::default() };
            // SQLite has rolled all of the transaction back where the failure is a grave one
            if !connection.is_autocommit() {
                match is_nested {
                    true => connection.batch("ROLLBACK TO ommi_rows; RELEASE ommi_rows")?,
                    false => connection.command(Command::Rollback)?,
                }
            }
            match failure.is_reference_violation() {
                true => Err(Failure::Ommi(reference::find(connection, self.native, self.rows))),
                false => Err(failure),
            }
        });
        held.set_dirty(false);
        written.map(|()| Some(self.written(progress)))
    }

    fn written(&self, progress: &mut Progress) -> Written {
        let all_written = progress.written == u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        let keys = match (progress.keys.take(), &self.insert.statement.on_conflict) {
            (Some(keys), OnConflict::Fail) => AssignedKeys::List(keys.given),
            (Some(keys), OnConflict::Ignore(_)) if all_written => AssignedKeys::List(keys.given),
            // which rows were left out or updated, and so have other keys, is not told
            _ => AssignedKeys::None,
        };
        Written { rows: progress.written, keys }
    }
}

impl Connection {
    /// The keys of the rows that have none, if there are such rows.
    fn keys_of(&mut self, many: &Many<'_>) -> Outcome<Option<Keys>> {
        let (model, rows) = (&*many.native.model, many.rows);
        let Some(auto) = model.auto() else { return Ok(None) };
        match (0..rows.len()).filter(|row| rows.is_unassigned(*row)).count() {
            0 => Ok(None),
            // row by row SQLite picks the keys itself and tells them, unless a later row brings its own,
            // which an earlier one must not get
            count if count == rows.len() && many.insert.largest_form() == 0 => {
                Ok(Some(Keys { next: None, given: Vec::with_capacity(rows.len()) }))
            }
            _ => {
                let next = self.next_key(many.prepared.id(), model, auto, rows)?;
                Ok(Some(Keys { next: Some(next), given: Vec::new() }))
            }
        }
    }

    /// Writes rows; says whether all are written.
    fn insert_rows(&mut self, many: &Many<'_>, progress: &mut Progress) -> Outcome<bool> {
        let Many { prepared, insert, rows, .. } = *many;
        let auto = many.native.model.auto();
        if progress.row == 0 {
            progress.keys = self.keys_of(many)?;
        }
        let mut form = insert.largest_form();
        while progress.row < rows.len() {
            while 1 << form > rows.len() - progress.row {
                form -= 1;
            }
            let rendered = insert.form(form)?;
            let key = StatementKey::form(prepared.id(), form);
            let is_left = self.with_statement(key, &rendered.sql.text, |statement, owned| {
                bind_slots(statement, &rendered.sql.parameters, many.parameters, prepared.parameters())?;
                let mut is_large = false;
                let mut is_left = false;
                while 1 << form <= rows.len() - progress.row {
                    let mut binder = RowBinder::new(statement, insert.fields(), auto, rendered.first_row - 1);
                    let first = progress.row;
                    let given = progress.keys.as_ref().map_or(0, |keys| keys.given.len());
                    for row in first..first + (1 << form) {
                        let key = match &mut progress.keys {
                            Some(keys) if rows.is_unassigned(row) => keys.give()?,
                            _ => None,
                        };
                        binder.begin_row(key);
                        rows.encode(row, &mut binder)?;
                    }
                    is_large |= binder.is_large();
                    is_left = is_large && progress.is_inline();
                    if is_left {
                        if let Some(keys) = &mut progress.keys {
                            keys.take_back(given);
                        }
                        break;
                    }
                    let changed = statement.raw_execute()?;
                    progress.row += 1 << form;
                    progress.written += u64::try_from(changed).unwrap_or(u64::MAX);
                    if changed == 1
                        && let Some(keys) = &mut progress.keys
                        && keys.next.is_none()
                    {
                        keys.given.push(owned.sqlite().last_insert_rowid());
                    }
                    is_left = progress.is_spent();
                    if is_left {
                        break;
                    }
                }
                if is_large {
                    statement.clear_bindings();
                }
                Ok(is_left)
            })?;
            if is_left && progress.row < rows.len() {
                return Ok(false);
            }
        }
        Ok(true)
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
    /// The next one, unless SQLite picks them.
    next: Option<i64>,
    given: Vec<i64>,
}

impl Keys {
    /// The key of the next row; none if SQLite picks it.
    fn give(&mut self) -> Outcome<Option<i64>> {
        let Some(key) = self.next else { return Ok(None) };
        self.next = Some(key.checked_add(1).ok_or_else(exhausted)?);
        self.given.push(key);
        Ok(Some(key))
    }

    /// Takes back all but a number of the keys that were given to rows.
    fn take_back(&mut self, count: usize) {
        let Some(next) = &mut self.next else { return };
        if let Some(key) = self.given.get(count) {
            *next = *key;
            self.given.truncate(count);
        }
    }
}
