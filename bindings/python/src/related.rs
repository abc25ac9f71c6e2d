//! Loading related rows: for all rows of a result at once, with them or when the first is asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ommi::driver::{BoxFuture, RowRef, RowSink};
use ommi::relation::{FoundRows, LoadedRows, RowKeys};
use ommi::value::Datum;
use ommi::{Db, Error, Result};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::arena::{Arena, RowsOf};
use crate::database::Database;
use crate::lazy::{Lazy, Own};
use crate::model::{ModelOf, PausedCollector};
use crate::operation::{Finish, Work};
use crate::parts::Parts;
use crate::route::{Route, RouteOf};

/// A relation that is loaded with the rows that have it, and the relations of what it leads to.
#[derive(Clone, Debug)]
pub(crate) struct With {
    route: Arc<RouteOf>,
    /// The relation's position among those of its model.
    relation: usize,
    inner: Vec<With>,
}

impl With {
    /// The relations of a model that Python names, each as `Relation._eager` gives it.
    pub(crate) fn parse(model: &Arc<ModelOf>, relations: &Bound<'_, PyTuple>) -> PyResult<Vec<With>> {
        let mut all = Vec::with_capacity(relations.len());
        for relation in relations.iter_borrowed() {
            let Ok(parts) = relation.call_method0("_eager") else {
                return Err(PyTypeError::new_err(format!(
                    "{} is no relation: name a lazy field of the model, such as Author.books",
                    relation.repr()?
                )));
            };
            let (route, position, inner): (Bound<'_, PyAny>, usize, Bound<'_, PyTuple>) = parts.extract()?;
            let route = Arc::clone(&route.cast::<Route>()?.get().0);
            if !Arc::ptr_eq(&route.source, model) {
                return Err(PyTypeError::new_err(format!(
                    "{} is a relation of {}, and the rows are of {}",
                    relation.repr()?,
                    route.source.def.name(),
                    model.def.name()
                )));
            }
            let inner = With::parse(&route.target, &inner)?;
            all.push(With { route, relation: position, inner });
        }
        Ok(all)
    }

    /// The way to the rows that are read last.
    pub(crate) fn last(with: &[With]) -> Option<&Arc<RouteOf>> {
        with.last().map(|with| With::last(&with.inner).unwrap_or(&with.route))
    }

    /// The models of all related rows.
    pub(crate) fn targets<'a>(with: &'a [With], into: &mut Vec<&'a Arc<ModelOf>>) {
        for with in with {
            into.push(&with.route.target);
            With::targets(&with.inner, into);
        }
    }
}

/// The related rows of some rows, as they were read.
pub(crate) struct Loaded {
    route: Arc<RouteOf>,
    relation: usize,
    keys: Arc<RowKeys>,
    rows: LoadedRows<RowsOf>,
    inner: Vec<Loaded>,
}

impl FoundRows for RowsOf {
    #[inline]
    fn push(&mut self, row: &dyn RowRef) -> Result<()> {
        self.row(row).map(drop)
    }

    fn truncate(&mut self, rows: usize) {
        self.keep(rows);
    }

    #[inline]
    fn integer(&self, column: usize) -> Option<i64> {
        self.arena.last_integer(column)
    }
}

/// How many related rows are worth making instances of some while others are read.
const MANY: usize = 2_000;

async fn read(db: &Db, route: &RouteOf, keys: &RowKeys, parts: Option<Arc<Parts>>) -> Result<LoadedRows<RowsOf>> {
    let target = &route.target;
    let sink = RowsOf::new(Arc::clone(&target.types), Some(Arc::clone(&target.def)), usize::MAX).in_parts(parts);
    db.load_rows(&route.core, keys, sink).await
}

/// Reads the relations of rows that hold all fields of their model; those that are read last, in parts.
pub(crate) fn load<'a>(
    db: &'a Db,
    arena: &'a Arena,
    with: &'a [With],
    parts: Option<Arc<Parts>>,
) -> BoxFuture<'a, Result<Vec<Loaded>>> {
    Box::pin(async move {
        let mut all = Vec::with_capacity(with.len());
        let mut left = with.len();
        for with in with {
            left -= 1;
            let from = with.route.core.first.from();
            let key = |row: usize| from.iter().map(move |field| arena.cell(row, usize::from(*field)));
            let keys = Arc::new(RowKeys::new((0..arena.rows()).map(key)));
            let parts = parts.as_ref().filter(|_| left == 0).map(Arc::clone);
            let (own, of_inner) = if with.inner.is_empty() { (parts, None) } else { (None, parts) };
            let rows = read(db, &with.route, &keys, own).await?;
            with.route.has_many.store(rows.leads.len() >= MANY, Ordering::Relaxed);
            let inner = load(db, &rows.rows.arena, &with.inner, of_inner).await?;
            all.push(Loaded { route: Arc::clone(&with.route), relation: with.relation, keys, rows, inner });
        }
        Ok(all)
    })
}

/// What a relation gives by the keys that lead there.
struct ByKey {
    keys: Arc<RowKeys>,
    /// For each key a list, or a row, or nothing.
    values: Vec<Option<Py<PyAny>>>,
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl ByKey {
    /// Makes the instances of rows that were read.
    fn make(py: Python<'_>, loaded: &Loaded, owner: &Py<PyAny>) -> PyResult<ByKey> {
        let paused = PausedCollector::new();
        let (target, rows) = (&loaded.route.target, &loaded.rows.rows);
        let mut instances = rows.made(py)?;
        target.add(py, &rows.arena, &mut instances)?;
        let rows = target.finish(py, instances, owner, &loaded.inner)?;
        let leads = &loaded.rows.leads;
        let mut ranges = vec![(0, 0); loaded.keys.len()];
        for (key, _) in leads {
            if let Some((_, count)) = ranges.get_mut(place(*key)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for range in &mut ranges {
            let (_, count) = *range;
            *range = (next, next);
            next += count;
        }
        let mut order = vec![0; next];
        for (key, row) in leads {
            if let Some((_, until)) = ranges.get_mut(place(*key)) {
                if let Some(slot) = order.get_mut(*until) {
                    *slot = *row;
                }
                *until += 1;
            }
        }
        let row = |row: &u32| rows.get(place(*row)).cloned();
        let of = |(from, until): (usize, usize)| order.get(from..until).unwrap_or_default();
        let values = match loaded.route.is_many() {
            true => {
                let list = |range| {
                    let rows = of(range).iter().map(|found| row(found).unwrap_or_else(|| py.None().into_bound(py)));
                    Ok(PyList::new(py, rows)?.into_any())
                };
                let lists =
                    ranges.into_iter().map(|range| list(range).map(Bound::unbind)).collect::<PyResult<Vec<_>>>()?;
                paused.hide(py, &lists);
                lists.into_iter().map(Some).collect()
            }
            false => ranges.into_iter().map(|range| of(range).first().and_then(row).map(Bound::unbind)).collect(),
        };
        Ok(ByKey { keys: Arc::clone(&loaded.keys), values })
    }

    /// What a relation gives for the row of a key: the same list each time, or a row.
    fn value(&self, py: Python<'_>, number: u32, route: &RouteOf) -> PyResult<Py<PyAny>> {
        match self.values.get(place(number)) {
            Some(Some(value)) => Ok(value.clone_ref(py)),
            _ => Err(nothing(py, route)),
        }
    }
}

#[cold]
fn nothing(py: Python<'_>, route: &RouteOf) -> PyErr {
    let error = Error::not_found(format!(
        "`{}` of {} leads to no row of {}: its key dangles",
        route.core.name,
        route.source.def.name(),
        route.target.def.name()
    ));
    crate::error::exception(py, &error.with_model(route.target.def.name()).with_operation("load"))
}

/// One relation of the rows of a result.
struct Slot {
    /// The keys of the rows; `None` where their fields were not kept.
    keys: OnceLock<Option<Arc<RowKeys>>>,
    /// What was read, until instances are made of it.
    read: OnceLock<Mutex<Option<Loaded>>>,
    made: PyOnceLock<ByKey>,
    /// Held by the one who reads; the error of the last who failed.
    gate: tokio::sync::Mutex<Option<Error>>,
    /// How many reads have failed.
    failures: AtomicU64,
}

impl Slot {
    fn new() -> Arc<Slot> {
        Arc::new(Slot {
            keys: OnceLock::new(),
            read: OnceLock::new(),
            made: PyOnceLock::new(),
            gate: tokio::sync::Mutex::default(),
            failures: AtomicU64::new(0),
        })
    }

    /// Reads unless another has done it while this one waited; those who waited for a read that fails
    /// share its error, as in Rust.
    async fn once(&self, work: impl AsyncFnOnce() -> Result<Loaded>) -> Result<()> {
        if self.read.get().is_some() {
            return Ok(());
        }
        let failures = self.failures.load(Ordering::Acquire);
        let mut gate = self.gate.lock().await;
        if self.read.get().is_some() {
            return Ok(());
        }
        if self.failures.load(Ordering::Acquire) != failures
            && let Some(error) = &*gate
        {
            return Err(error.clone());
        }
        match work().await {
            Ok(loaded) => {
                let _ = self.read.set(Mutex::new(Some(loaded)));
                Ok(())
            }
            Err(error) => {
                *gate = Some(error.clone());
                self.failures.fetch_add(1, Ordering::AcqRel);
                Err(error)
            }
        }
    }

    /// The instances of what was read.
    fn made(&self, py: Python<'_>, owner: &Py<PyAny>) -> PyResult<Option<&ByKey>> {
        if let Some(made) = self.made.get(py) {
            return Ok(Some(made));
        }
        let Some(read) = self.read.get() else { return Ok(None) };
        let made = self.made.get_or_try_init(py, || {
            let loaded = read.lock().unwrap_or_else(PoisonError::into_inner).take();
            // nobody else took it: an attempt that fails puts it back
            let loaded = loaded.ok_or_else(|| PyRuntimeError::new_err("the related rows are being made"))?;
            ByKey::make(py, &loaded, owner).inspect_err(|_| {
                *read.lock().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
            })
        })?;
        Ok(Some(made))
    }
}

/// What the rows of a result share: their keys, and what was loaded for them.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Siblings {
    /// The database that the rows were read from.
    owner: Py<PyAny>,
    keys: SiblingKeys,
    slots: Mutex<Vec<Arc<Slot>>>,
}

/// The values of the fields by which the rows of a result find others.
pub(crate) struct SiblingKeys {
    /// Which fields of the rows.
    columns: Arc<[usize]>,
    keys: Arena,
}

impl SiblingKeys {
    /// For a number of rows, or more.
    pub(crate) fn new(columns: Arc<[usize]>, rows: usize) -> Self {
        let keys = Arena::with_rows(columns.len(), rows);
        SiblingKeys { columns, keys }
    }

    /// Forgets those of all rows but the first ones.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.keys.truncate(rows);
    }

    /// Takes those of rows that hold all fields of their model.
    pub(crate) fn add(&mut self, rows: &Arena) {
        for row in 0..rows.rows() {
            for column in self.columns.iter() {
                self.keys.push_cell(rows.cell(row, *column));
            }
        }
    }
}

impl Siblings {
    /// What rows share that were read from a database.
    pub(crate) fn new(py: Python<'_>, owner: &Py<PyAny>, keys: SiblingKeys) -> Self {
        Siblings { owner: owner.clone_ref(py), keys, slots: Mutex::default() }
    }

    fn slot(&self, relation: usize) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        while slots.len() <= relation {
            slots.push(Slot::new());
        }
        slots.get(relation).map_or_else(Slot::new, Arc::clone)
    }

    /// Takes a relation that was loaded with the rows.
    pub(crate) fn fill(&self, py: Python<'_>, loaded: &Loaded) -> PyResult<()> {
        let made = ByKey::make(py, loaded, &self.owner)?;
        let _ = self.slot(loaded.relation).made.set(py, made);
        Ok(())
    }

    /// What a relation gives for the row of a key, if it is loaded and the row is one of these.
    pub(crate) fn loaded(
        &self,
        py: Python<'_>,
        relation: usize,
        key: &[Datum],
        route: &RouteOf,
    ) -> PyResult<Option<Py<PyAny>>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.get(relation).map(Arc::clone) else { return Ok(None) };
        drop(slots);
        let Some(made) = slot.made(py, &self.owner)? else { return Ok(None) };
        made.keys.find(key).map(|number| made.value(py, number, route)).transpose()
    }

    /// The database that the rows were read from.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Database>> {
        Ok(self.owner.bind(py).cast::<Database>()?.clone())
    }

    /// The keys of all rows, for a route; `None` where they were not kept.
    fn row_keys(&self, route: &RouteOf) -> Option<Arc<RowKeys>> {
        let from = route.core.first.from().iter();
        let places = from.map(|field| self.keys.columns.iter().position(|column| *column == usize::from(*field)));
        let places: Vec<usize> = places.collect::<Option<_>>()?;
        let key = |row: usize| places.iter().map(move |place| self.keys.keys.cell(row, *place));
        Some(Arc::new(RowKeys::new((0..self.keys.keys.rows()).map(key))))
    }

    /// Reads a relation of all rows, unless it was read; false if the row of a key is none of them.
    async fn read(&self, db: &Db, relation: usize, key: &[Datum], route: &Arc<RouteOf>) -> Result<bool> {
        let slot = self.slot(relation);
        let keys = slot.keys.get_or_init(|| self.row_keys(route));
        let Some(keys) = keys.as_ref().filter(|keys| keys.find(key).is_some()) else { return Ok(false) };
        let read = slot.once(async || {
            let (keys, inner) = (Arc::clone(keys), Vec::new());
            let rows = read(db, route, &keys, None).await?;
            Ok(Loaded { route: Arc::clone(route), relation, keys, rows, inner })
        });
        read.await?;
        Ok(true)
    }
}

#[pymethods]
impl Siblings {
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        is_state(other)
    }

    fn __hash__(&self) -> isize {
        0
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// A pickled row is not related to the others of its result any more.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        none_again(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }
}

/// Whether something is the state of relations, which does not make rows differ.
pub(crate) fn is_state(other: &Bound<'_, PyAny>) -> bool {
    other.is_none()
        || other.is_instance_of::<Siblings>()
        || other.is_instance_of::<Own>()
        || other.is_instance_of::<Lazy>()
        // what Pydantic compares a field with that another instance has not yet
        || other.is_exact_instance_of::<PyAny>()
}

/// What `None` is pickled as.
pub(crate) fn none_again(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let class = py.None().into_bound(py).get_type();
    Ok((class, PyTuple::empty(py)).into_pyobject(py)?.into_any())
}

/// What keeps the value of a relation that was loaded for one row alone.
pub(crate) type Keep = Box<dyn FnOnce(Python<'_>, &Py<PyAny>) -> PyResult<()> + Send>;

/// Work that loads a relation for the row of a key: for all rows of its result, or without them alone.
pub(crate) fn load_for(
    py: Python<'_>,
    database: &Bound<'_, Database>,
    siblings: Option<(Py<Siblings>, usize)>,
    route: Arc<RouteOf>,
    key: Vec<Datum>,
    keep: Keep,
) -> PyResult<Work> {
    let handle = database.get().handle.clone();
    let owner = database.clone().into_any().unbind();
    let missing = handle.missing(py, &[&route.target])?;
    Ok(Box::pin(async move {
        handle.prepare(missing).await?;
        handle.check(&route.target)?;
        let db = handle.db().await?;
        if let Some((siblings, relation)) = siblings
            && siblings.get().read(&db, relation, &key, &route).await?
        {
            return Ok(Box::new(move |py: Python<'_>| {
                let value = siblings.get().loaded(py, relation, &key, &route)?;
                value.ok_or_else(|| nothing(py, &route))
            }) as Finish);
        }
        let keys = Arc::new(RowKeys::new([key.iter().map(Datum::cell)]));
        let rows = read(&db, &route, &keys, None).await?;
        Ok(Box::new(move |py: Python<'_>| {
            let loaded = Loaded { route, relation: 0, keys, rows, inner: Vec::new() };
            let value = ByKey::make(py, &loaded, &owner)?.value(py, 0, &loaded.route)?;
            keep(py, &value)?;
            Ok(value)
        }) as Finish)
    }))
}
