//! Models: what the core knows of a Python class, and how its instances are built and read.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ommi::model::{FieldDef, ModelBuilder, ModelDef, OnChange, ReferenceDef, ReferenceTarget};
use ommi::query::Direction;
use ommi::value::{Datum, Timestamp, Uuid, ValueType, iso};
use ommi::{Error, Result};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt, ffi, intern};

use crate::arena::{Arena, Kind, NewRows, Slot};
use crate::error::{OrRaise, wrong_type};
use crate::related::{Loaded, SiblingKeys, Siblings};
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
    pub(crate) attribute: Attribute,
    pub(crate) codec: Arc<Codec>,
    /// The embedded objects that lead to the one that has the field.
    within: Vec<Arc<Step>>,
}

/// An embedded object on the way to a field.
#[derive(Debug)]
struct Step {
    name: Py<PyString>,
    class: Py<PyType>,
    is_optional: bool,
}

/// A model, shared by all that refers to it.
#[derive(Debug)]
pub(crate) struct ModelOf {
    pub(crate) class: Py<PyType>,
    pub(crate) def: Arc<ModelDef>,
    pub(crate) fields: Vec<FieldOf>,
    pub(crate) types: Arc<[ValueType]>,
    maker: Maker,
    /// The attributes of instances, where some are embedded objects; else each is a field.
    parts: Option<Vec<Part>>,
    /// How instances load their relations, for models that have some.
    relations: OnceLock<Relations>,
}

/// Instances that are made of a result's rows, which may come in parts.
#[derive(Default)]
pub(crate) struct Instances {
    list: Vec<Py<PyAny>>,
    /// Those that the collector does not see yet.
    hidden: Vec<Py<PyAny>>,
    /// The fields by which they find others.
    keys: Option<SiblingKeys>,
    /// Whether there will be many, however few a part has.
    are_parts: bool,
}

impl Instances {
    /// For those that come in parts.
    pub(crate) fn of_parts() -> Self {
        Instances { are_parts: true, ..Instances::default() }
    }

    /// One more.
    pub(crate) fn push(&mut self, instance: Py<PyAny>) {
        self.list.push(instance);
    }

    /// Forgets all but the first ones.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.list.truncate(count);
        if let Some(keys) = &mut self.keys {
            keys.truncate(count);
        }
    }

    /// All of them.
    pub(crate) fn into_list(self, py: Python<'_>) -> Vec<Bound<'_, PyAny>> {
        self.list.into_iter().map(|instance| instance.into_bound(py)).collect()
    }
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
    slot: Option<MemberSlot>,
    name: Py<PyString>,
}

/// An attribute of an instance.
#[derive(Debug)]
enum Part {
    /// A field, by its number.
    Field(u16),
    Embedded(EmbeddedOf),
}

/// An object whose fields are stored as fields of the model.
#[derive(Debug)]
struct EmbeddedOf {
    attribute: Attribute,
    /// Whether it is `None` where all its fields are null.
    is_optional: bool,
    maker: Maker,
    parts: Vec<Part>,
    fields: Range<u16>,
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
    fn set_relations(
        &self,
        py: Python<'_>,
        find_columns: Py<PyAny>,
        slot: Option<Bound<'_, PyAny>>,
        name: &str,
    ) -> PyResult<()> {
        let name = PyString::intern(py, name).unbind();
        let slot = slot.map(MemberSlot::new).transpose()?;
        // the first that finds out is as right as any other
        let _ = self.0.relations.set(Relations { find_columns, columns: OnceLock::new(), slot, name });
        Ok(())
    }

    /// The instance of a mapping of values by field name, as rows give it.
    fn instance<'py>(&self, py: Python<'py>, values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let mut all = Vec::with_capacity(self.0.fields.len());
        for field in self.0.def.fields() {
            let value = values.get_item(&*field.name)?;
            all.push(value.ok_or_else(|| PyValueError::new_err(format!("no value for `{}`", field.name)))?);
        }
        self.0.make(py, |field| Ok(all.get(field).map_or_else(|| py.None().into_bound(py), Bound::clone)))
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
        let declared = required(description, "fields")?;
        let (with_fields, parts) = parse_parts(builder, &declared, &[], &mut fields)?;
        builder = with_fields;
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
        Ok(ModelOf {
            types: def.fields().iter().map(|field| field.value_type.clone()).collect(),
            def,
            fields,
            maker: Maker::parse(&class, description)?,
            parts: parts.iter().any(|part| matches!(part, Part::Embedded(_))).then_some(parts),
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

    /// The instance of the values that the fields have by their numbers.
    fn make<'py>(
        &self,
        py: Python<'py>,
        value: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match &self.parts {
            None => {
                let fields = self.fields.iter().enumerate();
                self.maker.make(py, fields.map(|(number, field)| Ok((&field.attribute, value(number)?))))
            }
            Some(parts) => self.make_of(py, &self.maker, parts, &value),
        }
    }

    fn make_of<'py>(
        &self,
        py: Python<'py>,
        maker: &Maker,
        parts: &[Part],
        value: &dyn Fn(usize) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        maker.make(py, parts.iter().filter_map(|part| self.part(py, part, value).transpose()))
    }

    /// An attribute with its value.
    fn part<'a, 'py>(
        &'a self,
        py: Python<'py>,
        part: &'a Part,
        value: &dyn Fn(usize) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<(&'a Attribute, Bound<'py, PyAny>)>> {
        let embedded = match part {
            Part::Embedded(embedded) => embedded,
            Part::Field(field) => {
                let number = usize::from(*field);
                let Some(field) = self.fields.get(number) else { return Ok(None) };
                return Ok(Some((&field.attribute, value(number)?)));
            }
        };
        if embedded.is_optional {
            let mut values = embedded.fields.clone().map(|field| value(usize::from(field)));
            let are_null = values.try_fold(true, |are_null, value| PyResult::Ok(are_null && value?.is_none()))?;
            if are_null {
                return Ok(Some((&embedded.attribute, py.None().into_bound(py))));
            }
        }
        Ok(Some((&embedded.attribute, self.make_of(py, &embedded.maker, &embedded.parts, value)?)))
    }

    /// The list of the instances of an arena's rows.
    pub(crate) fn list<'py>(
        &self,
        py: Python<'py>,
        arena: &Arena,
        database: &Py<PyAny>,
        related: &[Loaded],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut instances = Instances::default();
        self.add(py, arena, &mut instances)?;
        self.finish(py, instances, database, related)
    }

    /// Makes the instances of an arena's rows, which follow others.
    pub(crate) fn add(&self, py: Python<'_>, arena: &Arena, to: &mut Instances) -> PyResult<()> {
        let begun = to.list.len();
        to.list.reserve(arena.rows());
        let nothing = PyTuple::empty(py);
        let simple = self.maker.is_simple() && self.parts.is_none();
        let paused = (simple && arena.rows() > 1).then(PausedCollector::new);
        for row in arena.iter() {
            let instance = if simple {
                let instance = self.maker.allocate(py, &nothing)?;
                for (field, slot) in self.fields.iter().zip(row) {
                    field.attribute.set(&instance, &field.decode(py, arena, slot)?)?;
                }
                instance
            } else {
                self.make(py, |number| self.decode(py, arena, row, number))?
            };
            to.list.push(instance.unbind());
        }
        if let Some(relations) = self.relations.get()
            && arena.rows() > 0
        {
            let keys = match &mut to.keys {
                Some(keys) => keys,
                none => none.insert(SiblingKeys::new(relations.columns(py)?, arena.rows())),
            };
            keys.add(arena);
        }
        if let Some(paused) = paused.filter(|_| to.are_parts || arena.rows() >= HIDDEN) {
            paused.hide(py, to.list.get(begun..).unwrap_or_default());
            to.hidden.append(&mut paused.keep());
        }
        Ok(())
    }

    /// The list of all instances of a result, which from now on share what is loaded for them.
    pub(crate) fn finish<'py>(
        &self,
        py: Python<'py>,
        mut instances: Instances,
        database: &Py<PyAny>,
        related: &[Loaded],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let hidden = std::mem::take(&mut instances.hidden);
        let _paused = (!hidden.is_empty() || !related.is_empty()).then(|| PausedCollector::of(hidden));
        let (keys, list) = (instances.keys.take(), instances.into_list(py));
        if let (Some(relations), Some(keys)) = (self.relations.get(), keys) {
            let siblings = Siblings::new(py, database, keys);
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
                let value = field.get(instance).map_err(|error| self.name(py, def, error))?;
                match &*field.codec {
                    Codec::Text if value.is_exact_instance_of::<PyString>() => {
                        let text = value.cast::<PyString>()?;
                        let text = plain_text(text.to_str()?).map_err(|error| self.name(py, def, error))?;
                        arena.push_text(text);
                        continue;
                    }
                    Codec::Int(ValueType::I64) if value.is_exact_instance_of::<PyInt>() => {
                        if let Ok(number) = value.extract::<i64>()
                            && !def.version
                        {
                            arena.push_int(number);
                            continue;
                        }
                    }
                    _ => {}
                }
                let mut datum = field.codec.encode_optional(&value).map_err(|error| self.name(py, def, error))?;
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
    fn name(&self, py: Python<'_>, field: &FieldDef, error: PyErr) -> PyErr {
        let wrong = Error::query(format!("`{}` of {}: {}", field.name, self.def.name(), error.value(py)))
            .with_model(self.def.name())
            .with_fields([&*field.name]);
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
                    field.attribute.set(instance, &field.decode(py, &rows.arena, slot)?)?;
                }
            }
        }
        Ok(())
    }

    /// Sets all fields of an instance from a row.
    pub(crate) fn refresh(&self, py: Python<'_>, instance: &Bound<'_, PyAny>, arena: &Arena) -> PyResult<()> {
        let row = arena.iter().next().unwrap_or_default();
        let Some(parts) = &self.parts else {
            let mut fields = self.fields.iter().zip(row);
            return fields.try_for_each(|(field, slot)| field.attribute.set(instance, &field.decode(py, arena, slot)?));
        };
        for part in parts {
            if let Some((attribute, value)) = self.part(py, part, &|number| self.decode(py, arena, row, number))? {
                attribute.set(instance, &value)?;
            }
        }
        Ok(())
    }

    /// The object of a field of a row.
    fn decode<'py>(&self, py: Python<'py>, arena: &Arena, row: &[Slot], number: usize) -> PyResult<Bound<'py, PyAny>> {
        match (self.fields.get(number), row.get(number)) {
            (Some(field), Some(slot)) => field.decode(py, arena, slot),
            _ => Ok(py.None().into_bound(py)),
        }
    }

    /// The values that the fields of an embedded object get from an object; `None` if no embedded object
    /// has the name.
    pub(crate) fn embedded_values(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<(u16, Datum)>>> {
        let py = value.py();
        let (mut parts, mut found) = (self.parts.as_deref().unwrap_or_default(), None);
        for (depth, name) in name.split('.').enumerate() {
            let embedded = parts.iter().find_map(|part| match part {
                Part::Embedded(embedded) if embedded.attribute.name.bind(py) == name => Some(embedded),
                _ => None,
            });
            let Some(embedded) = embedded else { return Ok(None) };
            parts = &embedded.parts;
            found = Some((depth, embedded));
        }
        let Some((depth, embedded)) = found else { return Ok(None) };
        let value_of = |number: u16| {
            let index = usize::from(number);
            let (Some(field), Some(def)) = (self.fields.get(index), self.def.fields().get(index)) else {
                return Ok((number, Datum::Null));
            };
            let value = field.get_within(value.clone(), depth);
            let value = value.and_then(|value| field.codec.encode_optional(&value));
            Ok((number, value.map_err(|error| self.name(py, def, error))?))
        };
        embedded.fields.clone().map(value_of).collect::<PyResult<_>>().map(Some)
    }

    /// The value of an instance's field, if it is a single one and holds an integer.
    #[inline]
    pub(crate) fn integer(&self, instance: &Bound<'_, PyAny>, fields: &[u16]) -> Option<i64> {
        let [field] = fields else { return None };
        let of = self.fields.get(usize::from(*field))?;
        if !of.within.is_empty() || !matches!(*of.codec, Codec::Int(ValueType::I64)) {
            return None;
        }
        let value = instance.getattr(&of.attribute.name).ok()?;
        if value.is_exact_instance_of::<PyInt>() { value.extract().ok() } else { None }
    }

    /// The values of some fields of an instance.
    pub(crate) fn values(&self, instance: &Bound<'_, PyAny>, fields: &[u16]) -> PyResult<Vec<Datum>> {
        let py = instance.py();
        let value = |field: &u16| match self.fields.get(usize::from(*field)) {
            Some(of) => {
                let value = of.get(instance).and_then(|value| of.codec.encode_optional(&value));
                value.map_err(|error| match self.def.field(*field) {
                    Some(def) => self.name(py, def, error),
                    None => error,
                })
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
            Some(slot) => slot.set(instance, state),
            None => set(instance, self.name.bind(py), state),
        }
    }

    fn get<'py>(&self, instance: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let py = instance.py();
        let found = match &self.slot {
            Some(slot) => slot.descriptor.bind(py).call_method1(intern!(py, "__get__"), (instance,)),
            None => instance.getattr(&self.name),
        };
        // an instance that was not read from a database has none
        found.ok()
    }
}

impl FieldOf {
    #[inline]
    fn decode<'py>(&self, py: Python<'py>, arena: &Arena, slot: &Slot) -> PyResult<Bound<'py, PyAny>> {
        match (slot.kind, &*self.codec) {
            (Kind::Null, _) => Ok(py.None().into_bound(py)),
            (Kind::Int, Codec::Int(_)) => slot.integer().into_bound_py_any(py),
            // Python looks at the bytes itself
            (Kind::Text, Codec::Text) => Ok(PyString::from_bytes(py, arena.bytes(slot))?.into_any()),
            (_, codec) => codec.decode(py, arena.cell_of(slot)),
        }
    }

    /// The value of an instance's field; `None` where the embedded object is absent that has it.
    #[inline]
    fn get<'py>(&self, instance: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match self.within.first() {
            None => instance.getattr(&self.attribute.name),
            Some(step) => self.get_within(instance.getattr(&step.name)?, 0),
        }
    }

    /// The value of the field of an embedded object, which is at a depth on the way to the field.
    fn get_within<'py>(&self, mut object: Bound<'py, PyAny>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = object.py();
        for (place, step) in self.within.iter().enumerate().skip(depth) {
            if place > depth {
                object = object.getattr(&step.name)?;
            }
            if object.is_none() && step.is_optional {
                return Ok(object);
            }
            let class = step.class.bind(py);
            if !object.is_instance(class)? {
                return Err(wrong_type(&format!("an embedded {}", class.name()?), &object));
            }
        }
        object.getattr(&self.attribute.name)
    }
}

/// An attribute that is set when an instance is made.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Its name, interned.
    pub(crate) name: Py<PyString>,
    /// The name of the class's parameter.
    parameter: Py<PyString>,
    /// Its slot, for classes that have those.
    slot: Option<MemberSlot>,
}

impl Attribute {
    fn parse(description: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = description.py();
        let name = text(description, "name")?;
        Ok(Attribute {
            parameter: match description.get_item("parameter")? {
                Some(parameter) => PyString::intern(py, &parameter.extract::<String>()?).unbind(),
                None => PyString::intern(py, &name).unbind(),
            },
            name: PyString::intern(py, &name).unbind(),
            slot: match description.get_item("slot")?.filter(|slot| !slot.is_none()) {
                Some(slot) => Some(MemberSlot::new(slot)?),
                None => None,
            },
        })
    }

    /// Sets the attribute of an instance, whatever its class says of setting.
    #[inline]
    fn set(&self, instance: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match &self.slot {
            Some(slot) => slot.set(instance, value),
            None => set(instance, self.name.bind(instance.py()), value),
        }
    }
}

/// How instances of a class are made of values.
#[derive(Debug)]
struct Maker {
    class: Py<PyType>,
    build: Build,
    /// The slot that allocates instances.
    new: Option<ffi::newfunc>,
    /// What is set on each instance besides its fields.
    extras: Vec<(Py<PyString>, Py<PyAny>)>,
    /// Whether `__post_init__` is called on instances that were allocated.
    post_init: bool,
}

impl Maker {
    fn parse(class: &Bound<'_, PyType>, description: &Bound<'_, PyDict>) -> PyResult<Self> {
        let extras = required(description, "extras")?.cast_into::<PyDict>()?;
        let extras = extras.iter().map(|(name, value)| Ok((name.cast_into::<PyString>()?.unbind(), value.unbind())));
        let new = if flag(description, "allocate")? { object_new(class) } else { None };
        Ok(Maker {
            class: class.clone().unbind(),
            build: if new.is_some() { Build::Allocate } else { Build::Call },
            new,
            extras: extras.collect::<PyResult<_>>()?,
            post_init: flag(description, "post_init")?,
        })
    }

    /// Whether an instance is its fields alone.
    fn is_simple(&self) -> bool {
        self.build == Build::Allocate && self.extras.is_empty() && !self.post_init
    }

    /// The instance of attributes with their values.
    fn make<'a, 'py>(
        &self,
        py: Python<'py>,
        attributes: impl Iterator<Item = PyResult<(&'a Attribute, Bound<'py, PyAny>)>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.build == Build::Call {
            let arguments = PyDict::new(py);
            for attribute in attributes {
                let (attribute, value) = attribute?;
                arguments.set_item(&attribute.parameter, value)?;
            }
            return self.class.bind(py).call((), Some(&arguments));
        }
        let instance = self.allocate(py, &PyTuple::empty(py))?;
        for attribute in attributes {
            let (attribute, value) = attribute?;
            attribute.set(&instance, &value)?;
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
}

/// Keeps Python's collector from looking at instances while they are made: it would again and again, and
/// find that all of them are in use.
///
/// To have made that many objects makes it look at the youngest ones when it goes on. The instances are
/// hidden from that one look, so that those of a result that is soon dropped are never looked at.
pub(crate) struct PausedCollector {
    is_outermost: bool,
}

/// How many instances are worth a look of the collector at the other young objects.
const HIDDEN: usize = 200;

thread_local! {
    /// The hidden instances, while a collector is paused that was on.
    static HIDING: RefCell<Option<Vec<Py<PyAny>>>> = const { RefCell::new(None) };
}

static COLLECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

impl PausedCollector {
    pub(crate) fn new() -> Self {
        PausedCollector::of(Vec::new())
    }

    /// A pause after which instances are shown that were hidden before.
    #[allow(unsafe_code, reason = "`gc.disable` called from Python needs the module, and a call for a flag")]
    fn of(mut hidden: Vec<Py<PyAny>>) -> Self {
        // SAFETY: sets a flag of the interpreter, whose lock is held: a list of instances is made.
        let is_outermost = unsafe { ffi::PyGC_Disable() } != 0;
        if is_outermost {
            HIDING.set(Some(hidden));
        } else {
            HIDING.with_borrow_mut(|hiding| {
                if let Some(hiding) = hiding {
                    hiding.append(&mut hidden);
                }
            });
            // the program has switched the collector off meanwhile
            show(hidden);
        }
        PausedCollector { is_outermost }
    }

    /// Ends the pause, and gives those that stay hidden.
    fn keep(self) -> Vec<Py<PyAny>> {
        match self.is_outermost {
            true => HIDING.with_borrow_mut(|hiding| hiding.as_mut().map(std::mem::take)).unwrap_or_default(),
            false => Vec::new(),
        }
    }

    /// Hides instances and lists that were just made, and that no program has seen.
    #[allow(unsafe_code, reason = "Python has no function for it")]
    pub(crate) fn hide(&self, py: Python<'_>, instances: &[Py<PyAny>]) {
        HIDING.with_borrow_mut(|hiding| {
            let Some(hiding) = hiding else { return };
            hiding.reserve(instances.len());
            for instance in instances {
                // SAFETY: a live object that the collector knows, as the condition says. It may be freed
                // while it is hidden, which its type's function for that allows for.
                unsafe {
                    if ffi::PyObject_GC_IsTracked(instance.as_ptr()) != 0 {
                        ffi::PyObject_GC_UnTrack(instance.as_ptr().cast());
                        hiding.push(instance.clone_ref(py));
                    }
                }
            }
        });
    }
}

impl Drop for PausedCollector {
    #[allow(unsafe_code, reason = "the other half of `of`")]
    fn drop(&mut self) {
        if !self.is_outermost {
            return;
        }
        let hidden = HIDING.take().unwrap_or_default();
        Python::attach(|py| {
            // SAFETY: as in `of`; the value is dropped where it was made.
            unsafe { ffi::PyGC_Enable() };
            if hidden.is_empty() {
                return;
            }
            let collect = COLLECT.get_or_try_init(py, || py.import("gc")?.getattr("collect").map(Bound::unbind));
            // what goes wrong in it is told by the collector itself
            let _ = collect.and_then(|collect| collect.call1(py, (0,)));
            show(hidden);
        });
    }
}

/// Shows hidden instances to the collector.
#[allow(unsafe_code, reason = "the other half of `hide`")]
fn show(hidden: Vec<Py<PyAny>>) {
    for instance in hidden {
        // SAFETY: a live object of a type that the collector knows, since `hide` found it there; nobody has
        // shown it to the collector since, as the condition says. The interpreter's lock is held.
        unsafe {
            if ffi::PyObject_GC_IsTracked(instance.as_ptr()) == 0 {
                ffi::PyObject_GC_Track(instance.as_ptr().cast());
            }
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

/// The descriptor of a slot, with the function of its type that sets it.
#[derive(Debug)]
struct MemberSlot {
    descriptor: Py<PyAny>,
    set: ffi::descrsetfunc,
}

impl MemberSlot {
    #[allow(unsafe_code, reason = "there is no other way to a slot")]
    fn new(descriptor: Bound<'_, PyAny>) -> PyResult<Self> {
        // SAFETY: the type of a live object, and a slot is a function of the type that its number says,
        // or null.
        let set = unsafe {
            let function = ffi::PyType_GetSlot(ffi::Py_TYPE(descriptor.as_ptr()), ffi::Py_tp_descr_set);
            if function.is_null() {
                return Err(PyTypeError::new_err("the descriptor cannot be set"));
            }
            std::mem::transmute::<*mut std::ffi::c_void, ffi::descrsetfunc>(function)
        };
        Ok(MemberSlot { descriptor: descriptor.unbind(), set })
    }

    /// `descriptor.__set__`, which a class of Python calls itself.
    #[inline]
    #[allow(unsafe_code, reason = "`__set__` called from Python takes three times as long: see benches")]
    fn set(&self, instance: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the function is the one of the descriptor's type, which is alive while the descriptor
        // is; it takes three live objects, borrowed for the call, checks that the instance is of the
        // descriptor's class, and answers 0, or −1 with an exception set.
        let done = unsafe { (self.set)(self.descriptor.as_ptr(), instance.as_ptr(), value.as_ptr()) };
        match done {
            0 => Ok(()),
            _ => Err(PyErr::fetch(instance.py())),
        }
    }
}

/// The fields of a class and of what is embedded in it, put into a builder; and its attributes.
fn parse_parts(
    mut builder: ModelBuilder,
    declared: &Bound<'_, PyAny>,
    within: &[Arc<Step>],
    fields: &mut Vec<FieldOf>,
) -> PyResult<(ModelBuilder, Vec<Part>)> {
    let mut parts = Vec::new();
    let next = |fields: &[FieldOf]| u16::try_from(fields.len()).unwrap_or(u16::MAX);
    for field in declared.try_iter()? {
        let field = field?.cast_into::<PyDict>()?;
        let attribute = Attribute::parse(&field)?;
        let Some(embedded) = field.get_item("embedded")? else {
            let codec = Codec::parse(required(&field, "type")?.cast::<PyTuple>()?)?;
            builder = builder.field(field_def(&field, &codec)?);
            parts.push(Part::Field(next(fields)));
            fields.push(FieldOf { attribute, codec: Arc::new(codec), within: within.to_vec() });
            continue;
        };
        let (embedded, class) = (embedded.cast::<PyDict>()?, required(embedded.cast()?, "class")?);
        let class = class.cast::<PyType>()?;
        let is_optional = flag(&field, "nullable")?;
        let name = attribute.name.clone_ref(field.py());
        let mut inside = within.to_vec();
        inside.push(Arc::new(Step { name, class: class.clone().unbind(), is_optional }));
        let first = next(fields);
        let (own, own_parts) = parse_parts(ModelBuilder::new(""), &required(embedded, "fields")?, &inside, fields)?;
        builder = builder.embed(&text(&field, "name")?, &text(&field, "column")?, is_optional, own.into_fields());
        parts.push(Part::Embedded(EmbeddedOf {
            attribute,
            is_optional,
            maker: Maker::parse(class, embedded)?,
            parts: own_parts,
            fields: first..next(fields),
        }));
    }
    Ok((builder, parts))
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
