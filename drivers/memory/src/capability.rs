//! What the driver does natively.

use ommi_core::Result;
use ommi_core::driver::capability::{
    AggregateCapability, FilterCapability, OperationCapability, OrderCapability, RelationCapability,
    TransactionCapability, WriteCapability,
};
use ommi_core::driver::{Capabilities, Operators};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{Comparison, Condition, Expr, RelatedNode};

use crate::error::beyond;

/// All that the evaluator can do: everything but a language and plans of its own.
pub fn all() -> Capabilities {
    let mut all = Capabilities::all();
    all.operation = OperationCapability { raw: false, sql: false, explain: false, schemas: true, documents: false };
    all
}

/// The least that a driver must do: all rows or the row of a key, inserts, and writes by key. It
/// keeps the rules of models as ever.
pub fn least() -> Capabilities {
    Capabilities {
        filter: FilterCapability::default(),
        order: OrderCapability::default(),
        aggregate: AggregateCapability::default(),
        relation: RelationCapability::default(),
        write: WriteCapability::default(),
        transaction: TransactionCapability::default(),
        operation: OperationCapability::default(),
        ..all()
    }
}

/// Refuses a statement that needs more than the capabilities promise: the planner should not have
/// asked.
///
/// # Errors
///
/// `Unsupported`, with what is beyond them.
pub(crate) fn check(statement: &Statement, can: &Capabilities) -> Result<()> {
    let check = Check { can, model: statement.model() };
    match statement {
        Statement::Select(select) => check.select(select),
        Statement::Insert(insert) => check.insert(insert),
        Statement::Update(update) => check.update(update),
        Statement::Delete(delete) => check.delete(delete),
    }
}

struct Check<'a> {
    can: &'a Capabilities,
    model: &'a ModelDef,
}

fn require(able: bool, what: &str) -> Result<()> {
    if able { Ok(()) } else { Err(beyond(what)) }
}

impl Check<'_> {
    fn select(&self, select: &SelectStatement) -> Result<()> {
        self.condition(&select.condition)?;
        self.filter(&select.having)?;
        let order = &self.can.order;
        for by in &select.order_by {
            require(by.nulls.is_none() || order.nulls, "placing nulls")?;
            match &by.expr {
                Expr::Field(_) => require(order.fields, "ordering by fields")?,
                expr => {
                    require(order.expressions, "ordering by expressions")?;
                    self.expr(expr)?;
                }
            }
        }
        require(select.limit.is_none() || order.limit, "a limit")?;
        require(select.offset.is_none() || order.offset, "an offset")?;
        let aggregate = &self.can.aggregate;
        require(select.group_by.is_empty() || aggregate.groups, "groups")?;
        require(!select.distinct || aggregate.distinct_rows, "distinct rows")?;
        require(select.output.is_empty() || aggregate.projection || select.is_grouped(), "a selection of fields")?;
        let relation = &self.can.relation;
        require(select.joins().is_empty() || relation.joins, "joins")?;
        if let Some(limit_by) = select.limit_by() {
            require(relation.limit_by, "a limit of groups of rows")?;
            limit_by.by.iter().try_for_each(|expr| self.expr(expr))?;
        }
        select.output.iter().chain(&select.group_by).try_for_each(|expr| self.expr(expr))
    }

    fn insert(&self, insert: &InsertStatement) -> Result<()> {
        match &insert.on_conflict {
            OnConflict::Fail => Ok(()),
            OnConflict::Ignore(_) => require(self.can.write.upsert, "an upsert"),
            OnConflict::Update(_, assignments) => {
                require(self.can.write.upsert, "an upsert")?;
                assignments.iter().try_for_each(|(_, expr)| self.expr(expr))
            }
        }
    }

    fn update(&self, update: &UpdateStatement) -> Result<()> {
        let write = &self.can.write;
        require(write.update_where || self.is_key(&update.condition), "an update by a filter")?;
        for (_, expr) in &update.assignments {
            if !matches!(expr, Expr::Parameter(_)) {
                require(write.update_expressions, "an update by expressions")?;
                self.expr(expr)?;
            }
        }
        match self.is_key(&update.condition) {
            true => Ok(()),
            false => self.written_by(&update.condition),
        }
    }

    fn delete(&self, delete: &DeleteStatement) -> Result<()> {
        require(self.can.write.delete_where || self.is_key(&delete.condition), "a deletion by a filter")?;
        match self.is_key(&delete.condition) {
            true => Ok(()),
            false => self.written_by(&delete.condition),
        }
    }

    fn written_by(&self, condition: &Condition) -> Result<()> {
        require(self.can.relation.writes || !condition.is_across(), "a write by related rows")?;
        self.condition(condition)
    }

    /// The field of the key that a condition compares for equality with a constant.
    fn key_field(&self, condition: &Condition) -> Option<u16> {
        self.equal_field(condition).filter(|field| self.model.is_key(*field))
    }

    /// The field that a condition compares for equality with a constant.
    fn equal_field(&self, condition: &Condition) -> Option<u16> {
        match condition {
            Condition::Compare {
                operator: Comparison::Eq,
                left: Expr::Field(field),
                right: Expr::Parameter(_) | Expr::Literal(_),
            } => Some(*field),
            _ => None,
        }
    }

    fn has_key(&self, parts: &[&Condition]) -> bool {
        let key = self.model.key();
        !key.is_empty() && key.iter().all(|field| parts.iter().any(|part| self.key_field(part) == Some(*field)))
    }

    /// Whether a condition is that of the row of a key, if it has a version, and nothing more.
    fn is_key(&self, condition: &Condition) -> bool {
        let parts = parts(condition);
        let guards = |field: u16| self.model.is_key(field) || self.model.version() == Some(field);
        self.has_key(&parts) && parts.iter().all(|part| self.equal_field(part).is_some_and(guards))
    }

    /// Checks the condition of a statement: the row of a key can always be asked for.
    fn condition(&self, condition: &Condition) -> Result<()> {
        let parts = parts(condition);
        let by_key = self.has_key(&parts);
        parts.iter().filter(|part| !(by_key && self.key_field(part).is_some())).try_for_each(|part| self.filter(part))
    }

    fn filter(&self, condition: &Condition) -> Result<()> {
        if matches!(condition, Condition::Const(true)) {
            return Ok(());
        }
        self.operators(Operators::of_model(condition, self.model))?;
        let mut able = true;
        condition.each_related(&mut |node| able &= self.can.has_related(&node));
        require(able, "related rows")?;
        require(!self.can.filter.native.is_empty(), "a filter")?;
        let mut answer = Ok(());
        condition.each_expr(&mut |expr| {
            if answer.is_ok() {
                answer = self.expr(expr);
            }
        });
        answer
    }

    fn operators(&self, needed: Operators) -> Result<()> {
        let filter = &self.can.filter;
        let missing = needed.without(filter.native.and(filter.rechecked));
        match missing.names().next() {
            None => Ok(()),
            Some(name) => Err(beyond(&format!("the operator {name}"))),
        }
    }

    fn expr(&self, expr: &Expr) -> Result<()> {
        self.operators(Operators::of_expr(expr))?;
        match expr {
            Expr::Aggregate { function, of, distinct } => {
                require(self.can.has_aggregate(*function, of.is_none(), *distinct), "an aggregate")
            }
            Expr::Arithmetic { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => self.expr(of),
            Expr::Related { link, condition, of } => {
                require(self.can.has_related(&RelatedNode { link, condition, of: Some(of) }), "values of related rows")
            }
            Expr::Field(_) | Expr::Literal(_) | Expr::Parameter(_) | Expr::Inserted(_) | Expr::Joined { .. } => Ok(()),
        }
    }
}

/// The conditions that must all hold.
pub(crate) fn parts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::Const(true) => Vec::new(),
        Condition::And(all) => all.iter().flat_map(parts).collect(),
        other => vec![other],
    }
}
