//! Updates of the rows that pass a filter.

use std::future::IntoFuture;

use super::find::Query;
use crate::driver::BoxFuture;
use crate::error::{Error, Result};
use crate::evaluate;
use crate::model::{Model, ModelDef};
use crate::plan::Explanation;
use crate::query::statement::{Statement, UpdateStatement};
use crate::query::{ArithmeticOperator, Expr};
use crate::value::{Datum, Timestamp, ValueType, iso};

/// An update of the rows of a query. Awaited, it gives how many rows matched.
#[must_use = "an update does nothing until it is awaited"]
#[derive(Debug)]
pub struct Update<M> {
    query: Query<M>,
    assignments: Vec<(u16, Expr)>,
}

impl<M: Model> Update<M> {
    pub(super) fn new(query: Query<M>, assignments: Vec<(u16, Expr)>) -> Self {
        Update { query, assignments }
    }

    fn statement(self) -> Result<(super::Db, Statement)> {
        let model = M::definition();
        let (db, condition) = self.query.into_write("update")?;
        let mut assignments = self.assignments;
        check_assignments(model, &mut assignments).map_err(|error| error.with_operation("update"))?;
        touch(model, &mut assignments);
        Ok((db, Statement::Update(UpdateStatement { model: model.clone(), condition, assignments })))
    }

    /// How the update is answered.
    ///
    /// # Errors
    ///
    /// Those of planning, and the database's.
    pub async fn explain(self) -> Result<Explanation> {
        let (db, statement) = self.statement()?;
        db.explain(statement).await
    }
}

impl<M: Model> IntoFuture for Update<M> {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (db, statement) = self.statement()?;
            db.write(M::definition(), statement, "update").await
        })
    }
}

/// Brings the constants of assignments to the form in which their fields keep them, and refuses
/// assignments that cannot be kept, or that name a field twice.
pub(super) fn check_assignments(model: &ModelDef, assignments: &mut [(u16, Expr)]) -> Result<()> {
    let wrong = |message: String| Error::query(message).with_model(model.name());
    if assignments.is_empty() {
        return Err(wrong("an update needs at least one assignment".into()));
    }
    let mut assigned = Vec::with_capacity(assignments.len());
    for (field, value) in assignments {
        let Some(definition) = model.field(*field) else {
            return Err(wrong(format!("the model has no field {field}")));
        };
        if assigned.contains(field) {
            return Err(wrong(format!("`{}` is assigned twice", definition.name)));
        }
        assigned.push(*field);
        if let Expr::Literal(value) = value {
            let given = std::mem::take(value);
            *value = evaluate::fit(definition, given).map_err(|error| error.with_model(model.name()))?;
            definition.check(value.cell()).map_err(|error| error.with_model(model.name()))?;
        }
    }
    Ok(())
}

/// Adds what every update does: a new version, the time of the update.
pub(super) fn touch(model: &ModelDef, assignments: &mut Vec<(u16, Expr)>) {
    for (index, field) in (0..).zip(model.fields()) {
        if assignments.iter().any(|(assigned, _)| *assigned == index) {
            continue;
        }
        if field.version {
            let next = Expr::Arithmetic {
                operator: ArithmeticOperator::Add,
                left: Box::new(Expr::Field(index)),
                right: Box::new(Expr::Literal(Datum::Int(1))),
                value_type: field.value_type.clone(),
            };
            assignments.push((index, next));
        }
        if field.updated {
            let now = iso::cut_timestamp(Timestamp::now());
            let now = match field.value_type {
                ValueType::DateTime => Datum::DateTime(iso::utc(now)),
                _ => Datum::Timestamp(now),
            };
            assignments.push((index, Expr::Literal(now)));
        }
    }
}
