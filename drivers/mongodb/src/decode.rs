//! Rows as MongoDB gives them: read from the documents where they lie in the answer.

use ommi_core::driver::RowRef;
use ommi_core::value::{Cell, Datum, Json, List, ValueType};
use ommi_core::{Error, Result};

use crate::element::{Elements, RawValue, broken};
use crate::layout::{Holds, Layout, Member, is_moment};
use crate::writer::{UUID, kind};
use crate::{calendar, decimal};

/// How the documents of an answer are read: which member holds which column. It remembers the
/// order of the members of the last document, and verifies each name.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    types: Vec<ValueType>,
    root: Level,
    /// Whether a column holds lists or JSON, for which values are made.
    has_made: bool,
}

#[derive(Clone, Debug, Default)]
struct Level {
    members: Vec<(Box<[u8]>, Target)>,
    expected: Vec<Expected>,
}

#[derive(Clone, Debug)]
enum Target {
    Column(usize),
    Micros(usize),
    Level(Level),
}

/// The member that was at a place in the last document.
#[derive(Clone, Debug)]
struct Expected {
    name: Box<[u8]>,
    /// Which of the members it is, if it is known.
    member: Option<usize>,
}

impl Columns {
    /// The columns of the documents of a model.
    pub(crate) fn of_layout(layout: &Layout, types: Vec<ValueType>) -> Self {
        Columns { has_made: has_made(&types), types, root: Level::of(&layout.members) }
    }

    /// Columns that are members named by their positions.
    pub(crate) fn numbered(types: Vec<ValueType>) -> Self {
        let members = (0..types.len()).map(|index| (output_name(index).into_bytes().into(), Target::Column(index)));
        let root = Level { members: members.collect(), expected: Vec::new() };
        Columns { has_made: has_made(&types), types, root }
    }

    /// The types of the columns.
    pub(crate) fn types(&self) -> &[ValueType] {
        &self.types
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.types.len()
    }
}

/// The name of the member that holds the output at a position.
pub(crate) fn output_name(index: usize) -> String {
    format!("o{index}")
}

fn has_made(types: &[ValueType]) -> bool {
    types.iter().any(|of| matches!(of, ValueType::Json | ValueType::List(_)))
}

impl Level {
    fn of(members: &[Member]) -> Level {
        let member = |member: &Member| {
            let target = match &member.holds {
                Holds::Field(index) => Target::Column(*index),
                Holds::Micros(index) => Target::Micros(*index),
                Holds::Document(inner) => Target::Level(Level::of(inner)),
            };
            (member.name.as_bytes().into(), target)
        };
        Level { members: members.iter().map(member).collect(), expected: Vec::new() }
    }

    #[inline]
    fn scan<'a>(&mut self, document: &'a [u8], slots: &mut [RawValue<'a>], micros: &mut [i32]) -> Result<()> {
        let mut elements = Elements::of(document)?;
        let mut place = 0;
        loop {
            if let Some(expected) = self.expected.get(place)
                && let Some(value) = elements.next_named(&expected.name)?
            {
                if let Some((_, target)) = expected.member.and_then(|member| self.members.get_mut(member)) {
                    put(target, value, slots, micros)?;
                }
            } else {
                let Some(element) = elements.next()? else { return Ok(()) };
                let member = self.members.iter().position(|(name, _)| **name == *element.name);
                let expected = Expected { name: element.name.into(), member };
                match self.expected.get_mut(place) {
                    Some(slot) => *slot = expected,
                    // documents with ever more members are not worth remembering
                    None if place < 4_096 => self.expected.push(expected),
                    None => {}
                }
                if let Some((_, target)) = member.and_then(|member| self.members.get_mut(member)) {
                    put(target, element.value, slots, micros)?;
                }
            }
            place += 1;
        }
    }
}

#[inline]
fn put<'a>(target: &mut Target, value: RawValue<'a>, slots: &mut [RawValue<'a>], micros: &mut [i32]) -> Result<()> {
    match target {
        Target::Column(index) => {
            if let Some(slot) = slots.get_mut(*index) {
                *slot = value;
            }
        }
        Target::Micros(index) => {
            if let (Some(slot), Some(number)) = (micros.get_mut(*index), value.whole()) {
                *slot = i32::try_from(number).unwrap_or_default();
            }
        }
        Target::Level(level) if value.kind == kind::DOCUMENT => level.scan(value.bytes, slots, micros)?,
        Target::Level(_) => {}
    }
    Ok(())
}

/// The documents of one answer, read one after the other.
pub(crate) struct Rows<'c, 'a> {
    columns: &'c mut Columns,
    slots: Vec<RawValue<'a>>,
    micros: Vec<i32>,
    made: Vec<Made<'a>>,
}

/// A value that had to be made.
#[derive(Debug)]
enum Made<'a> {
    None,
    Json(Json),
    List(RawList<'a>),
}

impl<'c, 'a> Rows<'c, 'a> {
    pub(crate) fn new(columns: &'c mut Columns) -> Self {
        let width = columns.width();
        Rows { slots: vec![RawValue::MISSING; width], micros: vec![0; width], made: Vec::new(), columns }
    }

    /// Reads a document; the row is good until the next.
    ///
    /// # Errors
    ///
    /// `Decode` if the document is not BSON, or a list or JSON in it holds what those cannot.
    #[inline]
    pub(crate) fn read(&mut self, document: &'a [u8]) -> Result<&Self> {
        self.slots.fill(RawValue::MISSING);
        self.micros.fill(0);
        self.columns.root.scan(document, &mut self.slots, &mut self.micros)?;
        if self.columns.has_made {
            self.make()?;
        }
        Ok(self)
    }

    fn make(&mut self) -> Result<()> {
        self.made.clear();
        for (value, value_type) in self.slots.iter().zip(&self.columns.types) {
            self.made.push(match (value_type, value.kind) {
                (_, 0) => Made::None,
                (ValueType::Json, _) => Made::Json(json(value)?),
                (ValueType::List(item), kind::ARRAY) => Made::List(RawList::new(value, item)?),
                _ => Made::None,
            });
        }
        Ok(())
    }
}

impl RowRef for Rows<'_, '_> {
    #[inline]
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        let (Some(value), Some(value_type)) = (self.slots.get(column), self.columns.types.get(column)) else {
            return Err(Error::decode(format!("the row has no column {}", column + 1)));
        };
        match (value.kind, value_type) {
            (kind::TEXT, _) if *value_type != ValueType::Json => value.text().map(Cell::Text),
            (kind::INT, ValueType::I8 | ValueType::I16 | ValueType::I32 | ValueType::I64) => {
                Ok(Cell::Int(i32::from_le_bytes(value.four()?).into()))
            }
            (kind::LONG, ValueType::I64) => Ok(Cell::Int(i64::from_le_bytes(value.eight()?))),
            _ => match self.made.get(column) {
                Some(Made::Json(value)) => Ok(Cell::Json(value)),
                Some(Made::List(items)) => Ok(Cell::List(items)),
                _ => cell(value, value_type, self.micros.get(column).copied().unwrap_or_default()),
            },
        }
    }
}

/// The cell of a value that is read as a type.
///
/// # Errors
///
/// `Decode` if the value cannot be shown, `Query` if it is a number out of range.
pub(crate) fn cell<'a>(value: &RawValue<'a>, value_type: &ValueType, micros: i32) -> Result<Cell<'a>> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    match value_type {
        ValueType::F32 | ValueType::F64 => float(value),
        ValueType::Decimal(size) => match value.kind {
            kind::DECIMAL => Ok(Cell::Decimal(decimal::read(sixteen(value)?, *size)?)),
            kind::INT | kind::LONG => {
                let number = value.whole().ok_or_else(broken)?;
                let bytes = decimal::of_integer(number.into()).bytes();
                Ok(Cell::Decimal(decimal::read(bytes, *size)?))
            }
            _ => natural(value),
        },
        ValueType::Date if value.kind == kind::DATE => {
            let millis = i64::from_le_bytes(value.eight()?);
            Ok(Cell::Date(calendar::date(millis.div_euclid(calendar::DAY_MILLIS))?))
        }
        moment if is_moment(moment) => {
            let Some(total) = moment_micros(value, micros)? else { return natural(value) };
            Ok(match moment {
                ValueType::DateTime => Cell::DateTime(calendar::date_time(total)?),
                _ => Cell::Timestamp(calendar::instant(total)?),
            })
        }
        integer if integer.is_integer() || matches!(integer, ValueType::Duration) => whole(value),
        _ => natural(value),
    }
}

#[inline]
fn sixteen(value: &RawValue<'_>) -> Result<[u8; 16]> {
    value.bytes.first_chunk::<16>().copied().ok_or_else(broken)
}

/// The microseconds since 1970 of a moment: a date with its companion, or the number that
/// expressions make of both.
fn moment_micros(value: &RawValue<'_>, micros: i32) -> Result<Option<i64>> {
    match value.kind {
        kind::DATE => {
            let millis = i64::from_le_bytes(value.eight()?);
            let total = millis.checked_mul(1_000).and_then(|total| total.checked_add(micros.into()));
            total.map(Some).ok_or_else(|| Error::decode("a date outside the years 1 to 9999"))
        }
        kind::LONG | kind::INT | kind::DOUBLE => Ok(value.whole()),
        kind::DECIMAL => Ok(decimal::read_integer(sixteen(value)?).and_then(|total| i64::try_from(total).ok())),
        kind::DOCUMENT => {
            let (Some(date), Some(rest)) = (value.get("date"), value.get("us")) else { return Ok(None) };
            moment_micros(&date, rest.whole().and_then(|rest| i32::try_from(rest).ok()).unwrap_or_default())
        }
        _ => Ok(None),
    }
}

fn whole<'a>(value: &RawValue<'a>) -> Result<Cell<'a>> {
    match value.kind {
        kind::INT => Ok(Cell::Int(i32::from_le_bytes(value.four()?).into())),
        kind::LONG => Ok(Cell::Int(i64::from_le_bytes(value.eight()?))),
        kind::DECIMAL => match decimal::read_integer(sixteen(value)?) {
            Some(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => Ok(Cell::Int(number)),
                (_, Ok(number)) => Ok(Cell::UInt(number)),
                _ => Err(Error::decode(format!("the integer {number} has more than 64 bits"))),
            },
            None => natural(value),
        },
        // other programs write whole numbers as floats
        kind::DOUBLE => value.whole().map_or_else(|| natural(value), |number| Ok(Cell::Int(number))),
        _ => natural(value),
    }
}

fn float<'a>(value: &RawValue<'a>) -> Result<Cell<'a>> {
    Ok(match value.kind {
        kind::DOUBLE => Cell::Float(f64::from_le_bytes(value.eight()?) + 0.0),
        kind::INT | kind::LONG => Cell::Float(value.whole().ok_or_else(broken)? as f64),
        kind::DECIMAL => {
            let number = mongodb::bson::Decimal128::from_bytes(sixteen(value)?).to_string();
            Cell::Float(number.parse().map_err(|_| broken())?)
        }
        _ => return natural(value),
    })
}

/// The cell of a value by its own type: what is read that way only decodes where it fits.
///
/// # Errors
///
/// `Decode` if there is no cell for it.
pub(crate) fn natural<'a>(value: &RawValue<'a>) -> Result<Cell<'a>> {
    Ok(match value.kind {
        0 | kind::NULL | kind::UNDEFINED => Cell::Null,
        kind::BOOL => Cell::Bool(value.bytes == [1]),
        kind::INT => Cell::Int(i32::from_le_bytes(value.four()?).into()),
        kind::LONG => Cell::Int(i64::from_le_bytes(value.eight()?)),
        kind::DOUBLE => Cell::Float(f64::from_le_bytes(value.eight()?) + 0.0),
        kind::TEXT | kind::SYMBOL => Cell::Text(value.text()?),
        kind::BINARY => match value.binary()? {
            (UUID, bytes) => match bytes.first_chunk::<16>() {
                Some(bytes) => Cell::Uuid(ommi_core::value::Uuid::from_bytes(*bytes)),
                None => Cell::Bytes(bytes),
            },
            (_, bytes) => Cell::Bytes(bytes),
        },
        kind::OBJECT_ID => Cell::Bytes(value.bytes),
        kind::DATE => {
            let millis = i64::from_le_bytes(value.eight()?);
            Cell::Timestamp(calendar::instant(millis.saturating_mul(1_000))?)
        }
        kind::DECIMAL => Cell::Decimal(decimal::read(sixteen(value)?, None)?),
        other => return Err(Error::decode(format!("a BSON value of type {other:#04x} has no counterpart in Ommi"))),
    })
}

/// The JSON document of a value.
///
/// # Errors
///
/// `Decode` if the value has no counterpart in JSON.
pub(crate) fn json(value: &RawValue<'_>) -> Result<Json> {
    Ok(match value.kind {
        kind::DOCUMENT => {
            let mut members = serde_json::Map::new();
            let mut elements = Elements::of(value.bytes)?;
            while let Some(element) = elements.next()? {
                let name = std::str::from_utf8(element.name).map_err(|_| broken())?;
                members.insert(name.to_owned(), json(&element.value)?);
            }
            Json::Object(members)
        }
        kind::ARRAY => {
            let mut items = Vec::new();
            let mut elements = Elements::of(value.bytes)?;
            while let Some(element) = elements.next()? {
                items.push(json(&element.value)?);
            }
            Json::Array(items)
        }
        kind::OBJECT_ID => Json::String(hex(value.bytes)),
        kind::DOUBLE => {
            let number = f64::from_le_bytes(value.eight()?);
            serde_json::Number::from_f64(number)
                .map(Json::Number)
                .ok_or_else(|| Error::decode(format!("{number} is no JSON number: another program wrote it")))?
        }
        kind::DECIMAL => match decimal::read_integer(sixteen(value)?).and_then(|number| u64::try_from(number).ok()) {
            Some(number) => Json::from(number),
            None => Json::from(mongodb::bson::Decimal128::from_bytes(sixteen(value)?).to_string()),
        },
        _ => match natural(value)? {
            Cell::Null => Json::Null,
            Cell::Bool(value) => Json::Bool(value),
            Cell::Int(value) => Json::from(value),
            Cell::Text(value) => Json::from(value),
            Cell::Timestamp(value) => Json::from(value.to_string()),
            Cell::Uuid(value) => Json::from(value.to_string()),
            Cell::Bytes(value) => Json::from(hex(value)),
            other => return Err(Error::decode(format!("{} inside JSON: another program wrote it", other.type_name()))),
        },
    })
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An array, whose elements are read when they are asked for.
#[derive(Debug)]
pub(crate) struct RawList<'a> {
    items: Vec<RawValue<'a>>,
    item: ValueType,
}

impl<'a> RawList<'a> {
    /// The list of an array, each of whose elements can be shown.
    pub(crate) fn new(array: &RawValue<'a>, item: &ValueType) -> Result<Self> {
        let mut items = Vec::new();
        let mut elements = Elements::of(array.bytes)?;
        while let Some(element) = elements.next()? {
            cell(&element.value, item, 0)?;
            items.push(element.value);
        }
        Ok(RawList { items, item: item.clone() })
    }
}

impl List for RawList<'_> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        // each was shown before
        self.items.get(index).and_then(|value| cell(value, &self.item, 0).ok()).unwrap_or(Cell::Null)
    }
}

/// A row that is made of values.
pub(crate) struct MadeRow<'a>(pub(crate) &'a [Datum]);

impl RowRef for MadeRow<'_> {
    fn cell(&self, column: usize) -> Result<Cell<'_>> {
        match self.0.get(column) {
            Some(value) => Ok(value.cell()),
            None => Err(Error::decode(format!("the row has no column {}", column + 1))),
        }
    }
}
