//! Rows of a model without a Rust type, in batches that go into the caller's own sinks.

use std::fmt;
use std::sync::Arc;

use super::engine::about;
use super::sink::{OwnedRow, Untyped, take};
use super::transaction::TransactionScope;
use super::{Db, Scope};
use crate::driver::{Call, Flow, RowSink, RowStream};
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::model::ModelDef;
use crate::plan::Plan;
use crate::query::statement::{SelectStatement, Statement};
use crate::query::{Condition, Parameters};
use crate::value::Datum;

/// Where the rows come from.
enum Source {
    /// The driver, with what the engine removes.
    Stream(Box<dyn RowStream>, Option<Residual>),
    /// Rows that the engine had to read as a whole, the last first.
    Rows(Vec<Vec<Datum>>),
    /// A batch is being read; if its future was dropped, it stays so.
    Reading,
    /// All rows were given.
    Done,
}

/// The engine's part in the rows of a stream.
struct Residual {
    model: Arc<ModelDef>,
    condition: Condition,
    parameters: Parameters,
}

/// The rows of a query in batches.
///
/// The connection that reads is held until the last batch or until this is dropped.
pub struct Batches {
    source: Source,
    /// The transaction that the rows are read in, which may end before they do.
    scope: Option<Arc<TransactionScope>>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

impl Db {
    pub(super) async fn stream_batches(&self, select: SelectStatement) -> Result<Batches> {
        let model = Arc::clone(&select.model);
        let (plan, parameters) = self.plan(Statement::Select(select))?;
        let Plan::Select(plan) = &*plan else {
            return Err(Error::query("a plan of another kind of statement was found: a fault of Ommi"));
        };
        let scope = match &self.scope {
            Scope::Transaction(scope) => Some(Arc::clone(scope)),
            Scope::Database | Scope::Outside => None,
        };
        let residual = match &plan.completion {
            None => None,
            Some(rest) => {
                let only_filters = !rest.is_grouped()
                    && !rest.distinct
                    && rest.output.is_empty()
                    && rest.order_by.is_empty()
                    && rest.limit.is_none()
                    && rest.offset.is_none();
                if !only_filters {
                    let mut rows = self.complete(&model, plan, &parameters, "stream").await?;
                    rows.reverse();
                    return Ok(Batches { source: Source::Rows(rows), scope });
                }
                let condition = rest.condition.clone();
                Some(Residual { model: Arc::clone(&model), condition, parameters: parameters.clone() })
            }
        };
        let call = Call { prepared: &plan.native, parameters: &parameters, model: model.name(), operation: "stream" };
        let stream = self.session()?.stream(call).await;
        let stream = self.note(stream.map_err(|error| about(error, call)))?;
        Ok(Batches { source: Source::Stream(stream, residual), scope })
    }
}

impl Batches {
    /// Reads up to a number of rows into a sink, and says whether there may be more. Where the
    /// engine filters, a batch may have fewer rows though more follow.
    ///
    /// # Errors
    ///
    /// The database's and the sink's, after which there are no more rows; `Query` if the future of
    /// the batch before was dropped.
    pub async fn next<S: RowSink + 'static>(&mut self, mut sink: S, rows: usize) -> Result<(S, bool)> {
        if let Some(scope) = &self.scope {
            scope.transaction()?;
        }
        match std::mem::replace(&mut self.source, Source::Reading) {
            Source::Done => {
                self.source = Source::Done;
                Ok((sink, false))
            }
            Source::Reading => {
                self.source = Source::Done;
                Err(Error::query("the reading of a batch was interrupted: the stream has ended"))
            }
            Source::Rows(mut left) => {
                for row in left.split_off(left.len().saturating_sub(rows)).into_iter().rev() {
                    if sink.row(&OwnedRow(&row))? == Flow::Stop {
                        break;
                    }
                }
                let is_more = !left.is_empty();
                self.source = if is_more { Source::Rows(left) } else { Source::Done };
                Ok((sink, is_more))
            }
            Source::Stream(mut stream, residual) => {
                let answer = Self::batch(&mut *stream, residual.as_ref(), sink, rows).await;
                self.source = match answer {
                    Ok((_, true)) => Source::Stream(stream, residual),
                    Ok((_, false)) | Err(_) => Source::Done,
                };
                if let (Some(scope), Err(error)) = (&self.scope, &answer) {
                    scope.note(error);
                }
                answer
            }
        }
    }

    async fn batch<S: RowSink + 'static>(
        stream: &mut dyn RowStream,
        residual: Option<&Residual>,
        mut sink: S,
        rows: usize,
    ) -> Result<(S, bool)> {
        let Some(residual) = residual else {
            let (sink, is_more) = stream.next(Box::new(sink), rows).await?;
            return Ok((take(sink)?, is_more));
        };
        let (read, is_more) = stream.next(Box::new(Untyped::of_model(&residual.model)), rows).await?;
        let evaluator = Evaluator::new(&residual.parameters);
        for row in take::<Untyped>(read)?.rows {
            if evaluator.is_true(&residual.condition, &row)? && sink.row(&OwnedRow(&row))? == Flow::Stop {
                break;
            }
        }
        Ok((sink, is_more))
    }
}
