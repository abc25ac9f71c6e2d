//! Watching every operation of a driver.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Instrument, Span};

use super::Layer;
use crate::as_inside;
use crate::driver::{
    BoxFuture, Call, Driver, Flow, Inserted, NativeWork, Raw, RowRef, RowSink, RowSource, RowStream, RowsMatched,
    SchemaInfo, Session, Transaction, TransactionOptions,
};
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::value::Datum;

/// An operation that ended.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// The driver.
    pub driver: &'static str,
    /// The operation: `find`, `add`, `update`, `delete`, `raw`, `begin`, `commit`, ..
    pub operation: &'static str,
    /// The model; empty for operations that have none.
    pub model: &'a str,
    /// The statement's native text; empty for operations that have none.
    pub text: &'a str,
    /// The parameters' values. They may be secret.
    pub parameters: &'a [Datum],
    /// How many rows were read, written or matched.
    pub rows: u64,
    /// How long the operation took; for a stream, the time that its reading took.
    pub time: Duration,
    /// The error that it ended in.
    pub error: Option<&'a Error>,
}

impl Observation<'_> {
    /// Whether the operation is a statement that was sent to the database, not one of a
    /// transaction's bounds.
    pub fn is_statement(&self) -> bool {
        !matches!(self.operation, "begin" | "commit" | "rollback" | "savepoint" | "release" | "rollback to")
    }
}

/// Is told of every operation of a driver when it ends, of a stream when its rows end or it is
/// dropped. Another operation whose future is dropped is not told of.
pub trait Observer: Send + Sync + 'static {
    /// The span in which an operation on a model runs, and in which it is taken note of;
    /// [`Span::none`] for none.
    fn span(&self, operation: &'static str, model: &str) -> Span;

    /// Takes note of an operation.
    fn observe(&self, observation: &Observation<'_>);
}

impl<O: Observer> Layer for Arc<O> {
    fn wrap(&self, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(Observed { driver: driver.name(), inside: driver, observer: Arc::clone(self) })
    }
}

/// A driver, or a transaction of one, that is watched.
struct Observed<D: ?Sized, O> {
    driver: &'static str,
    inside: Arc<D>,
    observer: Arc<O>,
}

/// An operation that has begun.
struct Begun<'a> {
    driver: &'static str,
    operation: &'static str,
    model: &'a str,
    text: &'a str,
    parameters: &'a [Datum],
    at: Instant,
}

impl<'a> Begun<'a> {
    fn bare(driver: &'static str, operation: &'static str) -> Self {
        Begun { driver, operation, model: "", text: "", parameters: &[], at: Instant::now() }
    }

    fn call(driver: &'static str, call: Call<'a>) -> Self {
        Begun {
            model: call.model,
            text: call.prepared.text(),
            parameters: call.parameters,
            ..Begun::bare(driver, call.operation)
        }
    }

    /// Runs the operation in its span, and tells the observer of its end.
    async fn run<T, O: Observer>(
        self,
        observer: &O,
        work: impl Future<Output = Result<T>>,
        rows: impl FnOnce(&T) -> u64,
    ) -> Result<T> {
        let span = observer.span(self.operation, self.model);
        let answer = work.instrument(span.clone()).await;
        let _entered = span.enter();
        observer.observe(&Observation {
            driver: self.driver,
            operation: self.operation,
            model: self.model,
            text: self.text,
            parameters: self.parameters,
            rows: answer.as_ref().map_or(0, rows),
            time: self.at.elapsed(),
            error: answer.as_ref().err(),
        });
        answer
    }
}

/// Counts rows on their way to the sink.
struct Counted {
    inside: Box<dyn RowSink>,
    rows: u64,
}

impl RowSink for Counted {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        self.inside.columns(names)
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        self.rows += 1;
        self.inside.row(row)
    }

    fn reset(&mut self) {
        self.rows = 0;
        self.inside.reset();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

fn counted(sink: Box<dyn RowSink>) -> Box<dyn RowSink> {
    Box::new(Counted { inside: sink, rows: 0 })
}

fn uncounted(sink: Box<dyn RowSink>) -> Result<(Box<dyn RowSink>, u64)> {
    match sink.into_any().downcast::<Counted>() {
        Ok(counted) => Ok((counted.inside, counted.rows)),
        Err(_) => Err(Error::connection("the driver gave back another sink than it was given: a fault of the driver")),
    }
}

/// Rows of a stream that is watched: the observer is told when they end or are dropped.
struct ObservedStream<O: Observer> {
    /// The stream, until its end.
    inside: Option<Box<dyn RowStream>>,
    observer: Arc<O>,
    driver: &'static str,
    operation: &'static str,
    model: Arc<str>,
    text: Arc<str>,
    parameters: Vec<Datum>,
    span: Span,
    rows: u64,
    /// The time that was spent in the driver.
    time: Duration,
}

impl<O: Observer> ObservedStream<O> {
    fn tell(&self, error: Option<&Error>) {
        let _entered = self.span.enter();
        self.observer.observe(&Observation {
            driver: self.driver,
            operation: self.operation,
            model: &self.model,
            text: &self.text,
            parameters: &self.parameters,
            rows: self.rows,
            time: self.time,
            error,
        });
    }

    async fn read(&mut self, sink: Box<dyn RowSink>, rows: usize) -> Result<(Box<dyn RowSink>, bool)> {
        let Some(inside) = &mut self.inside else { return Ok((sink, false)) };
        let at = Instant::now();
        let answer = inside.next(counted(sink), rows).instrument(self.span.clone()).await;
        self.time += at.elapsed();
        let (sink, more) = answer?;
        let (sink, rows) = uncounted(sink)?;
        self.rows += rows;
        Ok((sink, more))
    }
}

impl<O: Observer> RowStream for ObservedStream<O> {
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(async move {
            let answer = self.read(sink, rows).await;
            if !matches!(answer, Ok((_, true))) && self.inside.take().is_some() {
                self.tell(answer.as_ref().err());
            }
            answer
        })
    }
}

impl<O: Observer> Drop for ObservedStream<O> {
    fn drop(&mut self) {
        if self.inside.is_some() {
            self.tell(None);
        }
    }
}

impl<D: Session + ?Sized, O: Observer> Session for Observed<D, O> {
    fn fetch<'a>(&'a self, call: Call<'a>, sink: Box<dyn RowSink>) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let work = async { self.inside.fetch(call, counted(sink)).await.and_then(uncounted) };
            Begun::call(self.driver, call).run(&*self.observer, work, |(_, rows)| *rows).await.map(|(sink, _)| sink)
        })
    }

    fn stream<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Box<dyn RowStream>>> {
        Box::pin(async move {
            let (at, span) = (Instant::now(), self.observer.span(call.operation, call.model));
            let opened = self.inside.stream(call).instrument(span.clone()).await;
            let mut stream = ObservedStream {
                inside: None,
                observer: Arc::clone(&self.observer),
                driver: self.driver,
                operation: call.operation,
                model: Arc::clone(call.model),
                text: Arc::clone(call.prepared.text()),
                parameters: call.parameters.to_vec(),
                span,
                rows: 0,
                time: at.elapsed(),
            };
            match opened {
                Ok(inside) => stream.inside = Some(inside),
                Err(error) => {
                    stream.tell(Some(&error));
                    return Err(error);
                }
            }
            Ok(Box::new(stream) as Box<dyn RowStream>)
        })
    }

    fn insert<'a>(&'a self, call: Call<'a>, rows: Box<dyn RowSource>) -> BoxFuture<'a, Result<Inserted>> {
        Box::pin(async move {
            let work = self.inside.insert(call, rows);
            Begun::call(self.driver, call).run(&*self.observer, work, |inserted| inserted.rows).await
        })
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<RowsMatched>> {
        Box::pin(async move {
            let work = self.inside.execute(call);
            Begun::call(self.driver, call).run(&*self.observer, work, |rows| *rows).await
        })
    }

    fn raw<'a>(
        &'a self,
        raw: &'a Raw,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, RowsMatched)>> {
        Box::pin(async move {
            let begun = Begun { text: &raw.text, parameters: &raw.parameters, ..Begun::bare(self.driver, "raw") };
            let work = async {
                let (sink, matched) = self.inside.raw(raw, counted(sink)).await?;
                uncounted(sink).map(|(sink, rows)| (sink, rows, matched))
            };
            let answer = begun.run(&*self.observer, work, |(_, rows, matched)| *rows.max(matched)).await;
            answer.map(|(sink, _, matched)| (sink, matched))
        })
    }

    fn explain<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        self.inside.explain(call)
    }

    fn native<'a>(&'a self, work: NativeWork) -> BoxFuture<'a, Result<Box<dyn Any + Send>>> {
        Box::pin(async move {
            let work = self.inside.native(work);
            Begun::bare(self.driver, "native").run(&*self.observer, work, |_| 0).await
        })
    }
}

impl<O: Observer> Driver for Observed<dyn Driver, O> {
    as_inside! { driver }

    fn begin<'a>(&'a self, options: &'a TransactionOptions) -> BoxFuture<'a, Result<Arc<dyn Transaction>>> {
        Box::pin(async move {
            let work = self.inside.begin(options);
            let inside = Begun::bare(self.driver, "begin").run(&*self.observer, work, |_| 0).await?;
            let observed = Observed { driver: self.driver, inside, observer: Arc::clone(&self.observer) };
            Ok(Arc::new(observed) as Arc<dyn Transaction>)
        })
    }

    fn create<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let work = self.inside.create(models);
            Begun::bare(self.driver, "create").run(&*self.observer, work, |()| 0).await
        })
    }

    fn drop_models<'a>(&'a self, models: &'a [Arc<ModelDef>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let work = self.inside.drop_models(models);
            Begun::bare(self.driver, "drop").run(&*self.observer, work, |()| 0).await
        })
    }

    fn inspect(&self) -> BoxFuture<'_, Result<SchemaInfo>> {
        self.inside.inspect()
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        self.inside.close()
    }
}

impl<O: Observer> Transaction for Observed<dyn Transaction, O> {
    as_inside! {
        bounds of layer: |operation, work| Box::pin(async move {
            Begun::bare(layer.driver, operation).run(&*layer.observer, work, |()| 0).await
        })
    }
}
