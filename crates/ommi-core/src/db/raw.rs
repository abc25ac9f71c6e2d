//! Statements in the database's own language.

use std::any::Any;
use std::sync::Arc;

use super::Db;
use super::selected::Tuples;
use super::sink::{keep_whole, take};
use crate::driver::{Flow, Raw, Row, RowRef, RowSink};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::relation::group::GroupBuilder;
use crate::value::{Cell, Datum, Value, check};

/// A statement in the database's own language: `db.raw("SELECT .. WHERE age > ?").bind(18)`.
///
/// Parameters are bound, never put into the text. What the text means is the database's affair:
/// it is not portable, and rows come as they are stored.
#[must_use = "a statement does nothing until one of its ends is awaited, such as `models().await`"]
#[derive(Debug)]
pub struct RawQuery {
    db: Db,
    text: Arc<str>,
    parameters: Vec<Datum>,
}

impl Db {
    /// A statement in the database's own language.
    pub fn raw(&self, text: impl Into<Arc<str>>) -> RawQuery {
        RawQuery { db: self.clone(), text: text.into(), parameters: Vec::new() }
    }

    /// Runs work with the driver's own connection, which the database's driver documents
    /// (`rusqlite::Connection` for SQLite). The work runs where it may block; an open transaction
    /// that it leaves behind is rolled back.
    ///
    /// # Errors
    ///
    /// `Config` if the connection is not of the type asked for; `Unsupported` if the driver lends
    /// none; and the database's.
    pub async fn native<C: 'static, T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> Result<T> {
        let in_flight = self.in_flight();
        let work = Box::new(move |connection: &mut dyn Any| -> Box<dyn Any + Send> {
            Box::new(connection.downcast_mut::<C>().map(work))
        });
        let answer = self.note_write(self.session()?.native(work).await)?;
        in_flight.succeeded();
        match answer.downcast::<Option<T>>().map(|answer| *answer) {
            Ok(Some(answer)) => Ok(answer),
            _ => Err(Error::config(format!("the driver's connection is not a `{}`", std::any::type_name::<C>()))
                .with_driver(self.shared.driver.name())),
        }
    }
}

impl RawQuery {
    /// Binds the next parameter.
    pub fn bind(mut self, value: impl BindValue) -> Self {
        let mut value = value.into_bound();
        value.normalize();
        self.parameters.push(value);
        self
    }

    async fn run<S: RowSink + 'static>(self, sink: S) -> Result<(S, u64)> {
        for value in &self.parameters {
            check::cell(value.cell())?;
        }
        let raw = Raw { text: self.text, parameters: self.parameters };
        let in_flight = self.db.in_flight();
        let answer = self.db.session()?.raw(&raw, Box::new(sink)).await;
        let (sink, matched) = self.db.note_write(answer.map_err(|error| error.with_operation("raw")))?;
        in_flight.succeeded();
        Ok((take(sink)?, matched))
    }

    /// Binds the next parameter to a value without a Rust type.
    pub fn bind_datum(mut self, mut value: Datum) -> Self {
        value.normalize();
        self.parameters.push(value);
        self
    }

    /// The rows, into a sink that is told the names of the columns first, and how many rows the
    /// statement changed.
    ///
    /// # Errors
    ///
    /// Those of [`RawQuery::models`], and the sink's own.
    pub async fn read_into<S: RowSink + 'static>(self, sink: S) -> Result<(S, u64)> {
        self.run(sink).await
    }

    /// The rows as models: each field is read from the column of its stored name, in any order;
    /// other columns are left out.
    ///
    /// # Errors
    ///
    /// `Query` if a field has no column or the text is wrong, `Decode` if a value does not fit its
    /// field, `Unsupported` if the driver has no such language.
    pub async fn models<M: Model>(self) -> Result<Vec<M>> {
        let sink = ByName::<M> { rows: Vec::new(), columns: Vec::new(), group: GroupBuilder::of::<M>(&self.db) };
        let ByName { rows, group, .. } = self.run(sink).await?.0;
        if let Some(group) = group {
            group.seal();
        }
        Ok(rows)
    }

    /// The rows as tuples, by position: `.tuples::<(i64, Option<String>)>()`.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit its type or a column is missing, and those of
    /// [`RawQuery::models`].
    pub async fn tuples<T: RawTuple>(self) -> Result<Vec<T>> {
        Ok(self.run(Tuples { rows: Vec::new(), decode: T::decode }).await?.0.rows)
    }

    /// Runs a statement that gives no rows, and says how many it changed.
    ///
    /// # Errors
    ///
    /// Those of [`RawQuery::models`], and those of writes.
    pub async fn execute(self) -> Result<u64> {
        Ok(self.run(Tuples { rows: Vec::new(), decode: |_| Ok(()) }).await?.1)
    }
}

/// A value that a parameter of a raw statement can be bound to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a parameter",
    label = "not a field type",
    note = "a parameter is a value of a field's type, or a `&str`; bind an `Option` for null"
)]
pub trait BindValue {
    /// The value, without its Rust type.
    fn into_bound(self) -> Datum;
}

impl<V: Value> BindValue for V {
    fn into_bound(self) -> Datum {
        self.into_datum()
    }
}

impl BindValue for &str {
    fn into_bound(self) -> Datum {
        Datum::Text(self.into())
    }
}

/// A tuple of values that a row is read into.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tuple of field types",
    label = "a tuple is wanted; a single value is `(i64,)`, with its comma"
)]
pub trait RawTuple: Send + Sized + 'static {
    /// Reads a row by position.
    ///
    /// # Errors
    ///
    /// `Decode` if a value does not fit.
    fn decode(row: &mut Row<'_>) -> Result<Self>;
}

macro_rules! tuples {
    ($(($($t:ident)+))*) => { $(
        impl<$($t: Value),+> RawTuple for ($($t,)+) {
            fn decode(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.take::<$t>()?,)+))
            }
        }
    )* };
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
}

/// Reads models from columns by name.
struct ByName<M> {
    rows: Vec<M>,
    columns: Vec<usize>,
    /// The rows' group, if they have relations.
    group: Option<Box<GroupBuilder>>,
}

/// A row whose columns are those of a model's fields.
struct Reordered<'a> {
    row: &'a dyn RowRef,
    columns: &'a [usize],
}

impl RowRef for Reordered<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.columns.get(column) {
            Some(column) => self.row.cell(*column),
            None => Err(Error::decode(format!("the row has no column {column}"))),
        }
    }
}

impl<M: Model> RowSink for ByName<M> {
    fn columns(&mut self, names: &[&str]) -> Result<()> {
        let model = M::definition();
        let missing = |column: &str| {
            Error::query(format!(
                "the answer has no column `{column}`, which the model needs; it has {}",
                names.join(", ")
            ))
            .with_model(model.name())
        };
        let position = |column: &str| {
            let exact = names.iter().position(|name| *name == column);
            exact.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(column)))
        };
        let columns = model.fields().iter().map(|field| position(&field.column).ok_or_else(|| missing(&field.column)));
        self.columns = columns.collect::<Result<_>>()?;
        Ok(())
    }

    fn row(&mut self, row: &dyn RowRef) -> Result<Flow> {
        let row = Reordered { row, columns: &self.columns };
        keep_whole(&mut self.rows, &row, &mut self.group)?;
        Ok(Flow::Continue)
    }

    fn reset(&mut self) {
        self.rows.clear();
        if let Some(group) = &mut self.group {
            group.truncate(0);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
