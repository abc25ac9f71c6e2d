//! Reading rows into sinks.

use std::any::Any;

use mongodb::ClientSession;
use mongodb::raw_batch_cursor::RawBatch;
use ommi_core::driver::{Call, Flow, RowRef, RowSink};
use ommi_core::model::ModelDef;
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Result, evaluate};

use crate::aggregate::IMPRECISE;
use crate::arithmetic::RAISED;
use crate::decode::{Columns, MadeRow, Rows};
use crate::element::{Elements, broken, find};
use crate::error::{Work, from_mongo};
use crate::select::{Select, field_types, foreign};
use crate::shared::Shared;
use crate::statement::Native;
use crate::writer::kind;

/// The documents of a batch, where they lie.
pub(crate) fn documents(batch: &RawBatch) -> Result<Elements<'_>> {
    let cursor = find(batch.as_raw_document().as_bytes(), "cursor").ok_or_else(broken)?;
    let first = cursor.get("firstBatch").or_else(|| cursor.get("nextBatch")).ok_or_else(broken)?;
    Elements::of(first.bytes)
}

/// Reads the documents of a batch into a sink, and says whether it wants more.
pub(crate) fn read_batch(
    elements: &mut Elements<'_>,
    columns: &mut Columns,
    sink: &mut dyn RowSink,
    most: usize,
) -> Result<(usize, Flow)> {
    let mut rows = Rows::new(columns);
    let mut read = 0;
    while read < most {
        let Some(element) = elements.next()? else { break };
        if element.value.kind != kind::DOCUMENT {
            return Err(broken());
        }
        read += 1;
        if sink.row(rows.read(element.value.bytes)?)? == Flow::Stop {
            return Ok((read, Flow::Stop));
        }
    }
    Ok((read, Flow::Continue))
}

/// The row of aggregates over no rows at all.
pub(crate) fn of_nothing(select: &Select, parameters: &[Datum]) -> Result<Vec<Vec<Datum>>> {
    match select.is_one_group {
        true => evaluate::select(&select.statement, parameters, Vec::<Vec<Datum>>::new()),
        false => Ok(Vec::new()),
    }
}

/// Whether the server found that it cannot sum floats precisely enough.
pub(crate) fn is_imprecise(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        mongodb::error::ErrorKind::Command(command) => command.message.contains(&format!("{RAISED}{IMPRECISE}")),
        _ => false,
    }
}

/// Keeps rows as values.
struct Kept {
    types: Vec<ValueType>,
    rows: Vec<Vec<Datum>>,
}

impl RowSink for Kept {
    fn columns(&mut self, _: &[&str]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let cell = |(index, of)| Datum::decode(row.cell(index)?, of);
        self.rows.push(self.types.iter().enumerate().map(cell).collect::<Result<_>>()?);
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

impl Shared {
    /// Reads the rows of a select into a sink.
    pub(crate) async fn fetch(
        &self,
        mut session: Option<&mut ClientSession>,
        call: Call<'_>,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Box<dyn RowSink>> {
        let Some(Native::Select(select)) = call.prepared.native::<Native>() else { return Err(foreign()) };
        self.require(&select.collection).await?;
        let mut attempt = 0;
        let mut columns = select.take_columns();
        loop {
            let Some(command) = select.command(call.parameters, None)? else { return Ok(sink) };
            match self.fetch_once(session.as_deref_mut(), command, &mut columns, &mut *sink).await {
                Ok(is_empty) => {
                    select.put_columns(columns);
                    if is_empty {
                        for row in of_nothing(select, call.parameters)? {
                            if sink.row(&MadeRow(&row))? == Flow::Stop {
                                break;
                            }
                        }
                    }
                    return Ok(sink);
                }
                Err(Fault::Ommi(error)) => return Err(error),
                Err(Fault::Mongo(error)) if is_imprecise(&error) => {
                    sink.reset();
                    for row in self.evaluated(session, select, call.parameters).await? {
                        if sink.row(&MadeRow(&row))? == Flow::Stop {
                            break;
                        }
                    }
                    return Ok(sink);
                }
                Err(Fault::Mongo(error)) => {
                    if !self.may_read_again(&error, session.is_some(), attempt) {
                        return Err(from_mongo(error, Work::Read, None::<&ModelDef>));
                    }
                    attempt += 1;
                    sink.reset();
                }
            }
        }
    }

    /// The rows of a select whose sums the server cannot do: the evaluator's, of the rows that pass.
    ///
    /// # Errors
    ///
    /// The server's and the evaluator's.
    pub(crate) async fn evaluated(
        &self,
        session: Option<&mut ClientSession>,
        select: &Select,
        parameters: &[Datum],
    ) -> Result<Vec<Vec<Datum>>> {
        let Some(rows) = &select.rows else { return Err(foreign()) };
        tracing::warn!(
            model = &**select.statement.model.name(),
            "the engine sums floats of which large ones cancel out, row by row"
        );
        let mut kept = Kept { types: field_types(&select.statement.model), rows: Vec::new() };
        let mut columns = rows.take_columns();
        if let Some(command) = rows.command(parameters, None)? {
            match self.fetch_once(session, command, &mut columns, &mut kept).await {
                Ok(_) => {}
                Err(Fault::Ommi(error)) => return Err(error),
                Err(Fault::Mongo(error)) => return Err(from_mongo(error, Work::Read, None)),
            }
        }
        evaluate::select(&select.statement, parameters, kept.rows)
    }

    /// Gives whether there was no row.
    async fn fetch_once(
        &self,
        mut session: Option<&mut ClientSession>,
        command: crate::writer::Writer,
        columns: &mut Columns,
        sink: &mut dyn RowSink,
    ) -> std::result::Result<bool, Fault> {
        let mut batches =
            self.open(session.as_deref_mut(), command).await.map_err(Fault::Ommi)?.map_err(Fault::Mongo)?;
        let mut is_empty = true;
        while let Some(batch) = batches.next(session.as_deref_mut()).await.map_err(Fault::Mongo)? {
            let mut elements = documents(&batch).map_err(Fault::Ommi)?;
            let (read, flow) = read_batch(&mut elements, columns, sink, usize::MAX).map_err(Fault::Ommi)?;
            is_empty &= read == 0;
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(is_empty)
    }
}

enum Fault {
    Mongo(mongodb::error::Error),
    Ommi(ommi_core::Error),
}
