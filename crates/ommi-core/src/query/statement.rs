//! Statements: what is to be done, as data.

use std::sync::Arc;

use super::condition::Condition;
use super::expr::Expr;
use super::extras::{Extras, Join, LimitBy};
use super::order::OrderBy;
use crate::error::{Error, Result};
use crate::model::{Link, ModelDef};
use crate::value::{Datum, ValueType};

/// Reads rows of a model.
#[derive(Clone, Debug)]
pub struct SelectStatement {
    /// The model.
    pub model: Arc<ModelDef>,
    /// What each row of the answer holds; empty for all fields of the model in their order.
    pub output: Vec<Expr>,
    /// Whether equal rows of the answer appear once.
    pub distinct: bool,
    /// Which rows.
    pub condition: Condition,
    /// What rows are grouped by. Without any, aggregates in the output make one group of all rows.
    pub group_by: Vec<Expr>,
    /// Which groups.
    pub having: Condition,
    /// In which order; unspecified where empty.
    pub order_by: Vec<OrderBy>,
    /// How many at most.
    pub limit: Option<Expr>,
    /// How many are left out before the first.
    pub offset: Option<Expr>,
    /// What few selects have: joins, limits of groups of rows.
    pub extras: Option<Box<Extras>>,
}

impl SelectStatement {
    /// All fields of the rows that pass a condition.
    pub fn new(model: Arc<ModelDef>, condition: Condition) -> Self {
        SelectStatement {
            model,
            output: Vec::new(),
            distinct: false,
            condition,
            group_by: Vec::new(),
            having: Condition::Const(true),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            extras: None,
        }
    }

    /// The rows of other models beside those of this one.
    pub fn joins(&self) -> &[Join] {
        self.extras.as_ref().map_or(&[], |extras| &extras.joins)
    }

    /// The limit of groups of rows.
    pub fn limit_by(&self) -> Option<&LimitBy> {
        self.extras.as_ref()?.limit_by.as_ref()
    }

    /// Joins the rows that a link from the model leads to, and gives the place of the join.
    pub fn join(&mut self, link: Arc<Link>) -> u16 {
        let joins = &mut self.extras.get_or_insert_default().joins;
        joins.push(Join { link });
        u16::try_from(joins.len() - 1).unwrap_or(u16::MAX)
    }

    /// Limits groups of rows.
    pub fn set_limit_by(&mut self, limit_by: LimitBy) {
        self.extras.get_or_insert_default().limit_by = Some(limit_by);
    }

    /// Whether rows are put together into groups.
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty() || self.output.iter().any(Expr::has_aggregate)
    }

    /// Keeps the limit to at most one row.
    pub(crate) fn limit_to_one(&mut self) {
        if !matches!(self.limit, Some(Expr::Literal(Datum::Int(0)))) {
            self.limit = Some(Expr::Literal(Datum::Int(1)));
        }
    }

    /// Refuses an update or a delete of the rows which would not be by their condition alone.
    ///
    /// # Errors
    ///
    /// `Query` if the rows are more than a condition says, which a write cannot keep to.
    pub(crate) fn check_write(&self, operation: &'static str) -> Result<()> {
        if self.limit.is_some() || self.offset.is_some() || !self.order_by.is_empty() || self.extras.is_some() {
            return Err(Error::query(
                "an update or delete takes no order, limit, offset or cursor: find the keys first, then write by `in_`",
            )
            .with_model(self.model.name())
            .with_operation(operation));
        }
        if !self.selects_whole_rows() {
            return Err(Error::query("an update or delete takes whole rows: no selection, groups or `distinct`")
                .with_model(self.model.name())
                .with_operation(operation));
        }
        Ok(())
    }

    /// Whether each row of the answer is a row of the model.
    pub(crate) fn selects_whole_rows(&self) -> bool {
        self.output.is_empty()
            && self.group_by.is_empty()
            && !self.distinct
            && matches!(self.having, Condition::Const(true))
    }

    /// How many values a row of the answer has.
    pub fn width(&self) -> usize {
        match self.output.len() {
            0 => self.model.fields().len(),
            width => width,
        }
    }

    /// The types of a row of the answer; `None` where an expression has none.
    pub fn output_types(&self) -> Option<Vec<ValueType>> {
        if self.output.is_empty() {
            return Some(self.model.fields().iter().map(|field| field.value_type.clone()).collect());
        }
        self.output.iter().map(|expr| expr.value_type(&self.model)).collect()
    }
}

/// What an insert does with a row that is there already.
#[derive(Clone, Debug, Default)]
pub enum OnConflict {
    /// It fails.
    #[default]
    Fail,
    /// Rows that collide in the fields are left out.
    Ignore(Vec<u16>),
    /// Rows that collide in the fields are updated by the assignments, which see the old values
    /// as fields and the new ones as [`Expr::Inserted`].
    Update(Vec<u16>, Vec<(u16, Expr)>),
}

/// Writes new rows, all fields of each.
#[derive(Clone, Debug)]
pub struct InsertStatement {
    /// The model.
    pub model: Arc<ModelDef>,
    /// What to do with rows that are there.
    pub on_conflict: OnConflict,
}

/// Changes rows.
#[derive(Clone, Debug)]
pub struct UpdateStatement {
    /// The model.
    pub model: Arc<ModelDef>,
    /// Which rows.
    pub condition: Condition,
    /// The new values; right-hand sides see the old ones.
    pub assignments: Vec<(u16, Expr)>,
}

/// Deletes rows.
#[derive(Clone, Debug)]
pub struct DeleteStatement {
    /// The model.
    pub model: Arc<ModelDef>,
    /// Which rows.
    pub condition: Condition,
}

/// A statement of the query language.
#[allow(
    clippy::large_enum_variant,
    reason = "a statement lives on the stack of the query that makes it; a box would cost each an allocation"
)]
#[derive(Clone, Debug)]
pub enum Statement {
    /// Reads rows.
    Select(SelectStatement),
    /// Writes new rows.
    Insert(InsertStatement),
    /// Changes rows.
    Update(UpdateStatement),
    /// Deletes rows.
    Delete(DeleteStatement),
}

impl Statement {
    /// The model that the statement is about.
    pub fn model(&self) -> &Arc<ModelDef> {
        match self {
            Statement::Select(statement) => &statement.model,
            Statement::Insert(statement) => &statement.model,
            Statement::Update(statement) => &statement.model,
            Statement::Delete(statement) => &statement.model,
        }
    }

    /// The kind of the statement, in a word.
    pub fn operation(&self) -> &'static str {
        match self {
            Statement::Select(_) => "find",
            Statement::Insert(_) => "add",
            Statement::Update(_) => "update",
            Statement::Delete(_) => "delete",
        }
    }
}
