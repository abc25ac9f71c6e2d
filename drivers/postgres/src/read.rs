//! The row path: from PostgreSQL's buffer into a sink.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::{Stream, TryStreamExt};
use ommi_core::driver::{Call, Flow, RowSink};
use tokio_postgres::RowStream;

use crate::connection::{Connection, StatementKey};
use crate::decode::{Column, PostgresRow, columns};
use crate::encode::{Parameter, parameters};
use crate::error::{Failure, Outcome};
use crate::native::Native;

/// How many rows that nobody wants are passed over.
const SURPLUS: usize = 64;

/// The key of a statement that has one form.
#[inline]
pub(crate) fn key_of(call: &Call<'_>) -> StatementKey {
    StatementKey::new(call.prepared.id(), 0)
}

/// Reads rows into a sink.
#[inline]
pub(crate) async fn fetch(
    connection: &Connection,
    call: Call<'_>,
    mut sink: Box<dyn RowSink>,
) -> Outcome<Box<dyn RowSink>> {
    let native = Native::of(call.prepared)?;
    let request = connection.request();
    let mut read = request.wait(pin!(read(connection, &call, native, &mut *sink))).await;
    if let Err(failure) = &read
        && connection.forget_stale(failure, key_of(&call))
    {
        sink.reset();
        read = Box::pin(self::read(connection, &call, native, &mut *sink)).await;
    }
    match read {
        // the rest of the rows is still to come: dropped, the request counts as interrupted
        Ok(Ended::Early) | Err(Failure::Ommi(_)) => {}
        Ok(Ended::Whole) | Err(Failure::Postgres(_)) => request.answered(),
    }
    read.map(|_| sink)
}

#[inline]
async fn read(connection: &Connection, call: &Call<'_>, native: &Native, sink: &mut dyn RowSink) -> Outcome<Ended> {
    let client = connection.client();
    let text = call.prepared.text();
    let parameters = parameters(&native.slots, call.parameters, call.prepared.parameters())?;
    if !connection.prepares() {
        let typed = parameters.into_iter().zip(native.types.iter().cloned());
        let rows = Box::pin(client.query_typed_raw(text, typed)).await?;
        return Box::pin(drain(rows, Described::Later(&native.wanted), sink)).await;
    }
    let statement = connection.statements().get(client, key_of(call), text, &native.types, &native.wanted).await?;
    // a box of its own, because one for everything would be longer than the allocator keeps at hand
    let rows = Box::pin(client.query_raw(&statement.statement, parameters.iter().map(Parameter::lent))).await?;
    drain(rows, Described::Before(&statement.columns), sink).await
}

/// How far an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// To its end.
    Whole,
    /// As far as the sink wanted rows.
    Early,
}

/// How the columns of an answer are read.
enum Described<'a> {
    Before(&'a [Column]),
    /// The answer says it itself; these are the types that are wanted.
    Later(&'a [ommi_core::value::ValueType]),
}

/// Pushes all rows of an answer into a sink, or as many as it wants.
#[inline]
async fn drain(rows: RowStream, described: Described<'_>, sink: &mut dyn RowSink) -> Outcome<Ended> {
    let mut rows = pin!(rows);
    let mut of_answer = None;
    while let Some(row) = rows.try_next().await? {
        let columns = match described {
            Described::Before(columns) => columns,
            Described::Later(wanted) => of_answer.get_or_insert_with(|| columns(row.columns(), wanted)) as &[Column],
        };
        if sink.row(&PostgresRow::new(&row, columns))? == Flow::Stop {
            return Ok(pass_over(rows).await);
        }
    }
    Ok(Ended::Whole)
}

/// Passes over the rows that nobody wants, if they are there already: a connection whose answer is left
/// before its end has to find that end by itself, which takes another round trip.
async fn pass_over(mut rows: Pin<&mut RowStream>) -> Ended {
    poll_fn(|context| {
        for _ in 0..SURPLUS {
            match rows.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None) => return Poll::Ready(Ended::Whole),
                Poll::Ready(Some(Err(_))) | Poll::Pending => break,
            }
        }
        Poll::Ready(Ended::Early)
    })
    .await
}
