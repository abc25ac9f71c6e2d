//! The tables as a statement sees them, and what it finds in others than its own.

use std::collections::HashMap;
use std::sync::Arc;

use ommi_core::Result;
use ommi_core::evaluate::{Related, select_related};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::SelectStatement;
use ommi_core::query::{Condition, Expr, RelatedNode};
use ommi_core::value::Datum;

use crate::access::{Access, Layout};
use crate::capability::parts;
use crate::overlay::Overlay;
use crate::table::{Row, Table, Tables, key_of};
use crate::view::View;

/// The tables under the changes of a transaction, if there are any.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) overlay: Option<&'a Overlay>,
}

impl<'a> Seen<'a> {
    /// The table of a model, and what is seen of it.
    ///
    /// # Errors
    ///
    /// `Schema` if there is none.
    pub(crate) fn table(self, model: &ModelDef) -> Result<(&'a Arc<Table>, View<'a>)> {
        let table = self.tables.named(model.table())?;
        let changes = self.overlay.and_then(|overlay| overlay.changes(table.id));
        Ok((table, View { table, changes }))
    }

    /// The rows of a model for which a condition can hold, as the model sees them.
    fn rows(self, model: &Arc<ModelDef>, condition: &Condition, parameters: &[Datum]) -> Result<Vec<Row>> {
        let (table, view) = self.table(model)?;
        let layout = Layout::new(model, table)?;
        Ok(match Access::of(condition).rows(view, &layout, parameters) {
            Some(rows) => rows.iter().map(|row| layout.seen(row)).collect(),
            None => view.rows().map(|row| layout.seen(row)).collect(),
        })
    }

    /// What a select asks of related rows.
    ///
    /// # Errors
    ///
    /// The evaluator's, and `Schema` if a table is not there.
    pub(crate) fn related(self, select: &SelectStatement, parameters: &[Datum]) -> Result<Related> {
        let mut nodes = Vec::new();
        select.each_related(&mut |node| nodes.push(node));
        self.answers(&nodes, parameters)
    }

    /// What a condition asks of related rows.
    ///
    /// # Errors
    ///
    /// As for [`Seen::related`].
    pub(crate) fn related_to(self, condition: &Condition, parameters: &[Datum]) -> Result<Related> {
        let mut nodes = Vec::new();
        condition.each_related(&mut |node| nodes.push(node));
        self.answers(&nodes, parameters)
    }

    fn answers(self, nodes: &[RelatedNode<'_>], parameters: &[Datum]) -> Result<Related> {
        let mut related = Related::default();
        for node in nodes {
            if related.knows(node) {
                continue;
            }
            let select = Related::select(node, parameters);
            let inner = self.related(&select, &[])?;
            let rows = self.rows(&select.model, &select.condition, &[])?;
            related.insert(node, parameters, select_related(&select, &[], &inner, rows)?)?;
        }
        Ok(related)
    }

    /// The rows of a select with the fields of those that they are joined with behind their own.
    ///
    /// # Errors
    ///
    /// `Schema` if a table is not there.
    pub(crate) fn joined(
        self,
        select: &SelectStatement,
        parameters: &[Datum],
        rows: impl Iterator<Item = Row>,
    ) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = rows.collect();
        for (place, join) in (0..).zip(select.joins()) {
            let link = &join.link;
            let condition = of_join(&select.condition, place);
            let mut targets: HashMap<_, Vec<Row>> = HashMap::new();
            for target in self.rows(link.target(), &condition, parameters)? {
                if let Some(key) = key_of(link.to(), &target)
                    && link.kind().is_none_or(|kind| !kind.of_target || is_text(&target, kind.field, &kind.value))
                {
                    targets.entry(key).or_default().push(target);
                }
            }
            let mut pairs = Vec::new();
            for row in rows {
                if link.kind().is_some_and(|kind| !kind.of_target && !is_text(&row, kind.field, &kind.value)) {
                    continue;
                }
                let found = key_of(link.from(), &row).and_then(|key| targets.get(&key));
                pairs.extend(found.into_iter().flatten().map(|target| row.iter().chain(&**target).cloned().collect()));
            }
            rows = pairs;
        }
        Ok(rows)
    }
}

fn is_text(row: &[Datum], field: u16, text: &str) -> bool {
    matches!(row.get(usize::from(field)), Some(Datum::Text(value)) if **value == *text)
}

/// What a condition says of the rows of a join by which they can be found.
fn of_join(condition: &Condition, place: u16) -> Condition {
    let field = |expr: &Expr| match expr {
        Expr::Joined { join, field, .. } if *join == place => Some(Expr::Field(*field)),
        _ => None,
    };
    parts(condition).into_iter().fold(Condition::Const(true), |all, part| match part {
        Condition::In { expr, list, negated } => match field(expr) {
            Some(expr) => all.and(Condition::In { expr, list: list.clone(), negated: *negated }),
            None => all,
        },
        Condition::Compare { operator, left, right: right @ (Expr::Parameter(_) | Expr::Literal(_)) } => {
            match field(left) {
                Some(left) => all.and(Condition::Compare { operator: *operator, left, right: right.clone() }),
                None => all,
            }
        }
        _ => all,
    })
}
