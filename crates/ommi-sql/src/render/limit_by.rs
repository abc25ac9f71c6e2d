//! The first rows of each group of rows.

use ommi_core::Result;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Expr, LimitBy};
use ommi_core::value::ValueType;

use super::{Aliases, Renderer, Scope};
use crate::operand::Operand;
use crate::sql::Sql;

/// The column with the number of a row in its group.
const NUMBER: &str = "ommi_row";

impl Renderer<'_> {
    /// A select that limits groups of rows: rows are numbered inside, and chosen outside.
    pub(super) fn limited_by(
        &self,
        statement: &SelectStatement,
        limit_by: &LimitBy,
        aliases: &Aliases,
    ) -> Result<String> {
        let fields: Vec<Expr> = self.all_fields().into_iter().map(Expr::Field).collect();
        let output = if statement.output.is_empty() { &fields } else { &statement.output };
        let name = Scope::name(aliases.next());
        let mut inside = Vec::new();
        let mut outside = Vec::new();
        for (position, expr) in output.iter().enumerate() {
            inside.push(format!("{} AS ommi_{position}", self.operand(expr, None)?.argument()));
            outside.push(format!("{name}.ommi_{position}"));
        }
        let mut numbered = Vec::new();
        let mut order = Vec::new();
        for (position, by) in statement.order_by.iter().enumerate() {
            let operand = self.operand(&by.expr, None)?;
            numbered.push(self.order(by, &operand)?);
            inside.push(format!("{} AS ommi_order_{position}", operand.argument()));
            let sql = Sql::primary(format!("{name}.ommi_order_{position}"));
            order.push(self.order(by, &Operand { sql, ..operand })?);
        }
        let clause = |word: &str, parts: &[String]| match parts.is_empty() {
            true => String::new(),
            false => format!("{word}{}", parts.join(", ")),
        };
        let partition = if limit_by.by.is_empty() { vec![] } else { vec![self.list_of(&limit_by.by)?] };
        let window = format!("{}{}", clause("PARTITION BY ", &partition), clause(" ORDER BY ", &numbered));
        inside.push(format!("ROW_NUMBER() OVER ({}) AS {NUMBER}", window.trim_start()));
        let number = format!("{name}.{NUMBER}");
        let limit = self.operand(&limit_by.limit, Some(&ValueType::I64))?.term();
        let chosen = match &limit_by.offset {
            None => format!("{number} <= {limit}"),
            Some(offset) => {
                let offset = self.operand(offset, Some(&ValueType::I64))?.term();
                format!("{number} > {offset} AND {number} - {offset} <= {limit}")
            }
        };
        let bounds = self.bounds(statement)?;
        Ok(format!(
            "SELECT {} FROM (SELECT {} FROM {}{}{}) AS {name} WHERE {chosen}{}{bounds}",
            outside.join(", "),
            inside.join(", "),
            self.named_table()?,
            self.joins()?,
            self.where_clause(&statement.condition)?,
            clause(" ORDER BY ", &order),
        ))
    }
}
