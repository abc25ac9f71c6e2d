//! A database, and an open transaction of one, which can do the same.

use std::sync::Arc;

use ommi::driver::{AssignedKeys, Capabilities, Isolation};
use ommi::query::statement::OnConflict;
use ommi::query::{Comparison, Condition, Expr};
use ommi::value::Datum;
use ommi::{Db, Error, Result, Transaction};
use pyo3::Borrowed;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};
use tokio::sync::Mutex;

use crate::arena::{NewRows, RowsOf};
use crate::expression::Expression;
use crate::handle::{Handle, Missing, definitions};
use crate::model::{ModelOf, key_condition, model_of};
use crate::operation::{Begin, Finish, Operation, Start, Style, Work, begun_by, block_on};
use crate::query::{Query, QueryOf};
use crate::raw::RawQuery;
use crate::route::Route;

/// The open transaction, until its end.
type Open = Arc<Mutex<Option<Transaction>>>;

/// A database, or an open transaction of one.
#[pyclass(frozen, weakref, module = "ommi._core")]
pub(crate) struct Database {
    pub(crate) handle: Handle,
    open: Option<Open>,
}

#[cold]
fn is_over() -> Error {
    Error::transaction("the transaction is over: it was committed or rolled back")
}

/// Rows of one model that are written together.
struct Part {
    model: Arc<ModelOf>,
    rows: NewRows,
}

/// How rows that are there already are treated.
#[derive(Clone)]
struct Conflict {
    on: Option<Vec<String>>,
    update: Option<Vec<String>>,
    ignore: bool,
}

impl Conflict {
    fn of(&self, model: &ModelOf) -> PyResult<OnConflict> {
        let def = &model.def;
        let on = match &self.on {
            Some(names) => names.iter().map(|name| model.index_of(name)).collect::<PyResult<Vec<_>>>()?,
            None => def.key().to_vec(),
        };
        let updated = match &self.update {
            Some(names) => names.iter().map(|name| model.index_of(name)).collect::<PyResult<Vec<_>>>()?,
            None => all_but_key(model, true),
        };
        let assignments: Vec<_> = updated
            .into_iter()
            .filter(|field| !on.contains(field))
            .map(|field| (field, Expr::Inserted(field)))
            .collect();
        Ok(match self.ignore || assignments.is_empty() {
            true => OnConflict::Ignore(on),
            false => OnConflict::Update(on, assignments),
        })
    }
}

/// The fields outside the key that a write sets.
fn all_but_key(model: &ModelOf, keep_version: bool) -> Vec<u16> {
    (0..)
        .zip(model.def.fields())
        .filter(|(index, field)| !(model.def.is_key(*index) || field.created || keep_version && field.version))
        .map(|(index, _)| index)
        .collect()
}

impl Database {
    fn new(handle: Handle, open: Option<Open>) -> Self {
        Database { handle, open }
    }

    /// Instances grouped by their models, in order.
    fn parts(handle: &Handle, py: Python<'_>, instances: &[Bound<'_, PyAny>]) -> PyResult<(Vec<Part>, Missing)> {
        let mut parts: Vec<Part> = Vec::new();
        let mut from = 0;
        let mut models: Vec<Arc<ModelOf>> = Vec::new();
        while let Some(first) = instances.get(from) {
            if first.is_instance_of::<PyType>() {
                return Err(PyTypeError::new_err("instances of models are added, not the models themselves"));
            }
            let class = first.get_type();
            let rest = instances.get(from..).unwrap_or_default();
            let length = rest.iter().take_while(|instance| instance.get_type().is(&class)).count();
            let model = model_of(first)?;
            let rows = model.rows(py, rest.get(..length).unwrap_or_default())?;
            models.push(Arc::clone(&model));
            parts.push(Part { model, rows });
            from += length;
        }
        let missing = handle.missing(py, &models.iter().collect::<Vec<_>>())?;
        Ok((parts, missing))
    }

    fn write(&self, models: &Bound<'_, PyTuple>, conflict: Option<Conflict>, one: bool) -> Operation {
        let handle = self.handle.clone();
        let models = models.clone().unbind();
        let start: Start = begun_by(move |py| {
            let instances: Vec<Bound<'_, PyAny>> = models.bind(py).iter().collect();
            let (parts, missing) = Database::parts(&handle, py, &instances)?;
            let conflicts = parts
                .iter()
                .map(|part| conflict.as_ref().map_or(Ok(OnConflict::Fail), |conflict| conflict.of(&part.model)))
                .collect::<PyResult<Vec<_>>>()?;
            let (handle, models) = (handle.clone(), models.clone_ref(py));
            Ok(Box::pin(async move {
                handle.prepare(missing).await?;
                for part in &parts {
                    handle.check(&part.model)?;
                }
                let db = handle.db().await?;
                let written = write_all(&db, handle.transaction.is_some(), parts, conflicts).await?;
                Ok(Box::new(move |py: Python<'_>| {
                    let models = models.bind(py);
                    let instances: Vec<Bound<'_, PyAny>> = models.iter().collect();
                    let mut from = 0;
                    for part in &written {
                        let until = from + part.rows.arena.rows();
                        part.model.assign(py, instances.get(from..until).unwrap_or_default(), &part.rows)?;
                        from = until;
                    }
                    Ok(match one {
                        true => models.get_item(0)?.unbind(),
                        false => PyList::new(py, models.iter())?.into_any().unbind(),
                    })
                }) as Finish)
            }))
        });
        Operation::new(Style::Result, start)
    }
}

/// Writes rows of several models, all or none.
async fn write_all(db: &Db, is_inside: bool, parts: Vec<Part>, conflicts: Vec<OnConflict>) -> Result<Vec<Part>> {
    if parts.len() < 2 || is_inside {
        return write_parts(db, parts, conflicts).await;
    }
    if !db.driver().capabilities().transaction.transactions {
        return write_parts(db, parts, conflicts).await;
    }
    let transaction = db.begin().await?;
    let written = write_parts(&transaction, parts, conflicts).await?;
    transaction.commit().await?;
    Ok(written)
}

async fn write_parts(db: &Db, parts: Vec<Part>, conflicts: Vec<OnConflict>) -> Result<Vec<Part>> {
    let mut written = Vec::with_capacity(parts.len());
    for (part, conflict) in parts.into_iter().zip(conflicts) {
        let (mut rows, _, keys) = db.model(&part.model.def).insert(part.rows, conflict).await?;
        if let (AssignedKeys::List(keys), Some(auto)) = (keys, part.model.def.auto()) {
            let auto = usize::from(auto);
            let unassigned: Vec<usize> =
                (0..rows.arena.rows()).filter(|row| rows.arena.cell(*row, auto).is_null()).collect();
            for (row, key) in unassigned.into_iter().zip(keys) {
                rows.arena.assign(row, auto, key);
            }
        }
        written.push(Part { model: part.model, rows });
    }
    Ok(written)
}

fn no_answer(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

#[pymethods]
impl Database {
    /// A database of a URL, connected at its first use.
    #[new]
    #[pyo3(signature = (url, options = Vec::new(), implicit = true))]
    fn open(py: Python<'_>, url: &str, options: Vec<(String, String)>, implicit: bool) -> PyResult<Self> {
        Ok(Database::new(Handle::new(py, url, options, implicit)?, None))
    }

    /// The same database, used in another way: with tables created at the first use of their models
    /// or not, and inside transactions of it or not.
    fn configured(&self, implicit: bool, outside: bool) -> Database {
        Database::new(self.handle.configured(implicit, outside), self.open.clone())
    }

    /// A number that no other database in the process has.
    #[getter]
    fn identity(&self) -> usize {
        self.handle.identity()
    }

    /// Notes that a transaction was entered in some context.
    fn entered(&self) {
        self.handle.entered();
    }

    /// Notes that a transaction was left.
    fn left(&self) {
        self.handle.left();
    }

    #[getter]
    fn scheme(&self) -> &str {
        self.handle.scheme()
    }

    #[getter]
    fn is_transaction(&self) -> bool {
        self.open.is_some()
    }

    /// How many statements were sent.
    #[getter]
    fn statements(&self) -> u64 {
        self.handle.statements()
    }

    /// What the database does by itself, by the names of capabilities.
    fn capabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let handle = self.handle.clone();
        let work: Work = Box::pin(async move {
            let db = handle.db().await?;
            Ok(Box::new(move |py: Python<'_>| Ok(capabilities(py, db.driver().capabilities())?.into_any().unbind()))
                as Finish)
        });
        Ok(block_on(py, work)?.into_bound(py).cast_into::<PyDict>()?)
    }

    /// Begins a query.
    #[pyo3(signature = (*predicates))]
    fn find(slf: &Bound<'_, Self>, predicates: &Bound<'_, PyTuple>) -> PyResult<Query> {
        let owner = slf.clone().into_any().unbind();
        Ok(Query::new(QueryOf::new(slf.get().handle.clone(), owner, predicates)?))
    }

    /// The row of a key.
    #[pyo3(signature = (model, *key))]
    fn get(slf: &Bound<'_, Self>, model: &Bound<'_, PyAny>, key: &Bound<'_, PyTuple>) -> PyResult<Operation> {
        let of = model_of(model)?;
        let nested = match key.len() {
            1 => key.get_item(0)?.cast_into::<PyTuple>().ok(),
            _ => None,
        };
        let key = nested.as_ref().unwrap_or(key);
        if key.len() != of.def.key().len() {
            return Err(PyTypeError::new_err(format!(
                "the key of {} has {} values, and {} were given",
                of.def.name(),
                of.def.key().len(),
                key.len()
            )));
        }
        let value = |(field, value): (&u16, Borrowed<'_, '_, PyAny>)| match of.fields.get(usize::from(*field)) {
            Some(field) => field.codec.encode_operand(&value),
            None => Ok(Datum::Null),
        };
        let key = of.def.key().iter().zip(key.iter_borrowed()).map(value).collect::<PyResult<_>>()?;
        Ok(Operation::new(Style::QueryResult, Arc::new(Get { database: slf.clone().unbind(), of, key })))
    }

    /// Adds instances, all or none.
    #[pyo3(signature = (*models))]
    fn add(&self, models: &Bound<'_, PyTuple>) -> Operation {
        self.write(models, None, false)
    }

    /// Inserts instances, or updates the rows that are there already.
    #[pyo3(signature = (*models, on = None, update = None, ignore = false))]
    fn upsert(
        &self,
        py: Python<'_>,
        models: &Bound<'_, PyTuple>,
        on: Option<Vec<Py<PyAny>>>,
        update: Option<Vec<Py<PyAny>>>,
        ignore: bool,
    ) -> PyResult<Operation> {
        let names = |fields: Option<Vec<Py<PyAny>>>| -> PyResult<Option<Vec<String>>> {
            let name = |field: Py<PyAny>| match field.bind(py).cast::<Expression>() {
                Ok(field) => Ok(field.get().name_of()?.to_owned()),
                Err(_) => field.extract::<String>(py),
            };
            fields.map(|fields| fields.into_iter().map(name).collect()).transpose()
        };
        if ignore && update.is_some() {
            return Err(PyValueError::new_err("a row that is there is either updated or ignored"));
        }
        Ok(self.write(models, Some(Conflict { on: names(on)?, update: names(update)?, ignore }), false))
    }

    /// Writes all fields of an instance.
    fn save(&self, py: Python<'_>, instance: &Bound<'_, PyAny>) -> PyResult<Operation> {
        let model = model_of(instance)?;
        let def = &model.def;
        let is_new = match def.auto() {
            Some(auto) => model.values(instance, &[auto])?.iter().any(Datum::is_null),
            None => false,
        };
        let Some(version) = def.version() else {
            let conflict = (!is_new).then_some(Conflict { on: None, update: None, ignore: false });
            return Ok(self.write(&PyTuple::new(py, [instance])?, conflict, true));
        };
        let held = match model.values(instance, &[version])?.pop() {
            Some(Datum::Int(held)) if held != 0 && !is_new => held,
            _ => return Ok(self.write(&PyTuple::new(py, [instance])?, None, true)),
        };
        let handle = self.handle.clone();
        let instance = instance.clone().unbind();
        let start: Start = begun_by(move |py| {
            let missing = handle.missing(py, &[&model])?;
            let instance = instance.clone_ref(py);
            let bound = instance.bind(py);
            let key = model.values(bound, model.def.key())?;
            let fields: Vec<u16> = all_but_key(&model, true)
                .into_iter()
                .filter(|field| model.def.field(*field).is_some_and(|field| !field.updated))
                .collect();
            let values = model.values(bound, &fields)?;
            let assignments = fields.into_iter().zip(values.into_iter().map(Expr::Literal)).collect();
            let (handle, model) = (handle.clone(), Arc::clone(&model));
            Ok(Box::pin(async move {
                handle.prepare(missing).await?;
                let db = handle.db().await?;
                let key = key_condition(&model.def, key)?;
                let same = Condition::compare(Expr::Field(version), Comparison::Eq, Expr::Literal(Datum::Int(held)));
                let dynamic = db.model(&model.def);
                if dynamic.find(key.clone().and(same)).update(assignments).await? == 0 {
                    return Err(Error::stale(
                        "the row was changed or deleted since it was read: reload it and decide anew",
                    )
                    .with_model(model.def.name())
                    .with_operation("save"));
                }
                reload(&db, model, key, instance).await
            }))
        });
        Ok(Operation::new(Style::Result, start))
    }

    /// Deletes the row of an instance's key.
    fn delete(&self, instance: Py<PyAny>) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |py| {
            let model = model_of(instance.bind(py))?;
            let missing = handle.missing(py, &[&model])?;
            let key = model.values(instance.bind(py), model.def.key())?;
            let version = match model.def.version() {
                Some(field) => model.values(instance.bind(py), &[field])?.pop().map(|version| (field, version)),
                None => None,
            };
            let handle = handle.clone();
            Ok(Box::pin(async move {
                handle.prepare(missing).await?;
                let db = handle.db().await?;
                let mut condition = key_condition(&model.def, key)?;
                let is_versioned = version.is_some();
                if let Some((field, version)) = version {
                    let same = Condition::compare(Expr::Field(field), Comparison::Eq, Expr::Literal(version));
                    condition = condition.and(same);
                }
                let deleted = db.model(&model.def).find(condition).delete().await?;
                match (deleted, is_versioned) {
                    (0, true) => {
                        Err(Error::stale("the row was changed or deleted since it was read: reload it and decide anew")
                            .with_model(model.def.name())
                            .with_operation("delete"))
                    }
                    (0, false) => Err(Error::not_found("no row has the key of this instance")
                        .with_model(model.def.name())
                        .with_operation("delete")),
                    _ => Ok(Box::new(no_answer) as Finish),
                }
            }))
        });
        Operation::new(Style::Result, start)
    }

    /// Reads all fields of an instance anew.
    fn reload(&self, instance: Py<PyAny>) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |py| {
            let model = model_of(instance.bind(py))?;
            let missing = handle.missing(py, &[&model])?;
            let key = model.values(instance.bind(py), model.def.key())?;
            let (handle, instance) = (handle.clone(), instance.clone_ref(py));
            Ok(Box::pin(async move {
                handle.prepare(missing).await?;
                let db = handle.db().await?;
                let key = key_condition(&model.def, key)?;
                reload(&db, model, key, instance).await
            }))
        });
        Operation::new(Style::Result, start)
    }

    /// A statement in the database's own language.
    #[pyo3(signature = (text, *parameters))]
    fn raw(slf: &Bound<'_, Self>, text: &str, parameters: &Bound<'_, PyTuple>) -> PyResult<RawQuery> {
        let owner = slf.clone().into_any().unbind();
        RawQuery::new(slf.get().handle.clone(), owner, text, parameters)
    }

    /// Loads a relation of an instance that was not read from a database.
    fn load(slf: &Bound<'_, Self>, route: &Bound<'_, Route>, instance: Py<PyAny>) -> Operation {
        Database::load_of(slf, route, instance)
    }

    /// Connects, if it is not yet connected.
    fn connect(&self) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |_| {
            let handle = handle.clone();
            Ok(Box::pin(async move {
                handle.db().await?;
                Ok(Box::new(no_answer) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }

    /// Creates what is missing of the tables of a collection's models.
    fn use_models(&self, collection: Py<PyAny>) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |py| {
            let (models, ids) = definitions(collection.bind(py))?;
            let handle = handle.clone();
            Ok(Box::pin(async move {
                handle.create(&models, ids).await?;
                Ok(Box::new(no_answer) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }

    /// Drops the tables of a collection's models, with all their rows.
    fn remove_models(&self, collection: Py<PyAny>) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |py| {
            let (models, ids) = definitions(collection.bind(py))?;
            let handle = handle.clone();
            Ok(Box::pin(async move {
                handle.remove(&models, ids).await?;
                Ok(Box::new(no_answer) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }

    /// Begins a transaction; in one, a nested one.
    #[pyo3(signature = (collections = Vec::new(), isolation = None, read_only = false, timeout = None))]
    fn begin(
        &self,
        collections: Vec<Py<PyAny>>,
        isolation: Option<&str>,
        read_only: bool,
        timeout: Option<f64>,
    ) -> PyResult<Operation> {
        let isolation = match isolation {
            None => None,
            Some("read committed") => Some(Isolation::ReadCommitted),
            Some("repeatable read") => Some(Isolation::RepeatableRead),
            Some("serializable") => Some(Isolation::Serializable),
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "the isolation is {other:?}, where \"read committed\", \"repeatable read\" or \"serializable\" is wanted"
                )));
            }
        };
        let timeout = match timeout {
            Some(seconds) if !(seconds > 0.0 && seconds < 1e9) => {
                return Err(PyValueError::new_err("a timeout is a number of seconds above 0"));
            }
            timeout => timeout.map(std::time::Duration::from_secs_f64),
        };
        let handle = self.handle.clone();
        let start: Start = begun_by(move |py| {
            let mut missing = Vec::new();
            if handle.implicit && handle.transaction.is_none() {
                for collection in &collections {
                    let (models, ids) = definitions(collection.bind(py))?;
                    if handle.are_new(&ids) && !models.is_empty() {
                        missing.push((models, ids));
                    }
                }
            }
            let handle = handle.clone();
            Ok(Box::pin(async move {
                for missing in missing {
                    handle.prepare(Some(missing)).await?;
                }
                let db = handle.db().await?;
                let mut options = db.options();
                if let Some(isolation) = isolation {
                    options = options.isolation(isolation);
                }
                if read_only {
                    options = options.read_only();
                }
                if let Some(timeout) = timeout {
                    options = options.timeout(timeout);
                }
                let transaction = options.begin().await?;
                let inside = handle.inside(Db::clone(&transaction));
                let open: Open = Arc::new(Mutex::new(Some(transaction)));
                Ok(Box::new(move |py: Python<'_>| Ok(Py::new(py, Database::new(inside, Some(open)))?.into_any()))
                    as Finish)
            }))
        });
        Ok(Operation::new(Style::Raise, start))
    }

    /// Commits the transaction.
    fn commit(&self) -> Operation {
        self.end(true)
    }

    /// Undoes what was written in the transaction.
    fn rollback(&self) -> Operation {
        self.end(false)
    }

    /// Closes all connections.
    fn close(&self) -> Operation {
        let handle = self.handle.clone();
        let start: Start = begun_by(move |_| {
            let handle = handle.clone();
            Ok(Box::pin(async move {
                handle.close().await?;
                Ok(Box::new(no_answer) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }
}

impl Database {
    fn end(&self, commits: bool) -> Operation {
        let open = self.open.clone();
        let start: Start = begun_by(move |_| {
            let open = open.clone();
            Ok(Box::pin(async move {
                let open = open.ok_or_else(|| Error::transaction("this is no transaction"))?;
                let transaction = open.lock().await.take().ok_or_else(is_over)?;
                match commits {
                    true => transaction.commit().await?,
                    false => transaction.rollback().await?,
                }
                Ok(Box::new(no_answer) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }
}

fn capabilities<'py>(py: Python<'py>, of: &Capabilities) -> PyResult<Bound<'py, PyDict>> {
    let all = [
        ("aggregate.functions", of.aggregate.functions),
        ("aggregate.groups", of.aggregate.groups),
        ("constraint.auto_integers", of.constraint.auto_integers),
        ("constraint.references", of.constraint.references),
        ("constraint.unique", of.constraint.unique),
        ("operation.explain", of.operation.explain),
        ("operation.raw", of.operation.raw),
        ("operation.sql", of.operation.sql),
        ("relation.filters", of.relation.filters),
        ("relation.joins", of.relation.joins),
        ("transaction.read_only", of.transaction.read_only),
        ("transaction.repeatable_read", of.transaction.repeatable_read),
        ("transaction.savepoints", of.transaction.savepoints),
        ("transaction.serializable", of.transaction.serializable),
        ("transaction.snapshot_reads", of.transaction.snapshot_reads),
        ("transaction.transactions", of.transaction.transactions),
        ("write.update_expressions", of.write.update_expressions),
        ("write.upsert", of.write.upsert),
    ];
    let named = PyDict::new(py);
    all.into_iter().try_for_each(|(name, has)| named.set_item(name, has))?;
    Ok(named)
}

/// Sets the fields of an instance from the row of its key.
async fn reload(db: &Db, model: Arc<ModelOf>, key: Condition, instance: Py<PyAny>) -> Result<Finish> {
    let sink = RowsOf::new(Arc::clone(&model.types), Some(Arc::clone(&model.def)), 1);
    let rows = db.model(&model.def).find(key).read_into(sink, "reload").await?;
    if rows.arena.rows() == 0 {
        return Err(Error::not_found("no row has the key of this instance")
            .with_model(model.def.name())
            .with_operation("reload"));
    }
    Ok(Box::new(move |py: Python<'_>| {
        model.refresh(py, instance.bind(py), &rows.arena)?;
        Ok(instance)
    }))
}

/// A look-up by key.
struct Get {
    database: Py<Database>,
    of: Arc<ModelOf>,
    key: Vec<Datum>,
}

impl Begin for Get {
    fn begin(self: Arc<Self>, py: Python<'_>) -> PyResult<Work> {
        let missing = self.database.get().handle.missing(py, &[&self.of])?;
        Ok(Box::pin(async move {
            let (handle, of) = (&self.database.get().handle, &self.of);
            handle.prepare(missing).await?;
            handle.check(of)?;
            let db = handle.db().await?;
            let sink = RowsOf::new(Arc::clone(&of.types), Some(Arc::clone(&of.def)), 1);
            let rows = db.model(&of.def).get_into(&self.key, sink).await?;
            if rows.arena.rows() == 0 {
                return Err(Error::not_found("no row has this key").with_model(of.def.name()).with_operation("get"));
            }
            Ok(Box::new(move |py: Python<'_>| {
                let mut list = self.of.list(py, &rows.arena, self.database.as_any(), &[])?;
                Ok(list.pop().map_or_else(|| py.None(), Bound::unbind))
            }) as Finish)
        }))
    }
}
