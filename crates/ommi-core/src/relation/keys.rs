//! The keys by which the rows of a group find others, and sets of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::driver::RowRef;
use crate::error::{Error, Result};
use crate::evaluate::GroupKey;
use crate::model::Model;
use crate::model::relation::KeyFields;
use crate::value::{Cell, Datum, Json, ValueType, json, list};

/// A list of integers that grows by blocks, each at least as long as all before it: it never moves what it
/// holds, nor stands in the way of the list of rows, which grows beside it and is moved less.
#[derive(Default)]
pub(crate) struct Integers {
    /// The blocks before the last one: the first has [`FIRST_BLOCK`] integers, the next ones twice that,
    /// four times that, and so on.
    full: Vec<Vec<i64>>,
    last: Vec<i64>,
}

const FIRST_BLOCK: usize = 4;

impl Integers {
    #[inline]
    fn push(&mut self, integer: i64) {
        if self.last.len() == self.last.capacity() {
            self.begin_block();
        }
        self.last.push(integer);
    }

    #[cold]
    fn begin_block(&mut self) {
        if self.last.capacity() > 0 {
            self.full.push(std::mem::take(&mut self.last));
        }
        self.last.reserve_exact(Self::length_of(self.full.len()));
    }

    fn length_of(block: usize) -> usize {
        FIRST_BLOCK << block
    }

    /// Where a block begins.
    fn start_of(block: usize) -> usize {
        Self::length_of(block) - FIRST_BLOCK
    }

    fn len(&self) -> usize {
        Self::start_of(self.full.len()) + self.last.len()
    }

    fn get(&self, index: usize) -> Option<i64> {
        let block = usize::try_from((index.checked_add(FIRST_BLOCK)? / FIRST_BLOCK).ilog2()).ok()?;
        let integers = if block == self.full.len() { &self.last } else { self.full.get(block)? };
        integers.get(index - Self::start_of(block)).copied()
    }

    /// Forgets all integers but the first ones.
    fn truncate(&mut self, integers: usize) {
        while integers < Self::start_of(self.full.len()) {
            self.last = self.full.pop().unwrap_or_default();
        }
        self.last.truncate(integers - Self::start_of(self.full.len()));
    }
}

/// The keys of some rows, in the order of the rows. A key with a null in it is absent.
pub(crate) enum KeyColumn {
    /// One integer each.
    Integers {
        /// The keys; 0 where absent.
        keys: Integers,
        /// A bit for each absent key, up to the last of them.
        absent: Vec<u64>,
        /// The field that holds the keys, where nothing else decides whether there is one.
        field: Option<u16>,
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
            [(field, value_type)] if value_type.is_integer() && *value_type != ValueType::U64 => {
                let field = fields.kind.is_none().then_some(*field);
                KeyColumn::Integers { keys: Integers::default(), absent: Vec::new(), field }
            }
            _ => KeyColumn::Texts { text: String::new(), ends: Vec::new() },
        }
    }

    /// Forgets all keys but the first ones.
    pub(crate) fn truncate(&mut self, rows: u32) {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        match self {
            KeyColumn::Integers { keys, absent, .. } => {
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

    /// Takes the key of the next row from the instance that was made of it, if that tells it: to read a
    /// column again costs as much as to read another one.
    #[inline]
    pub(crate) fn push_of<M: Model>(&mut self, instance: &M) -> bool {
        if let KeyColumn::Integers { keys, field: Some(field), .. } = self
            && let Some(key) = instance.integer(*field)
        {
            keys.push(key);
            return true;
        }
        false
    }

    /// Takes the key of the next row, which holds all fields of its model.
    pub(crate) fn push(&mut self, fields: &KeyFields, row: &dyn RowRef) -> Result<()> {
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
            KeyColumn::Integers { keys, absent, .. } => {
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
            KeyColumn::Integers { keys, absent, .. } => {
                let is_absent = absent.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0);
                Ok(keys.get(index).filter(|_| !is_absent).map(Key::Integer))
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
    fn integers_in_blocks_are_those_of_a_list() {
        let mut blocks = Integers::default();
        let mut list = Vec::new();
        for step in 0..2_000_i64 {
            if step % 37 == 36 {
                let kept = usize::try_from(step * 7919).unwrap() % (list.len() + 1);
                blocks.truncate(kept);
                list.truncate(kept);
            }
            blocks.push(step);
            list.push(step);
            assert_eq!(blocks.len(), list.len());
            assert_eq!(blocks.get(list.len()), None);
        }
        (2_000..12_000).for_each(|integer| {
            blocks.push(integer);
            list.push(integer);
        });
        assert!((0..list.len()).all(|index| blocks.get(index) == list.get(index).copied()));
        blocks.truncate(0);
        assert_eq!((blocks.len(), blocks.get(0)), (0, None));
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
