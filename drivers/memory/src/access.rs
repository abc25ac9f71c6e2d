//! How a statement's rows are found, and how its model lies over the table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use ommi_core::evaluate::GroupKey;
use ommi_core::model::ModelDef;
use ommi_core::query::{Comparison, Condition, Expr, InList};
use ommi_core::value::Datum;
use ommi_core::{Error, Result};

use crate::capability::parts;
use crate::table::{Key, Row, Table};
use crate::view::View;

/// What a condition says of the rows that it can hold for.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Fields that must equal constants.
    equal: Vec<(u16, Expr)>,
    /// Fields that must be among constants.
    among: Vec<(u16, InList)>,
}

impl Access {
    /// What a condition says.
    pub(crate) fn of(condition: &Condition) -> Self {
        let mut access = Access::default();
        let is_constant = |expr: &Expr| matches!(expr, Expr::Literal(_) | Expr::Parameter(_));
        for part in parts(condition) {
            match part {
                Condition::Compare { operator: Comparison::Eq, left: Expr::Field(field), right: value }
                | Condition::Compare { operator: Comparison::Eq, left: value, right: Expr::Field(field) }
                    if is_constant(value) =>
                {
                    access.equal.push((*field, value.clone()));
                }
                Condition::In { expr: Expr::Field(field), list, negated: false } => {
                    let constant = match list {
                        InList::Values(values) => values.iter().all(is_constant),
                        InList::Whole(list) => is_constant(list),
                    };
                    if constant {
                        access.among.push((*field, list.clone()));
                    }
                }
                _ => {}
            }
        }
        access
    }

    /// The rows that the condition can hold for, found by key or index; `None` if all rows must be
    /// looked at.
    pub(crate) fn rows(&self, view: View<'_>, layout: &Layout, parameters: &[Datum]) -> Option<Vec<Row>> {
        let keys = self.keys(view, layout, parameters)?;
        Some(keys.iter().filter_map(|key| view.get(key)).cloned().collect())
    }

    fn keys(&self, view: View<'_>, layout: &Layout, parameters: &[Datum]) -> Option<Vec<Key>> {
        let key = std::iter::once(view.table.model.key());
        let indexes = view.table.indexes.iter().filter(|index| index.condition.is_none());
        let unique = indexes.clone().filter(|index| index.unique);
        let others = indexes.filter(|index| !index.unique);
        let candidates =
            key.chain(unique.chain(others).map(|index| &*index.fields)).filter(|fields| !fields.is_empty());
        for fields in candidates {
            let values: Option<Vec<&Datum>> = fields
                .iter()
                .map(|field| {
                    let (_, expr) = self.equal.iter().find(|(of, _)| layout.field(*of) == Some(*field))?;
                    constant(expr, parameters)
                })
                .collect();
            if let Some(values) = values {
                // a comparison with null holds for no row
                if values.iter().any(|value| value.is_null()) {
                    return Some(Vec::new());
                }
                return view.find_by(fields, &values.into_iter().map(GroupKey::new).collect());
            }
            if let [field] = fields
                && let Some((_, list)) = self.among.iter().find(|(of, _)| layout.field(*of) == Some(*field))
            {
                let wanted: BTreeSet<GroupKey> = match list {
                    InList::Values(values) => values
                        .iter()
                        .map(|value| constant(value, parameters).map(GroupKey::new))
                        .collect::<Option<_>>()?,
                    InList::Whole(list) => match constant(list, parameters)? {
                        Datum::List(items) => items.iter().map(GroupKey::new).collect(),
                        _ => return None,
                    },
                };
                let found = wanted.into_iter().map(|value| view.find_by(fields, &Key::from_iter([value])));
                return Some(found.collect::<Option<Vec<_>>>()?.concat());
            }
        }
        None
    }
}

fn constant<'a>(expr: &'a Expr, parameters: &'a [Datum]) -> Option<&'a Datum> {
    match expr {
        Expr::Literal(value) => Some(value),
        Expr::Parameter(index) => parameters.get(usize::from(*index)),
        _ => None,
    }
}

/// How the fields of a statement's model lie in the table, which may have been created for another
/// model that fits.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The table's field for each of the model's; absent where they are the same.
    fields: Option<Vec<u16>>,
}

impl Layout {
    /// The layout of a model over a table.
    ///
    /// # Errors
    ///
    /// `Schema` if the table lacks a field of the model.
    pub(crate) fn new(model: &Arc<ModelDef>, table: &Table) -> Result<Self> {
        let columns = |model: &ModelDef| model.fields().iter().map(|field| field.column.clone()).collect::<Vec<_>>();
        if model.id() == table.model.id() || columns(model) == columns(&table.model) {
            return Ok(Layout { fields: None });
        }
        let place = |column: &str| {
            let found = (0..).zip(table.model.fields()).find(|(_, field)| *field.column == *column);
            found.map(|(index, _)| index).ok_or_else(|| {
                Error::schema(format!("the table `{}` has no column `{column}`", model.table()))
                    .with_model(model.name())
            })
        };
        let fields = model.fields().iter().map(|field| place(&field.column)).collect::<Result<_>>()?;
        Ok(Layout { fields: Some(fields) })
    }

    /// Whether the model has just the fields of the table.
    pub(crate) fn is_whole(&self) -> bool {
        self.fields.is_none()
    }

    /// The table's field for one of the model's.
    pub(crate) fn field(&self, field: u16) -> Option<u16> {
        match &self.fields {
            None => Some(field),
            Some(fields) => fields.get(usize::from(field)).copied(),
        }
    }

    /// A row of the table as the model sees it.
    pub(crate) fn seen(&self, row: &Row) -> Row {
        match &self.fields {
            None => Arc::clone(row),
            Some(fields) => {
                fields.iter().map(|field| row.get(usize::from(*field)).cloned().unwrap_or_default()).collect()
            }
        }
    }

    /// A row of the model as the table stores it; what the model lacks is kept from the old row, or
    /// takes its default.
    pub(crate) fn stored<'a>(&self, table: &Table, new: &'a [Datum], old: Option<&[Datum]>) -> Cow<'a, [Datum]> {
        let Some(fields) = &self.fields else { return Cow::Borrowed(new) };
        let stored = (0..).zip(table.model.fields()).map(|(index, field): (u16, _)| {
            let of_model = fields.iter().position(|of| *of == index).and_then(|at| new.get(at));
            let kept = || old.and_then(|old| old.get(usize::from(index)));
            of_model.or_else(kept).or(field.default.as_ref()).cloned().unwrap_or_default()
        });
        Cow::Owned(stored.collect())
    }
}
