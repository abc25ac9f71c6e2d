//! What a placeholder of a rendered statement is bound to.

use std::fmt::Write;

use ommi_core::query::TextOperator;
use ommi_core::query::pattern::RegexPattern;
use ommi_core::value::{Cell, Datum, DecimalSize, ValueType, decimal, list};
use ommi_core::{Error, Result};

use crate::fold::ascii_pattern;

/// What a placeholder is bound to: a parameter of the statement, or a value derived from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The value of a parameter, in the form in which the database stores its type.
    Value(u16),
    /// The least text above all texts that begin with a parameter's text.
    PrefixEnd(u16),
    /// The elements of a parameter, a list, as a JSON array from which an `IN` reads them.
    ///
    /// It differs from a stored list: decimals have the digits of their size, infinite floats are
    /// numbers beyond the range (`9e999`), and documents and lists are strings of their texts.
    ListJson(u16),
    /// A parameter's regular expression in its portable form.
    Regex(u16),
    /// The pattern of `LIKE` that matches all texts which a parameter's text matches by an
    /// operator that folds, and a few more, where the database folds ASCII only.
    Folded(TextOperator, u16),
}

/// What a driver binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound<'a> {
    /// The value of a parameter, by the parameter's type.
    Value(&'a Datum, &'a ValueType),
    /// A text that was made for this call.
    Text(String),
    /// A value that sorts above all texts.
    AboveText,
}

impl Slot {
    /// The parameter that the slot takes its value from.
    pub fn parameter(self) -> u16 {
        match self {
            Slot::Value(index)
            | Slot::PrefixEnd(index)
            | Slot::ListJson(index)
            | Slot::Regex(index)
            | Slot::Folded(_, index) => index,
        }
    }

    /// What is to be bound, given the values and the types of the statement's parameters. The
    /// value of a parameter is lent, not copied.
    ///
    /// # Errors
    ///
    /// `Query` if the parameter is absent or of a type that the slot cannot be made from.
    #[inline]
    pub fn bind<'a>(self, values: &'a [Datum], types: &'a [ValueType]) -> Result<Bound<'a>> {
        let index = usize::from(self.parameter());
        let (Some(value), Some(value_type)) = (values.get(index), types.get(index)) else {
            return Err(Error::query(format!("the statement has no value for its parameter {}", index + 1)));
        };
        match self {
            Slot::Value(_) => Ok(Bound::Value(value, value_type)),
            _ => self.derive(value, value_type),
        }
    }

    fn derive<'a>(self, value: &'a Datum, value_type: &'a ValueType) -> Result<Bound<'a>> {
        match (self, value) {
            (_, Datum::Null) | (Slot::Value(_), _) => Ok(Bound::Value(value, value_type)),
            (Slot::PrefixEnd(_), Datum::Text(text)) => Ok(prefix_end(text).map_or(Bound::AboveText, Bound::Text)),
            (Slot::ListJson(_), Datum::List(items)) => Ok(Bound::Text(in_list_json(items, value_type)?)),
            (Slot::Regex(_), Datum::Text(text)) => Ok(Bound::Text(RegexPattern::cached(text)?.portable().to_owned())),
            (Slot::Folded(operator, _), Datum::Text(text)) => Ok(Bound::Text(ascii_pattern(operator, text))),
            (slot, value) => Err(Error::query(format!(
                "the parameter {} is {} and cannot be bound",
                slot.parameter() + 1,
                value.cell().type_name()
            ))),
        }
    }

    /// The mark that stands for the slot in a piece of SQL until the statement is whole.
    ///
    /// Marks begin and end with NUL, which neither names nor literals have.
    pub fn mark(self) -> String {
        match self {
            Slot::Value(index) => format!("\0V{index}\0"),
            Slot::PrefixEnd(index) => format!("\0P{index}\0"),
            Slot::ListJson(index) => format!("\0L{index}\0"),
            Slot::Regex(index) => format!("\0X{index}\0"),
            Slot::Folded(operator, index) => format!("\0{}{index}\0", folded_mark(operator)),
        }
    }

    /// The slot of a mark without its NULs.
    pub(crate) fn from_mark(mark: &str) -> Option<Slot> {
        let mut characters = mark.chars();
        let kind = characters.next()?;
        let index = characters.as_str().parse().ok()?;
        Some(match kind {
            'V' => Slot::Value(index),
            'P' => Slot::PrefixEnd(index),
            'L' => Slot::ListJson(index),
            'X' => Slot::Regex(index),
            mark => Slot::Folded(FOLDING.into_iter().find(|operator| folded_mark(*operator) == mark)?, index),
        })
    }
}

/// The operators that fold.
const FOLDING: [TextOperator; 5] = [
    TextOperator::IContains,
    TextOperator::IStartsWith,
    TextOperator::IEndsWith,
    TextOperator::IEq,
    TextOperator::ILike,
];

/// The letter of a folding operator; that of no other is among the marks.
fn folded_mark(operator: TextOperator) -> char {
    match operator {
        TextOperator::IContains => 'c',
        TextOperator::IStartsWith => 's',
        TextOperator::IEndsWith => 'e',
        TextOperator::IEq => 'q',
        TextOperator::ILike => 'k',
        _ => '?',
    }
}

/// The least text above all texts that begin with a prefix, by code point; `None` if there is
/// none: for the empty prefix, and for one of U+10FFFF alone.
pub fn prefix_end(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            // the code points between are surrogates, which no text has
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn in_list_json(items: &[Datum], value_type: &ValueType) -> Result<String> {
    let size = match value_type {
        ValueType::List(element) => match **element {
            ValueType::Decimal(size) => size,
            _ => None,
        },
        other => return Err(Error::query(format!("a parameter of type {other} is no list"))),
    };
    let mut out = String::with_capacity(2 + items.len() * 8);
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        in_list_element(item, size, &mut out)?;
    }
    out.push(']');
    Ok(out)
}

fn in_list_element(item: &Datum, size: Option<DecimalSize>, out: &mut String) -> Result<()> {
    let written = match item {
        Datum::Decimal(value) => write!(out, "\"{}\"", decimal::text(*value, size)),
        Datum::Float(value) if value.is_infinite() => out.write_str(if *value > 0.0 { "9e999" } else { "-9e999" }),
        Datum::Json(value) => return list::element_text(Cell::Text(&value.to_string()), out),
        Datum::List(items) => return list::element_text(Cell::Text(&list::text(items)?), out),
        other => return list::element_text(other.cell(), out),
    };
    written.map_err(|_| Error::query("the list could not be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(slot: Slot, value: Datum, value_type: ValueType) -> String {
        match slot.bind(&[value], &[value_type]).unwrap() {
            Bound::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    fn list_of(element: ValueType) -> ValueType {
        ValueType::List(Box::new(element))
    }

    #[test]
    fn the_end_of_a_prefix_skips_surrogates_and_the_last_code_point() {
        assert_eq!(prefix_end("ab").as_deref(), Some("ac"));
        assert_eq!(prefix_end("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(prefix_end("a\u{10ffff}\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{10ffff}"), None);
        assert_eq!(prefix_end(""), None);
    }

    #[test]
    fn values_are_lent_and_ends_of_prefixes_made() {
        let (values, types) = ([Datum::Text("ab".into())], [ValueType::Text]);
        let Bound::Value(value, _) = Slot::Value(0).bind(&values, &types).unwrap() else { panic!("not lent") };
        assert!(std::ptr::eq(value, &values[0]));
        assert_eq!(Slot::PrefixEnd(0).bind(&values, &types).unwrap(), Bound::Text("ac".into()));
        assert_eq!(Slot::PrefixEnd(0).bind(&[Datum::Text("".into())], &types).unwrap(), Bound::AboveText);
        assert!(Slot::Value(1).bind(&values, &types).unwrap_err().is_query());
        assert!(Slot::PrefixEnd(0).bind(&[Datum::Int(1)], &types).unwrap_err().is_query());
    }

    #[test]
    fn lists_are_written_as_an_in_list_reads_them() {
        let size = DecimalSize { precision: 10, scale: 2 };
        let decimals = Datum::List(vec![Datum::Decimal("1.5".parse().unwrap()), Datum::Decimal("2".parse().unwrap())]);
        let sized = list_of(ValueType::Decimal(Some(size)));
        assert_eq!(bind(Slot::ListJson(0), decimals.clone(), sized), r#"["1.50","2.00"]"#);
        assert_eq!(bind(Slot::ListJson(0), decimals, list_of(ValueType::DECIMAL)), r#"["1.5","2"]"#);
        let floats =
            Datum::List(vec![Datum::Float(f64::INFINITY), Datum::Float(-1.5), Datum::Float(f64::NEG_INFINITY)]);
        assert_eq!(bind(Slot::ListJson(0), floats, list_of(ValueType::F64)), "[9e999,-1.5,-9e999]");
        let documents = Datum::List(vec![Datum::Json(Box::new("a".into())), Datum::Json(Box::new(1.into()))]);
        assert_eq!(bind(Slot::ListJson(0), documents, list_of(ValueType::Json)), r#"["\"a\"","1"]"#);
    }

    #[test]
    fn marks_lead_back_to_their_slots() {
        let folded = FOLDING.map(|operator| Slot::Folded(operator, 3));
        for slot in
            [Slot::Value(0), Slot::PrefixEnd(65535), Slot::ListJson(7), Slot::Regex(1)].into_iter().chain(folded)
        {
            assert_eq!(Slot::from_mark(slot.mark().trim_matches('\0')), Some(slot));
        }
        assert_eq!(Slot::from_mark("R1"), None);
    }
}
