//! The text of raw commands: JSON in whose values `?` stands for a parameter.

use ommi_core::value::{Datum, ValueType};
use ommi_core::{Error, Result};

use crate::encode;
use crate::writer::{Writer, kind};

/// The deepest nesting of a command.
const DEPTH: usize = 100;

/// A command that was read.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) writer: Writer,
    /// The name of the command: that of its first member.
    pub(crate) name: String,
    /// The text of the first member: the collection, for most commands.
    pub(crate) collection: Option<String>,
    /// The names of all members.
    pub(crate) members: Vec<String>,
}

/// Reads a command, with values for its parameters: `?` takes the next, `?2` the second.
///
/// # Errors
///
/// `Query` if the text is not a JSON object, or the values are not as many as its parameters.
pub(crate) fn read(text: &str, parameters: &[Datum]) -> Result<Command> {
    let mut reader = Reader { text, at: 0, parameters, next: 0, most: 0 };
    let mut command =
        Command { writer: Writer::document(), name: String::new(), collection: None, members: Vec::new() };
    reader.space();
    if !reader.take('{') {
        return Err(Error::query(
            "a raw statement of MongoDB is a command as JSON text: {\"find\": \"Book\", \"filter\": {\"price\": {\"$lt\": ?}}}",
        ));
    }
    let mut is_first = true;
    reader.space();
    if !reader.take('}') {
        loop {
            reader.space();
            let name = reader.string()?;
            reader.space();
            reader.expect(':')?;
            let place = command.writer.key(&name)?;
            let from = command.writer.len();
            let of = reader.value(&mut command.writer, 1)?;
            command.writer.set(place, of);
            if is_first {
                command.name = name.clone();
                let bytes = command.writer.bytes().get(from..).unwrap_or_default();
                command.collection = crate::element::RawValue { kind: of, bytes }.as_text().map(str::to_owned);
            }
            command.members.push(name);
            is_first = false;
            reader.space();
            if reader.take('}') {
                break;
            }
            reader.expect(',')?;
        }
    }
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("the end of the command"));
    }
    if reader.most != parameters.len() {
        return Err(Error::query(format!(
            "the command has {} parameters and {} values were given",
            reader.most,
            parameters.len()
        )));
    }
    if command.name.is_empty() {
        return Err(Error::query("the command is empty"));
    }
    Ok(command)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    parameters: &'a [Datum],
    /// The parameter that the next `?` takes.
    next: usize,
    /// How many parameters there are.
    most: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    #[cold]
    fn wrong(&self, wanted: &str) -> Error {
        let shown: String = self.rest().chars().take(20).collect();
        Error::query(match shown.is_empty() {
            true => format!("the command ends where {wanted} is wanted"),
            false => format!("`{}` stands in the command where {wanted} is wanted", crate::error::one_line(&shown)),
        })
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(self.wrong(&format!("`{wanted}`"))),
        }
    }

    fn value(&mut self, writer: &mut Writer, depth: usize) -> Result<u8> {
        if depth > DEPTH {
            return Err(Error::query(format!("the command nests deeper than {DEPTH} levels")));
        }
        self.space();
        match self.peek() {
            Some('{') => self.object(writer, depth),
            Some('[') => self.array(writer, depth),
            Some('"') => Ok(writer.text(&self.string()?)),
            Some('?') => self.parameter(writer),
            Some('t') => self.word("true").map(|()| writer.bool(true)),
            Some('f') => self.word("false").map(|()| writer.bool(false)),
            Some('n') => self.word("null").map(|()| kind::NULL),
            Some('-' | '0'..='9') => self.number(writer),
            _ => Err(self.wrong("a value")),
        }
    }

    fn object(&mut self, writer: &mut Writer, depth: usize) -> Result<u8> {
        self.expect('{')?;
        let start = writer.begin();
        self.space();
        if !self.take('}') {
            loop {
                self.space();
                let name = self.string()?;
                self.space();
                self.expect(':')?;
                let place = writer.key(&name)?;
                let of = self.value(writer, depth + 1)?;
                writer.set(place, of);
                self.space();
                if self.take('}') {
                    break;
                }
                self.expect(',')?;
            }
        }
        writer.end(start)?;
        Ok(kind::DOCUMENT)
    }

    fn array(&mut self, writer: &mut Writer, depth: usize) -> Result<u8> {
        self.expect('[')?;
        let start = writer.begin();
        self.space();
        if !self.take(']') {
            for index in 0.. {
                let place = writer.index(index);
                let of = self.value(writer, depth + 1)?;
                writer.set(place, of);
                self.space();
                if self.take(']') {
                    break;
                }
                self.expect(',')?;
            }
        }
        writer.end(start)?;
        Ok(kind::ARRAY)
    }

    fn word(&mut self, word: &str) -> Result<()> {
        match self.rest().starts_with(word) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => Err(self.wrong("a value")),
        }
    }

    fn string(&mut self) -> Result<String> {
        if self.peek() != Some('"') {
            return Err(self.wrong("a name or a text in double quotes"));
        }
        let mut read = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        let found = read.next().and_then(std::result::Result::ok);
        let length = read.byte_offset();
        match found {
            Some(text) if length > 0 => {
                self.at += length;
                Ok(text)
            }
            _ => Err(self.wrong("a text in double quotes")),
        }
    }

    fn digits(&mut self) -> String {
        let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
        self.at += digits.len();
        digits
    }

    fn number(&mut self, writer: &mut Writer) -> Result<u8> {
        let shown: String =
            self.rest().chars().take_while(|one| one.is_ascii_alphanumeric() || "+-.".contains(*one)).collect();
        let wrong = self.wrong("a number");
        self.at += shown.len();
        if let Ok(number) = shown.parse::<i64>() {
            return Ok(match i32::try_from(number) {
                Ok(number) => writer.int(number),
                Err(_) => writer.long(number),
            });
        }
        match serde_json::from_str::<f64>(&shown) {
            Ok(number) => Ok(writer.double(number)),
            Err(_) => Err(wrong),
        }
    }

    fn parameter(&mut self, writer: &mut Writer) -> Result<u8> {
        self.expect('?')?;
        let digits = self.digits();
        let index = match digits.is_empty() {
            true => {
                self.next += 1;
                self.next
            }
            false => digits.parse().map_err(|_| self.wrong("the number of a parameter"))?,
        };
        self.most = self.most.max(index);
        let value = index.checked_sub(1).and_then(|index| self.parameters.get(index));
        match value {
            Some(Datum::List(items)) => {
                let start = writer.begin();
                for (index, item) in items.iter().enumerate() {
                    let place = writer.index(index);
                    let of = encode::value(writer, item.cell(), &ValueType::Text)?;
                    writer.set(place, of);
                }
                writer.end(start)?;
                Ok(kind::ARRAY)
            }
            Some(value) => encode::value(writer, value.cell(), &ValueType::Text),
            None if index == 0 => Err(Error::query("parameters are numbered from 1")),
            None => Ok(kind::NULL),
        }
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Bson, Document, doc};

    use super::*;

    fn document(text: &str, parameters: &[Datum]) -> Document {
        let command = read(text, parameters).unwrap();
        Document::try_from(command.writer.finish().unwrap().as_ref()).unwrap()
    }

    #[test]
    fn commands_keep_the_order_of_their_members() {
        let text = r#"{"find": "Book", "filter": {"b": 1, "a": [true, null, -1.5, 3000000000, "ü\n"]}, "limit": 2}"#;
        let command = read(text, &[]).unwrap();
        assert_eq!((command.name.as_str(), command.collection.as_deref()), ("find", Some("Book")));
        let filter = doc! { "b": 1, "a": [true, Bson::Null, -1.5, 3_000_000_000_i64, "ü\n"] };
        assert_eq!(document(text, &[]), doc! { "find": "Book", "filter": filter, "limit": 2 });
        assert_eq!(document(text, &[]).keys().collect::<Vec<_>>(), ["find", "filter", "limit"]);
    }

    #[test]
    fn parameters_are_values_and_never_text() {
        let hostile = r#"{"$gt": ""}"#;
        let text = r#"{"find": "Book", "filter": {"name": ?, "age": ?2, "again": ?1, "text": "?"}}"#;
        let parameters = [Datum::Text(hostile.into()), Datum::Int(2)];
        let filter = doc! { "name": hostile, "age": 2_i64, "again": hostile, "text": "?" };
        assert_eq!(document(text, &parameters), doc! { "find": "Book", "filter": filter });
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for text in ["", "SELECT 1", "{", "{}", r#"{"a" 1}"#, r#"{"a": 1} x"#, r#"{"a": ?}"#, r#"{"a": 1e}"#, "[]"] {
            assert!(read(text, &[]).unwrap_err().is_query(), "{text}");
        }
        assert!(read(r#"{"a": 1}"#, &[Datum::Int(1)]).unwrap_err().message().contains("0 parameters"));
    }
}
