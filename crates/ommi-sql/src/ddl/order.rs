//! The order in which tables are made.

use std::sync::Arc;

use ommi_core::model::ModelDef;

/// The models, each once, those that are referenced before those that reference them. Where
/// references go round in a circle, and otherwise, the given order stands.
pub fn creation_order(models: &[Arc<ModelDef>]) -> Vec<Arc<ModelDef>> {
    let mut visit = Visit { models, entered: vec![false; models.len()], ordered: Vec::with_capacity(models.len()) };
    for position in 0..models.len() {
        visit.enter(position);
    }
    visit.ordered
}

struct Visit<'a> {
    models: &'a [Arc<ModelDef>],
    entered: Vec<bool>,
    ordered: Vec<Arc<ModelDef>>,
}

impl Visit<'_> {
    fn enter(&mut self, position: usize) {
        let models = self.models;
        let (Some(model), Some(entered)) = (models.get(position), self.entered.get_mut(position)) else { return };
        if std::mem::replace(entered, true) || self.ordered.iter().any(|done| done.id() == model.id()) {
            return;
        }
        for reference in model.references().iter().filter(|reference| reference.enforced) {
            let target = reference.target.resolve(models);
            if let Some(target) = target
                && let Some(position) = models.iter().position(|model| model.id() == target.id())
            {
                self.enter(position);
            }
        }
        self.ordered.push(Arc::clone(model));
    }
}
