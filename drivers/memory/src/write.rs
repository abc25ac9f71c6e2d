//! Writing rows, and keeping the rules of models.

use std::collections::BTreeMap;
use std::sync::Arc;

use ommi_core::evaluate::{Evaluator, Related, assign, check_row, fit};
use ommi_core::model::{FieldDef, OnChange};
use ommi_core::query::statement::Statement;
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::access::Layout;
use crate::error::{foreign, no_target, not_unique, null, still_referenced};
use crate::overlay::Overlay;
use crate::seen::Seen;
use crate::statement::MemoryStatement;
use crate::table::{Key, Reference, Row, Table, TableId, Tables, key_of};
use crate::view::View;

/// One statement that writes: its changes go into the overlay of its transaction. References are
/// checked when all rows are written.
pub(crate) struct Writing<'a> {
    pub(crate) tables: &'a Tables,
    overlay: &'a mut Overlay,
    due: Vec<Due>,
}

/// A check that is due at the end of the statement.
enum Due {
    /// The row of a key must reference a row that is there.
    Target { table: TableId, key: Key, reference: usize },
    /// No row may reference these values, unless a row has them again.
    NoReferrer { table: TableId, reference: usize, values: Key },
}

/// The change of a row.
pub(crate) struct Change {
    pub(crate) table: TableId,
    pub(crate) old: Row,
    /// The row that it becomes; none, if it is deleted.
    pub(crate) new: Option<Row>,
}

/// Runs a statement that writes; if it fails, nothing of it stays in the overlay.
///
/// # Errors
///
/// The work's own, and `Constraint` if a reference leads nowhere at its end.
pub(crate) fn run<T>(
    tables: &Tables,
    overlay: &mut Overlay,
    work: impl FnOnce(&mut Writing<'_>) -> Result<T>,
) -> Result<T> {
    let mark = overlay.mark();
    let mut writing = Writing { tables, overlay, due: Vec::new() };
    let answer = work(&mut writing).and_then(|answer| writing.finish().map(|()| answer));
    if answer.is_err() {
        overlay.undo_to(mark);
    }
    answer
}

impl<'a> Writing<'a> {
    /// The table of a number.
    pub(crate) fn table(&self, id: TableId) -> Result<&'a Arc<Table>> {
        self.tables.get(id).ok_or_else(|| Error::schema("a table was dropped while it was written to"))
    }

    /// A table with the changes so far.
    pub(crate) fn view<'v>(&'v self, table: &'v Table) -> View<'v> {
        View { table, changes: self.overlay.changes(table.id) }
    }

    /// Updates or deletes the rows that pass, and says how many did.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses, and the evaluator's.
    pub(crate) fn execute(&mut self, prepared: &MemoryStatement, parameters: &[Datum]) -> Result<u64> {
        let statement = &prepared.statement;
        let (model, condition) = match statement {
            Statement::Update(update) => (&update.model, &update.condition),
            Statement::Delete(delete) => (&delete.model, &delete.condition),
            Statement::Select(_) | Statement::Insert(_) => return Err(foreign()),
        };
        let table = self.tables.named(model.table())?;
        let layout = Layout::new(model, table)?;
        let view = self.view(table);
        let rows = match prepared.access.rows(view, &layout, parameters) {
            Some(rows) => rows,
            None => view.rows().cloned().collect(),
        };
        let related = match prepared.is_across {
            true => Seen { tables: self.tables, overlay: Some(&*self.overlay) }.related_to(condition, parameters)?,
            false => Related::default(),
        };
        let evaluator = Evaluator::new(parameters).with_related(&related);
        let mut changes = Vec::new();
        for old in rows {
            let seen = layout.seen(&old);
            if !evaluator.is_true(condition, &seen)? {
                continue;
            }
            let new = match statement {
                Statement::Update(update) => {
                    let new = assign(model, &update.assignments, &seen, parameters, None)?;
                    let new: Row = layout.stored(table, &new, Some(&old)).into();
                    self.check(table, &new)?;
                    Some(new)
                }
                _ => None,
            };
            changes.push(Change { table: table.id, old, new });
        }
        let matched = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        self.change(changes)?;
        Ok(matched)
    }

    /// Checks a row by itself.
    pub(crate) fn check(&self, table: &Table, row: &[Datum]) -> Result<()> {
        check_row(&table.model, row)?;
        for (index, (field, value)) in (0..).zip(table.model.fields().iter().zip(row)) {
            if value.is_null() && !field.nullable {
                return Err(null(&table.model, index));
            }
        }
        Ok(())
    }

    /// Adds a row that passed [`Writing::check`].
    ///
    /// # Errors
    ///
    /// `Constraint` if another row has its key or the values of a unique group.
    pub(crate) fn put(&mut self, table: &Table, row: Row) -> Result<Key> {
        let key = table.key(&row).map_err(|field| null(&table.model, field))?;
        if self.view(table).get(&key).is_some() {
            return Err(not_unique(&table.model, table.model.key()));
        }
        for (position, index) in table.indexes.iter().enumerate() {
            let Some(values) = index.key_of(&row)? else { continue };
            if index.unique && self.view(table).lookup(position, index, &values).next().is_some() {
                return Err(not_unique(&table.model, &index.fields));
            }
            self.overlay.set_entry(table.id, position, (values, key.clone()), true);
        }
        self.push_number(table, &row);
        self.overlay.set_row(table.id, key.clone(), Some(row));
        Ok(key)
    }

    fn take_away(&mut self, table: &Table, row: &Row) -> Result<()> {
        let key = table.key(row).map_err(|field| null(&table.model, field))?;
        for (position, index) in table.indexes.iter().enumerate() {
            if let Some(values) = index.key_of(row)? {
                self.overlay.set_entry(table.id, position, (values, key.clone()), false);
            }
        }
        self.overlay.set_row(table.id, key, None);
        Ok(())
    }

    /// The automatic integer key that is assigned next.
    pub(crate) fn next_number(&self, table: &Table) -> i128 {
        let changed = self.overlay.changes(table.id).and_then(|changes| changes.next_number);
        changed.unwrap_or(table.next_number)
    }

    /// Sees to it that no later automatic key is that of the row.
    fn push_number(&mut self, table: &Table, row: &[Datum]) {
        let number = table.model.auto().and_then(|auto| row.get(usize::from(auto)));
        if let Some(Ok(number)) = number.map(|number| number.cell().integer())
            && number >= self.next_number(table)
        {
            self.overlay.set_next_number(table.id, number + 1);
        }
    }

    /// Notes that all references of a new row are to be checked.
    pub(crate) fn note_references(&mut self, table: &Table, key: &Key) {
        for reference in 0..table.references.len() {
            self.due.push(Due::Target { table: table.id, key: key.clone(), reference });
        }
    }

    /// Changes rows that exist, and whatever follows from it.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses.
    pub(crate) fn change(&mut self, changes: Vec<Change>) -> Result<()> {
        let mut wave = changes;
        while !wave.is_empty() {
            for change in &wave {
                self.take_away(self.table(change.table)?, &change.old)?;
            }
            for change in &wave {
                let Some(new) = &change.new else { continue };
                let table = self.table(change.table)?;
                let key = self.put(table, Arc::clone(new))?;
                for (reference, of) in table.references.iter().enumerate() {
                    if key_of(&of.fields, new) != key_of(&of.fields, &change.old) {
                        self.due.push(Due::Target { table: table.id, key: key.clone(), reference });
                    }
                }
            }
            let mut following = BTreeMap::new();
            for change in &wave {
                self.follow(change, &mut following)?;
            }
            wave = following.into_values().collect();
            for change in &wave {
                if let Some(new) = &change.new {
                    self.check(self.table(change.table)?, new)?;
                }
            }
        }
        Ok(())
    }

    /// Finds what a change does to the rows that reference the row.
    fn follow(&mut self, change: &Change, following: &mut BTreeMap<(TableId, Key), Change>) -> Result<()> {
        for table in self.tables.iter() {
            for (position, reference) in table.references.iter().enumerate() {
                if reference.target != change.table {
                    continue;
                }
                let Some(values) = key_of(&reference.target_fields, &change.old) else { continue };
                let stays = change.new.as_ref().and_then(|new| key_of(&reference.target_fields, new));
                if stays.as_ref() == Some(&values) {
                    continue;
                }
                let action = if change.new.is_some() { reference.on_update } else { reference.on_delete };
                if action == OnChange::Restrict {
                    self.due.push(Due::NoReferrer { table: table.id, reference: position, values });
                    continue;
                }
                let Some(index) = table.indexes.get(reference.index) else { continue };
                let view = self.view(table);
                for key in view.lookup(reference.index, index, &values) {
                    let Some(row) = view.get(key) else { continue };
                    let referring = following.entry((table.id, key.clone())).or_insert_with(|| Change {
                        table: table.id,
                        old: Arc::clone(row),
                        new: Some(Arc::clone(row)),
                    });
                    referring.new = match (referring.new.take(), action, &change.new) {
                        (None, ..) | (_, OnChange::Cascade, None) => None,
                        (Some(row), OnChange::Cascade, Some(target)) => {
                            Some(follow_key(table, reference, &row, Some(target))?)
                        }
                        (Some(row), _, _) => Some(follow_key(table, reference, &row, None)?),
                    };
                }
            }
        }
        Ok(())
    }

    /// Checks what is due at the end of the statement.
    fn finish(&self) -> Result<()> {
        for due in &self.due {
            match due {
                Due::Target { table, key, reference } => {
                    let table = self.table(*table)?;
                    let Some(reference) = table.references.get(*reference) else { continue };
                    let Some(row) = self.view(table).get(key) else { continue };
                    let Some(values) = key_of(&reference.fields, row) else { continue };
                    let target = self.table(reference.target)?;
                    if !self.has(target, &reference.target_fields, &values) {
                        return Err(no_target(&table.model, &reference.fields, &target.model));
                    }
                }
                Due::NoReferrer { table, reference, values } => {
                    let table = self.table(*table)?;
                    let Some(reference) = table.references.get(*reference) else { continue };
                    let Some(index) = table.indexes.get(reference.index) else { continue };
                    let target = self.table(reference.target)?;
                    let mut referring = self.view(table).lookup(reference.index, index, values);
                    if referring.next().is_some() && !self.has(target, &reference.target_fields, values) {
                        return Err(still_referenced(
                            &target.model,
                            &reference.target_fields,
                            &table.model,
                            &reference.fields,
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a row has some values in some fields.
    fn has(&self, table: &Table, fields: &[u16], values: &Key) -> bool {
        let view = self.view(table);
        match view.find_by(fields, values) {
            Some(keys) => !keys.is_empty(),
            None => view.rows().any(|row| key_of(fields, row).as_ref() == Some(values)),
        }
    }
}

/// The referencing row with its fields following those of the target; null without one.
fn follow_key(table: &Table, reference: &Reference, row: &Row, target: Option<&Row>) -> Result<Row> {
    let mut new = row.to_vec();
    for (field, target_field) in reference.fields.iter().zip(&reference.target_fields) {
        let value = target.and_then(|target| target.get(usize::from(*target_field))).cloned().unwrap_or_default();
        let definition: Option<&FieldDef> = table.model.field(*field);
        if let (Some(slot), Some(definition)) = (new.get_mut(usize::from(*field)), definition) {
            *slot = fit(definition, value).map_err(|error| error.with_model(table.model.name()))?;
        }
    }
    Ok(new.into())
}
