//! Tables that lead to each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use ommi::Result;
use ommi::evaluate;
use ommi::model::{FieldDef, Link, ModelDef};
use ommi::value::{Datum, ValueType};

use super::reference::Row;
use super::table::{Column, Table, unused_name};
use super::value::{one, percent, pick, value};

/// The most rows of a table that leads to others, or is led to.
const MOST_ROWS: usize = 25;

/// Tables with links between them, the table that actions are about first.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// The columns of the tables; their rows are those of [`Table::others`].
    pub(super) tables: Vec<Table>,
    /// The models, in the same order.
    pub(super) definitions: Vec<Arc<ModelDef>>,
    /// The links between them.
    pub(super) links: Vec<Arc<Link>>,
}

/// Columns of one table that have the values of those of another.
struct Pairs {
    source: usize,
    from: Vec<usize>,
    target: usize,
    to: Vec<usize>,
}

impl Table {
    /// A table with one or two others, and links between all of them.
    ///
    /// # Errors
    ///
    /// `Schema`, if the generator made a model that is wrong.
    pub(super) fn with_family(rng: &mut Rng) -> Result<Table> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut tables: Vec<Table> = (0..rng.usize(2..4)).map(|_| Table::random(rng)).collect();
        tables.iter_mut().for_each(|table| table.rows.truncate(MOST_ROWS));
        let mut pairs = Vec::new();
        for _ in 0..rng.usize(1..4) {
            let (source, target) = (rng.usize(..tables.len()), rng.usize(..tables.len()));
            pairs.extend(reference(rng, &mut tables, source, target));
        }
        if percent(rng, 40) {
            pairs.extend(likeness(rng, &tables));
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let names = (0..tables.len()).map(|at| format!("family {number} {at}"));
        let definitions =
            tables.iter().zip(names).map(|(table, name)| table.model(name)).collect::<Result<Vec<_>>>()?;
        let mut links = Vec::new();
        for Pairs { source, from, target, to } in pairs {
            let indexes = |of: &[usize]| of.iter().filter_map(|at| u16::try_from(*at).ok()).collect::<Vec<_>>();
            let (Some(source), Some(target)) = (definitions.get(source), definitions.get(target)) else { continue };
            let link = Link::new(source, target, indexes(&from), indexes(&to))?;
            links.push(Arc::new(link.reversed()));
            links.push(Arc::new(link));
        }
        let mut main = tables.first().cloned().unwrap_or_else(|| Table::random(rng));
        main.others = tables.iter().skip(1).map(|table| table.rows.clone()).collect();
        main.family = Some(Arc::new(Family { tables, definitions, links }));
        Ok(main)
    }

    /// The rows of the family's table of a model.
    pub(super) fn rows_of(&self, model: &ModelDef) -> &[Row] {
        let family = self.family.as_ref();
        match family.and_then(|family| family.definitions.iter().position(|of| of.id() == model.id())) {
            None | Some(0) => &self.rows,
            Some(at) => self.others.get(at - 1).map_or(&[], Vec::as_slice),
        }
    }
}

/// Gives a table columns that reference the key of another, or of itself.
fn reference(rng: &mut Rng, tables: &mut [Table], source: usize, target: usize) -> Option<Pairs> {
    let of_key = tables.get(target)?;
    let to = of_key.key.clone();
    let key_columns: Vec<Column> = to.iter().filter_map(|at| of_key.columns.get(*at)).cloned().collect();
    let keys: Vec<Row> =
        of_key.rows.iter().map(|row| to.iter().filter_map(|at| row.get(*at)).cloned().collect()).collect();
    let table = tables.get_mut(source)?;
    let first = table.columns.len();
    let nullable = percent(rng, 70);
    for column in key_columns {
        let name = unused_name(rng, &table.columns);
        let value_type = similar(rng, &column.value_type);
        table.columns.push(Column { name, nullable, value_type, pool: column.pool });
    }
    let columns: Vec<Column> = table.columns.iter().skip(first).cloned().collect();
    for row in &mut table.rows {
        let found = pick(rng, &keys).cloned().filter(|_| percent(rng, 80));
        for (place, column) in columns.iter().enumerate() {
            let own = found.as_ref().and_then(|key| key.get(place)).filter(|_| percent(rng, 97)).cloned();
            row.push(match own {
                _ if nullable && percent(rng, 12) => Datum::Null,
                Some(own) => fitting(column, own).unwrap_or_else(|| value(rng, &column.value_type)),
                None => one(rng, &column.pool),
            });
        }
    }
    // the pool has values of the key's type
    for column in table.columns.iter_mut().skip(first) {
        let fitting: Vec<Datum> = column.pool.iter().filter_map(|value| fitting(column, value.clone())).collect();
        column.pool = fitting;
        column.pool.push(value(rng, &column.value_type));
    }
    for row in &mut table.rows {
        for (column, cell) in table.columns.iter().zip(row).skip(first) {
            if !cell.is_null() {
                *cell = fitting(column, cell.clone()).unwrap_or_else(|| value(rng, &column.value_type));
            }
        }
    }
    Some(Pairs { source, from: (first..table.columns.len()).collect(), target, to })
}

/// A value in a column's type, if it has it.
fn fitting(column: &Column, value: Datum) -> Option<Datum> {
    let field = FieldDef::new(column.name.as_str(), column.value_type.clone());
    let fitted = evaluate::fit(&field, value.clone()).ok()?;
    (evaluate::equal(&fitted, &value) == Some(true) && field.check(fitted.cell()).is_ok()).then_some(fitted)
}

/// A type whose values can be compared with those of another.
fn similar(rng: &mut Rng, of: &ValueType) -> ValueType {
    if !of.is_number() || percent(rng, 75) {
        return of.clone();
    }
    let types = [ValueType::I64, ValueType::I32, ValueType::U64, ValueType::U16, ValueType::DECIMAL];
    pick(rng, &types).cloned().unwrap_or(ValueType::I64)
}

/// Columns of any two tables that can be compared.
fn likeness(rng: &mut Rng, tables: &[Table]) -> Option<Pairs> {
    let (source, target) = (rng.usize(..tables.len()), rng.usize(..tables.len()));
    let (one, other) = (tables.get(source)?, tables.get(target)?);
    let from = rng.usize(..one.columns.len());
    let of = &one.columns.get(from)?.value_type;
    let to: Vec<usize> = other
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.value_type.is_comparable_with(of) && column.value_type.is_groupable())
        .map(|(at, _)| at)
        .collect();
    let to = *pick(rng, &to).filter(|_| of.is_groupable())?;
    Some(Pairs { source, from: vec![from], target, to: vec![to] })
}
