//! Deleted rows.

use ommi_core::Result;
use ommi_core::query::statement::DeleteStatement;

use super::{Aliases, Renderer};

impl Renderer<'_> {
    pub(super) fn delete(&self, statement: &DeleteStatement, aliases: &Aliases) -> Result<String> {
        if statement.condition.is_across() && self.scope.is_none() {
            return self.named(self.model, &[], aliases).delete(statement, aliases);
        }
        Ok(format!("DELETE FROM {}{}", self.named_table()?, self.where_clause(&statement.condition)?))
    }
}
