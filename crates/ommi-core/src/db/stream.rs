//! Rows as a stream, in bounded memory.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::engine::about;
use super::sink::{All, Decode, OwnedRow, Untyped, take};
use super::transaction::TransactionScope;
use super::{Db, Scope};
use crate::driver::{BoxFuture, Call, RowSink, RowStream};
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::model::ModelDef;
use crate::plan::Plan;
use crate::query::statement::{SelectStatement, Statement};
use crate::query::{Condition, Parameters};
use crate::relation::eager::{Eager, load_all};
use crate::relation::group::Group;
use crate::value::Datum;

/// How many rows a batch holds.
pub(super) const DEFAULT_BATCH: usize = 512;

type Batch = (Box<dyn RowStream>, Result<(Box<dyn RowSink>, bool)>);

/// The rows of a batch, and their group if they have relations.
type Taken<T> = (Vec<T>, Option<Arc<Group>>);

/// Rows whose relations are loaded, and the stream if there may be more.
type Filled<T> = (Vec<T>, Option<Box<dyn RowStream>>);

enum State<T> {
    /// Waiting to be asked.
    Idle(Box<dyn RowStream>),
    /// Reading a batch, which may be the one behind those that are given out.
    Reading(BoxFuture<'static, Batch>),
    /// The batch behind those that are given out.
    Read(Batch),
    /// Loading relations of a batch.
    Loading(BoxFuture<'static, Result<Filled<T>>>),
    /// At the end.
    Done,
}

/// The engine's part in the rows of a stream.
struct Residual {
    model: Arc<ModelDef>,
    condition: Condition,
    parameters: Parameters,
}

/// The rows of a query as a stream: `while let Some(user) = rows.next().await? { .. }`, or a
/// [`Stream`] of results.
///
/// The connection that reads is held until the stream ends or is dropped. From the second batch on, the next
/// one is read while the program has the rows of the one before; not in a transaction.
pub struct Rows<T> {
    state: State<T>,
    batch: usize,
    ready: std::vec::IntoIter<T>,
    db: Db,
    sink: fn(&Db) -> Box<dyn RowSink>,
    take: fn(Box<dyn RowSink>) -> Result<Taken<T>>,
    with: Vec<Eager>,
    residual: Option<Residual>,
    /// The transaction that the rows are read in, which may end before they do.
    scope: Option<Arc<TransactionScope>>,
    /// Whether the first batch was given out, and more is likely to be wanted.
    is_begun: bool,
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

impl Db {
    pub(super) async fn stream_rows<D: Decode>(
        &self,
        select: SelectStatement,
        batch: usize,
        with: Vec<Eager>,
    ) -> Result<Rows<D::Out>> {
        let model = Arc::clone(&select.model);
        let (plan, parameters) = self.plan(Statement::Select(select))?;
        let Plan::Select(plan) = &*plan else {
            return Err(Error::query("a plan of another kind of statement was found: a fault of Ommi"));
        };
        let mut rows = Rows {
            state: State::Done,
            batch,
            ready: Vec::new().into_iter(),
            db: self.clone(),
            sink: |db| Box::new(All::<D>::new(db)),
            take: |sink| Ok(take::<All<D>>(sink)?.finish()),
            with,
            residual: None,
            scope: match &self.scope {
                Scope::Transaction(scope) => Some(Arc::clone(scope)),
                Scope::Database | Scope::Outside => None,
            },
            is_begun: false,
        };
        if let Some(rest) = &plan.completion {
            let only_filters = !rest.is_grouped()
                && !rest.distinct
                && rest.output.is_empty()
                && rest.order_by.is_empty()
                && rest.limit.is_none()
                && rest.offset.is_none()
                && !rest.condition.is_across()
                && rest.extras.is_none();
            if !only_filters {
                let all = self.complete(&model, plan, &parameters, "stream").await?;
                let (decoded, group) = rows.decode(&all)?;
                if let Some(group) = group {
                    load_all(&group, &rows.with).await?;
                }
                rows.ready = decoded.into_iter();
                return Ok(rows);
            }
            rows.residual = Some(Residual {
                model: Arc::clone(&model),
                condition: rest.condition.clone(),
                parameters: parameters.clone(),
            });
        }
        let call = Call { prepared: &plan.native, parameters: &parameters, model: model.name(), operation: "stream" };
        let stream = self.session()?.stream(call).await;
        rows.state = State::Idle(self.note(stream.map_err(|error| about(error, call)))?);
        Ok(rows)
    }
}

impl<T: Send + 'static> Rows<T> {
    /// The next row, or `None` at the end.
    ///
    /// Dropping the future loses no row: the next call goes on where it was.
    ///
    /// # Errors
    ///
    /// `Decode` if a stored value does not fit its field, and the database's; then the stream is at
    /// its end.
    pub async fn next(&mut self) -> Result<Option<T>> {
        if let Some(row) = self.ready.next() {
            return Ok(Some(row));
        }
        poll_fn(|context| self.poll_row(context)).await.transpose()
    }

    /// The rest of the rows.
    ///
    /// # Errors
    ///
    /// Those of [`Rows::next`].
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(row) = self.next().await? {
            all.push(row);
        }
        Ok(all)
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(row) = self.ready.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Poll::Ready(None),
                State::Idle(stream) => {
                    if let Some(Err(error)) = self.scope.as_ref().map(|scope| scope.transaction()) {
                        return Poll::Ready(Some(Err(error)));
                    }
                    self.state = State::Reading(self.reading(stream));
                }
                State::Reading(mut reading) => match reading.as_mut().poll(context) {
                    Poll::Pending => {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(batch) => self.state = State::Read(batch),
                },
                State::Read((stream, answer)) => {
                    let taken = answer.and_then(|(sink, more)| Ok((self.read(sink)?, more)));
                    match taken {
                        Ok(((rows, group), more)) => {
                            let stream = more.then_some(stream);
                            match group {
                                Some(group) if !self.with.is_empty() => {
                                    let with = self.with.clone();
                                    self.state = State::Loading(Box::pin(async move {
                                        load_all(&group, &with).await.map(|()| (rows, stream))
                                    }));
                                }
                                _ => self.fill((rows, stream), context),
                            }
                        }
                        Err(error) => return Poll::Ready(Some(Err(self.fail(error)))),
                    }
                }
                State::Loading(mut loading) => match loading.as_mut().poll(context) {
                    Poll::Pending => {
                        self.state = State::Loading(loading);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(filled)) => self.fill(filled, context),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(self.fail(error)))),
                },
            }
        }
    }

    /// The reading of the next batch.
    fn reading(&self, mut stream: Box<dyn RowStream>) -> BoxFuture<'static, Batch> {
        let sink = match &self.residual {
            None => (self.sink)(&self.db),
            Some(residual) => Box::new(Untyped::of_model(&residual.model)),
        };
        let rows = self.batch;
        Box::pin(async move {
            let answer = stream.next(sink, rows).await;
            (stream, answer)
        })
    }

    /// Takes a batch to give out. From the second one on, the next is read meanwhile: but not in a
    /// transaction, whose connection the program may want between two rows.
    fn fill(&mut self, (rows, stream): Filled<T>, context: &mut Context<'_>) {
        self.ready = rows.into_iter();
        self.state = match stream {
            None => State::Done,
            Some(stream) if self.is_begun && self.scope.is_none() => {
                let mut reading = self.reading(stream);
                match reading.as_mut().poll(context) {
                    Poll::Ready(batch) => State::Read(batch),
                    Poll::Pending => State::Reading(reading),
                }
            }
            Some(stream) => State::Idle(stream),
        };
        self.is_begun = true;
    }

    #[cold]
    fn fail(&self, error: Error) -> Error {
        if let Some(scope) = &self.scope {
            scope.note(&error);
        }
        error
    }

    fn read(&self, sink: Box<dyn RowSink>) -> Result<Taken<T>> {
        let Some(residual) = &self.residual else { return (self.take)(sink) };
        let evaluator = Evaluator::new(&residual.parameters);
        let mut rows = take::<Untyped>(sink)?.rows;
        let mut error = None;
        rows.retain(|row| match evaluator.is_true(&residual.condition, row) {
            Ok(passes) => passes,
            Err(failed) => {
                error.get_or_insert(failed);
                false
            }
        });
        error.map_or_else(|| self.decode(&rows), Err)
    }

    /// Rows without a Rust type, as rows of the stream.
    fn decode(&self, rows: &[Vec<Datum>]) -> Result<Taken<T>> {
        let mut sink = (self.sink)(&self.db);
        for row in rows {
            sink.row(&OwnedRow(row))?;
        }
        (self.take)(sink)
    }
}

impl<T: Send + Unpin + 'static> Stream for Rows<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.poll_row(context)
    }
}
