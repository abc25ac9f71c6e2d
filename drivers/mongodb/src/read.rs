//! Reading rows into sinks.

use std::any::Any;
use std::borrow::Cow;

use mongodb::ClientSession;
use mongodb::raw_batch_cursor::RawBatch;
use ommi_core::driver::{Call, Flow, RowRef, RowSink};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::SelectStatement;
use ommi_core::value::{Datum, ValueType};
use ommi_core::{Result, evaluate};

use crate::aggregate::IMPRECISE;
use crate::arithmetic::RAISED;
use crate::decode::{Columns, MadeRow, Rows, output_name};
use crate::element::{Elements, broken, find};
use crate::error::{Work, from_mongo};
use crate::related::KeyList;
use crate::select::{Select, foreign, values_asked};
use crate::shared::Shared;
use crate::statement::Native;
use crate::writer::{Writer, kind};

/// The most bytes of the lists of keys in a command, of which the server takes 16 MB.
const LIST_BYTES: usize = 8 << 20;

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

/// What rows that hold values of related rows behind their fields tell of these, for the evaluator; and
/// the rows alone.
fn answers(
    statement: &SelectStatement,
    parameters: &[Datum],
    mut rows: Vec<Vec<Datum>>,
) -> Result<(evaluate::Related, Vec<Vec<Datum>>)> {
    let mut related = evaluate::Related::default();
    let values: Vec<Vec<Datum>> =
        rows.iter_mut().map(|row| row.split_off(statement.model.fields().len().min(row.len()))).collect();
    for (place, node) in values_asked(statement).into_iter().enumerate() {
        let kind = node.link.kind().filter(|kind| !kind.of_target);
        let is_of_kind = |row: &[Datum]| {
            kind.is_none_or(
                |kind| matches!(row.get(usize::from(kind.field)), Some(Datum::Text(text)) if **text == *kind.value),
            )
        };
        let mut found = Vec::new();
        for (row, values) in rows.iter().zip(&values).filter(|(row, _)| is_of_kind(row)) {
            let key = node.link.from().iter().map(|field| row.get(usize::from(*field)).cloned().unwrap_or_default());
            found.push(key.chain([values.get(place).cloned().unwrap_or_default()]).collect());
        }
        related.insert(&node, parameters, found)?;
    }
    Ok((related, rows))
}

impl Shared {
    /// The select with its lists of keys of related rows, which are parameters behind those of the
    /// statement; without lists, where one is too long for a command.
    ///
    /// # Errors
    ///
    /// `Schema` if a collection is not there; the server's.
    pub(crate) async fn with_lists<'s>(
        &self,
        mut session: Option<&mut ClientSession>,
        select: &'s Select,
        parameters: &'s [Datum],
    ) -> Result<(&'s Select, Cow<'s, [Datum]>)> {
        self.require(&select.collection).await?;
        for other in &select.others {
            self.require(other).await?;
        }
        if select.lists.is_empty() {
            return Ok((select, Cow::Borrowed(parameters)));
        }
        let parameters = parameters.get(..select.parameters).unwrap_or(parameters);
        let mut all = parameters.to_vec();
        let mut room = LIST_BYTES;
        for list in &select.lists {
            let keys = Box::pin(self.list(session.as_deref_mut(), list, parameters, room)).await?;
            match (keys, &select.without_lists) {
                (Some(keys), _) => {
                    room = room.saturating_sub(keys.len());
                    all.push(Datum::Bytes(keys.into()));
                }
                (None, Some(select)) => return Ok((select, Cow::Borrowed(parameters))),
                (None, None) => return Err(foreign()),
            }
        }
        Ok((select, Cow::Owned(all)))
    }

    /// The keys of a list, as an array; none, if they are more bytes than there is room for.
    async fn list(
        &self,
        mut session: Option<&mut ClientSession>,
        list: &KeyList,
        parameters: &[Datum],
        room: usize,
    ) -> Result<Option<Vec<u8>>> {
        let (select, parameters) = self.with_lists(session.as_deref_mut(), &list.select, parameters).await?;
        let mut attempt = 0;
        loop {
            let Some(command) = select.command(&parameters, None)? else { return Err(foreign()) };
            match self.list_once(session.as_deref_mut(), command, room).await {
                Ok(keys) => return Ok(keys),
                Err(Fault::Ommi(error)) => return Err(error),
                Err(Fault::Mongo(error)) => {
                    if !self.may_read_again(&error, session.is_some(), attempt) {
                        return Err(from_mongo(error, Work::Read, Some(&select.statement.model)));
                    }
                    attempt += 1;
                }
            }
        }
    }

    async fn list_once(
        &self,
        mut session: Option<&mut ClientSession>,
        command: Writer,
        room: usize,
    ) -> std::result::Result<Option<Vec<u8>>, Fault> {
        let mut batches =
            self.open(session.as_deref_mut(), command).await.map_err(Fault::Ommi)?.map_err(Fault::Mongo)?;
        let mut array = Writer::default();
        let start = array.begin();
        let mut count = 0;
        while let Some(batch) = batches.next(session.as_deref_mut()).await.map_err(Fault::Mongo)? {
            let mut elements = documents(&batch).map_err(Fault::Ommi)?;
            while let Some(element) = elements.next().map_err(Fault::Ommi)? {
                // null is related to nothing
                let Some(key) = find(element.value.bytes, &output_name(0)).filter(|key| !key.is_null()) else {
                    continue;
                };
                let place = array.index(count);
                array.raw(key.bytes);
                array.set(place, key.kind);
                count += 1;
                if array.len() > room {
                    return Ok(None);
                }
            }
        }
        array.end(start).map_err(Fault::Ommi)?;
        Ok(Some(array.bytes().to_vec()))
    }

    /// Reads the rows of a select into a sink.
    pub(crate) async fn fetch(
        &self,
        mut session: Option<&mut ClientSession>,
        call: Call<'_>,
        mut sink: Box<dyn RowSink>,
    ) -> Result<Box<dyn RowSink>> {
        let Some(Native::Select(select)) = call.prepared.native::<Native>() else { return Err(foreign()) };
        let (select, parameters) = self.with_lists(session.as_deref_mut(), select, call.parameters).await?;
        let mut attempt = 0;
        let mut columns = select.take_columns();
        loop {
            let Some(command) = select.command(&parameters, None)? else { return Ok(sink) };
            match self.fetch_once(session.as_deref_mut(), command, &mut columns, &mut *sink).await {
                Ok(is_empty) => {
                    select.put_columns(columns);
                    if is_empty {
                        for row in of_nothing(select, &parameters)? {
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
                    for row in self.evaluated(session, select, &parameters).await? {
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
        let statement = &*select.statement;
        tracing::warn!(
            model = &**statement.model.name(),
            "the engine sums floats of which large ones cancel out, row by row"
        );
        let mut session = session;
        let (rows, parameters) = self.with_lists(session.as_deref_mut(), rows, parameters).await?;
        let mut kept = Kept { types: rows.types().to_vec(), rows: Vec::new() };
        let mut columns = rows.take_columns();
        if let Some(command) = rows.command(&parameters, None)? {
            match self.fetch_once(session, command, &mut columns, &mut kept).await {
                Ok(_) => {}
                Err(Fault::Ommi(error)) => return Err(error),
                Err(Fault::Mongo(error)) => return Err(from_mongo(error, Work::Read, None)),
            }
        }
        let (related, rows) = answers(statement, &parameters, kept.rows)?;
        evaluate::select_related(statement, &parameters, &related, rows)
    }

    /// Gives whether there was no row.
    async fn fetch_once(
        &self,
        mut session: Option<&mut ClientSession>,
        command: Writer,
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
