//! New rows.
//!
//! One row is one statement. Several rows go as one array for each column, so that one statement
//! serves any number of them; many rows are copied. The keys of several rows are taken from the
//! sequence before the rows are written, by the same statement or by one of its own: the order in
//! which an insert gives keys back is not promised.

mod copy;

use std::collections::HashSet;

use bytes::BytesMut;
use ommi_core::driver::{AssignedKeys, Call, Encoder, Inserted, RowSource};
use ommi_core::query::statement::OnConflict;
use ommi_core::value::{Cell, Datum};
use ommi_core::{Error, Result};
use tokio_postgres::types::{IsNull, Type};

use crate::connection::Connection;
use crate::encode::{Columns, Parameter, parameters};
use crate::error::Outcome;
use crate::native::{Copies, Form, Insert, Native, element_type};
use crate::{advance, encode, write};

/// From this number on, rows are copied.
const COPIED_ROWS: usize = 256;
/// The most rows, and about the most bytes, of a statement that has arrays.
const STATEMENT_ROWS: usize = 10_000;
const STATEMENT_BYTES: usize = 16 << 20;

/// Writes new rows, all or none.
pub(crate) async fn insert(connection: &Connection, call: Call<'_>, mut rows: Box<dyn RowSource>) -> Outcome<Inserted> {
    let native = Native::of(call.prepared)?;
    let Some(insert) = &native.insert else { return Err(Error::query("the statement inserts no rows").into()) };
    let work = Work { connection, call, insert };
    let (written, keys) = match rows.len() {
        0 => (0, AssignedKeys::None),
        1 => work.one(&mut *rows).await?,
        _ => work.many(&mut *rows).await?,
    };
    Ok(Inserted { rows: written, keys, source: rows })
}

struct Work<'a> {
    connection: &'a Connection,
    call: Call<'a>,
    insert: &'a Insert,
}

impl Work<'_> {
    fn auto(&self) -> Option<u16> {
        self.insert
            .model()
            .auto()
            .filter(|auto| self.insert.model().field(*auto).is_some_and(|field| field.value_type.is_integer()))
    }

    fn bound(&self, form: &Form) -> Result<Vec<Parameter<'_>>> {
        parameters(&form.slots, self.call.parameters, self.call.prepared.parameters())
    }

    async fn run(&self, form: &Form, values: &[Parameter<'_>]) -> Outcome<u64> {
        write::run(self.connection, form.key(self.call.prepared), &form.text, &form.types, values).await
    }

    async fn one(&self, rows: &mut dyn RowSource) -> Outcome<(u64, AssignedKeys)> {
        let auto = self.auto();
        let left_out = auto.filter(|_| rows.is_unassigned(0));
        let mut row = OneRow { values: Vec::new(), next: 0, left_out };
        rows.encode(0, &mut row)?;
        if let Some(auto) = left_out {
            return self.one_without_key(auto, &row.values).await;
        }
        if let (Some(auto), Some(key)) = (auto, rows.key(0)) {
            advance::advance(self.connection, self.insert.model(), &self.insert.table(), auto, key).await?;
        }
        let form = self.insert.one()?;
        let mut values = self.bound(form)?;
        values.extend(row.values.iter().map(|value| Parameter::Cell(value.cell())));
        Ok((self.run(form, &values).await?, AssignedKeys::None))
    }

    /// Inserts a row whose key the database gives.
    async fn one_without_key(&self, auto: u16, row: &[Datum]) -> Outcome<(u64, AssignedKeys)> {
        let form = self.insert.one_without_key(auto)?;
        let mut values = self.bound(form)?;
        values.extend(row.iter().map(|value| Parameter::Cell(value.cell())));
        let key = form.key(self.call.prepared);
        let wanted = [ommi_core::value::ValueType::I64];
        let given = self.connection.returning(key, &form.text, &form.types, &wanted, &values).await?;
        let written = u64::try_from(given.len()).unwrap_or(u64::MAX);
        let keys = match self.insert.statement.on_conflict {
            // which row was updated is not told
            OnConflict::Update(..) => AssignedKeys::None,
            _ if given.is_empty() => AssignedKeys::None,
            _ => AssignedKeys::List(given),
        };
        Ok((written, keys))
    }

    /// Inserts rows that have no keys yet in one statement, which gives them. `None` if that is not
    /// possible, and nothing was done.
    async fn without_keys(&self, rows: &mut dyn RowSource) -> Outcome<Option<(u64, AssignedKeys)>> {
        let Some(auto) = self.auto() else { return Ok(None) };
        let count = rows.len();
        let is_plain = matches!(self.insert.statement.on_conflict, OnConflict::Fail);
        let has_others = self.insert.without(auto).next().is_some();
        if !is_plain || !has_others || count >= COPIED_ROWS || !(0..count).all(|row| rows.is_unassigned(row)) {
            return Ok(None);
        }
        let types = self.insert.without(auto).map(element_type).collect();
        let mut others = Others { columns: Columns::new(types), auto, field: 0 };
        for row in 0..count {
            others.field = 0;
            rows.encode(row, &mut others)?;
            if others.columns.bytes() >= STATEMENT_BYTES {
                return Ok(None);
            }
        }
        let form = self.insert.many_without_keys(auto)?;
        let table = self.insert.table();
        let column = advance::column(self.insert.model(), auto)?;
        let mut values: Vec<_> = others.columns.finish()?.into_iter().map(Parameter::Whole).collect();
        values.extend([&*table, column].map(|name| Parameter::Cell(Cell::Text(name))));
        let key = form.key(self.call.prepared);
        let wanted = [ommi_core::value::ValueType::I64];
        match self.connection.returning(key, &form.text, &form.types, &wanted, &values).await {
            Ok(given) => Ok(Some((u64::try_from(given.len()).unwrap_or(u64::MAX), AssignedKeys::List(given)))),
            Err(failure) if failure.is_null_in(column) => Err(advance::no_sequence(&table, column).into()),
            Err(failure) => Err(failure),
        }
    }

    async fn many(&self, rows: &mut dyn RowSource) -> Outcome<(u64, AssignedKeys)> {
        if let Some(written) = self.without_keys(rows).await? {
            return Ok(written);
        }
        let (model, table) = (self.insert.model(), self.insert.table());
        let mut reserved = Vec::new();
        if let Some(auto) = self.auto() {
            let wanted = (0..rows.len()).filter(|row| rows.is_unassigned(*row)).count();
            if let Some(greatest) = (0..rows.len()).filter_map(|row| rows.key(row)).max() {
                advance::advance(self.connection, model, &table, auto, greatest).await?;
            }
            if wanted > 0 {
                reserved = advance::reserve(self.connection, model, &table, auto, wanted).await?;
            }
        }
        let count = rows.len();
        let mut keyed = Keyed { rows, auto: self.auto(), keys: &reserved, next: 0, given: 0 };
        let is_plain = matches!(self.insert.statement.on_conflict, OnConflict::Fail);
        let written = if is_plain && count >= COPIED_ROWS && self.copies().await? {
            copy::copy(self.connection, self.call.prepared, self.insert, &mut keyed).await?
        } else {
            self.unnest(&mut keyed).await?
        };
        let all_written = written == u64::try_from(count).unwrap_or(u64::MAX);
        let keys = match &self.insert.statement.on_conflict {
            _ if reserved.is_empty() => AssignedKeys::None,
            OnConflict::Fail => AssignedKeys::List(reserved),
            OnConflict::Ignore(_) if all_written => AssignedKeys::List(reserved),
            // which rows were left out or updated, and so have other keys, is not told
            _ => AssignedKeys::None,
        };
        Ok((written, keys))
    }

    /// Whether rows can be copied: behind a pooler that gives each statement another connection they
    /// cannot, nor into columns of other types than those in which values are bound.
    async fn copies(&self) -> Outcome<bool> {
        if !self.connection.prepares() {
            return Ok(false);
        }
        match self.insert.copies() {
            Copies::Yes => Ok(true),
            Copies::No => Ok(false),
            Copies::Unknown => {
                let types = self.connection.types_of(self.call.prepared, &self.insert.describing()).await?;
                let copies = types == self.insert.types();
                self.insert.set_copies(copies);
                Ok(copies)
            }
        }
    }

    /// Inserts rows as arrays; in several statements, where they are many, and then in a
    /// transaction.
    ///
    /// A transaction that is left open is rolled back when the connection is given back.
    async fn unnest(&self, rows: &mut Keyed<'_>) -> Outcome<u64> {
        let form = self.insert.many()?;
        let mut written = 0;
        let mut is_open = false;
        loop {
            let columns = self.chunk(rows)?;
            let is_last = rows.next == rows.rows.len();
            if !is_last && !is_open && !self.connection.is_in_transaction() {
                self.connection.set_dirty(true);
                is_open = true;
                self.connection.batch("BEGIN").await?;
            }
            let mut values = self.bound(form)?;
            values.extend(columns.finish()?.into_iter().map(Parameter::Whole));
            written += self.run(form, &values).await?;
            if is_last {
                break;
            }
        }
        if is_open {
            self.connection.batch("COMMIT").await?;
            self.connection.set_dirty(false);
        }
        Ok(written)
    }

    /// The next rows, as many as one statement takes. It may not touch a row twice: rows that
    /// collide with each other go into several.
    fn chunk(&self, rows: &mut Keyed<'_>) -> Result<Columns> {
        let mut columns = Columns::new(self.insert.element_types());
        let mut seen = Seen::of(self.insert);
        while rows.next < rows.rows.len() && columns.rows() < STATEMENT_ROWS && columns.bytes() < STATEMENT_BYTES {
            if let Some(seen) = &mut seen
                && !seen.is_new(rows)?
            {
                break;
            }
            rows.encode(&mut columns)?;
        }
        Ok(columns)
    }
}

/// The values of a row, without that of a field which is left out.
struct OneRow {
    values: Vec<Datum>,
    next: u16,
    left_out: Option<u16>,
}

impl Encoder for OneRow {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        if self.left_out != Some(self.next) {
            self.values.push(Datum::from_cell(cell));
        }
        self.next += 1;
        Ok(())
    }
}

/// The values of rows in columns, without those of the key.
struct Others {
    columns: Columns,
    auto: u16,
    field: u16,
}

impl Encoder for Others {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        if self.field != self.auto {
            self.columns.push(cell)?;
        }
        self.field += 1;
        Ok(())
    }
}

/// Rows, of which those without a key get one that was taken for them.
struct Keyed<'a> {
    rows: &'a mut dyn RowSource,
    auto: Option<u16>,
    keys: &'a [i64],
    /// The next row.
    next: usize,
    /// How many rows before it have got a key.
    given: usize,
}

/// Puts a key in the place of a null.
struct WithKey<'a> {
    inner: &'a mut dyn Encoder,
    auto: Option<u16>,
    key: Option<i64>,
    field: u16,
}

impl Encoder for WithKey<'_> {
    #[inline]
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let cell = match (cell, self.key) {
            (Cell::Null, Some(key)) if self.auto == Some(self.field) => Cell::Int(key),
            (cell, _) => cell,
        };
        self.field += 1;
        self.inner.cell(cell)
    }
}

impl Keyed<'_> {
    fn key(&self) -> Option<i64> {
        match self.auto.is_some() && self.rows.is_unassigned(self.next) {
            true => self.keys.get(self.given).copied(),
            false => None,
        }
    }

    /// Shows the next row without going on to the one behind it.
    fn show(&self, encoder: &mut dyn Encoder) -> Result<()> {
        let mut encoder = WithKey { inner: encoder, auto: self.auto, key: self.key(), field: 0 };
        self.rows.encode(self.next, &mut encoder)
    }

    /// Shows the next row.
    fn encode(&mut self, encoder: &mut dyn Encoder) -> Result<()> {
        self.show(encoder)?;
        self.given += usize::from(self.key().is_some());
        self.next += 1;
        Ok(())
    }
}

impl Encoder for Columns {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        self.push(cell)
    }
}

/// The values by which rows of an upsert collide.
struct Seen {
    fields: Vec<u16>,
    types: Vec<Type>,
    rows: HashSet<Vec<u8>>,
}

impl Seen {
    /// `None` where it does not matter whether rows collide.
    fn of(insert: &Insert) -> Option<Seen> {
        match &insert.statement.on_conflict {
            OnConflict::Update(fields, _) => {
                let fields = if fields.is_empty() { insert.model().key().to_vec() } else { fields.clone() };
                Some(Seen { fields, types: insert.types(), rows: HashSet::new() })
            }
            OnConflict::Fail | OnConflict::Ignore(_) => None,
        }
    }

    /// Notes the next row; says whether none before it has the same values.
    fn is_new(&mut self, rows: &Keyed<'_>) -> Result<bool> {
        let mut of_row = SeenRow { seen: self, bytes: BytesMut::new(), field: 0, has_null: false };
        rows.show(&mut of_row)?;
        let (bytes, has_null) = (of_row.bytes, of_row.has_null);
        Ok(has_null || self.rows.insert(bytes.to_vec()))
    }
}

struct SeenRow<'a> {
    seen: &'a Seen,
    bytes: BytesMut,
    field: u16,
    has_null: bool,
}

impl Encoder for SeenRow<'_> {
    fn cell(&mut self, cell: Cell<'_>) -> Result<()> {
        let of = self.seen.types.get(usize::from(self.field));
        if let Some(of) = of.filter(|_| self.seen.fields.contains(&self.field)) {
            let before = self.bytes.len();
            if let IsNull::Yes = encode::write(cell, of, &mut self.bytes)? {
                self.has_null = true;
            }
            let length = self.bytes.len() - before;
            self.bytes.extend_from_slice(&length.to_be_bytes());
        }
        self.field += 1;
        Ok(())
    }
}
