//! Making a failing case smaller.

use std::collections::HashSet;
use std::sync::Arc;

use ommi::query::{Condition, Expr, InList, LimitBy};
use ommi::value::Datum;

use super::action::{Action, Selection};
use super::table::Table;
use super::value::simpler;

/// Cases that are a step smaller than one, the greatest steps first.
pub(super) fn smaller(table: &Table, action: &Action) -> Vec<(Table, Action)> {
    let mut all: Vec<(Table, Action)> = Vec::new();
    let rows = table.rows.len();
    let mut size = rows.div_ceil(2);
    while size > 0 {
        for from in (0..rows).step_by(size) {
            let kept = table.rows.iter().enumerate().filter(|(at, _)| !(from..from + size).contains(at));
            let rows = kept.map(|(_, row)| row.clone()).collect();
            all.push((Table { rows, ..table.clone() }, action.clone()));
        }
        size /= 2;
    }
    for (place, rows) in table.others.iter().enumerate() {
        let mut size = rows.len().div_ceil(2);
        while size > 0 {
            for from in (0..rows.len()).step_by(size) {
                let kept = rows.iter().enumerate().filter(|(at, _)| !(from..from + size).contains(at));
                let kept: Vec<Vec<Datum>> = kept.map(|(_, row)| row.clone()).collect();
                let mut table = table.clone();
                if let Some(rows) = table.others.get_mut(place) {
                    *rows = kept;
                }
                all.push((table, action.clone()));
            }
            size /= 2;
        }
    }
    all.extend(smaller_actions(action).into_iter().map(|action| (table.clone(), action)));
    // a family has its models already
    if table.family.is_none() && (table.unique.is_some() || table.index.is_some()) {
        all.push((Table { unique: None, index: None, ..table.clone() }, action.clone()));
    }
    if table.family.is_none() {
        all.extend((0..table.columns.len()).rev().filter_map(|at| without_column(table, action, at)));
    }
    for (at, row) in table.rows.iter().enumerate() {
        for (place, value) in row.iter().enumerate() {
            if let Some(simple) = simpler(value) {
                let mut table = table.clone();
                if let Some(slot) = table.rows.get_mut(at).and_then(|row| row.get_mut(place)) {
                    *slot = simple;
                }
                all.push((table, action.clone()));
            }
        }
    }
    all
}

/// The case without a field that nothing needs.
fn without_column(table: &Table, action: &Action, at: usize) -> Option<(Table, Action)> {
    let mut used = HashSet::new();
    let mut note = |expr: &Expr| expr.each_field(&mut |field| _ = used.insert(usize::from(field)));
    match action {
        Action::Select(selection) => {
            selection.condition.each_expr(&mut note);
            selection.having.each_expr(&mut note);
            selection.output.iter().chain(&selection.group_by).for_each(&mut note);
            selection.limit_by.iter().flat_map(|limit_by| &limit_by.by).for_each(&mut note);
            selection.order_by.iter().for_each(|by| note(&by.expr));
        }
        Action::Count(condition) | Action::Delete(condition) => condition.each_expr(&mut note),
        Action::Update(condition, assignments) => {
            condition.each_expr(&mut note);
            assignments.iter().for_each(|(field, value)| {
                note(value);
                note(&Expr::Field(*field));
            });
        }
    }
    // only the last fields go: the others would change their numbers in the action
    let is_last = used.iter().chain(&table.key).all(|field| *field < at) && at + 1 == table.columns.len();
    let is_in = |fields: &Option<Vec<usize>>| fields.as_ref().is_some_and(|fields| fields.contains(&at));
    if !is_last || is_in(&table.unique) || is_in(&table.index) {
        return None;
    }
    let mut table = table.clone();
    table.columns.truncate(at);
    table.rows.iter_mut().for_each(|row| row.truncate(at));
    Some((table, action.clone()))
}

fn smaller_actions(action: &Action) -> Vec<Action> {
    match action {
        Action::Select(selection) => smaller_selections(selection).into_iter().map(Action::Select).collect(),
        Action::Count(condition) => smaller_conditions(condition).into_iter().map(Action::Count).collect(),
        Action::Delete(condition) => smaller_conditions(condition).into_iter().map(Action::Delete).collect(),
        Action::Update(condition, assignments) => {
            let conditions = smaller_conditions(condition)
                .into_iter()
                .map(|condition| Action::Update(condition, assignments.clone()));
            let fewer = without_each(assignments).into_iter().filter(|fewer| !fewer.is_empty());
            let fewer = fewer.map(|fewer| Action::Update(condition.clone(), fewer));
            let values = assignments.iter().enumerate().flat_map(|(at, (field, value))| {
                smaller_exprs(value).into_iter().map(move |value| (at, *field, value))
            });
            let values = values.map(|(at, field, value)| {
                let mut assignments = assignments.clone();
                if let Some(slot) = assignments.get_mut(at) {
                    *slot = (field, value);
                }
                Action::Update(condition.clone(), assignments)
            });
            conditions.chain(fewer).chain(values).collect()
        }
    }
}

fn smaller_selections(of: &Selection) -> Vec<Selection> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Selection)| {
        let mut selection = of.clone();
        change(&mut selection);
        all.push(selection);
    };
    if of.limit.is_some() {
        add(&|selection| selection.limit = None);
    }
    if of.offset.is_some() {
        add(&|selection| selection.offset = None);
    }
    if let Some(limit_by) = &of.limit_by {
        add(&|selection| selection.limit_by = None);
        for by in without_each(&limit_by.by) {
            add(&|selection| selection.limit_by = Some(Box::new(LimitBy { by: by.clone(), ..(**limit_by).clone() })));
        }
        if limit_by.offset.is_some() {
            add(&|selection| selection.limit_by = Some(Box::new(LimitBy { offset: None, ..(**limit_by).clone() })));
        }
    }
    if of.distinct {
        add(&|selection| selection.distinct = false);
    }
    if of.limit.is_none() && of.offset.is_none() && of.limit_by.is_none() {
        for fewer in without_each(&of.order_by) {
            add(&|selection| selection.order_by.clone_from(&fewer));
        }
    }
    for condition in smaller_conditions(&of.condition) {
        add(&|selection| selection.condition.clone_from(&condition));
    }
    for having in smaller_conditions(&of.having) {
        add(&|selection| selection.having.clone_from(&having));
    }
    for fewer in without_each(&of.output) {
        // an aggregate may not become a whole model, nor rows lose what they are ordered by
        if !fewer.is_empty() && (!of.distinct || of.order_by.iter().all(|by| fewer.contains(&by.expr))) {
            add(&|selection| selection.output.clone_from(&fewer));
        }
    }
    if of.group_by.is_empty() {
        for (at, expr) in of.output.iter().enumerate() {
            for smaller in smaller_exprs(expr) {
                if smaller.has_aggregate() == expr.has_aggregate() && !of.distinct {
                    add(&|selection| {
                        if let Some(slot) = selection.output.get_mut(at) {
                            slot.clone_from(&smaller);
                        }
                    });
                }
            }
        }
    }
    all
}

fn without_each<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let without =
        |at: usize| items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| item.clone()).collect();
    (0..items.len()).map(without).collect()
}

/// Conditions that are a step smaller.
fn smaller_conditions(of: &Condition) -> Vec<Condition> {
    let mut all = Vec::new();
    if *of != Condition::Const(true) {
        all.push(Condition::Const(true));
    }
    match of {
        Condition::And(parts) | Condition::Or(parts) => {
            let rebuilt = |parts| match of {
                Condition::And(_) => Condition::And(parts),
                _ => Condition::Or(parts),
            };
            all.extend(parts.iter().cloned());
            if parts.len() > 2 {
                all.extend(without_each(parts).into_iter().map(rebuilt));
            }
            for (at, part) in parts.iter().enumerate() {
                for smaller in smaller_conditions(part) {
                    let mut parts = parts.clone();
                    if let Some(slot) = parts.get_mut(at) {
                        *slot = smaller;
                    }
                    all.push(rebuilt(parts));
                }
            }
        }
        Condition::Not(part) => {
            all.push((**part).clone());
            all.extend(smaller_conditions(part).into_iter().map(|part| Condition::Not(Box::new(part))));
        }
        Condition::IsTrue { condition, negated } => {
            all.push((**condition).clone());
            let with = |part| Condition::IsTrue { condition: Box::new(part), negated: *negated };
            all.extend(smaller_conditions(condition).into_iter().map(with));
        }
        Condition::Related { link, condition } => {
            let with = |part| Condition::Related { link: Arc::clone(link), condition: Box::new(part) };
            all.extend(smaller_conditions(condition).into_iter().map(with));
        }
        Condition::Compare { operator, left, right } => {
            let with = |left: Expr, right: Expr| Condition::Compare { operator: *operator, left, right };
            all.extend(smaller_exprs(left).into_iter().map(|left| with(left, right.clone())));
            all.extend(smaller_exprs(right).into_iter().map(|right| with(left.clone(), right)));
        }
        Condition::In { expr, list: InList::Values(values), negated } => {
            let with = |values| Condition::In { expr: expr.clone(), list: InList::Values(values), negated: *negated };
            all.extend(without_each(values).into_iter().filter(|values| !values.is_empty()).map(with));
        }
        Condition::In { expr, list: InList::Whole(Expr::Literal(Datum::List(values))), negated } => {
            let with = |values: &[Datum]| Condition::In {
                expr: expr.clone(),
                list: InList::Whole(Expr::Literal(Datum::List(values.to_vec()))),
                negated: *negated,
            };
            let (front, back) = values.split_at_checked(values.len() / 2).unwrap_or_default();
            all.extend([front, back].into_iter().filter(|half| !half.is_empty()).map(with));
        }
        Condition::Text { operator, expr, pattern: Expr::Literal(Datum::Text(pattern)), negated } => {
            let characters: Vec<char> = pattern.chars().filter(|character| *character != '\\').collect();
            // a backslash stands with what it escapes
            if !pattern.contains(['\\', '(', '[', '{']) {
                all.extend(without_each(&characters).into_iter().map(|pattern| Condition::Text {
                    operator: *operator,
                    expr: expr.clone(),
                    pattern: Expr::Literal(Datum::Text(pattern.into_iter().collect())),
                    negated: *negated,
                }));
            }
        }
        _ => {}
    }
    all
}

/// Expressions of the same type that are a step smaller.
fn smaller_exprs(of: &Expr) -> Vec<Expr> {
    match of {
        Expr::Literal(value) => simpler(value).map(Expr::Literal).into_iter().collect(),
        Expr::Arithmetic { operator, left, right, value_type } => {
            let with = |left: Expr, right: Expr| Expr::Arithmetic {
                operator: *operator,
                left: Box::new(left),
                right: Box::new(right),
                value_type: value_type.clone(),
            };
            let parts = [left, right]
                .into_iter()
                .filter(|part| !matches!(***part, Expr::Literal(_)))
                .map(|part| (**part).clone());
            let lefts = smaller_exprs(left).into_iter().map(|left| with(left, (**right).clone()));
            let rights = smaller_exprs(right).into_iter().map(|right| with((**left).clone(), right));
            parts.chain(lefts).chain(rights).collect()
        }
        Expr::Related { link, condition, of } => {
            let with = |condition: Condition, of: Expr| Expr::Related {
                link: Arc::clone(link),
                condition: Box::new(condition),
                of: Box::new(of),
            };
            let conditions = smaller_conditions(condition).into_iter().map(|part| with(part, (**of).clone()));
            let exprs = smaller_exprs(of).into_iter().map(|of| with((**condition).clone(), of));
            conditions.chain(exprs).collect()
        }
        Expr::Aggregate { function, of: Some(of), distinct } => smaller_exprs(of)
            .into_iter()
            .map(|of| Expr::Aggregate { function: *function, of: Some(Box::new(of)), distinct: *distinct })
            .collect(),
        Expr::JsonPath { of, path, cast } => {
            without_each(path).into_iter().map(|path| Expr::JsonPath { of: of.clone(), path, cast: *cast }).collect()
        }
        _ => Vec::new(),
    }
}
