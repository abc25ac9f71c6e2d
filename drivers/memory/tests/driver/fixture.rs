//! Statements and rows for the tests.

use std::any::Any;
use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::{
    AssignedKeys, Call, Driver, Encoder, Flow, Inserted, RowEncoder, RowRef, RowSink, RowSource, Session,
};
use ommi_core::model::{FieldDef, ModelBuilder, ModelDef, ReferenceDef, ReferenceTarget};
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{Comparison, Condition, Direction, Expr, OrderBy};
use ommi_core::value::{Datum, ValueType};
use ommi_memory::MemoryDriver;

/// A row of values.
pub(crate) type Values = Vec<Datum>;

/// A sink that keeps all rows.
pub(crate) struct Collected {
    width: usize,
    pub(crate) rows: Vec<Values>,
    /// After how many rows it says stop.
    pub(crate) enough: usize,
}

impl Collected {
    pub(crate) fn new(width: usize) -> Self {
        Collected { width, rows: Vec::new(), enough: usize::MAX }
    }

    pub(crate) fn of(sink: Box<dyn RowSink>) -> Vec<Values> {
        sink.into_any().downcast::<Collected>().unwrap().rows
    }
}

impl RowSink for Collected {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let row = (0..self.width).map(|column| Ok(Datum::from_cell(row.cell(column)?)));
        self.rows.push(row.collect::<Result<_>>()?);
        Ok(if self.rows.len() >= self.enough { Flow::Stop } else { Flow::Continue })
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Rows to be written.
pub(crate) struct Rows {
    model: Arc<ModelDef>,
    rows: Vec<Values>,
}

impl RowSource for Rows {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()> {
        let mut encoder = RowEncoder::new(&self.model, encoder);
        self.rows[row].iter().try_for_each(|value| encoder.cell(value.cell()))
    }

    fn is_unassigned(&self, row: usize) -> bool {
        self.model.auto().is_some_and(|auto| self.rows[row][usize::from(auto)].is_null())
    }

    fn key(&self, row: usize) -> Option<i64> {
        match self.rows[row][usize::from(self.model.auto()?)] {
            Datum::Int(key) => Some(key),
            _ => None,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A driver with everything native, and tables for some models.
pub(crate) async fn database(models: &[Arc<ModelDef>]) -> Arc<dyn Driver> {
    let driver: Arc<dyn Driver> = Arc::new(MemoryDriver::default());
    driver.create(models).await.unwrap();
    driver
}

/// A session with the driver that prepares its statements.
#[derive(Clone, Copy)]
pub(crate) struct Db<'a> {
    pub(crate) driver: &'a dyn Driver,
    pub(crate) session: &'a dyn Session,
}

/// The driver itself as a session.
pub(crate) fn on(driver: &Arc<dyn Driver>) -> Db<'_> {
    Db { driver: &**driver, session: &**driver }
}

impl<'a> Db<'a> {
    /// The same driver through another session.
    pub(crate) fn through(self, session: &'a dyn Session) -> Db<'a> {
        Db { session, ..self }
    }

    pub(crate) async fn insert(self, model: &Arc<ModelDef>, rows: Vec<Values>) -> Result<(u64, Vec<i64>)> {
        self.upsert(model, OnConflict::Fail, rows).await
    }

    pub(crate) async fn upsert(
        self,
        model: &Arc<ModelDef>,
        on_conflict: OnConflict,
        rows: Vec<Values>,
    ) -> Result<(u64, Vec<i64>)> {
        let statement = Statement::Insert(InsertStatement { model: Arc::clone(model), on_conflict });
        let prepared = self.driver.prepare(&statement, &[])?;
        let call = Call { prepared: &prepared, parameters: &[], model: model.name(), operation: "add" };
        let source = Box::new(Rows { model: Arc::clone(model), rows });
        let Inserted { rows, keys, .. } = self.session.insert(call, source).await?;
        let keys = match keys {
            AssignedKeys::None => Vec::new(),
            AssignedKeys::List(keys) => keys,
        };
        Ok((rows, keys))
    }

    pub(crate) async fn select(self, select: SelectStatement, parameters: &[Datum]) -> Result<Vec<Values>> {
        let model = Arc::clone(&select.model);
        let width = select.width();
        let prepared = self.driver.prepare(&Statement::Select(select), &types(parameters))?;
        let call = Call { prepared: &prepared, parameters, model: model.name(), operation: "find" };
        Ok(Collected::of(self.session.fetch(call, Box::new(Collected::new(width))).await?))
    }

    /// All rows that pass, by their first field.
    pub(crate) async fn find(self, model: &Arc<ModelDef>, condition: Condition) -> Result<Vec<Values>> {
        let mut select = SelectStatement::new(Arc::clone(model), condition);
        select.order_by = vec![OrderBy { expr: Expr::Field(0), direction: Direction::Ascending, nulls: None }];
        self.select(select, &[]).await
    }

    /// All rows, by their first field.
    pub(crate) async fn all(self, model: &Arc<ModelDef>) -> Vec<Values> {
        self.find(model, Condition::Const(true)).await.unwrap()
    }

    pub(crate) async fn update(
        self,
        model: &Arc<ModelDef>,
        condition: Condition,
        assignments: Vec<(u16, Expr)>,
    ) -> Result<u64> {
        let model = Arc::clone(model);
        self.execute(Statement::Update(UpdateStatement { model, condition, assignments }), &[]).await
    }

    pub(crate) async fn delete(self, model: &Arc<ModelDef>, condition: Condition) -> Result<u64> {
        let model = Arc::clone(model);
        self.execute(Statement::Delete(DeleteStatement { model, condition }), &[]).await
    }

    pub(crate) async fn execute(self, statement: Statement, parameters: &[Datum]) -> Result<u64> {
        let model = Arc::clone(statement.model());
        let prepared = self.driver.prepare(&statement, &types(parameters))?;
        let operation = statement.operation();
        let call = Call { prepared: &prepared, parameters, model: model.name(), operation };
        self.session.execute(call).await
    }
}

fn types(parameters: &[Datum]) -> Vec<ValueType> {
    parameters.iter().map(|value| if let Datum::Int(_) = value { ValueType::I64 } else { ValueType::Text }).collect()
}

pub(crate) fn int(value: i64) -> Datum {
    Datum::Int(value)
}

pub(crate) fn text(value: &str) -> Datum {
    Datum::Text(value.into())
}

pub(crate) const NULL: Datum = Datum::Null;

/// The field equals a constant.
pub(crate) fn eq(field: u16, value: Datum) -> Condition {
    Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: Expr::Literal(value) }
}

pub(crate) fn anything() -> Condition {
    Condition::Const(true)
}

/// A user with an automatic key and a unique, optional email.
pub(crate) fn user() -> Arc<ModelDef> {
    ModelBuilder::new("User")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("email", ValueType::Text).nullable(true))
        .key(["id"])
        .unique(["email"])
        .build()
        .unwrap()
}

/// A row of [`user`].
pub(crate) fn a_user(id: Option<i64>, name: &str, email: Option<&str>) -> Values {
    vec![id.map_or(NULL, int), text(name), email.map_or(NULL, text)]
}

/// A reference to a model of a name.
pub(crate) fn reference(field: u16, target: &str) -> ReferenceDef {
    ReferenceDef::new([field], ReferenceTarget::Name(target.into()))
}
