//! Which statements touch one row.

use ommi_core::ModelDef;
use ommi_core::query::statement::Statement;
use ommi_core::query::{AggregateFunction, Comparison, Condition, Expr};

/// Whether a statement finds one row by its key or by a unique group.
pub(crate) fn is_short(statement: &Statement) -> bool {
    match statement {
        Statement::Select(select) => {
            !select.is_grouped() && select.extras.is_none() && finds_one(&select.model, &select.condition)
        }
        Statement::Update(update) => finds_one(&update.model, &update.condition),
        Statement::Delete(delete) => finds_one(&delete.model, &delete.condition),
        Statement::Insert(_) => true,
    }
}

/// Whether a write of one row takes no longer than to find it.
///
/// A deletion, and a change of what others may reference, look for the referencing rows, for which
/// there may be no index.
pub(crate) fn is_quick(statement: &Statement) -> bool {
    match statement {
        Statement::Select(_) | Statement::Delete(_) => false,
        Statement::Insert(_) => true,
        Statement::Update(update) => {
            let model = &*update.model;
            finds_one(model, &update.condition)
                && !update.assignments.iter().any(|(field, _)| {
                    model.is_key(*field)
                        || model.unique_groups().any(|group| group.fields.iter().any(|(other, _)| other == field))
                })
        }
    }
}

/// Whether a statement counts all rows, which SQLite does in one step however many there are.
pub(crate) fn is_one_step(statement: &Statement) -> bool {
    let Statement::Select(select) = statement else { return false };
    let counts = |expr: &Expr| matches!(expr, Expr::Aggregate { function: AggregateFunction::Count, of: None, .. });
    select.group_by.is_empty()
        && select.joins().is_empty()
        && select.condition == Condition::Const(true)
        && select.output.iter().any(counts)
}

/// The fields that a statement writes.
pub(crate) fn written(statement: &Statement) -> Vec<u16> {
    match statement {
        Statement::Select(_) | Statement::Delete(_) => Vec::new(),
        Statement::Insert(insert) => (0..).take(insert.model.fields().len()).collect(),
        Statement::Update(update) => update.assignments.iter().map(|(field, _)| *field).collect(),
    }
}

fn finds_one(model: &ModelDef, condition: &Condition) -> bool {
    // how many related rows are looked at is not known
    if condition.is_across() {
        return false;
    }
    let mut fixed = Vec::new();
    fixed_fields(condition, &mut fixed);
    let is_fixed = |fields: &[u16]| !fields.is_empty() && fields.iter().all(|field| fixed.contains(field));
    is_fixed(model.key())
        || model
            .unique_groups()
            .filter(|group| group.condition.is_none())
            .any(|group| is_fixed(&group.fields.iter().map(|(field, _)| *field).collect::<Vec<_>>()))
}

/// The fields that a condition holds to one value.
fn fixed_fields(condition: &Condition, fixed: &mut Vec<u16>) {
    match condition {
        Condition::Compare { operator: Comparison::Eq, left, right } => match (left, right) {
            (Expr::Field(field), Expr::Parameter(_) | Expr::Literal(_))
            | (Expr::Parameter(_) | Expr::Literal(_), Expr::Field(field)) => fixed.push(*field),
            _ => {}
        },
        Condition::And(all) => all.iter().for_each(|part| fixed_fields(part, fixed)),
        _ => {}
    }
}
