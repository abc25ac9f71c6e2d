//! Rows in batches, in bounded memory.
//!
//! Outside of transactions a stream has its connection to itself, and the server sends on as far as
//! rows are taken. In a transaction, whose other statements may come between two batches, it is a
//! cursor.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::TryStreamExt;
use ommi_core::driver::{BoxFuture, Call, Flow, RowSink, RowStream};
use ommi_core::{Error, ModelDef, Result};
use ommi_pool::Lease;
use tokio_postgres::types::{ToSql, Type};

use crate::connection::OwnedRequest;
use crate::decode::{Column, PostgresRow, columns};
use crate::encode::{Parameter, parameters};
use crate::error::{Context, Effect, InWords, Outcome};
use crate::native::Native;
use crate::opener::PostgresOpener;
use crate::options::Options;
use crate::read::key_of;
use crate::transaction::Turns;

static NEXT_CURSOR: AtomicU64 = AtomicU64::new(1);

/// Where the rows of a stream come from.
enum Source {
    /// The answer to a statement, on a connection of its own.
    Answer(Box<Answer>),
    /// A cursor of a transaction, by its name.
    Cursor(Turns, String),
    /// All rows were given, or reading them failed.
    Exhausted,
}

struct Answer {
    rows: Pin<Box<tokio_postgres::RowStream>>,
    /// How columns are read, once that is known.
    columns: Option<Box<[Column]>>,
    request: OwnedRequest,
    /// Dropped last: the connection goes back when the request is over.
    _lease: Lease<PostgresOpener>,
}

/// Rows in batches.
pub(crate) struct Stream {
    source: Source,
    model: Arc<ModelDef>,
    wanted: Vec<ommi_core::value::ValueType>,
    options: Arc<Options>,
}

impl Stream {
    /// The rows of a call, on a connection of their own.
    pub(crate) async fn open(lease: Lease<PostgresOpener>, call: Call<'_>, options: &Arc<Options>) -> Outcome<Self> {
        let native = Native::of(call.prepared)?;
        let parameters = parameters(&native.slots, call.parameters, call.prepared.parameters())?;
        let client = lease.client();
        let request = OwnedRequest::new(lease.connection());
        let (rows, columns) = if lease.prepares() {
            let statements = lease.statements();
            let text = call.prepared.text();
            let cached = statements.get(client, key_of(&call), text, &native.types, &native.wanted).await;
            let cached = match cached {
                Ok(cached) => cached,
                Err(error) => {
                    request.answered();
                    return Err(error.into());
                }
            };
            let rows = client.query_raw(&cached.statement, parameters).await;
            (rows, Some(cached.columns.clone()))
        } else {
            let typed = parameters.into_iter().zip(native.types.iter().cloned());
            (client.query_typed_raw(call.prepared.text(), typed).await, None)
        };
        let rows = match rows {
            Ok(rows) => Box::pin(rows),
            Err(error) => {
                request.answered();
                let failure = error.into();
                lease.forget_stale(&failure, key_of(&call));
                return Err(failure);
            }
        };
        let source = Source::Answer(Box::new(Answer { rows, columns, request, _lease: lease }));
        Ok(Stream::new(source, native, options))
    }

    /// The rows of a call in a transaction.
    pub(crate) async fn declare(turns: Turns, call: Call<'_>, options: &Arc<Options>) -> Outcome<Self> {
        let native = Native::of(call.prepared)?;
        let parameters = parameters(&native.slots, call.parameters, call.prepared.parameters())?;
        let name = format!("ommi_cursor_{}", NEXT_CURSOR.fetch_add(1, Ordering::Relaxed));
        let text = format!("DECLARE {name} NO SCROLL CURSOR FOR {}", call.prepared.text());
        let connection = turns.connection()?;
        let request = connection.request();
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().map(Parameter::lent).zip(native.types.iter().cloned()).collect();
        let declared = connection.client().execute_typed(&text, &typed).await;
        request.answered();
        declared?;
        Ok(Stream::new(Source::Cursor(turns, name), native, options))
    }

    fn new(source: Source, native: &Native, options: &Arc<Options>) -> Self {
        Stream { source, model: Arc::clone(&native.model), wanted: native.wanted.clone(), options: Arc::clone(options) }
    }

    async fn batch(&mut self, sink: Box<dyn RowSink>, rows: usize) -> Outcome<(Box<dyn RowSink>, bool)> {
        let (sink, is_more) = match &mut self.source {
            Source::Exhausted => (sink, false),
            Source::Answer(answer) => answer.read(sink, rows, &self.wanted).await?,
            Source::Cursor(turns, name) => fetch(turns, name, sink, rows, &self.wanted).await?,
        };
        if !is_more && let Source::Answer(answer) = std::mem::replace(&mut self.source, Source::Exhausted) {
            answer.request.answered();
        }
        Ok((sink, is_more))
    }
}

impl Answer {
    async fn read(
        &mut self,
        mut sink: Box<dyn RowSink>,
        wanted: usize,
        types: &[ommi_core::value::ValueType],
    ) -> Outcome<(Box<dyn RowSink>, bool)> {
        let Answer { rows, columns: known, request, .. } = self;
        let read = async {
            for _ in 0..wanted {
                let Some(row) = rows.try_next().await? else { return Outcome::Ok(false) };
                let columns = known.get_or_insert_with(|| columns(row.columns(), types));
                if sink.row(&PostgresRow::new(&row, columns))? == Flow::Stop {
                    break;
                }
            }
            Ok(true)
        };
        let is_more = request.wait(pin!(read)).await?;
        Ok((sink, is_more))
    }
}

/// Fetches the next rows of a cursor.
async fn fetch(
    turns: &Turns,
    name: &str,
    mut sink: Box<dyn RowSink>,
    wanted: usize,
    types: &[ommi_core::value::ValueType],
) -> Outcome<(Box<dyn RowSink>, bool)> {
    let connection = turns.connection()?;
    let request = connection.request();
    let text = format!("FETCH FORWARD {wanted} FROM {name}");
    let read = async {
        let none: [(&(dyn ToSql + Sync), Type); 0] = [];
        let mut rows = Box::pin(connection.client().query_typed_raw(&text, none).await?);
        let mut count = 0;
        let mut of_answer = None;
        while let Some(row) = rows.try_next().await? {
            count += 1;
            let columns = of_answer.get_or_insert_with(|| columns(row.columns(), types));
            sink.row(&PostgresRow::new(&row, columns))?;
        }
        Ok::<_, crate::error::Failure>(count)
    };
    let count = request.wait(pin!(read)).await;
    request.answered();
    let is_more = count? == wanted;
    if !is_more {
        connection.batch(&format!("CLOSE {name}")).await?;
    }
    Ok((sink, is_more))
}

impl RowStream for Stream {
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(async move {
            let batch = self.batch(sink, rows.max(1)).await;
            if batch.is_err() {
                match std::mem::replace(&mut self.source, Source::Exhausted) {
                    Source::Cursor(turns, _) => turns.fail(),
                    Source::Answer(_) | Source::Exhausted => {}
                }
            }
            let context =
                Context { options: &self.options, model: Some(&self.model), written: &[], effect: Effect::None };
            batch.in_words(context).map_err(|error: Error| error.with_model(self.model.name()))
        })
    }
}
