//! Rows that are read.

use ommi_core::Result;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Condition, Direction, Expr, OrderBy};
use ommi_core::value::ValueType;

use super::{Renderer, Truth};
use crate::sql::Sql;

impl Renderer<'_> {
    pub(super) fn select(&self, statement: &SelectStatement) -> Result<String> {
        let mut text = String::from(if statement.distinct { "SELECT DISTINCT " } else { "SELECT " });
        if statement.output.is_empty() {
            text.push_str(&self.columns(&self.all_fields())?.join(", "));
        } else {
            text.push_str(&self.list_of(&statement.output)?);
        }
        text.push_str(" FROM ");
        text.push_str(&self.table()?);
        text.push_str(&self.where_clause(&statement.condition)?);
        if !statement.group_by.is_empty() {
            text.push_str(" GROUP BY ");
            text.push_str(&self.list_of(&statement.group_by)?);
        }
        text.push_str(&self.clause(" HAVING ", &statement.having)?);
        for (position, order) in statement.order_by.iter().enumerate() {
            text.push_str(if position == 0 { " ORDER BY " } else { ", " });
            text.push_str(&self.order(order)?);
        }
        let limit = self.count(statement.limit.as_ref())?;
        let offset = self.count(statement.offset.as_ref())?;
        text.push_str(&self.dialect.limit(limit.as_ref(), offset.as_ref()));
        Ok(text)
    }

    /// ` WHERE ..`, or nothing where every row passes.
    pub(super) fn where_clause(&self, condition: &Condition) -> Result<String> {
        self.clause(" WHERE ", condition)
    }

    fn clause(&self, word: &str, condition: &Condition) -> Result<String> {
        Ok(match self.condition(condition)? {
            Truth::Const(true) => String::new(),
            truth => format!("{word}{}", truth.into_sql(self.dialect).text()),
        })
    }

    fn list_of(&self, exprs: &[Expr]) -> Result<String> {
        let texts: Vec<String> =
            exprs.iter().map(|expr| Ok(self.operand(expr, None)?.argument().to_owned())).collect::<Result<_>>()?;
        Ok(texts.join(", "))
    }

    fn order(&self, order: &OrderBy) -> Result<String> {
        let operand = self.operand(&order.expr, None)?;
        let mut text = self.dialect.order_key(&operand)?.text().to_owned();
        let ascending = order.direction == Direction::Ascending;
        if !ascending {
            text.push_str(" DESC");
        }
        let native_first = ascending == self.dialect.nulls_sort_lowest();
        if operand.nullable && order.nulls_first() != native_first {
            text.push_str(if order.nulls_first() { " NULLS FIRST" } else { " NULLS LAST" });
        }
        Ok(text)
    }

    fn count(&self, count: Option<&Expr>) -> Result<Option<Sql>> {
        count.map(|count| Ok(self.operand(count, Some(&ValueType::I64))?.sql)).transpose()
    }
}
