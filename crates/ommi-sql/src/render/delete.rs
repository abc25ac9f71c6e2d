//! Deleted rows.

use ommi_core::Result;
use ommi_core::query::statement::DeleteStatement;

use super::Renderer;

impl Renderer<'_> {
    pub(super) fn delete(&self, statement: &DeleteStatement) -> Result<String> {
        Ok(format!("DELETE FROM {}{}", self.table()?, self.where_clause(&statement.condition)?))
    }
}
