//! Rows in batches of the size that is asked for.

use std::sync::Arc;

use mongodb::ClientSession;
use mongodb::raw_batch_cursor::RawBatch;
use ommi_core::Result;
use ommi_core::driver::{BoxFuture, Call, Flow, RowSink, RowStream};
use ommi_core::value::Datum;
use tokio::sync::Mutex;

use crate::decode::{Columns, MadeRow};
use crate::error::{Work, from_mongo};
use crate::read::{documents, is_imprecise, of_nothing, read_batch};
use crate::select::{Select, foreign};
use crate::session::to_its_end;
use crate::shared::{Batches, Shared};
use crate::statement::Native;
use crate::transaction::Held;

/// How many documents the first batch of a stream has.
const BATCH: usize = 1_000;

/// Rows that are read in batches.
pub(crate) struct Stream {
    shared: Arc<Shared>,
    /// The session of the transaction that the rows are read in.
    held: Option<Arc<Mutex<Held>>>,
    batches: Option<Batches>,
    columns: Columns,
    /// The batch that is being read, and how many of its documents have been.
    batch: Option<(RawBatch, usize)>,
    /// The rows of aggregates over no rows.
    nothing: Vec<Vec<Datum>>,
    any: bool,
}

impl Stream {
    /// Opens the rows of a select.
    ///
    /// # Errors
    ///
    /// The server's.
    pub(crate) async fn open(
        shared: Arc<Shared>,
        within: Option<(Arc<Mutex<Held>>, &mut ClientSession)>,
        call: Call<'_>,
    ) -> Result<Self> {
        let Some(Native::Select(select)) = call.prepared.native::<Native>() else { return Err(foreign()) };
        let (held, mut session) = within.unzip();
        let (select, parameters) = shared.with_lists(session.as_deref_mut(), select, call.parameters).await?;
        let mut evaluated = None;
        let batches = match select.command(&parameters, Some(BATCH))? {
            None => None,
            Some(command) => match shared.open(session.as_deref_mut(), command).await? {
                Ok(batches) => Some(batches),
                Err(error) if is_imprecise(&error) => {
                    evaluated = Some(shared.evaluated(session, select, &parameters).await?);
                    None
                }
                Err(error) => return Err(from_mongo(error, Work::Read, None)),
            },
        };
        let nothing = match evaluated {
            Some(rows) => rows,
            None if batches.is_some() => of_nothing(select, &parameters)?,
            None => Vec::new(),
        };
        let columns = Select::take_columns(select);
        Ok(Stream { shared, held, batches, columns, batch: None, nothing, any: false })
    }

    async fn next_batch(&mut self) -> Result<Option<RawBatch>> {
        // a read that is dropped ends the stream
        let Some(mut batches) = self.batches.take() else { return Ok(None) };
        let (batches, next) = match &self.held {
            None => {
                let next = batches.next(None).await;
                (batches, next)
            }
            Some(held) => {
                let mut held = Arc::clone(held).lock_owned().await;
                to_its_end(&self.shared.rollbacks, |_| async move {
                    let next = batches.next(Some(held.session()?)).await;
                    Ok((batches, next))
                })
                .await?
            }
        };
        let next = next.map_err(|error| from_mongo(error, Work::Read, None))?;
        if next.is_some() {
            self.batches = Some(batches);
        }
        Ok(next)
    }

    async fn read(&mut self, mut sink: Box<dyn RowSink>, rows: usize) -> Result<(Box<dyn RowSink>, bool)> {
        let _running = self.shared.clone();
        let _permit = _running.enter().await?;
        let mut left = rows;
        while left > 0 {
            let (batch, at) = match self.batch.take() {
                Some(batch) => batch,
                None => match self.next_batch().await? {
                    Some(batch) => (batch, 0),
                    None => {
                        if !self.any {
                            self.any = true;
                            for row in std::mem::take(&mut self.nothing) {
                                sink.row(&MadeRow(&row))?;
                            }
                        }
                        return Ok((sink, false));
                    }
                },
            };
            let mut elements = documents(&batch)?;
            for _ in 0..at {
                elements.next()?;
            }
            let (read, flow) = read_batch(&mut elements, &mut self.columns, &mut *sink, left)?;
            self.any |= read > 0;
            left -= read;
            let is_done = elements.next()?.is_none();
            if !is_done {
                self.batch = Some((batch, at + read));
            }
            if flow == Flow::Stop {
                self.batches = None;
                self.batch = None;
                return Ok((sink, false));
            }
        }
        Ok((sink, self.batch.is_some() || self.batches.is_some()))
    }
}

impl RowStream for Stream {
    fn next<'a>(&'a mut self, sink: Box<dyn RowSink>, rows: usize) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(self.read(sink, rows))
    }
}
