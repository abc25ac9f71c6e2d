//! Predicates, as immutable values: comparisons, and groups of them with limit and order.

use std::sync::Arc;

use ommi::query::Condition;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyTuple, PyType};

use crate::expression::Expression;
use crate::model::{ModelOf, model_of};

/// A condition over the fields of one model or several.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// A condition on the rows of a model; without a model, on groups.
    Leaf(Option<Arc<ModelOf>>, Condition),
    /// All rows of a model.
    Model(Arc<ModelOf>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
}

impl Tree {
    /// The first model that is named.
    pub(crate) fn model(&self) -> Option<&Arc<ModelOf>> {
        match self {
            Tree::Leaf(model, _) => model.as_ref(),
            Tree::Model(model) => Some(model),
            Tree::And(parts) | Tree::Or(parts) => parts.iter().find_map(Tree::model),
            Tree::Not(part) => part.model(),
        }
    }

    /// The condition on the rows of a model.
    pub(crate) fn condition(&self, root: &Arc<ModelOf>) -> PyResult<Condition> {
        match self {
            Tree::Leaf(None, condition) => Ok(condition.clone()),
            Tree::Leaf(Some(model), condition) if Arc::ptr_eq(model, root) => Ok(condition.clone()),
            Tree::Model(model) if Arc::ptr_eq(model, root) => Ok(Condition::Const(true)),
            Tree::Leaf(Some(model), _) | Tree::Model(model) => Err(other_model(root, model)),
            Tree::And(parts) => {
                let mut all = Condition::Const(true);
                for part in parts {
                    all = all.and(part.condition(root)?);
                }
                Ok(all)
            }
            Tree::Or(parts) => {
                let parts = parts.iter().map(|part| part.condition(root)).collect::<PyResult<Vec<_>>>()?;
                Ok(parts.into_iter().reduce(Condition::or).unwrap_or(Condition::Const(true)))
            }
            Tree::Not(part) => Ok(Condition::Not(Box::new(part.condition(root)?))),
        }
    }
}

#[cold]
fn other_model(root: &ModelOf, model: &ModelOf) -> PyErr {
    PyTypeError::new_err(format!(
        "the query is of {}, and a predicate of {} cannot be joined to it: no reference leads from one to the other",
        root.def.name(),
        model.def.name()
    ))
}

/// A comparison of a field or an expression with a value.
#[pyclass(frozen, module = "ommi._core", name = "ASTComparisonNode")]
pub(crate) struct Compared {
    pub(crate) tree: Tree,
    left: Py<PyAny>,
    right: Py<PyAny>,
    operator: &'static str,
}

impl Compared {
    pub(crate) fn new(tree: Tree, left: Py<PyAny>, right: Py<PyAny>, operator: &'static str) -> Self {
        Compared { tree, left, right, operator }
    }
}

/// Several predicates with `and` or `or` between them, a limit and an order.
#[pyclass(frozen, module = "ommi._core", name = "ASTGroupNode")]
pub(crate) struct Group {
    pub(crate) tree: Option<Tree>,
    /// The parts, each with the operator before it.
    items: Vec<(bool, Py<PyAny>)>,
    pub(crate) limit: Option<u64>,
    pub(crate) page: u64,
    pub(crate) offset: Option<u64>,
    pub(crate) sorting: Vec<Py<Expression>>,
}

/// A part of a predicate as a tree; `None` for an empty group.
pub(crate) fn tree_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Tree>> {
    if let Ok(compared) = value.cast::<Compared>() {
        return Ok(Some(compared.get().tree.clone()));
    }
    if let Ok(group) = value.cast::<Group>() {
        return Ok(group.get().tree.clone());
    }
    if let Ok(constant) = value.cast_exact::<PyBool>() {
        return Ok(Some(Tree::Leaf(None, Condition::Const(constant.is_true()))));
    }
    if let Ok(expression) = value.cast::<Expression>() {
        let expression = expression.get();
        return match (&expression.expr, &expression.model) {
            (None, Some(model)) => Ok(Some(Tree::Model(Arc::clone(model)))),
            _ if matches!(&*expression.codec, crate::value::Codec::Bool) => {
                // a field of booleans is a predicate by itself
                let condition = Condition::Compare {
                    operator: ommi::query::Comparison::Eq,
                    left: expression.expr()?.clone(),
                    right: ommi::query::Expr::Literal(ommi::value::Datum::Bool(true)),
                };
                Ok(Some(Tree::Leaf(expression.model.clone(), condition)))
            }
            _ => Err(PyTypeError::new_err(format!("{} is no predicate: compare it with something", value.repr()?))),
        };
    }
    if value.is_instance_of::<PyType>() {
        return Ok(Some(Tree::Model(model_of(value)?)));
    }
    Err(crate::error::wrong_type("a predicate, such as `User.age > 18`, or a model", value))
}

/// All predicates together.
pub(crate) fn conjunction(values: &Bound<'_, PyTuple>) -> PyResult<Option<Tree>> {
    let mut parts = Vec::with_capacity(values.len());
    for value in values.iter_borrowed() {
        parts.extend(tree_of(&value)?);
    }
    Ok(match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Tree::And(parts)),
    })
}

/// What a predicate says besides its condition.
fn joined(left: &Bound<'_, PyAny>, right: &Bound<'_, PyAny>, is_or: bool) -> PyResult<Group> {
    let (first, second) = (tree_of(left)?, tree_of(right)?);
    let mut group = match left.cast::<Group>() {
        Ok(group) => group.get().copy(left.py()),
        Err(_) => Group::empty(),
    };
    if let Ok(other) = right.cast::<Group>() {
        let other = other.get();
        if other.limit.is_some() || other.offset.is_some() || !other.sorting.is_empty() {
            return Err(PyValueError::new_err("a limit or an order belongs to the whole query, not to a part of it"));
        }
    }
    group.items = vec![(false, left.clone().unbind()), (is_or, right.clone().unbind())];
    group.tree = match (first, second) {
        (Some(first), Some(second)) if is_or => Some(Tree::Or(vec![first, second])),
        (Some(first), Some(second)) => Some(Tree::And(vec![first, second])),
        (first, second) => first.or(second),
    };
    Ok(group)
}

/// A group of predicates that all hold; a model among them stands for all its rows.
#[pyfunction]
#[pyo3(signature = (*predicates))]
pub(crate) fn when(predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
    if let (1, Ok(only)) = (predicates.len(), predicates.get_item(0))
        && let Ok(group) = only.cast::<Group>()
    {
        return Ok(group.get().copy(predicates.py()));
    }
    let mut group = Group::empty();
    group.tree = conjunction(predicates)?;
    for predicate in predicates.iter() {
        if let Ok(inner) = predicate.cast::<Group>() {
            let inner = inner.get();
            group.limit = group.limit.or(inner.limit);
            group.offset = group.offset.or(inner.offset);
            group.page = group.page.max(inner.page);
            group.sorting.extend(inner.sorting.iter().map(|order| order.clone_ref(predicates.py())));
        }
        group.items.push((false, predicate.unbind()));
    }
    Ok(group)
}

impl Group {
    pub(crate) fn empty() -> Group {
        Group { tree: None, items: Vec::new(), limit: None, page: 0, offset: None, sorting: Vec::new() }
    }

    fn copy(&self, py: Python<'_>) -> Group {
        Group {
            tree: self.tree.clone(),
            items: self.items.iter().map(|(is_or, item)| (*is_or, item.clone_ref(py))).collect(),
            limit: self.limit,
            page: self.page,
            offset: self.offset,
            sorting: self.sorting.iter().map(|order| order.clone_ref(py)).collect(),
        }
    }

    /// The offset that the page and the offset come to.
    pub(crate) fn start(&self) -> Option<u64> {
        match (self.offset, self.page, self.limit) {
            (offset, 0, _) => offset,
            (offset, page, limit) => Some(offset.unwrap_or(0) + page.saturating_mul(limit.unwrap_or(0))),
        }
    }
}

/// A member of an enum of `ommi.query_ast`.
fn member<'py>(py: Python<'py>, class: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("ommi.query_ast")?.getattr(class)?.getattr(name)
}

#[pymethods]
impl Group {
    #[new]
    #[pyo3(signature = (items = None))]
    fn new(py: Python<'_>, items: Option<Bound<'_, PyAny>>) -> PyResult<Group> {
        match items {
            None => Ok(Group::empty()),
            Some(items) => {
                let predicates: Vec<Bound<'_, PyAny>> = items.try_iter()?.collect::<PyResult<_>>()?;
                when(&PyTuple::new(py, predicates)?)
            }
        }
    }

    /// The parts, with the operators between them.
    #[getter]
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (index, (is_or, item)) in self.items.iter().enumerate() {
            if index > 0 {
                list.append(member(py, "ASTLogicalOperatorNode", if *is_or { "OR" } else { "AND" })?)?;
            }
            let item = item.bind(py);
            match item.is_instance_of::<PyType>() {
                true => list.append(Expression::whole(model_of(item)?))?,
                false => list.append(item)?,
            }
        }
        Ok(list)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = PyList::empty(py);
        let items = self.items(py)?;
        let is_group = items.len() > 1;
        if is_group {
            all.append(member(py, "ASTGroupFlagNode", "OPEN")?)?;
        }
        for item in items.iter() {
            all.append(item)?;
        }
        if is_group {
            all.append(member(py, "ASTGroupFlagNode", "CLOSE")?)?;
        }
        Ok(all.try_iter()?.into_any())
    }

    /// The greatest number of rows; −1 without one.
    #[getter]
    fn max_results(&self) -> i64 {
        self.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1)
    }

    #[getter]
    fn results_page(&self) -> u64 {
        self.page
    }

    #[getter]
    fn results_offset(&self) -> Option<u64> {
        self.offset
    }

    #[getter]
    fn sorting(&self, py: Python<'_>) -> Vec<Py<Expression>> {
        self.sorting.iter().map(|order| order.clone_ref(py)).collect()
    }

    /// The model that the query is of.
    #[getter]
    fn model<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        Some(self.tree.as_ref()?.model()?.class.bind(py).clone().into_any())
    }

    /// At most a number of rows, of a page that is counted from 0.
    #[pyo3(signature = (limit, page = 0))]
    fn limit(&self, py: Python<'_>, limit: i64, page: u64) -> PyResult<Group> {
        let limit = match limit {
            -1 => None,
            limit => Some(
                u64::try_from(limit).map_err(|_| PyValueError::new_err("a limit is not negative; -1 means none"))?,
            ),
        };
        Ok(Group { limit, page, ..self.copy(py) })
    }

    /// Without the first rows.
    fn offset(&self, py: Python<'_>, rows: u64) -> Group {
        Group { offset: Some(rows), ..self.copy(py) }
    }

    /// In an order; a second call adds orders of less weight.
    #[pyo3(signature = (*fields))]
    fn sort(&self, py: Python<'_>, fields: Vec<Py<Expression>>) -> PyResult<Group> {
        let mut group = self.copy(py);
        group.sorting.extend(fields);
        Ok(group)
    }

    #[pyo3(signature = (*fields))]
    fn order_by(&self, py: Python<'_>, fields: Vec<Py<Expression>>) -> PyResult<Group> {
        self.sort(py, fields)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ASTGroupNode({})", self.items(py)?.repr()?))
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr() as isize >> 4
    }

    fn __richcmp__(
        &self,
        py: Python<'_>,
        other: &Bound<'_, PyAny>,
        operator: pyo3::basic::CompareOp,
    ) -> PyResult<bool> {
        let same = match other.cast::<Group>() {
            Ok(other) => {
                let other = other.get();
                same_tree(self.tree.as_ref(), other.tree.as_ref())
                    && (self.limit, self.start()) == (other.limit, other.start())
                    && self.orders(py) == other.orders(py)
            }
            Err(_) => false,
        };
        match operator {
            pyo3::basic::CompareOp::Eq => Ok(same),
            pyo3::basic::CompareOp::Ne => Ok(!same),
            _ => Err(PyTypeError::new_err("predicates have no order")),
        }
    }
}

impl Group {
    fn orders(&self, py: Python<'_>) -> Vec<Option<ommi::query::OrderBy>> {
        self.sorting.iter().map(|order| order.bind(py).get().order_by().ok()).collect()
    }
}

/// Whether two predicates say the same in the same words.
fn same_tree(left: Option<&Tree>, right: Option<&Tree>) -> bool {
    let same_parts = |left: &[Tree], right: &[Tree]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_tree(Some(left), Some(right)))
    };
    match (left, right) {
        (None, None) => true,
        (Some(Tree::Leaf(model, condition)), Some(Tree::Leaf(other, other_condition))) => {
            model.as_ref().map(|model| model.def.id()) == other.as_ref().map(|model| model.def.id())
                && condition == other_condition
        }
        (Some(Tree::Model(model)), Some(Tree::Model(other))) => Arc::ptr_eq(model, other),
        (Some(Tree::And(left)), Some(Tree::And(right))) | (Some(Tree::Or(left)), Some(Tree::Or(right))) => {
            same_parts(left, right)
        }
        (Some(Tree::Not(left)), Some(Tree::Not(right))) => same_tree(Some(left), Some(right)),
        _ => false,
    }
}

#[pymethods]
impl Compared {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("left", "right", "operator")
    }

    #[getter]
    fn left(&self, py: Python<'_>) -> Py<PyAny> {
        self.left.clone_ref(py)
    }

    /// The other side: a field, or a value in an `ASTLiteralNode`.
    #[getter]
    fn right<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let right = self.right.bind(py);
        match right.is_instance_of::<Expression>() {
            true => Ok(right.clone()),
            false => py.import("ommi.query_ast")?.getattr("ASTLiteralNode")?.call1((right,)),
        }
    }

    /// A member of `ASTOperatorNode`.
    #[getter]
    fn operator<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        member(py, "ASTOperatorNode", self.operator)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let parts = [self.left.bind(py).clone(), self.operator(py)?, self.right(py)?];
        Ok(PyTuple::new(py, parts)?.try_iter()?.into_any())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "ASTComparisonNode({}, {}, {})",
            self.left.bind(py).repr()?,
            self.right.bind(py).repr()?,
            self.operator
        ))
    }

    fn limit(slf: &Bound<'_, Self>, limit: i64, page: Option<u64>) -> PyResult<Group> {
        when(&PyTuple::new(slf.py(), [slf])?)?.limit(slf.py(), limit, page.unwrap_or(0))
    }

    fn offset(slf: &Bound<'_, Self>, rows: u64) -> PyResult<Group> {
        Ok(when(&PyTuple::new(slf.py(), [slf])?)?.offset(slf.py(), rows))
    }

    #[pyo3(signature = (*fields))]
    fn sort(slf: &Bound<'_, Self>, fields: Vec<Py<Expression>>) -> PyResult<Group> {
        when(&PyTuple::new(slf.py(), [slf])?)?.sort(slf.py(), fields)
    }

    #[pyo3(signature = (*fields))]
    fn order_by(slf: &Bound<'_, Self>, fields: Vec<Py<Expression>>) -> PyResult<Group> {
        Self::sort(slf, fields)
    }
}

/// The methods that comparisons and groups share.
macro_rules! connectives {
    ($class:ident) => {
        #[pymethods]
        impl $class {
            #[allow(non_snake_case, reason = "the name that Python programs use")]
            #[pyo3(signature = (*predicates))]
            fn And(slf: &Bound<'_, Self>, predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
                connect(slf.as_any(), predicates, false)
            }

            #[allow(non_snake_case, reason = "the name that Python programs use")]
            #[pyo3(signature = (*predicates))]
            fn Or(slf: &Bound<'_, Self>, predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
                connect(slf.as_any(), predicates, true)
            }

            #[pyo3(signature = (*predicates))]
            fn and_(slf: &Bound<'_, Self>, predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
                connect(slf.as_any(), predicates, false)
            }

            #[pyo3(signature = (*predicates))]
            fn or_(slf: &Bound<'_, Self>, predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
                connect(slf.as_any(), predicates, true)
            }

            fn __and__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Group> {
                joined(slf.as_any(), other, false)
            }

            fn __rand__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Group> {
                joined(other, slf.as_any(), false)
            }

            fn __or__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Group> {
                joined(slf.as_any(), other, true)
            }

            fn __ror__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Group> {
                joined(other, slf.as_any(), true)
            }

            fn __invert__(slf: &Bound<'_, Self>) -> PyResult<Group> {
                let mut group = Group::empty();
                group.items = vec![(false, slf.clone().into_any().unbind())];
                group.tree = tree_of(slf.as_any())?.map(|tree| Tree::Not(Box::new(tree)));
                Ok(group)
            }

            fn __bool__(&self) -> PyResult<bool> {
                Err(PyTypeError::new_err(
                    "a predicate has no truth value: use `&`, `|` and `~` in place of `and`, `or` and `not`",
                ))
            }
        }
    };
}

connectives!(Compared);
connectives!(Group);

fn connect(left: &Bound<'_, PyAny>, predicates: &Bound<'_, PyTuple>, is_or: bool) -> PyResult<Group> {
    let py = left.py();
    let right = match predicates.len() {
        0 => return Err(PyTypeError::new_err("at least one predicate is needed")),
        1 => predicates.get_item(0)?,
        _ => Bound::new(py, when(predicates)?)?.into_any(),
    };
    joined(left, &right, is_or)
}
