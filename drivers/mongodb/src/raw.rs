//! Raw commands.

use mongodb::ClientSession;
use ommi_core::driver::{Flow, Raw, RowRef, RowSink, RowsMatched};
use ommi_core::value::{Cell, DecimalSize, Json, ValueType};
use ommi_core::{Error, Result};

use crate::decode::{RawList, cell, json, natural};
use crate::element::{RawValue, elements, find};
use crate::error::{DRIVER, Work, from_mongo};
use crate::name;
use crate::raw_text::read;
use crate::read::documents;
use crate::shared::Shared;
use crate::validator::Note;
use crate::write::matched;
use crate::writer::kind;

/// Commands whose answers come in batches.
const CURSORS: [&str; 4] = ["find", "aggregate", "listCollections", "listIndexes"];
/// Commands that change nothing.
const READS: [&str; 13] = [
    "buildInfo",
    "collStats",
    "connectionStatus",
    "count",
    "dbStats",
    "distinct",
    "explain",
    "hello",
    "hostInfo",
    "listDatabases",
    "ping",
    "serverStatus",
    "validate",
];
/// Commands that begin or end transactions by themselves.
const REFUSED: [&str; 3] = ["abortTransaction", "commitTransaction", "endSessions"];
/// Members of every answer.
const OF_ANSWERS: [&str; 4] = ["ok", "$clusterTime", "operationTime", "opTime"];

/// A column of the answer to a raw command.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    path: Vec<String>,
    /// The path of the microseconds of a moment.
    micros: Option<Vec<String>>,
    value_type: Option<ValueType>,
}

/// A row of the answer to a raw command.
struct RawRow<'a> {
    cells: Vec<Made<'a>>,
}

enum Made<'a> {
    Value(RawValue<'a>, Option<ValueType>, i32),
    Json(Json),
    List(RawList<'a>),
}

impl RowRef for RawRow<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.cells.get(column) {
            Some(Made::Value(value, Some(value_type), micros)) => cell(value, value_type, *micros),
            Some(Made::Value(value, None, _)) => natural(value),
            Some(Made::Json(value)) => Ok(Cell::Json(value)),
            Some(Made::List(items)) => Ok(Cell::List(items)),
            None => Err(Error::decode(format!("the row has no column {}", column + 1))),
        }
    }
}

fn at<'a>(row: &'a [u8], path: &[String]) -> Option<RawValue<'a>> {
    path.iter().try_fold(RawValue { kind: kind::DOCUMENT, bytes: row }, |of, name| of.get(name))
}

impl<'a> RawRow<'a> {
    fn new(row: &'a [u8], columns: &[Column]) -> Result<Self> {
        let mut cells = Vec::with_capacity(columns.len());
        for column in columns {
            let value = at(row, &column.path).unwrap_or(RawValue::MISSING);
            cells.push(match (&column.value_type, value.kind) {
                (_, 0) => Made::Value(value, None, 0),
                (Some(ValueType::List(item)), kind::ARRAY) => Made::List(RawList::new(&value, item)?),
                (Some(ValueType::Json), _) | (None, kind::DOCUMENT | kind::ARRAY) => Made::Json(json(&value)?),
                (value_type, _) => {
                    let micros = column.micros.as_ref().and_then(|path| at(row, path)).and_then(|value| value.whole());
                    let micros = micros.and_then(|micros| i32::try_from(micros).ok()).unwrap_or_default();
                    Made::Value(value, value_type.clone(), micros)
                }
            });
        }
        Ok(RawRow { cells })
    }
}

/// The columns of an answer: the fields of the model whose collection it comes from, then whatever
/// else the first documents have.
fn columns(rows: &[&[u8]], note: Option<&Note>) -> Vec<Column> {
    let mut found = Vec::new();
    let mut covered = Vec::new();
    let split = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    if let Some(note) = note {
        let is_there = |path: &[String]| rows.iter().any(|row| at(row, path).is_some());
        let is_whole = note.fields.iter().all(|field| field.nullable || is_there(&split(&field.path)));
        for field in &note.fields {
            let path = split(&field.path);
            if !is_whole && !is_there(&path) {
                continue;
            }
            let value_type = value_type(&field.value_type);
            let is_moment = value_type.as_ref().is_some_and(crate::layout::is_moment);
            let micros = is_moment.then(|| split(&format!("{}$us", field.path)));
            covered.extend(path.first().cloned());
            covered.extend(micros.iter().filter(|path| path.len() == 1).filter_map(|path| path.first().cloned()));
            found.push(Column { name: field.column.clone(), path, micros, value_type });
        }
    }
    for row in rows {
        for (name, _) in elements(row) {
            if !covered.contains(&name) {
                covered.push(name.clone());
                found.push(Column {
                    name: if name == "_id" { name.clone() } else { name::read(&name).into_owned() },
                    path: vec![name],
                    micros: None,
                    value_type: None,
                });
            }
        }
    }
    found
}

/// The type of a name that a collection notes.
fn value_type(of: &str) -> Option<ValueType> {
    if let Some(item) = of.strip_prefix("list of ") {
        return value_type(item).map(|item| ValueType::List(Box::new(item)));
    }
    if let Some(size) = of.strip_prefix("decimal(").and_then(|size| size.strip_suffix(')')) {
        let (precision, scale) = size.split_once(", ")?;
        let size = DecimalSize { precision: precision.parse().ok()?, scale: scale.parse().ok()? };
        return Some(ValueType::Decimal(Some(size)));
    }
    Some(match of {
        "bool" => ValueType::Bool,
        "i8" => ValueType::I8,
        "i16" => ValueType::I16,
        "i32" => ValueType::I32,
        "i64" => ValueType::I64,
        "u8" => ValueType::U8,
        "u16" => ValueType::U16,
        "u32" => ValueType::U32,
        "u64" => ValueType::U64,
        "f32" => ValueType::F32,
        "f64" => ValueType::F64,
        "decimal" => ValueType::DECIMAL,
        "bytes" => ValueType::Bytes,
        "uuid" => ValueType::Uuid,
        "date" => ValueType::Date,
        "time" => ValueType::Time,
        "datetime" => ValueType::DateTime,
        "timestamp" => ValueType::Timestamp,
        "duration" => ValueType::Duration,
        "json" => ValueType::Json,
        _ => ValueType::Text,
    })
}

impl Shared {
    /// Runs a raw command.
    ///
    /// # Errors
    ///
    /// `Query` if the text is no command; the server's.
    pub(crate) async fn raw(
        &self,
        mut session: Option<&mut ClientSession>,
        raw: &Raw,
        mut sink: Box<dyn RowSink>,
    ) -> Result<(Box<dyn RowSink>, RowsMatched)> {
        let mut command = read(&raw.text, &raw.parameters).map_err(|error| error.with_driver(DRIVER))?;
        if REFUSED.contains(&command.name.as_str()) {
            return Err(Error::query(format!("`{}` ends a transaction, which only its own handle does", command.name))
                .with_driver(DRIVER));
        }
        let known = self.catalog.known();
        let note = command.collection.as_deref().and_then(|stored| known.get(stored)).and_then(|of| of.note.as_ref());
        if CURSORS.contains(&command.name.as_str()) {
            if command.name == "aggregate" && !command.members.iter().any(|member| member == "cursor") {
                let place = command.writer.key("cursor")?;
                let start = command.writer.begin();
                command.writer.end(start)?;
                command.writer.set(place, kind::DOCUMENT);
            }
            let opened = self.open(session.as_deref_mut(), command.writer).await?;
            let mut batches = opened.map_err(|error| from_mongo(error, Work::Read, None))?;
            let mut found: Option<Vec<Column>> = None;
            while let Some(batch) =
                batches.next(session.as_deref_mut()).await.map_err(|error| from_mongo(error, Work::Read, None))?
            {
                let mut rows = Vec::new();
                let mut all = documents(&batch)?;
                while let Some(element) = all.next()? {
                    rows.push(element.value.bytes);
                }
                if rows.is_empty() && note.is_none() {
                    continue;
                }
                let is_first = found.is_none();
                let columns = found.get_or_insert_with(|| columns(&rows, note));
                if push(&rows, columns, is_first, &mut *sink)? == Flow::Stop {
                    break;
                }
            }
            return Ok((sink, 0));
        }
        let work = if READS.contains(&command.name.as_str()) { Work::Read } else { Work::Write };
        let has_concern = command.members.iter().any(|member| member == "writeConcern");
        if work == Work::Write && session.is_none() && !has_concern {
            self.with_write_concern(&mut command.writer)?;
        }
        let answer = self.run(session, command.writer.finish()?, work, None).await?;
        let bytes = answer.as_bytes();
        match find(bytes, "value") {
            Some(value) if value.kind == kind::DOCUMENT => {
                push(&[value.bytes], &columns(&[value.bytes], note), true, &mut *sink)?;
            }
            Some(value) if value.is_null() => {}
            _ => {
                let columns: Vec<Column> = columns(&[bytes], None)
                    .into_iter()
                    .filter(|column| !OF_ANSWERS.contains(&column.name.as_str()))
                    .collect();
                push(&[bytes], &columns, true, &mut *sink)?;
            }
        }
        Ok((sink, matched(bytes)))
    }
}

/// Pushes rows into a sink, after the names of their columns.
fn push(rows: &[&[u8]], columns: &[Column], is_first: bool, sink: &mut dyn RowSink) -> Result<Flow> {
    if is_first {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        sink.columns(&names)?;
    }
    for row in rows {
        if sink.row(&RawRow::new(row, columns)?)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
    }
    Ok(Flow::Continue)
}
