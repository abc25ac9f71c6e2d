//! Rows that are read.

use ommi_core::Result;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Condition, Direction, Expr, OrderBy};
use ommi_core::value::ValueType;

use super::{Aliases, Renderer, Truth};
use crate::operand::Operand;
use crate::sql::Sql;

impl Renderer<'_> {
    pub(super) fn select(&self, statement: &SelectStatement, aliases: &Aliases) -> Result<String> {
        let mut across = statement.extras.is_some();
        statement.each_related(&mut |_| across = true);
        if !across {
            return self.select_rows(statement);
        }
        let named = self.named(self.model, statement.joins(), aliases);
        match statement.limit_by() {
            Some(limit_by) => named.limited_by(statement, limit_by, aliases),
            None => named.select_rows(statement),
        }
    }

    fn select_rows(&self, statement: &SelectStatement) -> Result<String> {
        let mut text = String::from(if statement.distinct { "SELECT DISTINCT " } else { "SELECT " });
        if statement.output.is_empty() {
            let columns: Vec<String> =
                self.all_fields().into_iter().map(|field| self.read_column(field)).collect::<Result<_>>()?;
            text.push_str(&columns.join(", "));
        } else {
            text.push_str(&self.list_of(&statement.output)?);
        }
        text.push_str(" FROM ");
        text.push_str(&self.named_table()?);
        text.push_str(&self.joins()?);
        text.push_str(&self.where_clause(&statement.condition)?);
        if !statement.group_by.is_empty() {
            text.push_str(" GROUP BY ");
            text.push_str(&self.list_of(&statement.group_by)?);
        }
        text.push_str(&self.clause(" HAVING ", &statement.having)?);
        for (position, order) in statement.order_by.iter().enumerate() {
            text.push_str(if position == 0 { " ORDER BY " } else { ", " });
            text.push_str(&self.order(order, &self.operand(&order.expr, None)?)?);
        }
        text.push_str(&self.bounds(statement)?);
        Ok(text)
    }

    /// The clause that leaves rows out, with a space before it.
    pub(super) fn bounds(&self, statement: &SelectStatement) -> Result<String> {
        let limit = self.count(statement.limit.as_ref())?;
        let offset = self.count(statement.offset.as_ref())?;
        Ok(self.dialect.limit(limit.as_ref(), offset.as_ref()))
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

    pub(super) fn list_of(&self, exprs: &[Expr]) -> Result<String> {
        let texts: Vec<String> =
            exprs.iter().map(|expr| Ok(self.operand(expr, None)?.argument().to_owned())).collect::<Result<_>>()?;
        Ok(texts.join(", "))
    }

    /// What rows are ordered by, given the operand of the order's expression.
    pub(super) fn order(&self, order: &OrderBy, operand: &Operand<'_>) -> Result<String> {
        let mut text = self.dialect.order_key(operand)?.text().to_owned();
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
