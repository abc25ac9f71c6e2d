//! The ways from models to related ones, and predicates over the rows that they lead to.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ommi::model::{Cardinality, Link};
use ommi::query::Condition;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::OrRaise;
use crate::model::{ModelOf, model_of};
use crate::predicate::{Group, Tree, conjunction};

/// The way from a model's rows to related ones.
#[derive(Debug)]
pub(crate) struct RouteOf {
    pub(crate) core: ommi::model::Route,
    pub(crate) source: Arc<ModelOf>,
    pub(crate) target: Arc<ModelOf>,
    /// Whether it led to many rows when it was last loaded with rows.
    pub(crate) has_many: AtomicBool,
}

/// The way from a model's rows to related ones, as Python holds it.
#[pyclass(frozen, module = "ommi._core")]
pub(crate) struct Route(pub(crate) Arc<RouteOf>);

fn indexes(model: &ModelOf, names: &[String]) -> PyResult<Vec<u16>> {
    names.iter().map(|name| model.index_of(name)).collect()
}

/// A model in between, its fields that lead to the related rows, and theirs.
type Between<'py> = (Bound<'py, PyAny>, Vec<String>, Vec<String>);

#[pymethods]
impl Route {
    /// The way from a model by its fields `source`, whose values are those of `near` in the related
    /// rows, or in those of the model in between.
    #[new]
    #[pyo3(signature = (name, many, model, target, source, near, between = None))]
    #[allow(clippy::too_many_arguments, reason = "Python alone calls this, with what it found of a relation")]
    fn new(
        py: Python<'_>,
        name: &str,
        many: bool,
        model: &Bound<'_, PyAny>,
        target: &Bound<'_, PyAny>,
        source: Vec<String>,
        near: Vec<String>,
        between: Option<Between<'_>>,
    ) -> PyResult<Route> {
        let (model, target) = (model_of(model)?, model_of(target)?);
        let from = indexes(&model, &source)?;
        let link = |source: &ModelOf, target: &ModelOf, from: Vec<u16>, to: Vec<u16>| {
            Link::new(&source.def, &target.def, from, to).map(Arc::new).or_raise(py)
        };
        let (first, second) = match between {
            None => (link(&model, &target, from, indexes(&target, &near)?)?, None),
            Some((between, far, end)) => {
                let between = model_of(&between)?;
                let first = link(&model, &between, from, indexes(&between, &near)?)?;
                (first, Some(link(&between, &target, indexes(&between, &far)?, indexes(&target, &end)?)?))
            }
        };
        let cardinality = if many { Cardinality::Many } else { Cardinality::Optional };
        let core = ommi::model::Route { name: name.into(), cardinality, first, second };
        Ok(Route(Arc::new(RouteOf { core, source: model, target, has_many: AtomicBool::new(false) })))
    }

    /// The fields of the model by which its rows find others.
    #[getter]
    fn source(&self) -> Vec<&str> {
        let of = &self.0;
        of.core.first.from().iter().map(|field| of.source.def.field_name(*field)).collect()
    }

    /// The predicate that the way leads to a row that passes predicates.
    #[pyo3(signature = (*predicates))]
    fn any(&self, predicates: &Bound<'_, PyTuple>) -> PyResult<Group> {
        for predicate in predicates.iter_borrowed() {
            if let Ok(group) = predicate.cast::<Group>()
                && (group.get().limit.is_some() || !group.get().sorting.is_empty())
            {
                return Err(PyTypeError::new_err("related rows have no limit and no order"));
            }
        }
        let mut group = Group::empty();
        group.tree = Some(self.0.leads_to(conjunction(predicates)?)?);
        Ok(group)
    }
}

impl RouteOf {
    /// Whether a row finds any number of others, and not one.
    pub(crate) fn is_many(&self) -> bool {
        self.core.cardinality == Cardinality::Many
    }

    /// The predicate that the way leads to a row that passes another.
    fn leads_to(&self, tree: Option<Tree>) -> PyResult<Tree> {
        let mut condition = match tree {
            Some(tree) => tree.rooted(&self.target)?.condition(&self.target)?,
            None => Condition::Const(true),
        };
        for link in self.core.second.iter().chain([&self.core.first]) {
            condition = Condition::Related { link: Arc::clone(link), condition: Box::new(condition) };
        }
        Ok(Tree::Leaf(Some(Arc::clone(&self.source)), condition))
    }
}

impl Tree {
    /// The same predicate on the rows of one model: parts of other models become parts over related
    /// rows, those of the same model that hold together over the same related row.
    pub(crate) fn rooted(self, root: &Arc<ModelOf>) -> PyResult<Tree> {
        let is_own = |tree: &Tree| match tree.model() {
            Some(model) => Arc::ptr_eq(model, root),
            None => true,
        };
        match self {
            Tree::And(parts) => {
                let mut own = Vec::new();
                let mut others: Vec<(Arc<ModelOf>, Vec<Tree>)> = Vec::new();
                for part in parts {
                    let other = part.model().filter(|_| !is_own(&part)).cloned();
                    match other {
                        None => own.push(part.rooted(root)?),
                        Some(model) => match others.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &model)) {
                            Some((_, parts)) => parts.push(part),
                            None => others.push((model, vec![part])),
                        },
                    }
                }
                for (model, parts) in others {
                    own.push(over(root, &model, Tree::And(parts))?);
                }
                Ok(Tree::And(own))
            }
            Tree::Or(parts) => Ok(Tree::Or(parts.into_iter().map(|part| part.rooted(root)).collect::<PyResult<_>>()?)),
            Tree::Not(part) => Ok(Tree::Not(Box::new(part.rooted(root)?))),
            leaf if is_own(&leaf) => Ok(leaf),
            leaf => match leaf.model().cloned() {
                Some(model) => over(root, &model, leaf),
                None => Ok(leaf),
            },
        }
    }
}

/// A predicate on the rows of a model over those of another, by the reference between the two.
fn over(root: &Arc<ModelOf>, other: &Arc<ModelOf>, tree: Tree) -> PyResult<Tree> {
    Python::attach(|py| {
        let between = py.import("ommi.models.relations")?.getattr("_route_between")?;
        let route = between.call1((root.class.bind(py), other.class.bind(py)))?;
        route.cast::<Route>()?.get().0.leads_to(Some(tree))
    })
}
