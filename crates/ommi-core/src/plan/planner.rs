//! Splitting a statement into what the driver does and what the engine completes.

use std::sync::Arc;

use super::{InsertPlan, Plan, SelectPlan, WritePlan, check, conjuncts, parameter};
use crate::driver::capability::Part;
use crate::driver::{Driver, Operators, Prepared};
use crate::error::{Error, Result};
use crate::model::{ModelDef, read_only};
use crate::query::condition::{Comparison, Condition};
use crate::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use crate::query::{Expr, Join, OrderBy, RelatedNode};
use crate::value::ValueType;

/// Plans a statement that has parameters in place of its constants.
///
/// # Errors
///
/// `Schema` for a model that is wrong, `Query` for a statement that the language does not allow,
/// `Unsupported` for what neither the driver nor the engine can do.
pub fn plan(driver: &dyn Driver, statement: Statement, parameters: usize) -> Result<Plan> {
    let model = Arc::clone(statement.model());
    if !model.problems().is_empty() {
        return Err(Error::schema(model.problems().join("; ")).with_model(model.name()));
    }
    let most = driver.capabilities().limits.parameters;
    if parameters > most {
        return Err(Error::query(format!(
            "the query has {parameters} constants and the database takes {most} in a statement: use `in_` for long lists"
        ))
        .with_driver(driver.name())
        .with_model(model.name()));
    }
    check::statement(&statement)?;
    let types = parameter::types(&statement, parameters);
    let planner = Planner { driver, model: &model, types: &types };
    let plan = match statement {
        Statement::Select(select) => Plan::Select(planner.select(select)?),
        Statement::Insert(insert) => Plan::Insert(planner.insert(insert)?),
        Statement::Update(update) => Plan::Write(planner.update(update)?),
        Statement::Delete(delete) => Plan::Write(planner.delete(delete)?),
    };
    if !plan.completed().is_empty() {
        tracing::warn!(
            model = &**model.name(),
            driver = driver.name(),
            reason = plan.completed().join("; "),
            "the engine completes a query that the driver cannot answer by itself"
        );
    }
    Ok(plan)
}

struct Planner<'a> {
    driver: &'a dyn Driver,
    model: &'a Arc<ModelDef>,
    types: &'a [ValueType],
}

/// A condition, split by who answers its parts.
struct Split {
    native: Condition,
    residual: Condition,
}

impl Planner<'_> {
    fn needed(&self, condition: &Condition) -> Operators {
        Operators::of_model(condition, self.model)
    }

    /// The field that a condition compares for equality with a constant.
    fn equal_field(condition: &Condition) -> Option<u16> {
        match condition {
            Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: Expr::Parameter(_) } => {
                Some(*field)
            }
            _ => None,
        }
    }

    fn has_all(&self, parts: &[Condition], fields: &[u16]) -> bool {
        !fields.is_empty()
            && fields.iter().all(|field| parts.iter().any(|part| Self::equal_field(part) == Some(*field)))
    }

    /// Whether a condition is that of the row of a key, if it has a version: what every driver can
    /// write by.
    fn is_row_of_key(&self, condition: &Condition) -> bool {
        let parts = conjuncts(condition.clone());
        let guards = |field: u16| self.model.is_key(field) || self.model.version() == Some(field);
        self.has_all(&parts, self.model.key()) && parts.iter().all(|part| Self::equal_field(part).is_some_and(guards))
    }

    fn split(&self, condition: Condition, completed: &mut Vec<String>) -> Split {
        let capabilities = self.driver.capabilities();
        let filter = &capabilities.filter;
        let parts = conjuncts(condition);
        let by_key = self.has_all(&parts, self.model.key());
        let mut native = Condition::Const(true);
        let mut residual = Condition::Const(true);
        for part in parts {
            let needed = self.needed(&part);
            let of_key = by_key && Self::equal_field(&part).is_some_and(|field| self.model.is_key(field));
            // more rows than there are would be fewer under these
            let turning = Operators::OR.and(Operators::NOT).and(Operators::IS_TRUE);
            let is_plain = !needed.intersects(turning) && !is_negated(&part);
            // a driver without filters is asked for no constant either
            let constant = matches!(part, Condition::Const(_)) && filter.native.is_empty();
            let mut related = Vec::new();
            part.each_related(&mut |node| self.note_related(&node, &mut related));
            let excepted = capabilities.excepts(&part, self.model);
            if filter.native.contains(needed) && !constant && related.is_empty() && !excepted || of_key {
                native = native.and(part);
            } else if excepted {
                completed.push("filters by what the database compares or computes otherwise".to_owned());
                residual = residual.and(part);
            } else if is_plain && !constant && !part.is_across() && filter.native.and(filter.rechecked).contains(needed)
            {
                completed.push(format!("rechecks {}", names(needed.without(filter.native))));
                native = native.and(part.clone());
                residual = residual.and(part);
            } else {
                let lacking = needed.without(filter.native);
                if constant {
                    completed.push("filters by a constant".to_owned());
                } else if !lacking.is_empty() {
                    completed.push(format!("filters by {}", names(lacking)));
                }
                completed.append(&mut related);
                residual = residual.and(part);
            }
        }
        Split { native, residual }
    }

    fn is_short(&self, condition: &Condition) -> bool {
        // how many related rows are looked at is not known
        if condition.is_across() {
            return false;
        }
        let parts = conjuncts(condition.clone());
        self.has_all(&parts, self.model.key())
            || self.model.unique_groups().any(|group| {
                let fields: Vec<u16> = group.fields.iter().map(|(field, _)| *field).collect();
                group.condition.is_none() && self.has_all(&parts, &fields)
            })
    }

    fn prepare(&self, statement: &Statement, types: &[ValueType], is_short: bool) -> Result<Prepared> {
        match self.driver.prepare(statement, types) {
            Ok(prepared) => Ok(prepared.short(is_short)),
            Err(error) => Err(error.with_driver(self.driver.name()).with_model(self.model.name())),
        }
    }

    fn is_native(&self, expr: &Expr) -> bool {
        let capabilities = self.driver.capabilities();
        let mut native = capabilities.filter.native.contains(Operators::of_expr(expr));
        expr.each_related(&mut |node| native &= capabilities.has_related(&node));
        native && !capabilities.excepts_expr(expr, self.model)
    }

    /// Says what is completed of a part about related rows, if anything is.
    fn note_related(&self, node: &RelatedNode<'_>, completed: &mut Vec<String>) {
        if !self.driver.capabilities().has_related(node) {
            completed.push(format!("looks for related rows of {} by a query of its own", node.link.target().name()));
        }
    }

    fn order_is_native(&self, order: &[OrderBy]) -> bool {
        let capabilities = self.driver.capabilities();
        let capability = &capabilities.order;
        order.iter().all(|by| {
            if capabilities.except.is_some_and(|except| except(Part::Order(&by.expr), self.model)) {
                return false;
            }
            let expr = match &by.expr {
                Expr::Field(_) => capability.fields,
                expr => capability.expressions && self.is_native(expr),
            };
            expr && (by.nulls.is_none() || capability.nulls)
        })
    }

    fn output_is_native(&self, select: &SelectStatement) -> bool {
        let capabilities = self.driver.capabilities();
        let aggregate = &capabilities.aggregate;
        let aggregates_are_native = |expr: &Expr| {
            let mut native = true;
            each_aggregate(expr, &mut |expr| {
                if let Expr::Aggregate { function, of, distinct } = expr {
                    native &= capabilities.has_aggregate(*function, of.is_none(), *distinct);
                }
            });
            native
        };
        let exprs = || select.output.iter().chain(&select.group_by).chain(select.order_by.iter().map(|by| &by.expr));
        let mut having_native = true;
        select.having.each_expr(&mut |expr| having_native &= aggregates_are_native(expr) && self.is_native(expr));
        (select.group_by.is_empty() || aggregate.groups)
            && (select.output.is_empty() || aggregate.projection || select.is_grouped())
            && (!select.distinct || aggregate.distinct_rows)
            && exprs().all(|expr| aggregates_are_native(expr) && self.is_native(expr))
            && having_native
            && !capabilities.excepts(&select.having, self.model)
            && capabilities.filter.native.contains(self.needed(&select.having))
    }

    fn select(&self, select: SelectStatement) -> Result<SelectPlan> {
        self.check(&select)?;
        let order = self.driver.capabilities().order;
        let mut completed = Vec::new();
        let split = self.split(select.condition.clone(), &mut completed);
        let is_short = self.is_short(&split.native) && !select.is_grouped() && select.extras.is_none();
        let all_rows = matches!(split.residual, Condition::Const(true));
        let output = self.output_is_native(&select);
        let sorted = self.order_is_native(&select.order_by);
        let limited = (select.limit.is_none() || order.limit) && (select.offset.is_none() || order.offset);
        let limited_by = self.limit_by_is_native(&select);
        if all_rows && output && sorted && limited && limited_by {
            let native = SelectStatement { condition: split.native, ..select };
            let native = self.prepare(&Statement::Select(native), self.types, is_short)?;
            return Ok(SelectPlan { native, completion: None, row_types: None, completed });
        }
        if !output {
            completed.push("projects, groups or aggregates rows".to_owned());
        }
        if !sorted {
            completed.push("orders rows".to_owned());
        }
        if !limited {
            completed.push("limits rows".to_owned());
        }
        if !limited_by {
            completed.push("limits groups of rows".to_owned());
        }
        let exprs = select.output.iter().chain(&select.group_by).chain(select.order_by.iter().map(|by| &by.expr));
        exprs.for_each(|expr| expr.each_related(&mut |node| self.note_related(&node, &mut completed)));
        let mut native = SelectStatement::new(Arc::clone(self.model), split.native);
        let mut rest = SelectStatement { condition: split.residual, ..select };
        let row_types = self.join_natively(&mut native, rest.joins())?;
        if all_rows && sorted && limited && limited_by && !rest.is_grouped() && !rest.distinct {
            if let Some(limit_by) = rest.extras.as_mut().and_then(|extras| extras.limit_by.take()) {
                native.set_limit_by(limit_by);
            }
            native.order_by = std::mem::take(&mut rest.order_by);
            native.limit = rest.limit.take();
            native.offset = rest.offset.take();
        }
        let native = self.prepare(&Statement::Select(native), self.types, is_short)?;
        Ok(SelectPlan { native, completion: Some(Box::new(rest)), row_types, completed })
    }

    fn limit_by_is_native(&self, select: &SelectStatement) -> bool {
        select.limit_by().is_none_or(|limit_by| {
            self.driver.capabilities().relation.limit_by && limit_by.by.iter().all(|expr| self.is_native(expr))
        })
    }

    /// Makes the driver give the fields of joined rows behind those of the model, for the engine to
    /// go on with; says of which types the row is then.
    fn join_natively(&self, native: &mut SelectStatement, joins: &[Join]) -> Result<Option<Vec<ValueType>>> {
        if joins.is_empty() {
            return Ok(None);
        }
        if !self.driver.capabilities().aggregate.projection {
            return Err(self.lacks_joins());
        }
        let fields = |model: &ModelDef| 0..u16::try_from(model.fields().len()).unwrap_or(u16::MAX);
        native.output.extend(fields(self.model).map(Expr::Field));
        for (place, join) in (0..).zip(joins) {
            native.output.extend(fields(join.link.target()).map(|field| join.field(place, field)));
            native.join(Arc::clone(&join.link));
        }
        Ok(native.output_types())
    }

    fn lacks_joins(&self) -> Error {
        Error::unsupported("the driver has no joins: read the rows of both models, each by a query of its own")
            .with_driver(self.driver.name())
            .with_model(self.model.name())
    }

    /// Refuses what the language does not allow, whoever answers.
    fn check(&self, select: &SelectStatement) -> Result<()> {
        let wrong = |message: String| Err(Error::query(message).with_model(self.model.name()));
        self.check_condition(&select.condition)?;
        if !select.joins().is_empty() && !self.driver.capabilities().relation.joins {
            return Err(self.lacks_joins());
        }
        if select.limit_by().is_some() && (select.is_grouped() || select.distinct) {
            return wrong("a limit for each group of rows is not for `group_by`, aggregates or distinct rows".into());
        }
        if has_related(&select.having) {
            return wrong(
                "`having` filters groups, and related rows are those of a row: filter the rows by them".into(),
            );
        }
        for expr in &select.group_by {
            if let Some(value_type) = expr.value_type(self.model)
                && !value_type.is_groupable()
            {
                return wrong(format!("rows cannot be grouped by values of type {value_type}"));
            }
        }
        for by in &select.order_by {
            if let Some(value_type) = by.expr.value_type(self.model)
                && !value_type.is_ordered()
            {
                return wrong(format!("rows cannot be ordered by values of type {value_type}"));
            }
            if by.expr.has_aggregate() && !select.is_grouped() {
                return wrong("rows can be ordered by an aggregate only after `group_by`".into());
            }
            if select.is_grouped() && !is_of_group(&by.expr, &select.group_by) {
                return wrong("groups can be ordered only by what they are grouped by and by aggregates".into());
            }
            if select.distinct && !select.output.is_empty() && !select.output.contains(&by.expr) {
                return wrong("distinct rows can be ordered only by what is selected".into());
            }
        }
        if !select.is_grouped() && !matches!(select.having, Condition::Const(true)) {
            return wrong("`having` filters groups: use `group_by`, or `filter` for rows".into());
        }
        let mut of_groups = true;
        select.having.each_expr(&mut |expr| of_groups &= is_of_group(expr, &select.group_by));
        if !of_groups {
            return wrong("`having` can compare only what groups are made by and aggregates".into());
        }
        if select.is_grouped() {
            if select.output.is_empty() {
                return wrong("groups need a `select` of what they are grouped by and of aggregates".into());
            }
            if let Some(expr) = select.output.iter().find(|expr| !is_of_group(expr, &select.group_by)) {
                let mut names = Vec::new();
                expr.each_field(&mut |field| names.push(format!("`{}`", self.model.field_name(field))));
                return wrong(format!(
                    "{} is selected from groups but is neither grouped by nor inside an aggregate",
                    names.join(", ")
                ));
            }
        } else if select.distinct {
            let types = select.output_types().unwrap_or_default();
            if let Some(value_type) = types.iter().find(|value_type| !value_type.is_groupable()) {
                return wrong(format!("rows with values of type {value_type} cannot be made distinct"));
            }
        }
        Ok(())
    }

    /// Refuses aggregates in the condition of rows.
    fn check_condition(&self, condition: &Condition) -> Result<()> {
        let mut aggregates = false;
        condition.each_expr(&mut |expr| aggregates |= expr.has_aggregate());
        match aggregates {
            true => Err(Error::query("rows cannot be filtered by an aggregate: group them, and use `having`")
                .with_model(self.model.name())),
            false => Ok(()),
        }
    }

    fn insert(&self, insert: InsertStatement) -> Result<InsertPlan> {
        if self.model.key().is_empty() {
            return Err(read_only(self.model));
        }
        let is_upsert = !matches!(insert.on_conflict, OnConflict::Fail);
        if let OnConflict::Ignore(fields) | OnConflict::Update(fields, _) = &insert.on_conflict {
            let is_unique = self.model.key_is(fields) || self.model.unique_groups().any(|group| group.covers(fields));
            if !is_unique {
                let names: Vec<&str> = fields.iter().map(|field| self.model.field_name(*field)).collect();
                return Err(Error::query(format!(
                    "an upsert looks for rows by the key or by a unique group, and `{}` is neither",
                    names.join("`, `")
                ))
                .with_model(self.model.name()));
            }
        }
        let values = match &insert.on_conflict {
            OnConflict::Update(_, assignments) => assignments.iter().all(|(_, value)| self.is_native(value)),
            OnConflict::Fail | OnConflict::Ignore(_) => true,
        };
        if !is_upsert || self.driver.capabilities().write.upsert && values {
            let native = self.prepare(&Statement::Insert(insert), self.types, true)?;
            return Ok(InsertPlan { native, completion: None, completed: Vec::new() });
        }
        let plain = InsertStatement { model: Arc::clone(self.model), on_conflict: OnConflict::Fail };
        let native = self.prepare(&Statement::Insert(plain), &[], true)?;
        let completed = vec!["looks for the rows that are there, one by one".to_owned()];
        Ok(InsertPlan { native, completion: Some(insert), completed })
    }

    fn update(&self, update: UpdateStatement) -> Result<WritePlan> {
        if self.model.key().is_empty() {
            return Err(read_only(self.model));
        }
        self.check_condition(&update.condition)?;
        let write = self.driver.capabilities().write;
        let plain = update.assignments.iter().all(|(_, value)| matches!(value, Expr::Parameter(_)));
        let mut completed = Vec::new();
        let split = self.split(update.condition.clone(), &mut completed);
        let whole = matches!(split.residual, Condition::Const(true)) && self.writes_by(&update.condition);
        let only_key = self.is_row_of_key(&update.condition);
        let values =
            plain || write.update_expressions && update.assignments.iter().all(|(_, value)| self.is_native(value));
        if values && (whole && write.update_where || only_key) {
            let is_short = self.is_short(&update.condition);
            return Ok(WritePlan::Native(self.prepare(&Statement::Update(update), self.types, is_short)?));
        }
        completed.push("reads the rows and updates them one by one".to_owned());
        let assignments = update.assignments;
        let fields: Vec<u16> = assignments.iter().map(|(field, _)| *field).collect();
        let by_key = UpdateStatement {
            model: Arc::clone(self.model),
            condition: self.key_condition(fields.len()),
            assignments: (0..).zip(&fields).map(|(index, field)| (*field, Expr::Parameter(index))).collect(),
        };
        self.by_key(update.condition, Statement::Update(by_key), &fields, Some(assignments), completed)
    }

    fn delete(&self, delete: DeleteStatement) -> Result<WritePlan> {
        if self.model.key().is_empty() {
            return Err(read_only(self.model));
        }
        self.check_condition(&delete.condition)?;
        let mut completed = Vec::new();
        let split = self.split(delete.condition.clone(), &mut completed);
        let whole = matches!(split.residual, Condition::Const(true)) && self.writes_by(&delete.condition);
        if whole && self.driver.capabilities().write.delete_where || self.is_row_of_key(&delete.condition) {
            let is_short = self.is_short(&delete.condition);
            return Ok(WritePlan::Native(self.prepare(&Statement::Delete(delete), self.types, is_short)?));
        }
        completed.push("reads the rows and deletes them one by one".to_owned());
        let by_key = DeleteStatement { model: Arc::clone(self.model), condition: self.key_condition(0) };
        self.by_key(delete.condition, Statement::Delete(by_key), &[], None, completed)
    }

    /// Whether the driver can write the rows that pass a condition, if it can read them.
    fn writes_by(&self, condition: &Condition) -> bool {
        self.driver.capabilities().relation.writes || !condition.is_across()
    }

    /// The condition on the key whose parameters begin at an index.
    fn key_condition(&self, first: usize) -> Condition {
        self.model.key().iter().zip(first..).fold(Condition::Const(true), |all, (field, index)| {
            all.and(Condition::Compare {
                operator: Comparison::Eq,
                left: Expr::Field(*field),
                right: Expr::Parameter(u16::try_from(index).unwrap_or(u16::MAX)),
            })
        })
    }

    fn by_key(
        &self,
        condition: Condition,
        write: Statement,
        fields: &[u16],
        assignments: Option<Vec<(u16, Expr)>>,
        completed: Vec<String>,
    ) -> Result<WritePlan> {
        let types: Vec<ValueType> = fields
            .iter()
            .chain(self.model.key())
            .filter_map(|field| self.model.field(*field))
            .map(|field| field.value_type.clone())
            .collect();
        let write = self.prepare(&write, &types, true)?;
        let select = Box::new(self.select(SelectStatement::new(Arc::clone(self.model), condition))?);
        Ok(WritePlan::ByKey { select, write, assignments, completed })
    }
}

/// Whether a condition itself, and not one of its expressions, is about related rows.
fn has_related(condition: &Condition) -> bool {
    match condition {
        Condition::Related { .. } => true,
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(has_related),
        Condition::Not(part) | Condition::IsTrue { condition: part, .. } => has_related(part),
        _ => false,
    }
}

/// Whether a group determines the expression's value.
fn is_of_group(expr: &Expr, group_by: &[Expr]) -> bool {
    if group_by.contains(expr) {
        return true;
    }
    match expr {
        Expr::Aggregate { .. } | Expr::Literal(_) | Expr::Parameter(_) => true,
        Expr::Field(_) | Expr::Inserted(_) | Expr::Joined { .. } | Expr::Related { .. } => false,
        Expr::Arithmetic { left, right, .. } => is_of_group(left, group_by) && is_of_group(right, group_by),
        Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => is_of_group(of, group_by),
    }
}

fn is_negated(condition: &Condition) -> bool {
    match condition {
        Condition::In { negated, .. } | Condition::Text { negated, .. } | Condition::List { negated, .. } => *negated,
        Condition::And(parts) => parts.iter().any(is_negated),
        _ => false,
    }
}

fn each_aggregate(expr: &Expr, found: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::Aggregate { .. } => found(expr),
        Expr::Arithmetic { left, right, .. } => {
            each_aggregate(left, found);
            each_aggregate(right, found);
        }
        Expr::DatePart { of, .. } | Expr::JsonPath { of, .. } | Expr::Length(of) => each_aggregate(of, found),
        Expr::Field(_)
        | Expr::Literal(_)
        | Expr::Parameter(_)
        | Expr::Inserted(_)
        | Expr::Joined { .. }
        | Expr::Related { .. } => {}
    }
}

fn names(operators: Operators) -> String {
    operators.names().map(|name| name.to_lowercase().replace('_', " ")).collect::<Vec<_>>().join(", ")
}
