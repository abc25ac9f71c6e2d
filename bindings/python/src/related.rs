//! Predicates over related rows: the rows whose key is that of a related row that passes a predicate.
//!
//! The related rows are asked for first, and their keys become a list of the query: what a database
//! would do by a semi-join, on every database alike.

use std::sync::Arc;

use ommi::driver::BoxFuture;
use ommi::query::{Comparison, Condition, Expr};
use ommi::value::{Datum, ValueType};
use ommi::{Db, Result};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arena::RowsOf;
use crate::model::{ModelOf, model_of};
use crate::predicate::{Group, Tree, conjunction};

/// The way from a model's rows to related ones, and what these have to pass.
#[derive(Debug)]
pub(crate) struct Related {
    pub(crate) model: Arc<ModelOf>,
    source: Vec<u16>,
    target: Arc<ModelOf>,
    /// The fields of the related rows, or of the rows in between, that hold what `source` does.
    near: Vec<u16>,
    /// The model in between, its fields that lead to the related rows, and theirs.
    through: Option<(Arc<ModelOf>, Vec<u16>, Vec<u16>)>,
    tree: Option<Tree>,
}

fn indexes(model: &ModelOf, names: &[String]) -> PyResult<Vec<u16>> {
    names.iter().map(|name| model.index_of(name)).collect()
}

/// What Python knows of the way from a model to another: `Path._parts`.
type Parts<'py> = (Bound<'py, PyAny>, Vec<String>, Vec<String>, Option<Bound<'py, PyAny>>, Vec<String>, Vec<String>);

impl Related {
    /// The way that Python found.
    fn new(model: &Bound<'_, PyAny>, parts: Parts<'_>, tree: Option<Tree>) -> PyResult<Related> {
        let (target, source, near, association, far, end) = parts;
        let (model, target) = (model_of(model)?, model_of(&target)?);
        let between = association.map(|association| model_of(&association)).transpose()?;
        let near = indexes(between.as_ref().unwrap_or(&target), &near)?;
        let through = match between {
            Some(between) => {
                let far = indexes(&between, &far)?;
                Some((between, far, indexes(&target, &end)?))
            }
            None => None,
        };
        let tree = tree.map(|tree| tree.rooted(&target)).transpose()?;
        Ok(Related { source: indexes(&model, &source)?, model, target, near, through, tree })
    }

    /// The way from a model to another that a predicate names, by the reference between them.
    pub(crate) fn by_reference(
        py: Python<'_>,
        root: &Arc<ModelOf>,
        other: &Arc<ModelOf>,
        tree: Option<Tree>,
    ) -> PyResult<Related> {
        let relations = py.import("ommi.models.relations")?;
        let parts = relations.getattr("_parts_between")?.call1((root.class.bind(py), other.class.bind(py)))?;
        Related::new(root.class.bind(py).as_any(), parts.extract()?, tree)
    }

    /// The condition on the rows of the model.
    fn condition<'a>(&'a self, db: &'a Db) -> BoxFuture<'a, Result<Condition>> {
        Box::pin(async move {
            let passing = match &self.tree {
                Some(tree) => tree.resolve(db).await?,
                None => Condition::Const(true),
            };
            let keys = match &self.through {
                None => values(db, &self.target, passing, &self.near).await?,
                Some((between, far, end)) => {
                    let ends = values(db, &self.target, passing, end).await?;
                    values(db, between, is_one_of(between, far, ends), &self.near).await?
                }
            };
            Ok(is_one_of(&self.model, &self.source, keys))
        })
    }
}

/// The different values of some fields in the rows that pass a condition.
async fn values(db: &Db, model: &Arc<ModelOf>, condition: Condition, fields: &[u16]) -> Result<Vec<Vec<Datum>>> {
    let types: Vec<ValueType> =
        fields.iter().filter_map(|field| model.def.field(*field).map(|field| field.value_type.clone())).collect();
    let query = db.model(&model.def).find(condition).select(fields.iter().map(|field| Expr::Field(*field))).distinct();
    let rows = query.read_into(RowsOf::new(types.into(), None, usize::MAX), "find").await?;
    let row = |row: usize| -> Vec<Datum> {
        (0..fields.len()).map(|column| Datum::from_cell(rows.arena.cell(row, column))).collect()
    };
    // null is nobody's key
    Ok((0..rows.arena.rows()).map(row).filter(|values| !values.iter().any(Datum::is_null)).collect())
}

/// The condition that some fields have one of several values together; false where one is null.
fn is_one_of(model: &ModelOf, fields: &[u16], keys: Vec<Vec<Datum>>) -> Condition {
    let nullable = fields.iter().filter(|field| model.def.field(**field).is_some_and(|field| field.nullable));
    let present = nullable
        .map(|field| Condition::IsNull { expr: Expr::Field(*field), negated: true })
        .fold(Condition::Const(true), Condition::and);
    let one = match fields {
        [field] => Condition::is_in(Expr::Field(*field), keys.into_iter().flatten().map(Expr::Literal)),
        fields => {
            let all = |key: Vec<Datum>| {
                let equal = |(field, value): (&u16, Datum)| {
                    Condition::compare(Expr::Field(*field), Comparison::Eq, Expr::Literal(value))
                };
                fields.iter().zip(key).map(equal).fold(Condition::Const(true), Condition::and)
            };
            keys.into_iter().map(all).fold(Condition::Const(false), Condition::or)
        }
    };
    present.and(one)
}

impl Tree {
    /// Whether related rows have to be asked for.
    pub(crate) fn is_related(&self) -> bool {
        match self {
            Tree::Related(_) => true,
            Tree::Leaf(..) | Tree::Model(_) => false,
            Tree::And(parts) | Tree::Or(parts) => parts.iter().any(Tree::is_related),
            Tree::Not(part) => part.is_related(),
        }
    }

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

    /// The condition on the rows of a model, for which related rows are asked for.
    pub(crate) fn resolve<'a>(&'a self, db: &'a Db) -> BoxFuture<'a, Result<Condition>> {
        Box::pin(async move {
            Ok(match self {
                Tree::Leaf(_, condition) => condition.clone(),
                Tree::Model(_) => Condition::Const(true),
                Tree::Related(related) => related.condition(db).await?,
                Tree::And(parts) => {
                    let mut all = Condition::Const(true);
                    for part in parts {
                        all = all.and(part.resolve(db).await?);
                    }
                    all
                }
                Tree::Or(parts) => {
                    let mut any = Condition::Const(false);
                    for part in parts {
                        any = any.or(part.resolve(db).await?);
                    }
                    any
                }
                Tree::Not(part) => Condition::Not(Box::new(part.resolve(db).await?)),
            })
        })
    }
}

fn over(root: &Arc<ModelOf>, model: &Arc<ModelOf>, tree: Tree) -> PyResult<Tree> {
    Python::attach(|py| Ok(Tree::Related(Arc::new(Related::by_reference(py, root, model, Some(tree))?))))
}

/// The predicate that a relation of a model leads to a row that passes predicates.
#[pyfunction]
#[pyo3(signature = (model, parts, *predicates))]
pub(crate) fn related(
    model: &Bound<'_, PyAny>,
    parts: &Bound<'_, PyTuple>,
    predicates: &Bound<'_, PyTuple>,
) -> PyResult<Group> {
    for predicate in predicates.iter_borrowed() {
        if let Ok(group) = predicate.cast::<Group>()
            && (group.get().limit.is_some() || !group.get().sorting.is_empty())
        {
            return Err(PyTypeError::new_err("related rows have no limit and no order"));
        }
    }
    let related = Related::new(model, parts.extract()?, conjunction(predicates)?)?;
    let mut group = Group::empty();
    group.tree = Some(Tree::Related(Arc::new(related)));
    Ok(group)
}
