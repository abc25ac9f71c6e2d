//! Changed rows.

use ommi_core::query::Expr;
use ommi_core::query::statement::UpdateStatement;
use ommi_core::{Error, Result};

use super::{Aliases, Renderer};

impl Renderer<'_> {
    pub(super) fn update(&self, statement: &UpdateStatement, aliases: &Aliases) -> Result<String> {
        if statement.condition.is_across() && self.scope.is_none() {
            return self.named(self.model, &[], aliases).update(statement, aliases);
        }
        if statement.assignments.is_empty() {
            return Err(Error::query("an update needs at least one assignment").with_model(self.model.name()));
        }
        let set: Vec<String> = self
            .assignments(&statement.assignments)?
            .iter()
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        let condition = self.where_clause(&statement.condition)?;
        Ok(format!("UPDATE {} SET {}{condition}", self.named_table()?, set.join(", ")))
    }

    /// The quoted columns that are set, with their values.
    pub(super) fn assignments(&self, assignments: &[(u16, Expr)]) -> Result<Vec<(String, String)>> {
        assignments
            .iter()
            .map(|(field, value)| {
                let column = self.column(*field)?;
                let field_type = self.field(*field)?.value_type.clone();
                let value = self.operand(value, Some(&field_type))?;
                let value = self.dialect.assigned(&value, &field_type)?;
                Ok((column, value.text().to_owned()))
            })
            .collect()
    }
}
