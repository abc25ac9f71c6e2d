//! Models: what the core knows of a Python class, and how its instances are built and read.

use std::sync::{Arc, OnceLock};

use ommi::model::{FieldDef, ModelBuilder, ModelDef, OnChange, ReferenceDef, ReferenceTarget};
use ommi::query::Direction;
use ommi::value::{Datum, Timestamp, Uuid, ValueType, iso};
use ommi::{Error, Result};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt, ffi, intern};

use crate::arena::{Arena, NewRows, Slot};
use crate::error::OrRaise;
use crate::related::{Loaded, Siblings};
use crate::value::{Codec, plain_text};

/// How instances are made of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Build {
    /// The class is called, with the values by name.
    Call,
    /// The instance is allocated, and its fields are set.
    Allocate,
}

/// A field of a model.
#[derive(Debug)]
pub(crate) struct FieldOf {
    /// The attribute's name, interned.
    pub(crate) name: Py<PyString>,
    /// The name of the class's parameter.
    parameter: Py<PyString>,
    pub(crate) codec: Arc<Codec>,
    /// The descriptor of the field's slot, for classes that have those.
    slot: Option<Py<PyAny>>,
}

/// A model, shared by all that refers to it.
#[derive(Debug)]
pub(crate) struct ModelOf {
    pub(crate) class: Py<PyType>,
    pub(crate) def: Arc<ModelDef>,
    pub(crate) fields: Vec<FieldOf>,
    pub(crate) types: Arc<[ValueType]>,
    build: Build,
    /// The slot that allocates instances.
    new: Option<ffi::newfunc>,
    /// What is set on each instance besides its fields.
    extras: Vec<(Py<PyString>, Py<PyAny>)>,
    /// Whether `__post_init__` is called on instances that were allocated.
    post_init: bool,
    /// How instances load their relations, for models that have some.
    relations: OnceLock<Relations>,
}

/// How instances load their relations.
#[derive(Debug)]
pub(crate) struct Relations {
    /// What finds the fields by which rows find others: for all rows alike, once all relations lead
    /// somewhere.
    find_columns: Py<PyAny>,
    columns: OnceLock<Arc<[usize]>>,
    /// Where an instance keeps what it shares with the other rows of its result: a slot, or an
    /// attribute of this name.
    slot: Option<Py<PyAny>>,
    name: Py<PyString>,
}

/// A model as Python holds it.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Model(pub(crate) Arc<ModelOf>);

#[pymethods]
impl Model {
    /// Registers a class: see `ommi.models.models`, which is the only caller.
    #[new]
    fn new(class: Bound<'_, PyType>, description: &Bound<'_, PyDict>) -> PyResult<Self> {
        ModelOf::parse(class, description).map(|model| Model(Arc::new(model)))
    }

    /// The class.
    #[getter]
    fn class_(&self, py: Python<'_>) -> Py<PyType> {
        self.0.class.clone_ref(py)
    }

    /// The model's name.
    #[getter]
    fn name(&self) -> &str {
        self.0.def.name()
    }

    /// A number that no other model in the process has.
    #[getter]
    fn id(&self) -> u32 {
        self.0.def.id()
    }

    /// The names of the key's fields.
    #[getter]
    fn key(&self) -> Vec<&str> {
        self.0.def.key().iter().map(|field| self.0.def.field_name(*field)).collect()
    }

    /// Says how instances load their relations.
    fn set_relations(&self, py: Python<'_>, find_columns: Py<PyAny>, slot: Option<Py<PyAny>>, name: &str) {
        let name = PyString::intern(py, name).unbind();
        // the first that finds out is as right as any other
        let _ = self.0.relations.set(Relations { find_columns, columns: OnceLock::new(), slot, name });
    }

    /// The instance of a mapping of values by field name, as rows give it.
    fn instance<'py>(&self, py: Python<'py>, values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let mut all = Vec::with_capacity(self.0.fields.len());
        for field in &self.0.fields {
            let value = values.get_item(&field.name)?;
            all.push(value.ok_or_else(|| PyValueError::new_err(format!("no value for `{}`", field.name)))?);
        }
        self.0.make(py, all)
    }
}

fn text(of: &Bound<'_, PyDict>, name: &str) -> PyResult<String> {
    required(of, name)?.extract()
}

fn required<'py>(of: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    of.get_item(name)?.ok_or_else(|| PyValueError::new_err(format!("the description has no `{name}`")))
}

fn flag(of: &Bound<'_, PyDict>, name: &str) -> PyResult<bool> {
    match of.get_item(name)? {
        Some(value) => value.is_truthy(),
        None => Ok(false),
    }
}

impl ModelOf {
    fn parse(class: Bound<'_, PyType>, description: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = class.py();
        let name = text(description, "name")?;
        let mut builder = ModelBuilder::new(name);
        if let Some(table) = description.get_item("table")?.filter(|table| !table.is_none()) {
            builder = builder.table(&table.extract::<String>()?);
        }
        let mut fields = Vec::new();
        for field in required(description, "fields")?.try_iter()? {
            let field = field?.cast_into::<PyDict>()?;
            let codec = Codec::parse(required(&field, "type")?.cast::<PyTuple>()?)?;
            builder = builder.field(field_def(&field, &codec)?);
            let name = text(&field, "name")?;
            fields.push(FieldOf {
                parameter: match field.get_item("parameter")? {
                    Some(parameter) => PyString::intern(py, &parameter.extract::<String>()?).unbind(),
                    None => PyString::intern(py, &name).unbind(),
                },
                name: PyString::intern(py, &name).unbind(),
                codec: Arc::new(codec),
                slot: field.get_item("slot")?.filter(|slot| !slot.is_none()).map(Bound::unbind),
            });
        }
        let key: Vec<String> = required(description, "key")?.extract()?;
        builder = builder.key(key.iter().map(String::as_str));
        for index in required(description, "indexes")?.try_iter()? {
            let (unique, names, stored): (bool, Vec<String>, Option<String>) = index?.extract()?;
            let names = names.iter().map(|name| (name.as_str(), Direction::Ascending));
            builder = builder.index_over(unique, names, stored.as_deref());
        }
        for reference in required(description, "references")?.try_iter()? {
            builder = builder.reference(reference_def(&reference?.cast_into::<PyDict>()?)?);
        }
        let def = builder.build().or_raise(py)?;
        let extras = required(description, "extras")?.cast_into::<PyDict>()?;
        let extras = extras.iter().map(|(name, value)| Ok((name.cast_into::<PyString>()?.unbind(), value.unbind())));
        let new = if flag(description, "allocate")? { object_new(&class) } else { None };
        Ok(ModelOf {
            types: def.fields().iter().map(|field| field.value_type.clone()).collect(),
            def,
            fields,
            build: if new.is_some() { Build::Allocate } else { Build::Call },
            new,
            extras: extras.collect::<PyResult<_>>()?,
            post_init: flag(description, "post_init")?,
            class: class.unbind(),
            relations: OnceLock::new(),
        })
    }

    /// The index of the field of a name.
    pub(crate) fn index_of(&self, name: &str) -> PyResult<u16> {
        self.def.index_of(name).ok_or_else(|| {
            let known: Vec<&str> = self.def.fields().iter().map(|field| &*field.name).collect();
            PyValueError::new_err(format!("{} has no field `{name}`; it has {}", self.def.name(), known.join(", ")))
        })
    }

    /// The instance of values in the order of the fields.
    fn make<'py>(&self, py: Python<'py>, values: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        if self.build == Build::Call {
            let arguments = PyDict::new(py);
            for (field, value) in self.fields.iter().zip(values) {
                arguments.set_item(&field.parameter, value)?;
            }
            return self.class.bind(py).call((), Some(&arguments));
        }
        let instance = self.allocate(py, &PyTuple::empty(py))?;
        for (field, value) in self.fields.iter().zip(values) {
            field.set(&instance, &value)?;
        }
        for (name, value) in &self.extras {
            let value = value.bind(py);
            // what is set of pydantic belongs to one instance
            let value = match value.is_instance_of::<pyo3::types::PySet>() {
                true => value.call_method0(intern!(py, "copy"))?,
                false => value.clone(),
            };
            set(&instance, name.bind(py), &value)?;
        }
        if self.post_init {
            instance.call_method0(intern!(py, "__post_init__"))?;
        }
        Ok(instance)
    }

    /// A new instance whose `__init__` is not run.
    #[inline]
    #[allow(unsafe_code, reason = "`object.__new__` called from Python takes four times as long: see benches/python")]
    fn allocate<'py>(&self, py: Python<'py>, nothing: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let class = self.class.bind(py).as_type_ptr();
        // SAFETY: the class is alive while `self` is, and `new` is its own slot, which is that of
        // `object`: it takes the class, a tuple of arguments, and null for those by name. The object
        // that it gives is owned by the caller, or it is null and an exception is set.
        unsafe {
            let new = self.new.ok_or_else(|| PyTypeError::new_err("the class cannot be allocated"))?;
            Bound::from_owned_ptr_or_err(py, new(class, nothing.as_ptr(), std::ptr::null_mut()))
        }
    }

    /// The list of the instances of an arena's rows.
    pub(crate) fn list<'py>(
        &self,
        py: Python<'py>,
        arena: &Arena,
        database: Option<&Py<PyAny>>,
        related: &[Loaded],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut list = Vec::with_capacity(arena.rows());
        let nothing = PyTuple::empty(py);
        let simple = self.build == Build::Allocate && self.extras.is_empty() && !self.post_init;
        let _paused = (simple && arena.rows() > 1).then(PausedCollector::new);
        for row in arena.iter() {
            if simple {
                let instance = self.allocate(py, &nothing)?;
                for (field, slot) in self.fields.iter().zip(row) {
                    field.set(&instance, &field.decode(py, arena, slot)?)?;
                }
                list.push(instance);
            } else {
                let values = self.fields.iter().zip(row);
                let values = values.map(|(field, slot)| field.decode(py, arena, slot));
                list.push(self.make(py, values.collect::<PyResult<_>>()?)?);
            }
        }
        if let (Some(relations), Some(database)) = (self.relations.get(), database)
            && !list.is_empty()
        {
            let siblings = Siblings::new(py, database, &relations.columns(py)?, arena);
            related.iter().try_for_each(|loaded| siblings.fill(py, loaded))?;
            let siblings = Bound::new(py, siblings)?;
            list.iter().try_for_each(|instance| relations.set(instance, &siblings))?;
        }
        Ok(list)
    }

    /// What an instance keeps of its relations.
    pub(crate) fn relation_state<'py>(&self, instance: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        self.relations.get()?.get(instance)
    }

    /// Sets what an instance keeps of its relations.
    pub(crate) fn set_relation_state(&self, instance: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        self.relations.get().map_or(Ok(()), |relations| relations.set(instance, state))
    }

    /// The rows of instances, in the form in which they are stored.
    pub(crate) fn rows(&self, py: Python<'_>, instances: &[Bound<'_, PyAny>]) -> PyResult<NewRows> {
        let mut arena = Arena::with_rows(self.fields.len(), instances.len());
        let now = iso::cut_timestamp(Timestamp::now());
        for instance in instances {
            for (field, def) in self.fields.iter().zip(self.def.fields()) {
                if def.created || def.updated {
                    arena.push(match def.value_type {
                        ValueType::DateTime => Datum::DateTime(iso::utc(now)),
                        _ => Datum::Timestamp(now),
                    });
                    continue;
                }
                let value = instance.getattr(&field.name)?;
                match &*field.codec {
                    Codec::Text if value.is_exact_instance_of::<PyString>() => {
                        let text = value.cast::<PyString>()?;
                        let text = plain_text(text.to_str()?).map_err(|error| self.name(py, field, error))?;
                        arena.push_text(text);
                        continue;
                    }
                    Codec::Int(ValueType::I64) if value.is_exact_instance_of::<pyo3::types::PyInt>() => {
                        if let Ok(number) = value.extract::<i64>()
                            && !def.version
                        {
                            arena.push_int(number);
                            continue;
                        }
                    }
                    _ => {}
                }
                let mut datum = field.codec.encode_optional(&value).map_err(|error| self.name(py, field, error))?;
                if def.auto && datum.is_null() && def.value_type == ValueType::Uuid {
                    datum = Datum::Uuid(Uuid::now_v7());
                }
                if def.version && matches!(datum, Datum::Null | Datum::Int(0)) {
                    datum = Datum::Int(1);
                }
                arena.push(datum);
            }
        }
        Ok(NewRows { arena, model: Arc::clone(&self.def) })
    }

    /// The exception with the field that it is about.
    #[cold]
    fn name(&self, py: Python<'_>, field: &FieldOf, error: PyErr) -> PyErr {
        let wrong = Error::query(format!("`{}` of {}: {}", field.name, self.def.name(), error.value(py)))
            .with_model(self.def.name())
            .with_fields([field.name.to_string()]);
        let named = crate::error::exception(py, &wrong);
        named.set_cause(py, Some(error));
        named
    }

    /// Sets what the database or the engine assigned: keys, versions and times.
    pub(crate) fn assign(&self, py: Python<'_>, instances: &[Bound<'_, PyAny>], rows: &NewRows) -> PyResult<()> {
        for (column, (field, def)) in self.fields.iter().zip(self.def.fields()).enumerate() {
            if !(def.auto || def.version || def.created || def.updated) {
                continue;
            }
            for (row, instance) in rows.arena.iter().zip(instances) {
                if let Some(slot) = row.get(column) {
                    field.set(instance, &field.decode(py, &rows.arena, slot)?)?;
                }
            }
        }
        Ok(())
    }

    /// Sets all fields of an instance from a row.
    pub(crate) fn refresh(&self, py: Python<'_>, instance: &Bound<'_, PyAny>, arena: &Arena) -> PyResult<()> {
        for (field, slot) in self.fields.iter().zip(arena.iter().next().unwrap_or_default()) {
            field.set(instance, &field.decode(py, arena, slot)?)?;
        }
        Ok(())
    }

    /// The values of some fields of an instance.
    pub(crate) fn values(&self, instance: &Bound<'_, PyAny>, fields: &[u16]) -> PyResult<Vec<Datum>> {
        let py = instance.py();
        let value = |field: &u16| match self.fields.get(usize::from(*field)) {
            Some(field) => {
                let value = instance.getattr(&field.name)?;
                field.codec.encode_optional(&value).map_err(|error| self.name(py, field, error))
            }
            None => Ok(Datum::Null),
        };
        fields.iter().map(value).collect()
    }
}

impl Relations {
    /// The fields by which rows find others.
    fn columns(&self, py: Python<'_>) -> PyResult<Arc<[usize]>> {
        if let Some(columns) = self.columns.get() {
            return Ok(Arc::clone(columns));
        }
        let (columns, are_all): (Vec<usize>, bool) = self.find_columns.bind(py).call0()?.extract()?;
        let columns: Arc<[usize]> = columns.into();
        Ok(match are_all {
            true => Arc::clone(self.columns.get_or_init(|| columns)),
            false => columns,
        })
    }

    #[inline]
    fn set(&self, instance: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = instance.py();
        match &self.slot {
            Some(slot) => set_slot(slot.bind(py), instance, state),
            None => set(instance, self.name.bind(py), state),
        }
    }

    fn get<'py>(&self, instance: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let py = instance.py();
        let found = match &self.slot {
            Some(slot) => slot.bind(py).call_method1(intern!(py, "__get__"), (instance,)),
            None => instance.getattr(&self.name),
        };
        // an instance that was not read from a database has none
        found.ok()
    }
}

impl FieldOf {
    #[inline]
    fn decode<'py>(&self, py: Python<'py>, arena: &Arena, slot: &Slot) -> PyResult<Bound<'py, PyAny>> {
        match (&*self.codec, slot) {
            (_, Slot::Null) => Ok(py.None().into_bound(py)),
            (Codec::Int(_), Slot::Int(value)) => value.into_bound_py_any(py),
            // Python looks at the bytes itself
            (Codec::Text, Slot::Text(at, length)) => {
                Ok(PyString::from_bytes(py, arena.bytes(*at, *length))?.into_any())
            }
            (codec, slot) => codec.decode(py, arena.cell_of(slot)),
        }
    }

    /// Sets the field of an instance, whatever its class says of setting.
    #[inline]
    fn set(&self, instance: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = instance.py();
        match &self.slot {
            Some(slot) => set_slot(slot.bind(py), instance, value),
            None => set(instance, self.name.bind(py), value),
        }
    }
}

/// Keeps Python's collector from looking at instances while they are made: it would again and again, and
/// find that all of them are in use. It looks at them once when it goes on.
pub(crate) struct PausedCollector {
    was_on: bool,
}

impl PausedCollector {
    #[allow(unsafe_code, reason = "`gc.disable` called from Python needs the module, and a call for a flag")]
    pub(crate) fn new() -> Self {
        // SAFETY: sets a flag of the interpreter, whose lock is held: a list of instances is made.
        PausedCollector { was_on: unsafe { ffi::PyGC_Disable() } != 0 }
    }
}

impl Drop for PausedCollector {
    #[allow(unsafe_code, reason = "the other half of `new`")]
    fn drop(&mut self) {
        if self.was_on {
            // SAFETY: as in `new`; the value is dropped where it was made.
            unsafe { ffi::PyGC_Enable() };
        }
    }
}

/// The slot of a class that makes instances, if it is the one of `object`.
#[allow(unsafe_code, reason = "there is no other way to a slot")]
fn object_new(class: &Bound<'_, PyType>) -> Option<ffi::newfunc> {
    let object = class.py().get_type::<PyAny>();
    // SAFETY: both are live types, and a slot is a function of the type that its number says, or null.
    unsafe {
        let of = ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_new);
        if of.is_null() || of != ffi::PyType_GetSlot(object.as_type_ptr(), ffi::Py_tp_new) {
            return None;
        }
        Some(std::mem::transmute::<*mut std::ffi::c_void, ffi::newfunc>(of))
    }
}

/// `object.__setattr__`, which frozen classes do not refuse.
#[inline]
#[allow(unsafe_code, reason = "`object.__setattr__` called from Python takes four times as long: see benches/python")]
fn set(instance: &Bound<'_, PyAny>, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: three live objects, borrowed for the call; it answers 0, or −1 with an exception set.
    let done = unsafe { ffi::PyObject_GenericSetAttr(instance.as_ptr(), name.as_ptr(), value.as_ptr()) };
    match done {
        0 => Ok(()),
        _ => Err(PyErr::fetch(instance.py())),
    }
}

/// `descriptor.__set__`, which a class of Python calls itself.
#[inline]
#[allow(unsafe_code, reason = "`__set__` called from Python takes three times as long: see benches")]
fn set_slot(slot: &Bound<'_, PyAny>, instance: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: the type of a member descriptor, which the model's description says that `slot` is, fills
    // this slot; the function takes three live objects, borrowed for the call, checks that the instance
    // is of the descriptor's class, and answers 0, or −1 with an exception set.
    let done = unsafe {
        let function = ffi::PyType_GetSlot(ffi::Py_TYPE(slot.as_ptr()), ffi::Py_tp_descr_set);
        if function.is_null() {
            return Err(PyTypeError::new_err("the descriptor cannot be set"));
        }
        let function: ffi::descrsetfunc = std::mem::transmute(function);
        function(slot.as_ptr(), instance.as_ptr(), value.as_ptr())
    };
    match done {
        0 => Ok(()),
        _ => Err(PyErr::fetch(instance.py())),
    }
}

fn field_def(field: &Bound<'_, PyDict>, codec: &Codec) -> PyResult<FieldDef> {
    let mut def = FieldDef::new(text(field, "name")?, codec.value_type());
    def = def.stored_as(&text(field, "column")?).nullable(flag(field, "nullable")?);
    if flag(field, "auto")? {
        def = def.auto();
    }
    if flag(field, "version")? {
        def = def.version();
    }
    if flag(field, "created")? {
        def = def.created();
    }
    if flag(field, "updated")? {
        def = def.updated();
    }
    if let Some(most) = field.get_item("max_length")?.filter(|most| !most.is_none()) {
        def.max_length = Some(most.extract()?);
    }
    Ok(def)
}

fn reference_def(reference: &Bound<'_, PyDict>) -> PyResult<ReferenceDef> {
    let fields: Vec<u16> = required(reference, "fields")?.extract()?;
    let target = ReferenceTarget::Name(text(reference, "target")?.into());
    let targets: Vec<String> = required(reference, "target_fields")?.extract()?;
    let mut def = ReferenceDef::new(fields, target).to_fields(targets.iter().map(String::as_str));
    let action = |name: &str| -> PyResult<OnChange> {
        Ok(match text(reference, name)?.as_str() {
            "restrict" => OnChange::Restrict,
            "cascade" => OnChange::Cascade,
            "set_null" => OnChange::SetNull,
            other => {
                return Err(PyValueError::new_err(format!(
                    "`{name}` is {other:?}, where \"restrict\", \"cascade\" or \"set_null\" is wanted"
                )));
            }
        })
    };
    def = def.on_delete(action("on_delete")?).on_update(action("on_update")?);
    Ok(if flag(reference, "enforced")? { def } else { def.unenforced() })
}

/// The model that a class or an instance of one has.
pub(crate) fn model_of(value: &Bound<'_, PyAny>) -> PyResult<Arc<ModelOf>> {
    let py = value.py();
    let class = match value.cast::<PyType>() {
        Ok(class) => class.clone(),
        Err(_) => value.get_type(),
    };
    match class.getattr(intern!(py, "__ommi_core__")) {
        Ok(model) => match model.cast::<Model>() {
            Ok(model) => Ok(Arc::clone(&model.get().0)),
            // not yet built: the property builds it
            Err(_) => Ok(Arc::clone(&model.call0()?.cast::<Model>()?.get().0)),
        },
        Err(_) => Err(PyTypeError::new_err(format!(
            "{} is not a model: decorate the class with `@ommi_model`",
            class.name()?
        ))),
    }
}

/// The condition that an instance's key is that of a row.
pub(crate) fn key_condition(def: &ModelDef, values: Vec<Datum>) -> Result<ommi::query::Condition> {
    use ommi::query::{Comparison, Condition, Expr};
    if def.key().is_empty() {
        return Err(Error::query("the model has no key: it is only read").with_model(def.name()));
    }
    if values.iter().any(Datum::is_null) {
        return Err(Error::query("the instance has no key yet: add it first").with_model(def.name()));
    }
    let equal =
        |(field, value): (&u16, Datum)| Condition::compare(Expr::Field(*field), Comparison::Eq, Expr::Literal(value));
    Ok(def.key().iter().zip(values).map(equal).reduce(Condition::and).unwrap_or(Condition::Const(false)))
}
