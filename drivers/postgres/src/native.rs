//! The native form of a statement.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use ommi_core::driver::Prepared;
use ommi_core::model::FieldDef;
use ommi_core::query::statement::{InsertStatement, Statement};
use ommi_core::value::ValueType;
use ommi_core::{Error, ModelDef, Result};
use ommi_sql::{Dialect, InsertRows, RenderedInsert, Slot, render, render_insert_of};
use tokio_postgres::types::Type;

use crate::connection::StatementKey;
use crate::dialect::POSTGRES;
use crate::encode::{array_of, type_of, type_of_slot};

/// The native form of a statement: what a call needs beside the text.
pub(crate) struct Native {
    /// The model, for errors.
    pub(crate) model: Arc<ModelDef>,
    /// What the placeholders are bound to, those of rows excluded.
    pub(crate) slots: Vec<Slot>,
    /// The types of the placeholders.
    pub(crate) types: Vec<Type>,
    /// The types that the columns of the answer are read as.
    pub(crate) wanted: Vec<ValueType>,
    /// The fields that are written.
    pub(crate) written: Vec<u16>,
    /// For an insert.
    pub(crate) insert: Option<Insert>,
}

/// An insert in its forms.
pub(crate) struct Insert {
    pub(crate) statement: InsertStatement,
    parameters: Vec<ValueType>,
    one: OnceLock<Form>,
    one_without_key: OnceLock<Form>,
    many: OnceLock<Form>,
    many_without_keys: OnceLock<Form>,
    copies: AtomicU8,
}

/// A form of an insert.
pub(crate) struct Form {
    pub(crate) number: u8,
    pub(crate) text: String,
    /// What the placeholders before those of the rows are bound to.
    pub(crate) slots: Vec<Slot>,
    pub(crate) types: Vec<Type>,
}

impl Form {
    pub(crate) fn key(&self, prepared: &Prepared) -> StatementKey {
        StatementKey::new(prepared.id(), self.number)
    }
}

/// The number of the form that describes the columns of an insert's table.
pub(crate) const DESCRIBING: u8 = 4;
/// The number of the form that copies rows.
pub(crate) const COPYING: u8 = 5;

/// Whether rows can be copied into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    Unknown,
    /// Its columns have the types in which values are bound.
    Yes,
    No,
}

impl Native {
    /// Brings a statement into its native form.
    pub(crate) fn prepare(statement: &Statement, parameters: &[ValueType]) -> Result<Prepared> {
        let model = Arc::clone(statement.model());
        let written = written(statement);
        let wanted = match statement {
            Statement::Select(select) => select.output_types().unwrap_or_default(),
            _ => Vec::new(),
        };
        let Statement::Insert(insert) = statement else {
            let sql = render(statement, parameters, &POSTGRES)?;
            let types = types_of(&sql.parameters, parameters)?;
            let native = Native { model, slots: sql.parameters, types, wanted, written, insert: None };
            return Ok(Prepared::new(sql.text, native, parameters));
        };
        let insert = Insert {
            statement: insert.clone(),
            parameters: parameters.to_vec(),
            one: OnceLock::new(),
            one_without_key: OnceLock::new(),
            many: OnceLock::new(),
            many_without_keys: OnceLock::new(),
            copies: AtomicU8::new(0),
        };
        let one = insert.one()?;
        let (text, slots, types) = (one.text.clone(), one.slots.clone(), one.types.clone());
        let native = Native { model, slots, types, wanted, written, insert: Some(insert) };
        Ok(Prepared::new(text, native, parameters))
    }

    /// The native form of a prepared statement.
    ///
    /// # Errors
    ///
    /// `Query` if another driver prepared the statement.
    #[inline]
    pub(crate) fn of(prepared: &Prepared) -> Result<&Native> {
        prepared.native().ok_or_else(foreign)
    }
}

#[cold]
fn foreign() -> Error {
    Error::query("the statement was prepared by another driver")
}

fn types_of(slots: &[Slot], parameters: &[ValueType]) -> Result<Vec<Type>> {
    slots.iter().map(|slot| type_of_slot(*slot, parameters)).collect()
}

/// The fields that a statement writes.
fn written(statement: &Statement) -> Vec<u16> {
    match statement {
        Statement::Select(_) | Statement::Delete(_) => Vec::new(),
        Statement::Insert(insert) => (0..).take(insert.model.fields().len()).collect(),
        Statement::Update(update) => update.assignments.iter().map(|(field, _)| *field).collect(),
    }
}

/// The type of the elements of a column's array.
pub(crate) fn element_type(field: &FieldDef) -> Type {
    match &field.value_type {
        // lists of several lengths come as texts
        ValueType::List(_) => Type::TEXT,
        value_type => type_of(value_type),
    }
}

/// The names of the columns of arrays, and the values that these give to the fields.
fn unnested<'a>(fields: impl IntoIterator<Item = &'a FieldDef>) -> (String, String) {
    let column = |(number, field): (usize, &FieldDef)| {
        let name = format!("c{number}");
        let value = match &field.value_type {
            list @ ValueType::List(_) => format!("CAST({name} AS {})", crate::dialect::type_name(list)),
            _ => name.clone(),
        };
        (name, value)
    };
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().enumerate().map(column).unzip();
    (names.join(", "), values.join(", "))
}

fn once(place: &OnceLock<Form>, make: impl FnOnce() -> Result<Form>) -> Result<&Form> {
    if let Some(form) = place.get() {
        return Ok(form);
    }
    let form = make()?;
    Ok(place.get_or_init(|| form))
}

impl Insert {
    /// The model.
    pub(crate) fn model(&self) -> &ModelDef {
        &self.statement.model
    }

    fn fields(&self) -> &[FieldDef] {
        self.model().fields()
    }

    fn form(
        &self,
        number: u8,
        fields: &[u16],
        rows: InsertRows<'_>,
        returning: &[u16],
        row: Vec<Type>,
    ) -> Result<Form> {
        let RenderedInsert { sql, .. } =
            render_insert_of(&self.statement, &self.parameters, fields, rows, returning, &POSTGRES)?;
        let mut types = types_of(&sql.parameters, &self.parameters)?;
        types.extend(row);
        Ok(Form { number, text: sql.text, slots: sql.parameters, types })
    }

    fn all(&self) -> Vec<u16> {
        (0u16..).take(self.fields().len()).collect()
    }

    /// The insert of one row with all its values.
    pub(crate) fn one(&self) -> Result<&Form> {
        once(&self.one, || {
            let types = self.fields().iter().map(|field| type_of(&field.value_type)).collect();
            self.form(0, &self.all(), InsertRows::Values(1), &[], types)
        })
    }

    /// The insert of one row whose automatic key the database gives and tells.
    pub(crate) fn one_without_key(&self, auto: u16) -> Result<&Form> {
        once(&self.one_without_key, || {
            let mut others = self.all();
            others.retain(|field| *field != auto);
            let of = |field: &u16| self.model().field(*field).map(|field| type_of(&field.value_type));
            let types = others.iter().filter_map(of).collect();
            self.form(1, &others, InsertRows::Values(1), &[auto], types)
        })
    }

    /// The insert of any number of rows, whose values come as one array for each column.
    pub(crate) fn many(&self) -> Result<&Form> {
        once(&self.many, || {
            let (names, values) = unnested(self.fields());
            let query =
                |marks: &[String]| format!("SELECT {values} FROM unnest({}) AS ommi({names})", marks.join(", "));
            self.form(2, &self.all(), InsertRows::Query(&query), &[], self.array_types())
        })
    }

    /// The insert of rows without keys: it takes keys from the sequence, writes the rows, and tells
    /// the keys in the order of the rows. Two placeholders behind those of the rows are for the table
    /// and the column.
    ///
    /// `RETURNING` alone would tell them in an order that is not promised.
    pub(crate) fn many_without_keys(&self, auto: u16) -> Result<&Form> {
        once(&self.many_without_keys, || {
            let others: Vec<&FieldDef> = self.without(auto).collect();
            let columns: Vec<String> = others.iter().map(|field| POSTGRES.quote(&field.column)).collect();
            let marks: Vec<String> = (1..=others.len() + 2).map(|mark| format!("${mark}")).collect();
            let [arrays @ .., table, column] = marks.as_slice() else {
                return Err(Error::query("the statement has no placeholders"));
            };
            let (names, values) = unnested(others.iter().copied());
            let key = self.model().field(auto).map(|field| POSTGRES.quote(&field.column)).unwrap_or_default();
            let (target, arrays, columns) = (self.table(), arrays.join(", "), columns.join(", "));
            let text = format!(
                "WITH ommi_row AS MATERIALIZED (\
                 SELECT nextval((SELECT CAST(pg_get_serial_sequence({table}, {column}) AS regclass))) AS key, ommi.* \
                 FROM unnest({arrays}) WITH ORDINALITY AS ommi({names}, place)), \
                 ommi_written AS (INSERT INTO {target} ({key}, {columns}) SELECT key, {values} FROM ommi_row) \
                 SELECT key FROM ommi_row ORDER BY place"
            );
            let mut types: Vec<Type> = others.iter().map(|field| array_of(&field.value_type)).collect();
            types.extend([Type::TEXT, Type::TEXT]);
            Ok(Form { number: 3, text, slots: Vec::new(), types })
        })
    }

    /// The fields without one.
    pub(crate) fn without(&self, left_out: u16) -> impl Iterator<Item = &FieldDef> {
        self.fields()
            .iter()
            .enumerate()
            .filter(move |(place, _)| *place != usize::from(left_out))
            .map(|(_, field)| field)
    }

    /// The types of the arrays of all columns.
    fn array_types(&self) -> Vec<Type> {
        self.fields().iter().map(|field| array_of(&field.value_type)).collect()
    }

    /// The types of the elements of these arrays.
    pub(crate) fn element_types(&self) -> Vec<Type> {
        self.fields().iter().map(element_type).collect()
    }

    /// The quoted table, and its quoted columns between commas.
    fn target(&self) -> (String, String) {
        let table = self.model().table();
        let name = POSTGRES.quote(&table.name);
        let table = match &table.schema {
            Some(schema) => format!("{}.{name}", POSTGRES.quote(schema)),
            None => name,
        };
        let columns: Vec<String> = self.fields().iter().map(|field| POSTGRES.quote(&field.column)).collect();
        (table, columns.join(", "))
    }

    /// The quoted table.
    pub(crate) fn table(&self) -> String {
        self.target().0
    }

    /// The statement that copies rows.
    pub(crate) fn copying(&self) -> String {
        let (table, columns) = self.target();
        format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")
    }

    /// A statement whose columns are those that rows are copied into.
    pub(crate) fn describing(&self) -> String {
        let (table, columns) = self.target();
        format!("SELECT {columns} FROM {table}")
    }

    /// The types in which the values of a row are bound.
    pub(crate) fn types(&self) -> Vec<Type> {
        self.fields().iter().map(|field| type_of(&field.value_type)).collect()
    }

    pub(crate) fn copies(&self) -> Copies {
        match self.copies.load(Ordering::Relaxed) {
            0 => Copies::Unknown,
            1 => Copies::Yes,
            _ => Copies::No,
        }
    }

    pub(crate) fn set_copies(&self, copies: bool) {
        self.copies.store(if copies { 1 } else { 2 }, Ordering::Relaxed);
    }
}
