//! Models, rows and calls for the tests.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ommi_core::driver::{
    AssignedKeys, Call, ConnectOptions, Connector, Driver, Encoder, Flow, Inserted, Prepared, Raw, RowRef, RowSink,
    RowSource, RowsMatched, Session,
};
use ommi_core::model::{CheckDef, FieldDef, IndexDef, ModelBuilder, ReferenceDef, ReferenceTarget};
use ommi_core::query::statement::{
    DeleteStatement, InsertStatement, OnConflict, SelectStatement, Statement, UpdateStatement,
};
use ommi_core::query::{Comparison, Condition, Expr};
use ommi_core::value::{Datum, DecimalSize, ValueType};
use ommi_core::{ModelDef, Result};
use ommi_sqlite::SqliteConnector;

/// A directory that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ommi-sqlite-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("test.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}?synchronous=off", self.file().display())
    }

    /// Another program's connection to the file.
    pub(crate) fn stranger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn connect(url: &str) -> Result<Arc<dyn Driver>> {
    SqliteConnector.connect(&ConnectOptions::from_url(url)?).await
}

/// A driver with the test's tables.
pub(crate) async fn open(url: &str) -> Arc<dyn Driver> {
    let driver = connect(url).await.unwrap();
    driver.create(&[user(), post()]).await.unwrap();
    driver
}

thread_local! {
    static MODELS: [Arc<ModelDef>; 2] = [make_user(), make_post()];
}

pub(crate) fn user() -> Arc<ModelDef> {
    MODELS.with(|models| Arc::clone(&models[0]))
}

pub(crate) fn post() -> Arc<ModelDef> {
    MODELS.with(|models| Arc::clone(&models[1]))
}

fn make_user() -> Arc<ModelDef> {
    let positive =
        Condition::Compare { operator: Comparison::Ge, left: Expr::Field(3), right: Expr::Literal(Datum::Int(0)) };
    ModelBuilder::new("User")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("name", ValueType::Text))
        .field(FieldDef::new("email", ValueType::Text).stored_as("e-mail"))
        .field(FieldDef::new("age", ValueType::I64).nullable(true))
        .key(["id"])
        .unique(["email"])
        .check(CheckDef { name: "age_is_positive".into(), condition: positive })
        .build()
        .unwrap()
}

fn make_post() -> Arc<ModelDef> {
    let size = DecimalSize { precision: 6, scale: 2 };
    ModelBuilder::new("Post")
        .field(FieldDef::new("id", ValueType::I64).auto())
        .field(FieldDef::new("author", ValueType::I64))
        .field(FieldDef::new("editor", ValueType::I64).nullable(true))
        .field(FieldDef::new("price", ValueType::Decimal(Some(size))))
        .key(["id"])
        .index(IndexDef::new([1]))
        .reference(ReferenceDef::new([1], ReferenceTarget::Name("User".into())))
        .reference(ReferenceDef::new([2], ReferenceTarget::Name("User".into())))
        .build()
        .unwrap()
}

/// The values of a new user, whose key is still to be assigned.
pub(crate) fn ada(email: &str) -> Vec<Datum> {
    vec![Datum::Null, Datum::Text("Ada".into()), Datum::Text(email.into()), Datum::Int(36)]
}

/// Rows as they come.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Datum>>,
    width: usize,
}

impl Rows {
    /// For rows of so many values.
    pub(crate) fn wide(width: usize) -> Rows {
        Rows { width, ..Rows::default() }
    }

    fn of(width: usize) -> Box<dyn RowSink> {
        Box::new(Rows::wide(width))
    }

    fn from(sink: Box<dyn RowSink>) -> Rows {
        *sink.into_any().downcast().unwrap()
    }
}

impl RowSink for Rows {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        self.columns = names.iter().map(|name| (*name).to_owned()).collect();
        self.width = names.len();
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let cells: Result<Vec<Datum>> = (0..self.width).map(|i| row.cell(i).map(Datum::from_cell)).collect();
        self.rows.push(cells?);
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Rows to be written.
pub(crate) struct Source {
    rows: Vec<Vec<Datum>>,
    auto: Option<usize>,
}

impl RowSource for Source {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn encode(&self, row: usize, encoder: &mut dyn Encoder) -> Result<()> {
        self.rows[row].iter().try_for_each(|value| encoder.cell(value.cell()))
    }

    fn is_unassigned(&self, row: usize) -> bool {
        self.auto.is_some_and(|auto| self.rows[row][auto].is_null())
    }

    fn key(&self, row: usize) -> Option<i64> {
        match self.rows[row][self.auto?] {
            Datum::Int(key) => Some(key),
            _ => None,
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A statement that was prepared.
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) model: Arc<ModelDef>,
    pub(crate) operation: &'static str,
}

impl Ready {
    pub(crate) fn new(driver: &dyn Driver, statement: Statement, types: &[ValueType]) -> Ready {
        Ready {
            prepared: driver.prepare(&statement, types).unwrap(),
            model: Arc::clone(statement.model()),
            operation: statement.operation(),
        }
    }

    pub(crate) fn call<'a>(&'a self, parameters: &'a [Datum]) -> Call<'a> {
        Call { prepared: &self.prepared, parameters, model: self.model.name(), operation: self.operation }
    }

    pub(crate) async fn fetch(&self, session: &dyn Session, parameters: &[Datum]) -> Result<Vec<Vec<Datum>>> {
        let sink = Rows::of(self.model.fields().len());
        Ok(Rows::from(session.fetch(self.call(parameters), sink).await?).rows)
    }

    pub(crate) async fn execute(&self, session: &dyn Session, parameters: &[Datum]) -> Result<RowsMatched> {
        session.execute(self.call(parameters)).await
    }

    pub(crate) async fn insert(&self, session: &dyn Session, rows: Vec<Vec<Datum>>) -> Result<Inserted> {
        let source = Source { rows, auto: self.model.auto().map(usize::from) };
        session.insert(self.call(&[]), Box::new(source)).await
    }
}

pub(crate) fn equals(field: u16) -> Condition {
    Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: Expr::Parameter(0) }
}

pub(crate) fn all(driver: &dyn Driver, model: &Arc<ModelDef>) -> Ready {
    let select = SelectStatement::new(Arc::clone(model), Condition::Const(true));
    Ready::new(driver, Statement::Select(select), &[])
}

pub(crate) fn by(driver: &dyn Driver, model: &Arc<ModelDef>, field: u16) -> Ready {
    let types = [model.field(field).unwrap().value_type.clone()];
    Ready::new(driver, Statement::Select(SelectStatement::new(Arc::clone(model), equals(field))), &types)
}

pub(crate) fn inserting(driver: &dyn Driver, model: &Arc<ModelDef>, on_conflict: OnConflict) -> Ready {
    Ready::new(driver, Statement::Insert(InsertStatement { model: Arc::clone(model), on_conflict }), &[])
}

/// Sets a field to parameter 1 where another is parameter 0.
pub(crate) fn updating(driver: &dyn Driver, model: &Arc<ModelDef>, field: u16, set: u16) -> Ready {
    let types = [field, set].map(|field| model.field(field).unwrap().value_type.clone());
    let assignments = vec![(set, Expr::Parameter(1))];
    let update = UpdateStatement { model: Arc::clone(model), condition: equals(field), assignments };
    Ready::new(driver, Statement::Update(update), &types)
}

pub(crate) fn deleting(driver: &dyn Driver, model: &Arc<ModelDef>, field: u16) -> Ready {
    let types = [model.field(field).unwrap().value_type.clone()];
    let delete = DeleteStatement { model: Arc::clone(model), condition: equals(field) };
    Ready::new(driver, Statement::Delete(delete), &types)
}

pub(crate) async fn raw(session: &dyn Session, text: &str) -> Result<(Rows, RowsMatched)> {
    let raw = Raw { text: text.into(), parameters: Vec::new() };
    let (sink, matched) = session.raw(&raw, Rows::of(0)).await?;
    Ok((Rows::from(sink), matched))
}

/// The first value of the first row of a text.
pub(crate) async fn value(session: &dyn Session, text: &str) -> Datum {
    raw(session, text).await.unwrap().0.rows[0][0].clone()
}

pub(crate) fn keys(inserted: &Inserted) -> Vec<i64> {
    match &inserted.keys {
        AssignedKeys::List(keys) => keys.clone(),
        AssignedKeys::None => Vec::new(),
    }
}

/// A query that takes seconds.
pub(crate) const LONG: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000000) SELECT count(*) FROM n";
