//! Inserting rows.

use std::sync::Arc;

use ommi_core::driver::{AssignedKeys, RowSource};
use ommi_core::evaluate::assign;
use ommi_core::model::ModelDef;
use ommi_core::query::statement::{InsertStatement, OnConflict};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::access::Layout;
use crate::encode;
use crate::error::no_table;
use crate::table::{Row, Table, key_of};
use crate::write::{Change, Writing};

impl Writing<'_> {
    /// Inserts rows, and says how many were written and which keys were assigned.
    ///
    /// Each row sees those before it, so that a row may reference or update an earlier one of the
    /// same call.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses, `Query` if a value does not fit its field.
    pub(crate) fn insert(
        &mut self,
        insert: &InsertStatement,
        parameters: &[Datum],
        source: &dyn RowSource,
    ) -> Result<(u64, AssignedKeys)> {
        let model = &insert.model;
        let table = Arc::clone(self.tables.find(model.table()).ok_or_else(|| no_table(model.table()))?);
        let layout = Layout::new(model, &table)?;
        let (target, assignments) = match &insert.on_conflict {
            OnConflict::Fail => (None, None),
            OnConflict::Ignore(fields) => (Some(fields), None),
            OnConflict::Update(fields, assignments) => (Some(fields), Some(assignments)),
        };
        let mut rows = 0;
        let mut numbers = Vec::new();
        for row in 0..source.len() {
            let new = encode::values(model, source, row)?;
            let there = match target {
                Some(fields) => self.there(&table, &layout, fields, &new)?,
                None => None,
            };
            match (there, assignments) {
                (None, _) => {
                    let assigned = self.add(&table, layout.stored(&table, &new, None).into_owned())?;
                    numbers.extend(assigned.filter(|_| is_unassigned(model, &new)));
                    rows += 1;
                }
                (Some(old), assignments) => {
                    if is_unassigned(model, &new) {
                        numbers.extend(number_of(&table, &old));
                    }
                    let Some(assignments) = assignments else { continue };
                    let changed = assign(model, assignments, &layout.seen(&old), parameters, Some(&new))?;
                    let changed: Row = layout.stored(&table, &changed, Some(&old)).into();
                    self.check(&table, &changed)?;
                    self.change(vec![Change { table: table.id, old, new: Some(changed) }])?;
                    rows += 1;
                }
            }
        }
        let keys = if numbers.is_empty() { AssignedKeys::None } else { AssignedKeys::List(numbers) };
        Ok((rows, keys))
    }

    /// The row that has the values of a new one in some fields; none, if one of them is null.
    fn there(&self, table: &Table, layout: &Layout, fields: &[u16], new: &[Datum]) -> Result<Option<Row>> {
        let Some(values) = key_of(fields, new) else { return Ok(None) };
        let fields = fields.iter().map(|field| layout.field(*field)).collect::<Option<Vec<_>>>();
        let view = self.view(table);
        match fields.and_then(|fields| view.find_by(&fields, &values)) {
            Some(keys) => Ok(keys.first().and_then(|key| view.get(key)).cloned()),
            None => {
                Err(Error::query("an upsert looks for rows by the key or by a unique group")
                    .with_model(table.model.name()))
            }
        }
    }

    /// Adds a row, and gives the automatic key that it was assigned.
    fn add(&mut self, table: &Table, mut row: Vec<Datum>) -> Result<Option<i64>> {
        let mut assigned = None;
        if let Some(auto) = table.model.auto()
            && let Some(slot) = row.get_mut(usize::from(auto))
            && slot.is_null()
        {
            let next = self.next_number(table);
            let range = table.model.field(auto).and_then(|field| field.value_type.integer_range());
            let number = i64::try_from(next).ok().filter(|_| range.is_none_or(|(_, greatest)| next <= greatest));
            let Some(number) = number else { return Err(exhausted(&table.model, auto)) };
            *slot = Datum::Int(number);
            assigned = Some(number);
        }
        self.check(table, &row)?;
        let key = self.put(table, row.into())?;
        self.note_references(table, &key);
        Ok(assigned)
    }
}

fn is_unassigned(model: &ModelDef, row: &[Datum]) -> bool {
    model.auto().and_then(|auto| row.get(usize::from(auto))).is_some_and(Datum::is_null)
}

fn number_of(table: &Table, row: &[Datum]) -> Option<i64> {
    match row.get(usize::from(table.model.auto()?)) {
        Some(Datum::Int(number)) => Some(*number),
        _ => None,
    }
}

#[cold]
fn exhausted(model: &ModelDef, auto: u16) -> Error {
    let value_type = model.field(auto).map(|field| field.value_type.to_string()).unwrap_or_default();
    Error::query(format!(
        "all automatic keys that `{}`, of type {value_type}, can hold are used up",
        model.field_name(auto)
    ))
    .with_model(model.name())
    .with_fields([model.field_name(auto)])
}
