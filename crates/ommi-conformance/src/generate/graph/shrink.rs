//! Smaller cases of a difference.

use super::tree::{Cond, Data, Load, Related, Tree};

/// Cases that are smaller by one step: without a row, a branch, or a part of a condition.
pub(super) fn smaller(data: &Data, tree: &Tree) -> Vec<(Data, Tree)> {
    let mut cases: Vec<(Data, Tree)> = trees(tree).into_iter().map(|tree| (data.clone(), tree)).collect();
    for (model, rows) in data.0.iter().enumerate() {
        if rows.len() > 2 {
            cases.push((with_rows(data, model, Vec::new()), tree.clone()));
        }
        for place in 0..rows.len() {
            let mut left = rows.clone();
            left.remove(place);
            cases.push((with_rows(data, model, left), tree.clone()));
        }
    }
    cases
}

fn with_rows(data: &Data, model: usize, rows: Vec<Vec<super::models::Cell>>) -> Data {
    let mut data = data.clone();
    if let Some(of) = data.0.get_mut(model) {
        *of = rows;
    }
    data
}

fn trees(tree: &Tree) -> Vec<Tree> {
    let mut trees: Vec<Tree> =
        conditions(&tree.condition).into_iter().map(|condition| Tree { condition, ..tree.clone() }).collect();
    trees.extend(lists(&tree.with).into_iter().map(|with| Tree { with, ..tree.clone() }));
    if tree.limit.is_some() {
        trees.push(Tree { limit: None, offset: None, ..tree.clone() });
    }
    if tree.limit.is_none() && !tree.order.is_empty() {
        trees.push(Tree { order: Vec::new(), ..tree.clone() });
    }
    trees
}

fn lists(loads: &[Load]) -> Vec<Vec<Load>> {
    let mut lists = Vec::new();
    for (place, load) in loads.iter().enumerate() {
        let instead = |load: Option<Load>| {
            let mut list = loads.to_vec();
            list.remove(place);
            list.extend(load);
            list
        };
        lists.push(instead(None));
        lists.extend(
            conditions(&load.condition).into_iter().map(|condition| instead(Some(Load { condition, ..load.clone() }))),
        );
        lists.extend(self::lists(&load.with).into_iter().map(|with| instead(Some(Load { with, ..load.clone() }))));
        if load.limit.is_some() {
            lists.push(instead(Some(Load { limit: None, order: Vec::new(), ..load.clone() })));
        }
    }
    lists
}

fn conditions(condition: &Cond) -> Vec<Cond> {
    match condition {
        Cond::All => Vec::new(),
        Cond::Compare(..) => vec![Cond::All],
        Cond::Not(inner) => {
            let mut all = vec![Cond::All, (**inner).clone()];
            all.extend(conditions(inner).into_iter().map(|inner| Cond::Not(Box::new(inner))));
            all
        }
        Cond::And(both) => {
            let mut all = vec![both.0.clone(), both.1.clone()];
            all.extend(pairs(both).into_iter().map(Cond::And));
            all
        }
        Cond::Or(both) => {
            let mut all = vec![both.0.clone(), both.1.clone()];
            all.extend(pairs(both).into_iter().map(Cond::Or));
            all
        }
        Cond::Related(related) => {
            let mut all = vec![Cond::All];
            let instead = |related: Related| Cond::Related(Box::new(related));
            if related.own.is_some() {
                all.push(instead(Related { own: None, ..(**related).clone() }));
            }
            let own = related.own.iter().flat_map(conditions);
            all.extend(own.map(|own| instead(Related { own: Some(own), ..(**related).clone() })));
            all.extend(
                conditions(&related.condition)
                    .into_iter()
                    .map(|condition| instead(Related { condition, ..(**related).clone() })),
            );
            all
        }
    }
}

fn pairs(both: &(Cond, Cond)) -> Vec<Box<(Cond, Cond)>> {
    let first = conditions(&both.0).into_iter().map(|first| Box::new((first, both.1.clone())));
    let second = conditions(&both.1).into_iter().map(|second| Box::new((both.0.clone(), second)));
    first.chain(second).collect()
}
