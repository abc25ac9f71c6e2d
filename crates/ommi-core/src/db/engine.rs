//! Running plans: the driver's part, then the engine's.

use std::collections::HashSet;
use std::sync::Arc;

use super::get::equal_data;
use super::sink::{OwnedRow, Untyped, take};
use super::source::UntypedRows;
use super::{Db, Scope};
use crate::driver::{AssignedKeys, Call, Flow, Inserted, Operators, Prepared, RowSink, RowSource};
use crate::error::{Error, Result};
use crate::evaluate::{self, GroupKey, Related};
use crate::model::{Link, ModelDef};
use crate::plan::{Explanation, InsertPlan, Plan, SelectPlan, WritePlan, check, planner};
use crate::query::condition::{Comparison, Condition};
use crate::query::shape;
use crate::query::statement::{InsertStatement, OnConflict, SelectStatement, Statement};
use crate::query::{AggregateFunction, Expr, Parameters};
use crate::value::Datum;

#[cold]
fn other_plan() -> Error {
    Error::query("a plan of another kind of statement was found under this statement's shape: a fault of Ommi")
}

/// The error with the statement that it is about.
#[cold]
pub(super) fn about(error: Error, call: Call<'_>) -> Error {
    error.with_model(call.model).with_operation(call.operation)
}

impl Db {
    /// The plan of a statement, and the values of its parameters.
    #[inline]
    pub(super) fn plan(&self, mut statement: Statement) -> Result<(Arc<Plan>, Parameters)> {
        let (shape, parameters) = match shape::take(&mut statement) {
            Ok(taken) => taken,
            Err(error) => return Err(error.with_model(statement.model().name()).with_operation(statement.operation())),
        };
        let plan = match self.shared.plans.get(&shape) {
            Some(plan) => plan,
            None => {
                let planned = planner::plan(&*self.shared.driver, statement.clone(), parameters.len())?;
                self.shared.plans.insert(shape, planned)
            }
        };
        self.check_plan(&plan, &parameters, statement.model(), statement.operation())?;
        Ok((plan, parameters))
    }

    /// Refuses values that a plan has not been made for, and in strict handles what it leaves to the engine.
    #[inline]
    pub(super) fn check_plan(
        &self,
        plan: &Plan,
        parameters: &[Datum],
        model: &Arc<ModelDef>,
        operation: &'static str,
    ) -> Result<()> {
        if let Err(error) = check::constants(plan.native().parameters(), parameters) {
            return Err(error.with_model(model.name()).with_operation(operation));
        }
        match self.strict {
            true => plan.check_strict(self.shared.driver.name(), model),
            false => Ok(()),
        }
    }

    /// Reads rows into a sink.
    pub(crate) async fn select<S: RowSink + 'static>(
        &self,
        model: &Arc<ModelDef>,
        statement: SelectStatement,
        sink: S,
        operation: &'static str,
    ) -> Result<S> {
        let (plan, parameters) = self.plan(Statement::Select(statement))?;
        self.run_select(model, &plan, &parameters, sink, operation).await
    }

    /// Reads the rows of a planned select into a sink.
    #[inline]
    pub(super) async fn run_select<S: RowSink + 'static>(
        &self,
        model: &Arc<ModelDef>,
        plan: &Plan,
        parameters: &[Datum],
        sink: S,
        operation: &'static str,
    ) -> Result<S> {
        let Plan::Select(plan) = plan else { return Err(other_plan()) };
        match &plan.completion {
            None => {
                let sink = self.fetch(model, &plan.native, parameters, Box::new(sink), operation).await?;
                take(sink)
            }
            Some(_) => {
                let mut sink = sink;
                for row in self.complete(model, plan, parameters, operation).await? {
                    if sink.row(&OwnedRow(&row))? == Flow::Stop {
                        break;
                    }
                }
                Ok(sink)
            }
        }
    }

    #[inline]
    pub(super) async fn fetch(
        &self,
        model: &Arc<ModelDef>,
        prepared: &Prepared,
        parameters: &[Datum],
        sink: Box<dyn RowSink>,
        operation: &'static str,
    ) -> Result<Box<dyn RowSink>> {
        let call = Call { prepared, parameters, model: model.name(), operation };
        match self.session()?.fetch(call, sink).await {
            Ok(sink) => Ok(sink),
            Err(error) => self.note(Err(about(error, call))),
        }
    }

    /// The rows of a select that the engine completes.
    pub(super) async fn complete(
        &self,
        model: &Arc<ModelDef>,
        plan: &SelectPlan,
        parameters: &[Datum],
        operation: &'static str,
    ) -> Result<Vec<Vec<Datum>>> {
        let sink = match &plan.row_types {
            None => Untyped::of_model(model),
            Some(types) => Untyped::new(types.clone()),
        };
        let sink = self.fetch(model, &plan.native, parameters, Box::new(sink), operation).await?;
        let rows = take::<Untyped>(sink)?.rows;
        let Some(rest) = &plan.completion else { return Ok(rows) };
        let related = self.related(rest, parameters, &rows, operation).await?;
        let rows = evaluate::select_related(rest, parameters, &related, rows);
        self.note(rows.map_err(|error| error.with_model(model.name()).with_operation(operation)))
    }

    /// What a select asks of related rows, answered by selects of their own: of all rows, or of those
    /// that the select's rows lead to, if these are few.
    async fn related(
        &self,
        select: &SelectStatement,
        parameters: &[Datum],
        rows: &[Vec<Datum>],
        operation: &'static str,
    ) -> Result<Related> {
        let mut nodes = Vec::new();
        select.each_related(&mut |node| nodes.push(node));
        let mut related = Related::default();
        for node in nodes {
            if related.knows(&node) {
                continue;
            }
            let found = match rows {
                [] => Vec::new(),
                rows => {
                    let mut of_node = Related::select(&node, parameters);
                    if let Some(keys) = self.few_keys(node.link, rows) {
                        of_node.condition = keys.and(of_node.condition);
                    }
                    Box::pin(self.select_untyped(of_node, operation)).await?
                }
            };
            related.insert(&node, parameters, found)?;
        }
        Ok(related)
    }

    /// The condition that the rows which a link leads to have keys of some rows; `None` if the driver
    /// has no use for it. It may hold for more rows.
    fn few_keys(&self, link: &Link, rows: &[Vec<Datum>]) -> Option<Condition> {
        let native = self.shared.driver.capabilities().filter.native;
        let mut all = Condition::Const(true);
        for (from, to) in link.pairs() {
            let (from_type, to_type) = (&link.source().field(from)?.value_type, &link.target().field(to)?.value_type);
            if from_type != to_type && !(from_type.is_integer() && to_type.is_integer()) {
                return None;
            }
            let mut known = HashSet::new();
            let mut keys = Vec::new();
            let values = rows.iter().filter_map(|row| row.get(usize::from(from)));
            for value in values.filter(|value| !value.is_null() && to_type.may_hold(value)) {
                if known.insert(GroupKey::new(value)) {
                    keys.push(Expr::Literal(value.clone()));
                }
                if keys.len() > FEW_KEYS {
                    return None;
                }
            }
            let field = Expr::Field(to);
            let of_keys = match (keys.len(), keys.pop()) {
                (1, Some(key)) if native.contains(Operators::EQ) || link.target().key_is(link.to()) => {
                    Condition::compare(field, Comparison::Eq, key)
                }
                (_, last) if native.contains(Operators::IN) => Condition::is_in(field, keys.into_iter().chain(last)),
                _ => return None,
            };
            all = all.and(of_keys);
        }
        Some(all)
    }

    /// Reads the rows of a select without a Rust type.
    pub(crate) async fn select_untyped(
        &self,
        statement: SelectStatement,
        operation: &'static str,
    ) -> Result<Vec<Vec<Datum>>> {
        let model = Arc::clone(&statement.model);
        let sink = match statement.output.is_empty() {
            true => Untyped::of_model(&model),
            false => Untyped::new(
                statement
                    .output_types()
                    .ok_or_else(|| Error::query("a selected constant has no type").with_model(model.name()))?,
            ),
        };
        Ok(self.select(&model, statement, sink, operation).await?.rows)
    }

    /// How many rows a select of whole rows has, its limit and offset counted.
    pub(super) async fn count_rows(&self, mut select: SelectStatement) -> Result<u64> {
        if !select.selects_whole_rows() {
            return Err(Error::query("`count` takes whole rows: no selection, groups or `distinct`")
                .with_model(select.model.name())
                .with_operation("count"));
        }
        let bound = |expr: Option<Expr>, absent: u64| match expr {
            Some(Expr::Literal(Datum::Int(value))) => u64::try_from(value).unwrap_or_default(),
            _ => absent,
        };
        let offset = bound(select.offset.take(), 0);
        let limit = bound(select.limit.take(), u64::MAX);
        select.order_by.clear();
        select.output = vec![Expr::Aggregate { function: AggregateFunction::Count, of: None, distinct: false }];
        let rows = self.select_untyped(select, "count").await?;
        let all = match rows.first().and_then(|row| row.first()) {
            Some(Datum::Int(count)) => u64::try_from(*count).unwrap_or_default(),
            _ => 0,
        };
        Ok(all.saturating_sub(offset).min(limit))
    }

    /// Updates or deletes, and says how many rows matched.
    pub(super) async fn write(
        &self,
        model: &Arc<ModelDef>,
        statement: Statement,
        operation: &'static str,
    ) -> Result<u64> {
        self.write_planned(model, self.plan(statement), operation).await
    }

    /// Updates or deletes as planned.
    pub(super) async fn write_planned(
        &self,
        model: &Arc<ModelDef>,
        planned: Result<(Arc<Plan>, Parameters)>,
        operation: &'static str,
    ) -> Result<u64> {
        let in_flight = self.in_flight();
        self.check_writable().map_err(|error| error.with_model(model.name()).with_operation(operation))?;
        let (plan, parameters) = &planned?;
        let Plan::Write(plan) = &**plan else { return Err(other_plan()) };
        let matched = match plan {
            WritePlan::Native(prepared) => self.execute(model, prepared, parameters, operation).await?,
            WritePlan::ByKey { .. } => Box::pin(self.write_by_key(model, plan, parameters, operation)).await?,
        };
        in_flight.succeeded();
        Ok(matched)
    }

    /// Updates or deletes row by row those that the engine finds.
    async fn write_by_key(
        &self,
        model: &Arc<ModelDef>,
        plan: &WritePlan,
        parameters: &[Datum],
        operation: &'static str,
    ) -> Result<u64> {
        let WritePlan::ByKey { select, write, assignments, .. } = plan else { return Err(other_plan()) };
        let mut written = 0;
        let all = self.in_one_transaction(async |db| {
            for row in db.complete(model, select, parameters, operation).await? {
                let values = by_key_parameters(model, &row, parameters, assignments.as_deref(), None)
                    .map_err(|error| error.with_model(model.name()).with_operation(operation))?;
                written += db.execute(model, write, &values, operation).await?;
            }
            Ok(())
        });
        let all = all.await;
        self.say_written(all, written)?;
        Ok(written)
    }

    async fn execute(
        &self,
        model: &Arc<ModelDef>,
        prepared: &Prepared,
        parameters: &[Datum],
        operation: &'static str,
    ) -> Result<u64> {
        let call = Call { prepared, parameters, model: model.name(), operation };
        self.note_write(self.session()?.execute(call).await.map_err(|error| about(error, call)))
    }

    /// Writes new rows.
    pub(super) async fn insert<S: RowSource + 'static>(
        &self,
        model: &Arc<ModelDef>,
        on_conflict: OnConflict,
        rows: S,
        operation: &'static str,
    ) -> Result<Inserted> {
        let in_flight = self.in_flight();
        self.check_writable().map_err(|error| error.with_model(model.name()).with_operation(operation))?;
        let statement = InsertStatement { model: Arc::clone(model), on_conflict };
        let (plan, parameters) = self.plan(Statement::Insert(statement))?;
        let Plan::Insert(plan) = &*plan else { return Err(other_plan()) };
        let inserted = match &plan.completion {
            None => self.send(model, &plan.native, &parameters, Box::new(rows), operation).await?,
            Some(rest) => self.upsert_by_key(model, plan, rest, &parameters, rows, operation).await?,
        };
        in_flight.succeeded();
        Ok(inserted)
    }

    async fn send(
        &self,
        model: &Arc<ModelDef>,
        prepared: &Prepared,
        parameters: &[Datum],
        rows: Box<dyn RowSource>,
        operation: &'static str,
    ) -> Result<Inserted> {
        let call = Call { prepared, parameters, model: model.name(), operation };
        self.note_write(self.session()?.insert(call, rows).await.map_err(|error| about(error, call)))
    }

    /// Inserts rows one by one, after a look for one that is there already.
    async fn upsert_by_key<S: RowSource + 'static>(
        &self,
        model: &Arc<ModelDef>,
        plan: &InsertPlan,
        statement: &InsertStatement,
        parameters: &[Datum],
        rows: S,
        operation: &'static str,
    ) -> Result<Inserted> {
        let (fields, assignments) = match &statement.on_conflict {
            OnConflict::Fail => return Err(other_plan()),
            OnConflict::Ignore(fields) => (fields, None),
            OnConflict::Update(fields, assignments) => (fields, Some(assignments)),
        };
        let mut written = 0;
        let mut keys = Vec::new();
        let all = self.in_one_transaction(async |db| {
            for index in 0..rows.len() {
                let mut values = super::source::Values::default();
                rows.encode(index, &mut values)?;
                let new = values.0;
                let found = db.colliding(model, fields, &new, operation).await?;
                match (found, assignments) {
                    (None, _) => {
                        let row = UntypedRows { model: Arc::clone(model), rows: vec![new] };
                        let inserted = db.send(model, &plan.native, &[], Box::new(row), operation).await?;
                        if let AssignedKeys::List(assigned) = inserted.keys {
                            keys.extend(assigned);
                        }
                        written += 1;
                    }
                    (Some(_), None) => {}
                    (Some(old), Some(assignments)) => {
                        let all = evaluate::assign(model, assignments, &old, parameters, Some(&new))?;
                        let changed = assignments
                            .iter()
                            .filter_map(|(field, _)| {
                                Some((*field, Expr::Literal(all.get(usize::from(*field))?.clone())))
                            })
                            .collect();
                        let update = crate::query::statement::UpdateStatement {
                            model: Arc::clone(model),
                            condition: equal_fields(model.key(), &old),
                            assignments: changed,
                        };
                        Box::pin(db.write(model, Statement::Update(update), operation)).await?;
                        written += 1;
                    }
                }
            }
            Ok(())
        });
        let all = all.await;
        self.say_written(all, written)?;
        Ok(Inserted { rows: written, keys: AssignedKeys::List(keys), source: Box::new(rows) })
    }

    /// The row that has the same values in some fields; none, if one of them is null.
    async fn colliding(
        &self,
        model: &Arc<ModelDef>,
        fields: &[u16],
        new: &[Datum],
        operation: &'static str,
    ) -> Result<Option<Vec<Datum>>> {
        if fields.iter().any(|field| new.get(usize::from(*field)).is_none_or(Datum::is_null)) {
            return Ok(None);
        }
        let select = SelectStatement::new(Arc::clone(model), equal_fields(fields, new));
        Ok(self.select_untyped(select, operation).await?.pop())
    }

    /// The error of a write row by row, with how many rows it leaves written: none, where a
    /// transaction undoes them.
    fn say_written(&self, answer: Result<()>, written: u64) -> Result<()> {
        answer.map_err(|error| match written {
            0 => error,
            _ if self.has_transactions() => error,
            _ => error.with_addition(&format!("rows written before: {written}")),
        })
    }

    /// Runs several statements as one: in a transaction where the driver has them, in the handle's
    /// own if it is in one.
    pub(crate) async fn in_one_transaction<T>(&self, work: impl AsyncFnOnce(&Db) -> Result<T>) -> Result<T> {
        match &self.scope {
            Scope::Transaction(_) => work(self).await,
            _ if !self.has_transactions() => work(self).await,
            _ => Box::pin(self.options().run(async |tx| work(tx).await)).await,
        }
    }

    /// How a statement would be answered.
    pub(super) async fn explain(&self, statement: Statement) -> Result<Explanation> {
        let model = Arc::clone(statement.model());
        let operation = "explain";
        let (plan, parameters) = self.plan(statement)?;
        let native = plan.native();
        let call = Call { prepared: native, parameters: &parameters, model: model.name(), operation };
        let database_plan = match self.shared.driver.capabilities().operation.explain {
            true => self.session()?.explain(call).await?,
            false => None,
        };
        Ok(Explanation {
            driver: self.shared.driver.name(),
            model: model.name().to_string(),
            native: native.text().to_string(),
            parameters: native.parameters().to_vec(),
            completed: plan.completed().to_vec(),
            database_plan,
        })
    }
}

/// The most keys of related rows that are asked for by name, rather than all rows.
const FEW_KEYS: usize = 1000;

/// The condition that fields have the values of a row.
fn equal_fields(fields: &[u16], row: &[Datum]) -> Condition {
    let values: Vec<Datum> =
        fields.iter().map(|field| row.get(usize::from(*field)).cloned().unwrap_or_default()).collect();
    equal_data(fields, &values)
}

/// The parameters of a write by key: the new values, then the key.
fn by_key_parameters(
    model: &ModelDef,
    row: &[Datum],
    parameters: &[Datum],
    assignments: Option<&[(u16, Expr)]>,
    inserted: Option<&[Datum]>,
) -> Result<Vec<Datum>> {
    let value = |row: &[Datum], field: u16| row.get(usize::from(field)).cloned().unwrap_or_default();
    let mut values = Vec::new();
    if let Some(assignments) = assignments {
        let new = evaluate::assign(model, assignments, row, parameters, inserted)?;
        for (field, _) in assignments {
            let new = value(&new, *field);
            if let Some(definition) = model.field(*field) {
                definition.check(new.cell())?;
            }
            values.push(new);
        }
    }
    values.extend(model.key().iter().map(|field| value(row, *field)));
    Ok(values)
}
