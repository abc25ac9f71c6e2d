//! Random models, with rows that keep their rules.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use ommi::Result;
use ommi::evaluate::GroupKey;
use ommi::model::{FieldDef, IndexDef, ModelBuilder, ModelDef};
use ommi::query::Direction;
use ommi::value::{Datum, DecimalSize, EnumType, ValueType};

use super::family::Family;
use super::value::{VARIANTS, one, percent, pick, value};

/// A field of a generated model.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) value_type: ValueType,
    pub(super) nullable: bool,
    /// Values that rows and constants take again and again, so that they meet.
    pub(super) pool: Vec<Datum>,
}

/// A generated model and its rows.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) key: Vec<usize>,
    pub(super) unique: Option<Vec<usize>>,
    pub(super) index: Option<Vec<usize>>,
    pub(super) rows: Vec<Vec<Datum>>,
    /// The tables that it leads to, and those that lead to it.
    pub(super) family: Option<Arc<Family>>,
    /// The rows of the family's other tables.
    pub(super) others: Vec<Vec<Vec<Datum>>>,
}

const NAMES: &[&str] =
    &["id", "a", "b", "Order", "select", "two words", "quo\"te", "naïve", "group", "100%", "x'y", "Value"];

fn any_type(rng: &mut Rng) -> ValueType {
    let types = [
        ValueType::Bool,
        ValueType::I8,
        ValueType::I16,
        ValueType::I32,
        ValueType::I64,
        ValueType::I64,
        ValueType::U8,
        ValueType::U16,
        ValueType::U32,
        ValueType::U64,
        ValueType::F32,
        ValueType::F64,
        ValueType::F64,
        ValueType::DECIMAL,
        ValueType::DECIMAL,
        ValueType::Decimal(Some(DecimalSize { precision: 6, scale: 2 })),
        ValueType::Text,
        ValueType::Text,
        ValueType::Text,
        ValueType::Bytes,
        ValueType::Uuid,
        ValueType::Date,
        ValueType::Time,
        ValueType::DateTime,
        ValueType::Timestamp,
        ValueType::Duration,
        ValueType::Json,
        ValueType::Json,
        ValueType::Enum(Arc::new(EnumType::new("Level", VARIANTS))),
    ];
    let scalar = pick(rng, &types).cloned().unwrap_or(ValueType::I64);
    match percent(rng, 12) {
        // bytes have no elements
        true if !matches!(scalar, ValueType::U8 | ValueType::Json) => ValueType::List(Box::new(scalar)),
        _ => scalar,
    }
}

fn key_type(rng: &mut Rng) -> ValueType {
    let types = [
        ValueType::I64,
        ValueType::I64,
        ValueType::I64,
        ValueType::I32,
        ValueType::U64,
        ValueType::Text,
        ValueType::Text,
        ValueType::Uuid,
        ValueType::Date,
        ValueType::Timestamp,
        ValueType::DECIMAL,
        ValueType::Bytes,
        ValueType::Enum(Arc::new(EnumType::new("Level", VARIANTS))),
    ];
    pick(rng, &types).cloned().unwrap_or(ValueType::I64)
}

impl Table {
    /// A table with random fields and rows.
    pub(super) fn random(rng: &mut Rng) -> Table {
        let keys = if percent(rng, 70) { 1 } else { rng.usize(2..4) };
        let others = rng.usize(..=9_usize.saturating_sub(keys));
        let mut columns = Vec::new();
        for position in 0..keys + others {
            let is_key = position < keys;
            let value_type = if is_key { key_type(rng) } else { any_type(rng) };
            let distinct = rng.usize(2..9);
            columns.push(Column {
                name: unused_name(rng, &columns),
                nullable: !is_key && percent(rng, 60),
                pool: (0..distinct).map(|_| value(rng, &value_type)).collect(),
                value_type,
            });
        }
        let ordered: Vec<usize> = (keys..columns.len())
            .filter(|at| columns.get(*at).is_some_and(|column| column.value_type.is_ordered()))
            .collect();
        let some = |rng: &mut Rng, often: u8| {
            let count = rng.usize(1..3).min(ordered.len());
            let mut chosen = ordered.clone();
            rng.shuffle(&mut chosen);
            chosen.truncate(count);
            (percent(rng, often) && !chosen.is_empty()).then_some(chosen)
        };
        let (unique, index) = (some(rng, 20), some(rng, 40));
        let mut table = Table {
            columns,
            key: (0..keys).collect(),
            unique,
            index,
            rows: Vec::new(),
            family: None,
            others: Vec::new(),
        };
        let wanted = match rng.u8(..10) {
            0 => 0,
            1 => 1,
            2 => 150,
            _ => rng.usize(2..40),
        };
        let mut rules = Rules::default();
        for number in 0..wanted {
            let row = table.random_row(rng, number);
            if rules.admit(&table, &row) {
                table.rows.push(row);
            }
        }
        table
    }

    fn random_row(&self, rng: &mut Rng, number: usize) -> Vec<Datum> {
        let cell = |(at, column): (usize, &Column)| match &column.value_type {
            _ if column.nullable && percent(rng, 25) => Datum::Null,
            // keys that can count do, or few rows would have one of their own
            ValueType::I64 | ValueType::I32 | ValueType::U64 if at == 0 && percent(rng, 80) => {
                Datum::Int(i64::try_from(number).unwrap_or_default())
            }
            ValueType::Text if at == 0 && percent(rng, 60) => {
                Datum::Text(format!("{}{number}", super::value::text(rng)).into())
            }
            value_type => match percent(rng, 80) {
                true => one(rng, &column.pool),
                false => value(rng, value_type),
            },
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    /// The table's definition, under a name that no other has.
    ///
    /// # Errors
    ///
    /// `Schema`, if the generator made a model that is wrong.
    pub(super) fn definition(&self) -> Result<Arc<ModelDef>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if let Some(definition) = self.family.as_ref().and_then(|family| family.definitions.first()) {
            return Ok(Arc::clone(definition));
        }
        self.model(format!("generated {}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A definition of a name.
    pub(super) fn model(&self, name: String) -> Result<Arc<ModelDef>> {
        let name_of = |at: &usize| self.columns.get(*at).map(|column| column.name.as_str());
        let mut builder = ModelBuilder::new(name);
        for column in &self.columns {
            builder =
                builder.field(FieldDef::new(column.name.as_str(), column.value_type.clone()).nullable(column.nullable));
        }
        builder = builder.key(self.key.iter().filter_map(name_of));
        if let Some(unique) = &self.unique {
            builder = builder.unique(unique.iter().filter_map(name_of));
        }
        if let Some(index) = &self.index {
            let fields = index.iter().filter_map(|at| u16::try_from(*at).ok());
            let mut index = IndexDef::new(fields);
            if let Some((_, direction)) = index.fields.first_mut() {
                *direction = Direction::Descending;
            }
            builder = builder.index(index);
        }
        builder.build()
    }

    /// Whether an update may assign to a field without breaking a rule about several rows.
    pub(super) fn is_free(&self, at: usize) -> bool {
        !self.key.contains(&at) && !self.unique.as_ref().is_some_and(|unique| unique.contains(&at))
    }
}

pub(super) fn unused_name(rng: &mut Rng, columns: &[Column]) -> String {
    let name = one(rng, NAMES);
    match columns.iter().any(|column| column.name.to_lowercase() == name.to_lowercase()) {
        true => format!("{name}{}", columns.len()),
        false => name.to_owned(),
    }
}

/// What the rows of a table have in their key and their unique group.
#[derive(Default)]
pub(super) struct Rules {
    keys: HashSet<Vec<GroupKey>>,
    groups: HashSet<Vec<GroupKey>>,
}

impl Rules {
    /// Whether a row may join the others; if so, it has.
    pub(super) fn admit(&mut self, table: &Table, row: &[Datum]) -> bool {
        let of = |fields: &[usize]| -> Vec<&Datum> { fields.iter().filter_map(|at| row.get(*at)).collect() };
        let as_key = |values: &[&Datum]| values.iter().map(|value| GroupKey::new(value)).collect::<Vec<_>>();
        let key = as_key(&of(&table.key));
        let group =
            table.unique.as_ref().map(|unique| of(unique)).filter(|group| !group.iter().any(|value| value.is_null()));
        let group = group.map(|group| as_key(&group));
        if self.keys.contains(&key) || group.as_ref().is_some_and(|group| self.groups.contains(group)) {
            return false;
        }
        self.keys.insert(key);
        self.groups.extend(group);
        true
    }
}
