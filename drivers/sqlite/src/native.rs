//! The native form of a statement.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use ommi_core::driver::Prepared;
use ommi_core::model::FieldDef;
use ommi_core::query::statement::{InsertStatement, Statement};
use ommi_core::value::ValueType;
use ommi_core::{Error, ModelDef, Result};
use ommi_sql::{RenderedInsert, Slot, render, render_insert};

use crate::dialect::SQLITE;
use crate::short;

/// The most placeholders that SQLite takes.
pub(crate) const PARAMETERS: usize = 32_766;
/// An insert has forms for 1, 2, 4, … rows, up to this power of two.
const LARGEST_FORM: u32 = 6;
/// The most placeholders of a form. Larger statements are no faster and take longer to prepare.
const FORM_PARAMETERS: usize = 512;

/// The native form of a statement: what a call needs beside the text.
pub(crate) struct Native {
    /// The model, for errors.
    pub(crate) model: Arc<ModelDef>,
    /// What the placeholders are bound to, those of rows excluded.
    pub(crate) slots: Vec<Slot>,
    /// Whether a write of one row may run on the executor's thread, its commit aside.
    pub(crate) is_quick: bool,
    /// The fields that are written.
    pub(crate) written: Vec<u16>,
    /// Whether reading took long the last time: it then begins where it may take long.
    pub(crate) is_long: AtomicBool,
    /// Whether SQLite reads a table in one step, which cannot be interrupted.
    pub(crate) is_one_step: bool,
    /// How many values a row of the answer has.
    pub(crate) width: usize,
    /// For an insert.
    pub(crate) insert: Option<Insert>,
}

/// An insert in its forms for different numbers of rows.
pub(crate) struct Insert {
    pub(crate) statement: InsertStatement,
    parameters: Vec<ValueType>,
    forms: [OnceLock<RenderedInsert>; LARGEST_FORM as usize + 1],
}

impl Native {
    /// Brings a statement into its native form.
    pub(crate) fn prepare(statement: &Statement, parameters: &[ValueType]) -> Result<Prepared> {
        let model = Arc::clone(statement.model());
        let is_quick = short::is_quick(statement);
        let written = short::written(statement);
        let is_one_step = short::is_one_step(statement);
        let width = if let Statement::Select(select) = statement { select.width() } else { 0 };
        let Statement::Insert(insert) = statement else {
            let sql = render(statement, parameters, &SQLITE)?;
            let native = Native {
                model,
                slots: sql.parameters,
                is_quick,
                written,
                width,
                is_long: AtomicBool::new(is_one_step),
                is_one_step,
                insert: None,
            };
            return Ok(Prepared::new(sql.text, native, parameters).short(short::is_short(statement)));
        };
        let insert = Insert { statement: insert.clone(), parameters: parameters.to_vec(), forms: Default::default() };
        let one = insert.form(0)?;
        let (text, slots) = (one.sql.text.clone(), one.sql.parameters.clone());
        let native = Native {
            model,
            slots,
            is_quick,
            written,
            width,
            is_long: AtomicBool::new(is_one_step),
            is_one_step,
            insert: Some(insert),
        };
        Ok(Prepared::new(text, native, parameters).short(true))
    }

    /// The native form of a prepared statement.
    ///
    /// # Errors
    ///
    /// `Query` if another driver prepared the statement.
    #[inline]
    pub(crate) fn of(prepared: &Prepared) -> Result<&Native> {
        prepared.native().ok_or_else(foreign)
    }
}

#[cold]
fn foreign() -> Error {
    Error::query("the statement was prepared by another driver")
}

impl Insert {
    /// The largest form that is used, as a power of two.
    ///
    /// A table with indexes is filled row by row: for a statement of several rows SQLite keeps a
    /// copy of every page that it changes, to undo the statement by itself, and pages of indexes
    /// are many.
    pub(crate) fn largest_form(&self) -> u32 {
        let model = &self.statement.model;
        let has_integer_key =
            matches!(model.key(), [key] if model.field(*key).is_some_and(|key| key.value_type.is_integer()));
        if !has_integer_key || !model.indexes().is_empty() {
            return 0;
        }
        let width = model.fields().len().max(1);
        let rows = (FORM_PARAMETERS / width).max(1);
        rows.ilog2().min(LARGEST_FORM)
    }

    /// The insert of 2 to the power of `form` rows.
    pub(crate) fn form(&self, form: u32) -> Result<&RenderedInsert> {
        let slot = usize::try_from(form).ok().and_then(|form| self.forms.get(form));
        let slot = slot.ok_or_else(|| Error::query("an insert of so many rows has no form"))?;
        if let Some(rendered) = slot.get() {
            return Ok(rendered);
        }
        let rendered = render_insert(&self.statement, &self.parameters, 1 << form, &[], &SQLITE)?;
        Ok(slot.get_or_init(|| rendered))
    }

    /// The fields of a row.
    pub(crate) fn fields(&self) -> &[FieldDef] {
        self.statement.model.fields()
    }
}
