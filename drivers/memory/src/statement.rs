//! Statements as the driver keeps them.

use ommi_core::Result;
use ommi_core::driver::{Capabilities, Prepared};
use ommi_core::query::statement::Statement;
use ommi_core::value::ValueType;

use crate::access::Access;
use crate::capability;
use crate::error::foreign;

/// A statement that was prepared.
#[derive(Debug)]
pub(crate) struct MemoryStatement {
    pub(crate) statement: Statement,
    pub(crate) access: Access,
    /// Whether it looks at the rows of other models.
    pub(crate) is_across: bool,
}

/// Prepares a statement.
///
/// # Errors
///
/// `Unsupported` if it needs more than the capabilities promise.
pub(crate) fn prepare(statement: &Statement, parameters: &[ValueType], can: &Capabilities) -> Result<Prepared> {
    capability::check(statement, can)?;
    let access = match statement {
        Statement::Select(select) => Access::of(&select.condition),
        Statement::Update(update) => Access::of(&update.condition),
        Statement::Delete(delete) => Access::of(&delete.condition),
        Statement::Insert(_) => Access::default(),
    };
    let text = format!("{} {}", statement.operation(), statement.model().table());
    let is_across = is_across(statement);
    Ok(Prepared::new(text, MemoryStatement { statement: statement.clone(), access, is_across }, parameters))
}

fn is_across(statement: &Statement) -> bool {
    match statement {
        Statement::Select(select) => {
            let mut across = !select.joins().is_empty();
            select.each_related(&mut |_| across = true);
            across
        }
        Statement::Update(update) => update.condition.is_across(),
        Statement::Delete(delete) => delete.condition.is_across(),
        Statement::Insert(_) => false,
    }
}

/// The statement that was prepared.
///
/// # Errors
///
/// `Query` if another driver prepared it.
pub(crate) fn of(prepared: &Prepared) -> Result<&MemoryStatement> {
    prepared.native::<MemoryStatement>().ok_or_else(foreign)
}
