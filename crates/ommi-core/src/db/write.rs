//! Updates of the rows that pass a filter.

use std::future::IntoFuture;
use std::marker::PhantomData;

use super::Db;
use super::find::Query;
use crate::driver::BoxFuture;
use crate::error::{Error, Result};
use crate::evaluate;
use crate::model::{Model, ModelDef};
use crate::plan::Explanation;
use crate::query::statement::{Statement, UpdateStatement};
use crate::query::{ArithmeticOperator, Condition, Expr};
use crate::value::{Datum, Timestamp, ValueType, iso};

/// An update of the rows of a query. Awaited, it gives how many rows matched.
#[must_use = "an update does nothing until it is awaited"]
#[derive(Debug)]
pub struct Update<M> {
    db: Db,
    condition: Result<Condition>,
    assignments: Vec<(u16, Expr)>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Update<M> {
    pub(super) fn new(query: Query<M>, assignments: Vec<(u16, Expr)>) -> Self {
        let (db, condition) = query.into_write("update");
        Update { db, condition, assignments, model: PhantomData }
    }

    fn statement(self) -> Result<Statement> {
        let model = M::definition();
        let (condition, mut assignments) = (self.condition?, self.assignments);
        check_assignments(model, &mut assignments).map_err(|error| error.with_operation("update"))?;
        touch(model, &mut assignments);
        Ok(Statement::Update(UpdateStatement { model: model.clone(), condition, assignments }))
    }

    /// How the update is answered.
    ///
    /// # Errors
    ///
    /// Those of planning, and the database's.
    pub async fn explain(self) -> Result<Explanation> {
        let db = self.db.clone();
        db.explain(self.statement()?).await
    }
}

impl<M: Model> IntoFuture for Update<M> {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        let db = self.db.clone();
        // planned before, because the future holds no more than it needs later
        let planned = self.statement().map(|statement| db.plan(statement));
        Box::pin(async move { db.write_planned(M::definition(), planned?, "update").await })
    }
}

/// Brings the constants of assignments to the form in which their fields keep them, and refuses
/// assignments that cannot be kept, or that name a field twice.
pub(super) fn check_assignments(model: &ModelDef, assignments: &mut [(u16, Expr)]) -> Result<()> {
    let wrong = |message: String| Error::query(message).with_model(model.name());
    if assignments.is_empty() {
        return Err(wrong("an update needs at least one assignment".into()));
    }
    let mut rest = assignments;
    while let [(field, value), others @ ..] = rest {
        let Some(definition) = model.field(*field) else {
            return Err(wrong(format!("the model has no field {field}")));
        };
        if others.iter().any(|(other, _)| other == field) {
            return Err(wrong(format!("`{}` is assigned twice", definition.name)));
        }
        if let Expr::Literal(value) = value {
            let given = std::mem::take(value);
            *value = evaluate::fit(definition, given).map_err(|error| error.with_model(model.name()))?;
            definition.check(value.cell()).map_err(|error| error.with_model(model.name()))?;
        }
        rest = others;
    }
    Ok(())
}

/// Adds what every update does: a new version, the time of the update.
pub(super) fn touch(model: &ModelDef, assignments: &mut Vec<(u16, Expr)>) {
    for (index, field) in (0..).zip(model.fields()) {
        if !(field.version || field.updated) || assignments.iter().any(|(assigned, _)| *assigned == index) {
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
