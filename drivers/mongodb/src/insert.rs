//! Writing new rows.

use std::sync::Arc;

use mongodb::ClientSession;
use ommi_core::driver::{AssignedKeys, BoxFuture, Call, Inserted, RowSource};
use ommi_core::model::ModelDef;
use ommi_core::query::statement::InsertStatement;
use ommi_core::value::ValueType;
use ommi_core::{Error, Result};

use crate::catalog::stored;
use crate::element::find;
use crate::encode::{DOCUMENT_BYTES, RowWriter};
use crate::layout::Layout;
use crate::reference::Outgoing;
use crate::shared::Shared;
use crate::statement::Native;
use crate::transaction::{OwnCall, OwnWork};
use crate::upsert::{Upsert, Upserting};
use crate::write::Following;
use crate::writer::{Writer, kind};

/// The bytes of documents from which on a command is full: it may have 16 MB, and a document more.
const FULL: usize = 4 << 20;
/// The most documents of a command.
const ROWS: usize = 10_000;

/// An insert that is ready to be run.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) model: Arc<ModelDef>,
    pub(crate) collection: String,
    pub(crate) layout: Layout,
    /// What becomes of rows that are there already; without it they are errors.
    pub(crate) upsert: Option<Upsert>,
    pub(crate) text: String,
}

impl Insert {
    /// # Errors
    ///
    /// `Unsupported` for what the capabilities do not promise.
    pub(crate) fn prepare(statement: &InsertStatement, types: &[ValueType]) -> Result<Insert> {
        let collection = stored(&statement.model);
        let layout = Layout::of(&statement.model);
        let upsert = Upsert::prepare(statement, &layout, types)?;
        let name = ommi_core::value::Json::from(collection.as_str());
        let text = match &upsert {
            None => format!("{{\"insert\": {name}}}"),
            Some(upsert) => format!("{{\"update\": {name}, \"u\": {}, \"upsert\": true}}", upsert.stages.show()),
        };
        Ok(Insert { layout, upsert, text, model: Arc::clone(&statement.model), collection })
    }

    /// The numbers that rows without a key get, by what was given out.
    fn numbers(&self, rows: &dyn RowSource, last: i64, count: usize) -> Result<Vec<Option<i64>>> {
        let mut next = last - i64::try_from(count).unwrap_or(i64::MAX);
        let numbers = (0..rows.len()).map(|row| {
            rows.is_unassigned(row).then(|| {
                next += 1;
                next
            })
        });
        let numbers = numbers.collect();
        let range = self
            .model
            .auto()
            .and_then(|auto| self.model.field(auto))
            .and_then(|field| field.value_type.integer_range());
        match range {
            Some((_, most)) if i128::from(last) > most => {
                Err(Error::query(format!("the automatic keys are used up: {last} does not fit the type of the key"))
                    .with_model(self.model.name()))
            }
            _ => Ok(numbers),
        }
    }

    /// A command with rows from one on, and the row behind the last of them.
    fn command(&self, rows: &dyn RowSource, from: usize, numbers: &[Option<i64>]) -> Result<(Writer, usize)> {
        let mut writer = Writer::document();
        let place = writer.key("insert")?;
        let of = writer.text(&self.collection);
        writer.set(place, of);
        let place = writer.key("ordered")?;
        let of = writer.bool(true);
        writer.set(place, of);
        let place = writer.key("documents")?;
        let start = writer.begin();
        let mut documents = RowWriter::new(&self.model, &self.layout);
        let mut row = from;
        while row < rows.len() && row - from < ROWS && writer.len() < FULL {
            documents.begin_row(numbers.get(row).copied().flatten());
            rows.encode(row, &mut documents)?;
            let before = writer.len();
            let element = writer.index(row - from);
            let of = documents.write(&mut writer)?;
            if writer.len() > DOCUMENT_BYTES && row > from {
                // a large row has a command to itself
                writer.truncate(before);
                break;
            }
            writer.set(element, of);
            row += 1;
        }
        writer.end(start)?;
        writer.set(place, kind::ARRAY);
        Ok((writer, row))
    }
}

/// Rows that are to be written.
struct Writing {
    rows: Box<dyn RowSource>,
    /// The numbers that rows without a key get; empty if there are none.
    numbers: Vec<Option<i64>>,
    following: Following,
}

/// An insert in a transaction of its own.
struct OwnInsert {
    call: OwnCall,
    writing: Writing,
}

impl OwnWork for OwnInsert {
    fn run<'a>(&'a mut self, shared: &'a Shared, session: &'a mut ClientSession) -> BoxFuture<'a, Result<u64>> {
        let call = self.call.call();
        Box::pin(shared.write_rows(Some(session), call, &mut self.writing))
    }
}

impl Shared {
    /// Writes new rows, all or none if the server has transactions.
    ///
    /// # Errors
    ///
    /// `Constraint` if a rule refuses a row; the server's.
    pub(crate) async fn insert(
        self: &Arc<Self>,
        session: Option<&mut ClientSession>,
        call: Call<'_>,
        rows: Box<dyn RowSource>,
    ) -> Result<Inserted> {
        let insert = insert_of(call)?;
        self.require(&insert.collection).await?;
        let keys = Keys::of(&insert.model, &*rows);
        let last = self.give_out_to(insert, keys).await?;
        let numbers = match last {
            Some(last) => insert.numbers(&*rows, last, keys.unassigned)?,
            None => Vec::new(),
        };
        let collections = self.catalog.known();
        let following = Following {
            incoming: match &insert.upsert {
                Some(upsert) => collections.incoming_to(&insert.collection, &upsert.changed),
                None => Vec::new(),
            },
            outgoing: Outgoing::of_model(&insert.model, &collections),
        };
        let is_one = rows.len() <= 1 && following.is_empty();
        let mut writing = Writing { rows, numbers, following };
        let written = match session {
            Some(session) => self.write_rows(Some(session), call, &mut writing).await?,
            None if is_one || !self.server.has_transactions => self.write_rows(None, call, &mut writing).await?,
            None => {
                let own = OwnInsert { call: OwnCall::of(call), writing };
                let (own, written) = self.in_own_transaction(own).await?;
                writing = own.writing;
                written
            }
        };
        let keys: Vec<i64> = match &insert.upsert {
            None => writing.numbers.iter().flatten().copied().collect(),
            Some(_) => Vec::new(),
        };
        let keys = if keys.is_empty() { AssignedKeys::None } else { AssignedKeys::List(keys) };
        Ok(Inserted { rows: written, keys, source: writing.rows })
    }

    /// Writes the rows of a call, and says how many were written.
    async fn write_rows(
        &self,
        session: Option<&mut ClientSession>,
        call: Call<'_>,
        writing: &mut Writing,
    ) -> Result<u64> {
        let insert = insert_of(call)?;
        let Writing { rows, numbers, following } = writing;
        match &insert.upsert {
            Some(upsert) => {
                let work = Upserting { insert, upsert, parameters: call.parameters, numbers, following };
                self.upsert(session, &work, rows).await
            }
            None => {
                self.insert_batches(session, insert, rows, numbers, &following.outgoing).await?;
                Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
            }
        }
    }

    /// Gives numbers to rows that have no key, the last of which it tells, and sees to it that keys
    /// which are there meet none that is given out later.
    async fn give_out_to(&self, insert: &Insert, keys: Keys) -> Result<Option<i64>> {
        if let Some(greatest) = keys.greatest {
            self.push_counter(&insert.collection, greatest).await?;
        }
        match keys.unassigned {
            0 => Ok(None),
            count => self.give_out(&insert.collection, count, &insert.model).await.map(Some),
        }
    }

    /// Sends the rows in as many commands as they need.
    async fn insert_batches(
        &self,
        mut session: Option<&mut ClientSession>,
        insert: &Insert,
        rows: &mut Box<dyn RowSource>,
        numbers: &[Option<i64>],
        outgoing: &[Outgoing],
    ) -> Result<()> {
        let mut from = 0;
        let mut written = 0;
        loop {
            if from >= rows.len() {
                return Ok(());
            }
            let (command, next) = insert.command(&**rows, from, numbers)?;
            let is_atomic = session.is_some();
            let wanted = match outgoing.is_empty() {
                true => Vec::new(),
                false => {
                    let documents = command.bytes().to_vec();
                    outgoing.iter().map(|of| of.values(inserted(&documents))).collect()
                }
            };
            let answer = self.write(session.as_deref_mut(), command, Some(&insert.model)).await;
            let answer = answer.map_err(|error| match written {
                0 => error,
                _ if is_atomic => error,
                written => {
                    ommi_core::Error::new(error.kind(), format!("{}; rows written before: {written}", error.message()))
                        .with_source(error)
                }
            })?;
            written += find(answer.as_bytes(), "n").and_then(|n| n.whole()).unwrap_or_default();
            if let Some(session) = session.as_deref_mut() {
                for (of, values) in outgoing.iter().zip(wanted) {
                    self.check_targets(session, of, values).await?;
                }
            }
            from = next;
        }
    }
}

fn insert_of(call: Call<'_>) -> Result<&Insert> {
    match call.prepared.native::<Native>() {
        Some(Native::Insert(insert)) => Ok(insert),
        _ => Err(crate::select::foreign()),
    }
}

/// The documents of an insert's command.
fn inserted(command: &[u8]) -> Vec<&[u8]> {
    // the command is not ended yet: its documents are the last element
    let mut whole = crate::element::Elements::open(command);
    while let Ok(Some(element)) = whole.next() {
        if element.name == b"documents" {
            return element.value.elements().into_iter().map(|(_, row)| row.bytes).collect();
        }
    }
    Vec::new()
}

/// The automatic keys of rows.
#[derive(Clone, Copy, Debug)]
struct Keys {
    /// How many rows have none.
    unassigned: usize,
    /// The greatest of those that are there.
    greatest: Option<i64>,
}

impl Keys {
    fn of(model: &ModelDef, rows: &dyn RowSource) -> Self {
        if model.auto().is_none() {
            return Keys { unassigned: 0, greatest: None };
        }
        Keys {
            unassigned: (0..rows.len()).filter(|row| rows.is_unassigned(*row)).count(),
            greatest: (0..rows.len()).filter_map(|row| rows.key(row)).max(),
        }
    }
}
