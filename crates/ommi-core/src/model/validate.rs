//! Checking models that are registered together.

use std::collections::HashMap;
use std::sync::Arc;

use super::ModelDef;
use crate::error::{Error, Result};

/// Checks models with each other: their own problems, stored names that collide, references that
/// lead nowhere or do not fit.
///
/// # Errors
///
/// One `Schema` error that lists everything.
pub fn validate(models: &[Arc<ModelDef>]) -> Result<()> {
    let mut problems = Vec::new();
    let mut tables: HashMap<String, &Arc<ModelDef>> = HashMap::new();
    for model in models {
        let mut report = |problem: String| problems.push(format!("{}: {problem}", model.name()));
        for problem in model.problems() {
            report(problem.clone());
        }
        if let Some(other) = tables.insert(model.table().to_string().to_lowercase(), model)
            && !Arc::ptr_eq(other, model)
        {
            report(format!("its stored name `{}` is that of {} too, but for case", model.table(), other.name()));
        }
        for reference in model.references() {
            let Some(target) = reference.target.resolve(models) else {
                report(format!("it references {}, which is not among the models", reference.target.name()));
                continue;
            };
            let Some(target_fields) = reference.target_indexes(target) else {
                report(format!(
                    "it references {} by fields that {0} does not have: {}",
                    target.name(),
                    reference.target_fields.join(", ")
                ));
                continue;
            };
            if target_fields.len() != reference.fields.len() {
                report(format!(
                    "it references {} by {} fields where {} are needed",
                    target.name(),
                    reference.fields.len(),
                    target_fields.len()
                ));
                continue;
            }
            let is_unique =
                target.key() == target_fields || target.unique_groups().any(|group| group.covers(&target_fields));
            if !is_unique && reference.enforced {
                report(format!("it references fields of {} that are neither its key nor unique", target.name()));
            }
            for (own, other) in reference.fields.iter().zip(&target_fields) {
                if let (Some(own), Some(other)) = (model.field(*own), target.field(*other))
                    && !own.value_type.is_comparable_with(&other.value_type)
                {
                    report(format!(
                        "`{}` is of type {} and references `{}` of {}, which is of type {}",
                        own.name,
                        own.value_type,
                        other.name,
                        target.name(),
                        other.value_type
                    ));
                }
            }
        }
        for relation in model.relations() {
            if let Err(error) = relation.resolve(model, models) {
                problems.push(format!("{}: {}", model.name(), error.message()));
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::schema(problems.join("; ")))
}
