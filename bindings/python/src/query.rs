//! Queries, as immutable values: each method gives another query, each end an operation.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ommi::DynamicQuery;
use ommi::query::condition::{Comparison, Condition};
use ommi::query::{Cursor, Expr, OrderBy};
use ommi::value::{Datum, ValueType};
use ommi::{Db, Error, Result};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arena::{Arena, RowsOf};
use crate::error::OrRaise;
use crate::expression::Expression;
use crate::handle::{Handle, Missing};
use crate::model::{Instances, ModelOf};
use crate::operation::{Begin, Finish, Operation, Start, Style, Work, begun_by};
use crate::parts::{Of, Parts};
use crate::predicate::{Group, Tree, conjunction, tree_of};
use crate::related::{Loaded, With, load};
use crate::stream::Batches;
use crate::value::Codec;

/// What rows give in place of instances.
struct Output {
    expressions: Vec<Expr>,
    codecs: Vec<Arc<Codec>>,
    /// A class whose instances are made of the values, by position.
    into: Option<Py<PyAny>>,
}

/// A query.
pub(crate) struct QueryOf {
    pub(crate) handle: Handle,
    /// What relations of the rows are loaded with.
    owner: Py<PyAny>,
    pub(crate) root: Arc<ModelOf>,
    condition: Condition,
    /// The relations that are loaded with the rows.
    with: Arc<[With]>,
    order_by: Vec<OrderBy>,
    limit: Option<u64>,
    offset: Option<u64>,
    output: Option<Arc<Output>>,
    group_by: Vec<Expr>,
    having: Condition,
    distinct: bool,
    strict: bool,
    /// Where an earlier page ended.
    after: Option<Cursor>,
}

/// A query that does nothing until one of its ends is awaited.
#[pyclass(frozen, module = "ommi._core", name = "Query")]
pub(crate) struct Query(Arc<QueryOf>);

/// What a query ends in.
#[derive(Clone, Copy)]
enum End {
    One,
    First,
    Optional,
    Count,
    Exists,
    Delete,
    Page,
    Explain,
}

static LIST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static EXPLANATION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The list that `all` gives.
pub(crate) fn result_list<'py>(py: Python<'py>, rows: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    let class = LIST.get_or_try_init(py, || py.import("ommi.results")?.getattr("ResultList").map(Bound::unbind))?;
    class.bind(py).call1((PyList::new(py, rows)?,))
}

fn number(value: u64) -> Expr {
    Expr::Literal(Datum::Int(i64::try_from(value).unwrap_or(i64::MAX)))
}

impl QueryOf {
    /// The query of predicates.
    pub(crate) fn new(handle: Handle, owner: Py<PyAny>, predicates: &Bound<'_, PyTuple>) -> PyResult<QueryOf> {
        let py = predicates.py();
        let tree = conjunction(predicates)?;
        let Some(root) = tree.as_ref().and_then(Tree::model).cloned() else {
            return Err(PyTypeError::new_err(
                "the query names no model: give a model or a predicate, such as `find(User)` or `find(User.age > 18)`",
            ));
        };
        let mut query = QueryOf {
            handle,
            owner,
            root,
            condition: Condition::Const(true),
            with: Arc::default(),
            order_by: Vec::new(),
            limit: None,
            offset: None,
            output: None,
            group_by: Vec::new(),
            having: Condition::Const(true),
            distinct: false,
            strict: false,
            after: None,
        };
        query.restrict(tree)?;
        for predicate in predicates.iter_borrowed() {
            if let Ok(group) = predicate.cast::<Group>() {
                let group = group.get();
                query.limit = query.limit.or(group.limit);
                query.offset = query.offset.or(group.start());
                for order in &group.sorting {
                    query.order_by.push(order.bind(py).get().order_by()?);
                }
            }
        }
        Ok(query)
    }

    fn copy(&self, py: Python<'_>) -> QueryOf {
        QueryOf {
            handle: self.handle.clone(),
            owner: self.owner.clone_ref(py),
            root: Arc::clone(&self.root),
            condition: self.condition.clone(),
            with: Arc::clone(&self.with),
            order_by: self.order_by.clone(),
            limit: self.limit,
            offset: self.offset,
            output: self.output.clone(),
            group_by: self.group_by.clone(),
            having: self.having.clone(),
            distinct: self.distinct,
            strict: self.strict,
            after: self.after.clone(),
        }
    }

    /// Only rows that pass a predicate too.
    fn restrict(&mut self, tree: Option<Tree>) -> PyResult<()> {
        match tree {
            Some(leaf @ Tree::Leaf(..)) if leaf.model().is_none_or(|model| Arc::ptr_eq(model, &self.root)) => {
                self.condition =
                    std::mem::replace(&mut self.condition, Condition::Const(true)).and(leaf.condition(&self.root)?);
            }
            Some(tree) => {
                let condition = tree.rooted(&self.root)?.condition(&self.root)?;
                self.condition = std::mem::replace(&mut self.condition, Condition::Const(true)).and(condition);
            }
            None => {}
        }
        Ok(())
    }

    /// The core's query.
    fn of(&self, db: &Db) -> Result<DynamicQuery> {
        let mut query = db.model(&self.root.def).find(self.condition.clone());
        let select = &mut query.select;
        select.order_by.clone_from(&self.order_by);
        select.limit = self.limit.map(number);
        select.offset = self.offset.map(number);
        select.distinct = self.distinct;
        if let Some(output) = &self.output {
            select.output.clone_from(&output.expressions);
            select.group_by.clone_from(&self.group_by);
            select.having = self.having.clone();
        }
        if let Some(after) = &self.after {
            query = query.after(after)?;
        }
        Ok(if self.strict { query.strict() } else { query })
    }

    /// The sink of the query's rows.
    pub(crate) fn sink(&self, most: usize) -> RowsOf {
        match &self.output {
            None => RowsOf::new(Arc::clone(&self.root.types), Some(Arc::clone(&self.root.def)), most),
            Some(output) => {
                let types: Vec<ValueType> = output.codecs.iter().map(|codec| codec.value_type()).collect();
                RowsOf::new(types.into(), None, most)
            }
        }
    }

    /// The Python objects of rows.
    pub(crate) fn objects<'py>(
        &self,
        py: Python<'py>,
        arena: &Arena,
        related: &[Loaded],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut objects = Instances::default();
        self.add(py, arena, &mut objects)?;
        self.finish(py, objects, related)
    }

    /// Makes the Python objects of rows, which follow others.
    pub(crate) fn add(&self, py: Python<'_>, arena: &Arena, to: &mut Instances) -> PyResult<()> {
        let Some(output) = &self.output else { return self.root.add(py, arena, to) };
        for row in 0..arena.rows() {
            let values = output.codecs.iter().enumerate();
            let values = values.map(|(column, codec)| codec.decode(py, arena.cell(row, column)));
            let values = PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?;
            to.push(match &output.into {
                Some(class) => class.bind(py).call1(values)?.unbind(),
                None => values.into_any().unbind(),
            });
        }
        Ok(())
    }

    /// All Python objects of a result.
    pub(crate) fn finish<'py>(
        &self,
        py: Python<'py>,
        objects: Instances,
        related: &[Loaded],
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        match self.output {
            Some(_) => Ok(objects.into_list(py)),
            None => self.root.finish(py, objects, &self.owner, related),
        }
    }

    /// What has to be created before the query can run.
    fn missing(&self, py: Python<'_>) -> PyResult<Missing> {
        match &*self.with {
            [] => self.handle.missing(py, &[&self.root]),
            with => {
                let mut models = vec![&self.root];
                With::targets(with, &mut models);
                self.handle.missing(py, &models)
            }
        }
    }

    /// Creates what has to be there, and refuses a model whose table was removed.
    async fn prepare(&self, missing: Missing) -> Result<()> {
        self.handle.prepare(missing).await?;
        self.handle.check(&self.root)?;
        let mut models = Vec::new();
        With::targets(&self.with, &mut models);
        models.into_iter().try_for_each(|model| self.handle.check(model))
    }

    /// The relations that are loaded with the rows.
    fn with(&self) -> &[With] {
        if self.output.is_none() { &self.with } else { &[] }
    }

    /// Reads the relations that are loaded with rows.
    pub(crate) async fn related(&self, db: &Db, arena: &Arena, parts: Option<Arc<Parts>>) -> Result<Vec<Loaded>> {
        match self.with() {
            [] => Ok(Vec::new()),
            with => load(db, arena, with, parts).await,
        }
    }

    /// Whether the condition is equality on the whole key.
    fn is_by_key(&self) -> bool {
        matches!(
            (&self.condition, self.root.def.key()),
            (
                Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: Expr::Literal(_) },
                [key],
            ) if field == key
        )
    }

    fn not_found(&self) -> Error {
        Error::not_found("no row matches: use `first` or `.or_use(None)` where that is expected")
            .with_model(self.root.def.name())
            .with_operation("find")
    }
}

/// The operation of a query's end.
fn operation(query: &Arc<QueryOf>, end: End, style: Style) -> Operation {
    let query = Arc::clone(query);
    let start: Start = begun_by(move |py| begin(py, &query, end));
    Operation::new(style, start)
}

/// The operation that reads all rows of a query.
fn all(query: &Arc<QueryOf>, style: Style) -> Operation {
    Operation::new(style, Arc::new(All(Arc::clone(query))))
}

struct All(Arc<QueryOf>);

impl Begin for All {
    fn begin(self: Arc<Self>, py: Python<'_>) -> PyResult<Work> {
        Ok(self.begin_in_parts(py)?.0)
    }

    fn begin_in_parts(self: Arc<Self>, py: Python<'_>) -> PyResult<(Work, Option<Arc<Parts>>)> {
        let missing = self.0.missing(py)?;
        let query = Arc::clone(&self.0);
        let parts = match With::last(query.with()) {
            // the keys of all other rows are needed at once
            Some(route) => Parts::new(Of::Model(Arc::clone(&route.target)), route.has_many.load(Ordering::Relaxed)),
            None => Parts::new(Of::Query(Arc::clone(&query)), false),
        };
        let given = Arc::clone(&parts);
        let work: Work = Box::pin(async move {
            query.prepare(missing).await?;
            let db = query.handle.db().await?;
            let of_rows = query.with().is_empty().then(|| Arc::clone(&given));
            let sink = query.sink(usize::MAX).in_parts(of_rows);
            let rows = query.of(&db)?.read_into(sink, "find").await?;
            let related = query.related(&db, &rows.arena, Some(given)).await?;
            Ok(Box::new(move |py: Python<'_>| {
                let mut objects = rows.made(py)?;
                query.add(py, &rows.arena, &mut objects)?;
                Ok(result_list(py, query.finish(py, objects, &related)?)?.unbind())
            }) as Finish)
        });
        Ok((work, Some(parts)))
    }
}

fn begin(py: Python<'_>, query: &Arc<QueryOf>, end: End) -> PyResult<Work> {
    let missing = query.missing(py)?;
    let query = Arc::clone(query);
    Ok(Box::pin(async move {
        query.prepare(missing).await?;
        let db = query.handle.db().await?;
        run(query, &db, end).await
    }))
}

async fn run(query: Arc<QueryOf>, db: &Db, end: End) -> Result<Finish> {
    let mut core = query.of(db)?;
    match end {
        End::One | End::Optional | End::First => {
            let most = if matches!(end, End::First) { 1 } else { 2 };
            if core.select.limit.is_none() && !query.is_by_key() {
                core.select.limit = Some(number(most));
            }
            let rows = core.read_into(query.sink(most as usize), "find").await?;
            match (rows.arena.rows(), end) {
                (0, End::One) => return Err(query.not_found()),
                (2.., End::One | End::Optional) => {
                    return Err(Error::not_unique("more than one row matches: use `first` to take one of them")
                        .with_model(query.root.def.name())
                        .with_operation("find"));
                }
                _ => {}
            }
            let related = query.related(db, &rows.arena, None).await?;
            Ok(Box::new(move |py| {
                let mut objects = query.objects(py, &rows.arena, &related)?;
                Ok(objects.drain(..).next().map_or_else(|| py.None(), Bound::unbind))
            }))
        }
        End::Count => {
            let count = core.count().await?;
            Ok(Box::new(move |py| Ok(count.into_pyobject(py)?.into_any().unbind())))
        }
        End::Exists => {
            core.select.order_by.clear();
            core.select.limit = Some(number(query.limit.unwrap_or(1).min(1)));
            let field = query.root.def.key().first().copied().unwrap_or_default();
            core.select.output = vec![Expr::Field(field)];
            let types = query.root.def.field(field).map(|field| field.value_type.clone());
            let rows = core.read_into(RowsOf::new(types.into_iter().collect(), None, 1), "exists").await?;
            Ok(Box::new(move |py| Ok((rows.arena.rows() > 0).into_pyobject(py)?.to_owned().into_any().unbind())))
        }
        End::Delete => {
            let count = core.delete().await?;
            Ok(Box::new(move |py| Ok(count.into_pyobject(py)?.into_any().unbind())))
        }
        End::Page => {
            let Some(limit) = query.limit else {
                return Err(Error::query("a page needs a limit: `.limit(20).fetch_page`")
                    .with_model(query.root.def.name())
                    .with_operation("find"));
            };
            if query.output.is_some() {
                return Err(Error::query("pages by cursor are of whole rows, not of selected fields: use `page`")
                    .with_model(query.root.def.name())
                    .with_operation("find"));
            }
            let (mut core, fields) = core.paged()?;
            core.select.limit = Some(number(limit.saturating_add(1)));
            let mut rows = core.read_into(query.sink(usize::MAX), "find").await?;
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let next = match rows.arena.rows() > limit {
                true => {
                    rows.arena.truncate(limit);
                    let value =
                        |field: u16| Datum::from_cell(rows.arena.cell(limit.saturating_sub(1), usize::from(field)));
                    Some(Cursor::of(&fields.into_iter().map(value).collect::<Vec<_>>())?.to_string())
                }
                false => None,
            };
            let related = query.related(db, &rows.arena, None).await?;
            Ok(Box::new(move |py| {
                let rows = result_list(py, query.objects(py, &rows.arena, &related)?)?;
                let page = py.import("ommi.results")?.getattr("Page")?;
                Ok(page.call1((rows, next))?.unbind())
            }))
        }
        End::Explain => {
            let explanation = core.explain().await?;
            Ok(Box::new(move |py| {
                let class = EXPLANATION
                    .get_or_try_init(py, || py.import("ommi.results")?.getattr("Explanation").map(Bound::unbind))?;
                let parameters: Vec<String> = explanation.parameters.iter().map(ToString::to_string).collect();
                let arguments = PyDict::new(py);
                arguments.set_item("driver", explanation.driver)?;
                arguments.set_item("model", &explanation.model)?;
                arguments.set_item("native", &explanation.native)?;
                arguments.set_item("parameters", parameters)?;
                arguments.set_item("completed", &explanation.completed)?;
                arguments.set_item("database_plan", &explanation.database_plan)?;
                arguments.set_item("text", explanation.to_string())?;
                Ok(class.bind(py).call((), Some(&arguments))?.unbind())
            }))
        }
    }
}

impl Query {
    pub(crate) fn new(query: QueryOf) -> Self {
        Query(Arc::new(query))
    }

    fn changed(&self, py: Python<'_>, change: impl FnOnce(&mut QueryOf) -> PyResult<()>) -> PyResult<Query> {
        let mut query = self.0.copy(py);
        change(&mut query)?;
        Ok(Query::new(query))
    }

    fn end(&self, end: End) -> Operation {
        operation(&self.0, end, Style::QueryResult)
    }

    fn expressions(
        py: Python<'_>,
        root: &Arc<ModelOf>,
        values: &[Py<Expression>],
    ) -> PyResult<(Vec<Expr>, Vec<Arc<Codec>>)> {
        let mut all = (Vec::new(), Vec::new());
        for value in values {
            let value = value.bind(py).get();
            if value.model.as_ref().is_some_and(|model| !Arc::ptr_eq(model, root)) {
                return Err(PyTypeError::new_err(format!("the query is of {}, not of another model", root.def.name())));
            }
            all.0.push(value.expr()?.clone());
            all.1.push(Arc::clone(&value.codec));
        }
        Ok(all)
    }
}

#[pymethods]
impl Query {
    /// All rows, as a list.
    #[getter]
    fn all(&self) -> Operation {
        all(&self.0, Style::QueryResult)
    }

    /// The only row.
    #[getter]
    fn one(&self) -> Operation {
        self.end(End::One)
    }

    /// The first row, or `None`.
    #[getter]
    fn first(&self) -> Operation {
        self.end(End::First)
    }

    /// The only row, or `None`.
    #[getter]
    fn optional(&self) -> Operation {
        self.end(End::Optional)
    }

    /// How many rows there are.
    #[getter]
    fn count(&self) -> Operation {
        self.end(End::Count)
    }

    /// A page of rows with the cursor of the next: `.limit(20).after(cursor).fetch_page`.
    #[getter]
    fn fetch_page(&self) -> Operation {
        self.end(End::Page)
    }

    /// Only rows that come after the end of an earlier page of the same order; with `None`, from the start.
    #[pyo3(signature = (cursor))]
    fn after(&self, py: Python<'_>, cursor: Option<&str>) -> PyResult<Query> {
        let after = cursor.map(|cursor| cursor.parse::<Cursor>().or_raise(py)).transpose()?;
        self.changed(py, |query| {
            query.after = after;
            Ok(())
        })
    }

    /// Whether there is a row.
    #[getter]
    fn exists(&self) -> Operation {
        self.end(End::Exists)
    }

    /// Deletes the rows, and gives how many there were.
    #[getter]
    fn delete(&self) -> Operation {
        operation(&self.0, End::Delete, Style::Result)
    }

    /// How the query is answered.
    #[getter]
    fn explain(&self) -> Operation {
        operation(&self.0, End::Explain, Style::Result)
    }

    /// Updates the rows: `.update(age=3)`, `.update({"age": User.age + 1})`.
    #[pyo3(signature = (values = None, **more))]
    fn update(
        &self,
        py: Python<'_>,
        values: Option<&Bound<'_, PyDict>>,
        more: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Operation> {
        let mut assignments = Vec::new();
        let all = PyDict::new(py);
        for given in [values, more].into_iter().flatten() {
            all.update(given.as_mapping())?;
        }
        if all.is_empty() {
            return Err(PyValueError::new_err("an update needs at least one field: `.update(age=3)`"));
        }
        for (name, value) in all.iter() {
            let field = match name.cast::<Expression>() {
                Ok(field) => Py::new(py, crate::expression::field(&self.root(py), field.get().name_of()?)?)?,
                Err(_) => {
                    let name = name.extract::<String>()?;
                    if let Some(values) = self.0.root.embedded_values(&name, &value)? {
                        assignments.extend(values.into_iter().map(|(field, value)| (field, Expr::Literal(value))));
                        continue;
                    }
                    Py::new(py, crate::expression::field(&self.root(py), &name)?)?
                }
            };
            let field = field.bind(py).get();
            assignments.push((field.field.unwrap_or_default(), field.operand(&value)?));
        }
        let query = Arc::clone(&self.0);
        let start: Start = begun_by(move |py| {
            let missing = query.handle.missing(py, &[&query.root])?;
            let (query, assignments) = (Arc::clone(&query), assignments.clone());
            Ok(Box::pin(async move {
                query.handle.prepare(missing).await?;
                query.handle.check(&query.root)?;
                let db = query.handle.db().await?;
                let count = query.of(&db)?.update(assignments).await?;
                Ok(Box::new(move |py: Python<'_>| Ok(count.into_pyobject(py)?.into_any().unbind())) as Finish)
            }))
        });
        Ok(Operation::new(Style::Result, start))
    }

    /// The rows in batches: see `ommi.results.Stream`.
    #[pyo3(signature = (batch = 512))]
    fn _batches(&self, batch: usize) -> Operation {
        let query = Arc::clone(&self.0);
        let start: Start = begun_by(move |py| {
            let missing = query.missing(py)?;
            let query = Arc::clone(&query);
            Ok(Box::pin(async move {
                query.prepare(missing).await?;
                let db = query.handle.db().await?;
                let batches = query.of(&db)?.batches().await?;
                Ok(Box::new(move |py: Python<'_>| {
                    Ok(Py::new(py, Batches::new(batches, db, query, batch.max(1)))?.into_any())
                }) as Finish)
            }))
        });
        Operation::new(Style::Raise, start)
    }

    /// The rows one after the other, in bounded memory: `async for user in query.stream():`.
    #[pyo3(signature = (batch = 512))]
    fn stream<'py>(slf: &Bound<'py, Self>, batch: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import("ommi.results")?.getattr("Stream")?.call1((slf.get()._batches(batch),))
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, all(&self.0, Style::QueryResult))?.call_method0(intern!(py, "__await__"))
    }

    /// `all`, with exceptions raised.
    fn or_raise(&self) -> Operation {
        all(&self.0, Style::Raise)
    }

    /// `all`, or `default` where it fails.
    #[pyo3(signature = (default, *, any_error = false))]
    fn or_use(&self, default: Py<PyAny>, any_error: bool) -> Operation {
        all(&self.0, Style::Use(default, any_error))
    }

    /// Only rows that pass other predicates too.
    #[pyo3(signature = (*predicates))]
    fn filter(&self, py: Python<'_>, predicates: &Bound<'_, PyTuple>) -> PyResult<Query> {
        self.changed(py, |query| query.restrict(conjunction(predicates)?))
    }

    #[pyo3(name = "where", signature = (*predicates))]
    fn where_(&self, py: Python<'_>, predicates: &Bound<'_, PyTuple>) -> PyResult<Query> {
        self.filter(py, predicates)
    }

    /// At most a number of rows, of a page that is counted from 0.
    #[pyo3(signature = (limit, page = 0))]
    fn limit(&self, py: Python<'_>, limit: u64, page: u64) -> PyResult<Query> {
        self.changed(py, |query| {
            query.limit = Some(limit);
            if page > 0 {
                query.offset = Some(page.saturating_mul(limit));
            }
            Ok(())
        })
    }

    /// A page of a number of rows; the first page is 0.
    fn page(&self, py: Python<'_>, page: u64, rows: u64) -> PyResult<Query> {
        self.limit(py, rows, page)
    }

    /// Without the first rows.
    fn offset(&self, py: Python<'_>, rows: u64) -> PyResult<Query> {
        self.changed(py, |query| {
            query.offset = Some(rows);
            Ok(())
        })
    }

    /// In an order; a second call adds orders of less weight.
    #[pyo3(signature = (*fields))]
    fn sort(&self, py: Python<'_>, fields: Vec<Py<Expression>>) -> PyResult<Query> {
        self.changed(py, |query| {
            for field in &fields {
                let field = field.bind(py).get();
                if field.model.as_ref().is_some_and(|model| !Arc::ptr_eq(model, &query.root)) {
                    return Err(PyTypeError::new_err(format!(
                        "rows of {} cannot be ordered by a field of another model",
                        query.root.def.name()
                    )));
                }
                query.order_by.push(field.order_by()?);
            }
            Ok(())
        })
    }

    #[pyo3(signature = (*fields))]
    fn order_by(&self, py: Python<'_>, fields: Vec<Py<Expression>>) -> PyResult<Query> {
        self.sort(py, fields)
    }

    /// Loads relations with the rows: `.with_(Author.books)`.
    #[pyo3(signature = (*relations))]
    fn with_(&self, py: Python<'_>, relations: &Bound<'_, PyTuple>) -> PyResult<Query> {
        self.changed(py, |query| {
            let mut with = With::parse(&query.root, relations)?;
            with.splice(..0, query.with.iter().cloned());
            query.with = with.into();
            Ok(())
        })
    }

    #[pyo3(signature = (*relations))]
    fn prefetch(&self, py: Python<'_>, relations: &Bound<'_, PyTuple>) -> PyResult<Query> {
        self.with_(py, relations)
    }

    /// Puts rows together; `select` says what each group gives.
    #[pyo3(signature = (*by))]
    fn group_by(&self, py: Python<'_>, by: Vec<Py<Expression>>) -> PyResult<Query> {
        self.changed(py, |query| {
            query.group_by.extend(Query::expressions(py, &query.root, &by)?.0);
            Ok(())
        })
    }

    /// Fields and expressions in place of instances: tuples, or instances of `into`, which is called
    /// with the values.
    #[pyo3(signature = (*what, into = None))]
    fn select(&self, py: Python<'_>, what: Vec<Py<Expression>>, into: Option<Py<PyAny>>) -> PyResult<Query> {
        if what.is_empty() {
            return Err(PyTypeError::new_err("`select` needs at least one field or expression"));
        }
        self.changed(py, |query| {
            let (expressions, codecs) = Query::expressions(py, &query.root, &what)?;
            query.output = Some(Arc::new(Output { expressions, codecs, into }));
            Ok(())
        })
    }

    /// Aggregates over all rows, as one tuple.
    #[pyo3(signature = (*what, into = None))]
    fn aggregate(&self, py: Python<'_>, what: Vec<Py<Expression>>, into: Option<Py<PyAny>>) -> PyResult<Operation> {
        if self.0.limit.is_some() || self.0.offset.is_some() || !self.0.order_by.is_empty() {
            return Err(PyTypeError::new_err(
                "`aggregate` takes all rows of the predicates: no order, limit or offset",
            ));
        }
        Ok(self.select(py, what, into)?.end(End::One))
    }

    /// Only groups that pass a predicate over aggregates.
    #[pyo3(signature = (*predicates))]
    fn having(&self, py: Python<'_>, predicates: &Bound<'_, PyTuple>) -> PyResult<Query> {
        self.changed(py, |query| {
            for predicate in predicates.iter_borrowed() {
                if let Some(tree) = tree_of(&predicate)? {
                    query.having = query.having.clone().and(tree.condition(&query.root)?);
                }
            }
            Ok(())
        })
    }

    /// Each different row once.
    fn distinct(&self, py: Python<'_>) -> PyResult<Query> {
        self.changed(py, |query| {
            query.distinct = true;
            Ok(())
        })
    }

    /// Refuses the query where the database cannot answer it by itself.
    fn strict(&self, py: Python<'_>) -> PyResult<Query> {
        self.changed(py, |query| {
            query.strict = true;
            Ok(())
        })
    }

    fn __repr__(&self) -> String {
        format!("<query of {}>", self.0.root.def.name())
    }
}

impl Query {
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.root.class.bind(py).clone().into_any()
    }
}
