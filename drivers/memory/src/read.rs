//! Reading rows.

use std::sync::Arc;

use ommi_core::Result;
use ommi_core::driver::{BoxFuture, Flow, Prepared, RowSink, RowStream};
use ommi_core::evaluate::{Evaluator, Related, Selection};
use ommi_core::query::statement::{SelectStatement, Statement};
use ommi_core::value::Datum;
use tokio::task::yield_now;

use crate::access::Layout;
use crate::decode::Values;
use crate::error::foreign;
use crate::seen::Seen;
use crate::statement::{self, MemoryStatement};
use crate::table::{Row, Table};

/// After how many rows a scan lets others run.
const ROWS_PER_TURN: usize = 1024;

/// The rows that a select looks at: a snapshot that nobody writes to.
pub(crate) struct Source {
    rows: Rows,
    layout: Layout,
    related: Related,
}

enum Rows {
    /// All rows of a committed table.
    Table(Arc<Table>),
    /// Rows that were found, or seen through a transaction's changes.
    Found(Vec<Row>),
}

impl Source {
    /// The rows of a prepared select in a table.
    ///
    /// # Errors
    ///
    /// `Schema` if the table does not fit the model, `Query` if the statement is no select.
    pub(crate) fn new(prepared: &Prepared, parameters: &[Datum], seen: Seen<'_>) -> Result<Self> {
        let MemoryStatement { statement, access, is_across } = statement::of(prepared)?;
        let (table, view) = seen.table(statement.model())?;
        let layout = Layout::new(statement.model(), table)?;
        let rows = match access.rows(view, &layout, parameters) {
            Some(rows) => Rows::Found(rows),
            None if view.changes.is_some() => Rows::Found(view.rows().cloned().collect()),
            None => Rows::Table(Arc::clone(table)),
        };
        let source = Source { rows, layout, related: Related::default() };
        match statement {
            Statement::Select(select) if *is_across => {
                let related = seen.related(select, parameters)?;
                if select.joins().is_empty() {
                    return Ok(Source { related, ..source });
                }
                let rows = Rows::Found(seen.joined(select, parameters, source.iter())?);
                Ok(Source { rows, layout: Layout::default(), related })
            }
            _ => Ok(source),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Row> {
        let (table, found) = match &self.rows {
            Rows::Table(table) => (Some(table.rows.values()), None),
            Rows::Found(rows) => (None, Some(rows.iter())),
        };
        let rows = table.into_iter().flatten().chain(found.into_iter().flatten());
        rows.map(|row| self.layout.seen(row))
    }
}

fn select_of(prepared: &Prepared) -> Result<&SelectStatement> {
    match &statement::of(prepared)?.statement {
        Statement::Select(select) => Ok(select),
        _ => Err(foreign()),
    }
}

/// Answers a select into a sink. A short answer comes without an await.
///
/// # Errors
///
/// The evaluator's and the sink's.
pub(crate) async fn fetch(
    prepared: &Prepared,
    parameters: &[Datum],
    source: Source,
    mut sink: Box<dyn RowSink>,
) -> Result<Box<dyn RowSink>> {
    answer(select_of(prepared)?, parameters, &source, |row| sink.row(&Values(row))).await?;
    Ok(sink)
}

async fn answer(
    select: &SelectStatement,
    parameters: &[Datum],
    source: &Source,
    mut take: impl FnMut(&[Datum]) -> Result<Flow>,
) -> Result<()> {
    let mut selection = Selection::with_related(select, parameters, &source.related)?;
    for (count, row) in source.iter().enumerate() {
        if count % ROWS_PER_TURN == ROWS_PER_TURN - 1 {
            yield_now().await;
        }
        if selection.push(row)? == Flow::Stop {
            break;
        }
    }
    selection.finish_into(|row| take(&row))
}

/// Opens a select to be read in batches.
///
/// # Errors
///
/// The evaluator's.
pub(crate) async fn stream(prepared: &Prepared, parameters: &[Datum], source: Source) -> Result<Box<dyn RowStream>> {
    let select = select_of(prepared)?;
    let is_plain = !select.is_grouped()
        && !select.distinct
        && select.order_by.is_empty()
        && select.limit.is_none()
        && select.offset.is_none()
        && select.extras.is_none();
    if is_plain {
        let rows = source.iter().collect::<Vec<_>>().into_iter();
        let (prepared, parameters) = (prepared.clone(), parameters.to_vec());
        return Ok(Box::new(Scan { prepared, parameters, rows, related: source.related }));
    }
    let mut rows = Vec::new();
    answer(select, parameters, &source, |row| {
        rows.push(row.to_vec());
        Ok(Flow::Continue)
    })
    .await?;
    Ok(Box::new(Answer { rows: rows.into_iter() }))
}

/// A snapshot of rows of which those that pass are given batch by batch.
struct Scan {
    prepared: Prepared,
    parameters: Vec<Datum>,
    rows: std::vec::IntoIter<Row>,
    related: Related,
}

impl RowStream for Scan {
    fn next<'a>(
        &'a mut self,
        mut sink: Box<dyn RowSink>,
        wanted: usize,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(async move {
            let select = select_of(&self.prepared)?;
            let evaluator = Evaluator::new(&self.parameters).with_related(&self.related);
            let mut given = 0;
            let mut looked_at = 0;
            while given < wanted.max(1) {
                let Some(row) = self.rows.next() else { return Ok((sink, false)) };
                looked_at += 1;
                if looked_at % ROWS_PER_TURN == 0 {
                    yield_now().await;
                }
                if !evaluator.is_true(&select.condition, &row)? {
                    continue;
                }
                given += 1;
                let flow = if select.output.is_empty() {
                    sink.row(&Values(&row))?
                } else {
                    let output = select.output.iter().map(|expr| Ok(evaluator.value(expr, &row)?.into_owned()));
                    sink.row(&Values(&output.collect::<Result<Vec<_>>>()?))?
                };
                if flow == Flow::Stop {
                    break;
                }
            }
            Ok((sink, self.rows.len() > 0))
        })
    }
}

/// An answer that is there as a whole.
struct Answer {
    rows: std::vec::IntoIter<Vec<Datum>>,
}

impl RowStream for Answer {
    fn next<'a>(
        &'a mut self,
        mut sink: Box<dyn RowSink>,
        wanted: usize,
    ) -> BoxFuture<'a, Result<(Box<dyn RowSink>, bool)>> {
        Box::pin(async move {
            for row in self.rows.by_ref().take(wanted.max(1)) {
                if sink.row(&Values(&row))? == Flow::Stop {
                    break;
                }
            }
            Ok((sink, self.rows.len() > 0))
        })
    }
}
