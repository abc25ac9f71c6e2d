//! The keys by which the rows of a group find others, and sets of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::driver::RowRef;
use crate::error::{Error, Result};
use crate::evaluate::GroupKey;
use crate::model::relation::KeyFields;
use crate::value::{Cell, Datum, Json, ValueType, json, list};

/// How many columns of keys are filled while a row is read: enough for most models.
const SEEN: usize = 2;

/// The keys of a row that are single integers, taken while its fields are read: to read a column again
/// costs as much as to read another one.
#[derive(Default)]
pub(crate) struct SeenKeys {
    /// A bit for each of the first 64 columns of the row, set where it holds a key.
    wanted: u64,
    /// For each of the first columns of keys, the column of the row and what was read there.
    keys: [SeenKey; SEEN],
}

#[derive(Default)]
struct SeenKey {
    column: Option<usize>,
    key: std::cell::Cell<Option<i64>>,
}

impl SeenKeys {
    /// Those that some columns of keys want.
    pub(crate) fn wanted_by(columns: &[KeyColumn], fields: &[KeyFields]) -> Self {
        let mut seen = SeenKeys::default();
        for (slot, (column, of)) in seen.keys.iter_mut().zip(columns.iter().zip(fields)) {
            if let (KeyColumn::Integers { .. }, [(field, _)], None) = (column, of.fields.as_slice(), &of.kind)
                && *field < 64
            {
                slot.column = Some(usize::from(*field));
                seen.wanted |= 1 << field;
            }
        }
        seen
    }

    /// Takes a value of a row, if it is a wanted key.
    #[inline]
    pub(crate) fn see(&self, column: usize, cell: Cell<'_>) {
        if column < 64
            && self.wanted & 1 << column != 0
            && let Cell::Int(key) = cell
        {
            for seen in self.keys.iter().filter(|seen| seen.column == Some(column)) {
                seen.key.set(Some(key));
            }
        }
    }

    /// The key that was seen for a column of keys, which is forgotten with it.
    #[inline]
    pub(crate) fn take(&self, place: usize) -> Option<i64> {
        self.keys.get(place)?.key.take()
    }
}

/// The keys of some rows, in the order of the rows. A key with a null in it is absent.
pub(crate) enum KeyColumn {
    /// One integer each.
    Integers {
        /// The keys; 0 where absent.
        keys: Vec<i64>,
        /// A bit for each absent key, up to the last of them.
        absent: Vec<u64>,
    },
    /// Anything else: all keys in one text, as JSON arrays.
    Texts {
        /// The keys.
        text: String,
        /// Where each ends.
        ends: Vec<u32>,
    },
}

impl KeyColumn {
    pub(crate) fn new(fields: &KeyFields) -> Self {
        match fields.fields.as_slice() {
            [(_, value_type)] if value_type.is_integer() && *value_type != ValueType::U64 => {
                KeyColumn::Integers { keys: Vec::new(), absent: Vec::new() }
            }
            _ => KeyColumn::Texts { text: String::new(), ends: Vec::new() },
        }
    }

    /// Forgets all keys but the first ones.
    pub(crate) fn truncate(&mut self, rows: u32) {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        match self {
            KeyColumn::Integers { keys, absent } => {
                keys.truncate(rows);
                absent.truncate(rows.div_ceil(64));
                if let Some(word) = absent.get_mut(rows / 64) {
                    *word &= (1 << (rows % 64)) - 1;
                }
            }
            KeyColumn::Texts { text, ends } => {
                ends.truncate(rows);
                text.truncate(ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX)));
            }
        }
    }

    /// Takes the key of the next row, if it was seen while the row was read, and reads it otherwise.
    #[inline]
    pub(crate) fn push_seen(&mut self, seen: Option<i64>, fields: &KeyFields, row: &dyn RowRef) -> Result<()> {
        match (&mut *self, seen) {
            (KeyColumn::Integers { keys, .. }, Some(key)) => {
                keys.push(key);
                Ok(())
            }
            _ => self.push(fields, row),
        }
    }

    /// Takes the key of the next row, which holds all fields of its model.
    pub(crate) fn push(&mut self, fields: &KeyFields, row: &dyn RowRef) -> Result<()> {
        if let (KeyColumn::Integers { keys, .. }, [(field, _)], None) =
            (&mut *self, fields.fields.as_slice(), &fields.kind)
            && let Cell::Int(key) = row.cell(usize::from(*field))?
        {
            keys.push(key);
            return Ok(());
        }
        self.push_slowly(fields, row)
    }

    fn push_slowly(&mut self, fields: &KeyFields, row: &dyn RowRef) -> Result<()> {
        if let Some((field, wanted)) = &fields.kind
            && !matches!(row.cell(usize::from(*field))?, Cell::Text(kind) if *kind == **wanted)
        {
            return self.push_absent();
        }
        match self {
            KeyColumn::Integers { keys, .. } => {
                let Some((field, value_type)) = fields.fields.first() else { return self.push_absent() };
                match Datum::decode(row.cell(usize::from(*field))?, value_type)? {
                    Datum::Int(key) => keys.push(key),
                    _ => return self.push_absent(),
                }
            }
            KeyColumn::Texts { text, ends } => {
                let start = text.len();
                for (position, (field, value_type)) in fields.fields.iter().enumerate() {
                    let value = Datum::decode(row.cell(usize::from(*field))?, value_type)?;
                    if value.is_null() {
                        text.truncate(start);
                        break;
                    }
                    text.push(if position == 0 { '[' } else { ',' });
                    list::element_text(value.cell(), text)?;
                }
                if text.len() > start {
                    text.push(']');
                }
                let end = u32::try_from(text.len()).map_err(|_| {
                    Error::query("the keys of this result are longer than 4 GiB: read it in parts with `stream()`")
                })?;
                ends.push(end);
            }
        }
        Ok(())
    }

    fn push_absent(&mut self) -> Result<()> {
        match self {
            KeyColumn::Integers { keys, absent } => {
                let row = keys.len();
                let word = row / 64;
                if absent.len() <= word {
                    absent.resize(word + 1, 0);
                }
                if let Some(word) = absent.get_mut(word) {
                    *word |= 1 << (row % 64);
                }
                keys.push(0);
            }
            KeyColumn::Texts { text, ends } => ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX)),
        }
        Ok(())
    }

    /// The key of a row.
    pub(crate) fn key(&self, row: u32, fields: &KeyFields) -> Result<Option<Key>> {
        let index = usize::try_from(row).unwrap_or(usize::MAX);
        match self {
            KeyColumn::Integers { keys, absent } => {
                let is_absent = absent.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0);
                Ok(keys.get(index).filter(|_| !is_absent).map(|key| Key::Integer(*key)))
            }
            KeyColumn::Texts { text, ends } => {
                let end = ends.get(index).copied().unwrap_or_default();
                let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or_default();
                let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
                match text.get(place(start)..place(end)) {
                    None | Some("") => Ok(None),
                    Some(text) => values(text, fields).map(|values| Some(Key::Values(values))),
                }
            }
        }
    }
}

/// The values of a key that is written as a JSON array.
fn values(text: &str, fields: &KeyFields) -> Result<Vec<Datum>> {
    let Json::Array(items) = json::parse(text)? else { return Ok(Vec::new()) };
    let decode = |(item, (_, value_type)): (&Json, &(u16, ValueType))| {
        list::with_element(item, value_type, |cell| Datum::decode(cell, value_type))
    };
    items.iter().zip(&fields.fields).map(decode).collect()
}

/// The values of the fields that rows are found by, none of them null.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// One integer.
    Integer(i64),
    /// Anything else.
    Values(Vec<Datum>),
}

impl Key {
    /// A key of values, or `None` if one of them is null.
    pub(crate) fn of(values: Vec<Datum>) -> Option<Key> {
        match values.as_slice() {
            [Datum::Int(key)] => Some(Key::Integer(*key)),
            values if values.iter().any(Datum::is_null) => None,
            _ => Some(Key::Values(values)),
        }
    }

    /// The values.
    pub(crate) fn into_values(self) -> Vec<Datum> {
        match self {
            Key::Integer(key) => vec![Datum::Int(key)],
            Key::Values(values) => values,
        }
    }
}

/// Hashes single integers by one multiplication.
#[derive(Default)]
pub(crate) struct IntegerHasher(u64);

impl Hasher for IntegerHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        // both halves: the table looks at the high bits and at the low ones
        let [low, high] = [product as u64, (product >> 64) as u64];
        self.0 = low ^ high;
    }
}

/// Distinct keys, numbered in the order in which they came.
#[derive(Default)]
pub(crate) struct KeySet {
    integers: HashMap<i64, u32, BuildHasherDefault<IntegerHasher>>,
    values: HashMap<Vec<GroupKey>, u32>,
    keys: Vec<Key>,
}

impl KeySet {
    /// The number of a key, which is new if the key is.
    pub(crate) fn number(&mut self, key: Key) -> u32 {
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let number = match &key {
            Key::Integer(key) => *self.integers.entry(*key).or_insert(next),
            Key::Values(values) => match integer(values) {
                Some(key) => *self.integers.entry(key).or_insert(next),
                None => *self.values.entry(values.iter().map(GroupKey::new).collect()).or_insert(next),
            },
        };
        if number == next {
            self.keys.push(key);
        }
        number
    }

    /// The number of a key of one integer, if it is in the set.
    #[inline]
    pub(crate) fn find_integer(&self, key: i64) -> Option<u32> {
        self.integers.get(&key).copied()
    }

    /// The number of a key, if it is in the set.
    pub(crate) fn find(&self, values: &[Datum]) -> Option<u32> {
        match integer(values) {
            Some(key) => self.find_integer(key),
            None => self.values.get(&values.iter().map(GroupKey::new).collect::<Vec<_>>()).copied(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys in the order of their numbers.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }
}

/// The integer that a key of one number is, so that equal numbers of different types meet.
fn integer(values: &[Datum]) -> Option<i64> {
    match values {
        [Datum::Int(key)] => Some(*key),
        [Datum::Decimal(key)] if key.fract().is_zero() => i64::try_from(key.trunc()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sink::OwnedRow;

    fn fields(types: &[ValueType]) -> KeyFields {
        KeyFields { fields: (0..).zip(types.iter().cloned()).collect(), kind: None }
    }

    fn column(fields: &KeyFields, rows: &[Vec<Datum>]) -> KeyColumn {
        let mut column = KeyColumn::new(fields);
        rows.iter().for_each(|row| column.push(fields, &OwnedRow(row)).unwrap());
        column
    }

    fn keys(fields: &KeyFields, rows: &[Vec<Datum>]) -> Vec<Option<Vec<Datum>>> {
        let column = column(fields, rows);
        (0..rows.len()).map(|row| column.key(row as u32, fields).unwrap().map(Key::into_values)).collect()
    }

    fn text(text: &str) -> Datum {
        Datum::Text(text.into())
    }

    #[test]
    fn integers_come_back_and_null_is_absent() {
        let fields = fields(&[ValueType::I32]);
        let rows: Vec<Vec<Datum>> =
            (0..200).map(|n| vec![if n % 3 == 0 { Datum::Null } else { Datum::Int(n - 100) }]).collect();
        for (row, key) in rows.iter().zip(keys(&fields, &rows)) {
            assert_eq!(key, Some(row.clone()).filter(|row| !row[0].is_null()));
        }
    }

    #[test]
    fn texts_and_several_fields_come_back() {
        let fields = fields(&[ValueType::Text, ValueType::U64, ValueType::Uuid]);
        let uuid = Datum::Uuid(crate::value::Uuid::from_u128(7));
        let rows = vec![
            vec![text("a\"],[\\ü\n"), Datum::UInt(u64::MAX), uuid.clone()],
            vec![text(""), Datum::Int(0), uuid.clone()],
            vec![text("x"), Datum::Null, uuid.clone()],
            vec![text("y"), Datum::Int(1), uuid],
        ];
        let found = keys(&fields, &rows);
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(found[index], Some(row.clone()).filter(|_| index != 2));
        }
    }

    #[test]
    fn a_row_of_another_kind_has_no_key() {
        let mut fields = fields(&[ValueType::I64]);
        fields.kind = Some((1, "Post".into()));
        let rows = vec![
            vec![Datum::Int(1), text("Post")],
            vec![Datum::Int(2), text("Photo")],
            vec![Datum::Int(3), Datum::Null],
        ];
        assert_eq!(keys(&fields, &rows), [Some(vec![Datum::Int(1)]), None, None]);
    }

    #[test]
    fn equal_keys_have_one_number_whatever_their_types() {
        let mut set = KeySet::default();
        let decimal = Datum::Decimal(crate::value::decimal::parse("7.00").unwrap());
        assert_eq!(set.number(Key::Integer(7)), 0);
        assert_eq!(set.number(Key::Integer(8)), 1);
        assert_eq!(set.number(Key::Values(vec![decimal.clone()])), 0);
        assert_eq!(set.number(Key::Values(vec![text("a"), Datum::Int(1)])), 2);
        assert_eq!(set.find(&[text("a"), Datum::Int(1)]), Some(2));
        assert_eq!(set.find(&[decimal]), Some(0));
        assert_eq!(set.find(&[text("a"), Datum::Int(2)]), None);
        assert_eq!(set.len(), 3);
    }
}
