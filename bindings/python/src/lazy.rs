//! Lazy fields: the relation on the class, and on instances what loads it when it is awaited.
//!
//! A lazy value is made each time that its field is looked at, and holds the instance; what was
//! loaded is kept by the instance and by what the rows of its result share. So no instance is part of
//! a circle of references.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ommi::value::Datum;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

use crate::database::Database;
use crate::model::{Model, ModelOf};
use crate::operation::{Operation, Running, Start, Style, begun_by};
use crate::related::{Keep, Siblings, is_state, load_for, none_again};
use crate::route::{Route, RouteOf};

/// The descriptor of a relation.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct LazyField {
    /// What the class gives: `ommi.models.relations.Relation`.
    relation: Py<PyAny>,
    model: Arc<ModelOf>,
    /// The relation's position among those of its model.
    position: usize,
    name: Py<PyString>,
    /// The class of lazy values.
    class: Py<PyType>,
    /// The field's own slot, for classes that have those.
    slot: Option<Py<PyAny>>,
    /// Whether a value that the program gave is in the instance's dictionary, as Pydantic puts it there.
    in_dict: bool,
    route: OnceLock<Arc<RouteOf>>,
}

/// What one instance keeps of its relations.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Own {
    siblings: Option<Py<Siblings>>,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    relation: usize,
    /// The key that it was loaded for; `None` for what the program gave.
    key: Option<Vec<Datum>>,
    value: Py<PyAny>,
}

impl Own {
    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, relation: usize) {
        let mut all = self.kept();
        // dropped after the lock: a destructor may come back here
        let gone = all.iter().position(|kept| kept.relation == relation).map(|index| all.swap_remove(index));
        drop(all);
        drop(gone);
    }
}

#[pymethods]
impl Own {
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        is_state(other)
    }

    fn __hash__(&self) -> isize {
        0
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyAny>) -> Option<Py<Siblings>> {
        self.siblings.as_ref().map(|siblings| siblings.clone_ref(py))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        none_again(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(kept) = self.kept.try_lock() {
            kept.iter().try_for_each(|kept| visit.call(&kept.value))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let gone = std::mem::take(&mut *self.kept());
        drop(gone);
    }
}

impl LazyField {
    /// What an instance keeps: `Siblings`, or its `Own`.
    fn state<'py>(&self, instance: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        self.model.relation_state(instance)
    }

    /// The instance's own state, made where there is none.
    fn own<'py>(&self, instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Own>> {
        let siblings = match self.state(instance) {
            Some(state) => match state.cast_into::<Own>() {
                Ok(own) => return Ok(own),
                Err(other) => other.into_inner().cast_into::<Siblings>().ok().map(Bound::unbind),
            },
            None => None,
        };
        let own = Bound::new(instance.py(), Own { siblings, kept: Mutex::default() })?;
        self.model.set_relation_state(instance, own.as_any())?;
        Ok(own)
    }

    fn keep(&self, instance: &Bound<'_, PyAny>, key: Option<Vec<Datum>>, value: Py<PyAny>) -> PyResult<()> {
        let own = self.own(instance)?;
        own.get().forget(self.position);
        own.get().kept().push(Kept { relation: self.position, key, value });
        Ok(())
    }

    /// The way to the related rows, found at its first use.
    fn route(&self, py: Python<'_>) -> PyResult<&Arc<RouteOf>> {
        if let Some(route) = self.route.get() {
            return Ok(route);
        }
        let route = self.relation.bind(py).call_method0(intern!(py, "route"))?;
        let route = Arc::clone(&route.cast::<Route>()?.get().0);
        Ok(self.route.get_or_init(|| route))
    }

    /// What the program put in the relation's place.
    fn given<'py>(&self, instance: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = instance.py();
        if self.in_dict {
            let attributes = instance.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
            let given = attributes.get_item(&self.name)?.filter(|given| !given.is_none());
            return Ok(given.filter(|given| !is_unbound(given)));
        }
        Ok(self.state(instance).and_then(|state| self.given_in(&state)))
    }

    /// What the program put in the relation's place, where the instance's state keeps that.
    #[inline]
    fn given_in<'py>(&self, state: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let kept = state.cast::<Own>().ok()?.get().kept();
        let given = kept.iter().find(|kept| kept.relation == self.position && kept.key.is_none());
        given.map(|kept| kept.value.bind(state.py()).clone())
    }

    /// The key of an instance.
    fn key(&self, instance: &Bound<'_, PyAny>, route: &RouteOf) -> PyResult<Vec<Datum>> {
        self.model.values(instance, route.core.first.from())
    }
}

/// Whether a value is a lazy one that says nothing of its own: a default, or one of another instance.
fn is_unbound(value: &Bound<'_, PyAny>) -> bool {
    match value.cast::<Lazy>() {
        Ok(lazy) => lazy.get().factory.is_none() && lazy.get().kept().is_none(),
        Err(_) => false,
    }
}

#[pymethods]
impl LazyField {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "Python gives them by their names")]
    #[pyo3(signature = (relation, model, position, name, class, slot, in_dict))]
    #[allow(clippy::too_many_arguments, reason = "`ommi.models.relations` alone calls this")]
    fn new(
        py: Python<'_>,
        relation: Py<PyAny>,
        model: &Bound<'_, Model>,
        position: usize,
        name: &str,
        class: Py<PyType>,
        slot: Option<Py<PyAny>>,
        in_dict: bool,
    ) -> Self {
        LazyField {
            relation,
            model: Arc::clone(&model.get().0),
            position,
            name: PyString::intern(py, name).unbind(),
            class,
            slot,
            in_dict,
            route: OnceLock::new(),
        }
    }

    #[getter]
    fn relation(&self, py: Python<'_>) -> Py<PyAny> {
        self.relation.clone_ref(py)
    }

    #[getter]
    fn slot(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.slot.as_ref().map(|slot| slot.clone_ref(py))
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, of) = (slf.py(), slf.get());
        if instance.is_none() {
            return Ok(of.relation.bind(py).clone());
        }
        if let Some(given) = of.given(instance)?
            && let Ok(lazy) = given.cast_into::<Lazy>()
        {
            return Ok(lazy.into_any());
        }
        let lazy = of.class.bind(py).call0()?;
        let bound = lazy.cast::<Lazy>()?.get();
        let _ = bound.bound.set((slf.clone().unbind(), instance.clone().unbind()));
        Ok(lazy)
    }

    fn __set__(&self, instance: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.in_dict {
            let attributes = instance.getattr(intern!(instance.py(), "__dict__"))?;
            return attributes.set_item(&self.name, value);
        }
        match value.is_none() || is_unbound(value) {
            true => self.__delete__(instance),
            false => self.keep(instance, None, value.clone().unbind()),
        }
    }

    fn __delete__(&self, instance: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(state) = self.state(instance)
            && let Ok(own) = state.cast::<Own>()
        {
            own.get().forget(self.position);
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.relation)?;
        visit.call(&self.class)
    }
}

/// What loads a relation when it is awaited: the base of `LazyQueryField`.
#[pyclass(frozen, subclass, weakref, module = "ommi._core")]
pub(crate) struct Lazy {
    /// What makes the predicate of the related rows, for one that the program made.
    factory: Option<Py<PyAny>>,
    driver: Option<Py<PyAny>>,
    /// The field and the instance.
    bound: OnceLock<(Py<LazyField>, Py<PyAny>)>,
    /// What was loaded, for one that belongs to no instance.
    kept: Mutex<Option<Py<PyAny>>>,
}

impl Lazy {
    fn kept(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is loaded already.
    fn loaded(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some((field, instance)) = self.bound.get() else {
            return Ok(self.kept().as_ref().map(|kept| kept.clone_ref(py)));
        };
        let (field, instance) = (field.get(), instance.bind(py));
        let state = field.state(instance);
        let given = match field.in_dict {
            true => field.given(instance)?,
            false => state.as_ref().and_then(|state| field.given_in(state)),
        };
        if let Some(given) = given {
            return Ok(Some(given.unbind()));
        }
        let route = field.route(py)?;
        let (one, all);
        let key: &[Datum] = match field.model.integer(instance, route.core.first.from()) {
            Some(key) => {
                one = [Datum::Int(key)];
                &one
            }
            None => {
                all = field.key(instance, route)?;
                &all
            }
        };
        if key.iter().any(Datum::is_null) {
            return Ok(Some(match route.is_many() {
                true => PyList::empty(py).into_any().unbind(),
                false => py.None(),
            }));
        }
        let Some(state) = state else { return Ok(None) };
        let siblings = match state.cast::<Own>() {
            Ok(own) => {
                let own = own.get();
                let kept = own.kept();
                let same = |kept: &&Kept| kept.relation == field.position && kept.key.as_deref() == Some(key);
                if let Some(kept) = kept.iter().find(same) {
                    return Ok(Some(kept.value.clone_ref(py)));
                }
                drop(kept);
                own.siblings.as_ref().map(|siblings| siblings.bind(py).clone())
            }
            Err(_) => state.cast_into::<Siblings>().ok(),
        };
        let Some(siblings) = siblings else { return Ok(None) };
        siblings.get().loaded(py, field.position, key, route)
    }

    /// The operation that loads from the database that the instance was read from, with its siblings
    /// or alone; `None` if it was not read.
    fn operation(&self, py: Python<'_>, alone: bool) -> PyResult<Option<Operation>> {
        let Some((field, instance)) = self.bound.get() else { return Ok(None) };
        let Some(state) = field.get().state(instance.bind(py)) else { return Ok(None) };
        let siblings = match state.cast::<Own>() {
            Ok(own) => own.get().siblings.as_ref().map(|siblings| siblings.clone_ref(py)),
            Err(_) => state.cast_into::<Siblings>().ok().map(Bound::unbind),
        };
        let Some(siblings) = siblings else { return Ok(None) };
        let (field, instance) = (field.clone_ref(py), instance.clone_ref(py));
        let start: Start = begun_by(move |py| {
            let of = field.get();
            let route = Arc::clone(of.route(py)?);
            let key = of.key(instance.bind(py), &route)?;
            let owner = siblings.get().owner(py)?;
            let shared = (!alone).then(|| (siblings.clone_ref(py), of.position));
            let keep = keeper(py, &field, &instance, &key);
            load_for(py, &owner, shared, route, key, keep)
        });
        Ok(Some(Operation::new(Style::Raise, start)))
    }
}

/// What keeps in an instance what was loaded for it alone.
fn keeper(py: Python<'_>, field: &Py<LazyField>, instance: &Py<PyAny>, key: &[Datum]) -> Keep {
    let (field, instance, key) = (field.clone_ref(py), instance.clone_ref(py), key.to_vec());
    Box::new(move |py, value| field.get().keep(instance.bind(py), Some(key), value.clone_ref(py)))
}

#[pymethods]
impl Lazy {
    #[new]
    #[pyo3(signature = (query_factory = None, driver = None))]
    fn new(query_factory: Option<Py<PyAny>>, driver: Option<Py<PyAny>>) -> Self {
        Lazy { factory: query_factory, driver, bound: OnceLock::new(), kept: Mutex::default() }
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(value) = slf.get().loaded(py)? {
            return Ok(Bound::new(py, Running::ready(value))?.into_any());
        }
        match slf.get().operation(py, false)? {
            Some(operation) => Ok(Bound::new(py, operation.begun(py))?.into_any()),
            None => slf.call_method0(intern!(py, "_elsewhere"))?.call_method0(intern!(py, "__await__")),
        }
    }

    /// An awaitable of what is related, read anew.
    fn _fresh<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        match slf.get().operation(slf.py(), true)? {
            Some(operation) => Ok(Bound::new(slf.py(), operation)?.into_any()),
            None => slf.call_method0(intern!(slf.py(), "_elsewhere")),
        }
    }

    /// Forgets what was loaded.
    fn _forget(&self, py: Python<'_>) -> PyResult<()> {
        match self.bound.get() {
            Some((field, instance)) => field.get().__delete__(instance.bind(py)),
            None => {
                let gone = self.kept().take();
                drop(gone);
                Ok(())
            }
        }
    }

    /// Keeps what was loaded in another way.
    fn _keep(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        match self.bound.get() {
            Some((field, instance)) => {
                let (field, instance) = (field.get(), instance.bind(py));
                let key = field.key(instance, field.route(py)?)?;
                field.keep(instance, Some(key), value)
            }
            None => {
                let gone = self.kept().replace(value);
                drop(gone);
                Ok(())
            }
        }
    }

    /// Whether it was loaded.
    #[getter]
    fn is_loaded(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.loaded(py)?.is_some())
    }

    /// What was loaded, or `None`.
    #[getter]
    fn _loaded(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.loaded(py)
    }

    #[getter]
    fn _query_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.factory.as_ref().map(|factory| factory.clone_ref(py))
    }

    #[getter]
    fn _driver(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.driver.as_ref().map(|driver| driver.clone_ref(py))
    }

    /// The relation and the instance, for one that is of an instance.
    #[getter]
    fn _bound(&self, py: Python<'_>) -> Option<(Py<PyAny>, Py<PyAny>)> {
        let (field, instance) = self.bound.get()?;
        Some((field.get().relation.clone_ref(py), instance.clone_ref(py)))
    }

    /// The keys of the rows say what is related: relations do not make rows differ.
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        is_state(other)
    }

    fn __hash__(&self) -> isize {
        0
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.factory)?;
        visit.call(&self.driver)?;
        if let Some((_, instance)) = self.bound.get() {
            visit.call(instance)?;
        }
        match self.kept.try_lock() {
            Ok(kept) => visit.call(&*kept),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        let gone = self.kept().take();
        drop(gone);
    }
}

impl Database {
    /// Loads a relation of an instance that was not read from a database.
    pub(crate) fn load_of(slf: &Bound<'_, Self>, route: &Bound<'_, Route>, instance: Py<PyAny>) -> Operation {
        let (database, route) = (slf.clone().unbind(), Arc::clone(&route.get().0));
        let start: Start = begun_by(move |py| {
            let key = route.source.values(instance.bind(py), route.core.first.from())?;
            if key.iter().any(Datum::is_null) {
                return Err(PyTypeError::new_err("the instance has no key to find others by"));
            }
            load_for(py, database.bind(py), None, Arc::clone(&route), key, Box::new(|_, _| Ok(())))
        });
        Operation::new(Style::Raise, start)
    }
}
