//! Prepared statements.

use ommi_core::Result;
use ommi_core::driver::Prepared;
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;

use crate::insert::Insert;
use crate::select::Select;
use crate::write::Write;

/// A statement as the driver runs it.
#[derive(Debug)]
pub(crate) enum Native {
    Select(Select),
    Insert(Insert),
    Write(Write),
}

impl Native {
    /// Brings a statement into the form in which the driver runs it.
    ///
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn prepare(statement: &Statement, types: &[ValueType]) -> Result<Prepared> {
        let native = match statement {
            Statement::Select(select) => Native::Select(Select::prepare(select, types)?),
            Statement::Insert(insert) => Native::Insert(Insert::prepare(insert, types)?),
            Statement::Update(update) => Native::Write(Write::update(update, types)?),
            Statement::Delete(delete) => Native::Write(Write::delete(delete, types)?),
        };
        let text = match &native {
            Native::Select(select) => select.text.clone(),
            Native::Insert(insert) => insert.text.clone(),
            Native::Write(write) => write.text.clone(),
        };
        Ok(Prepared::new(text, native, types))
    }
}
