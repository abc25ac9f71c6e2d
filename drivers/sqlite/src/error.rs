//! SQLite's errors as Ommi's.

mod code;
mod constraint;

use std::cell::RefCell;

use ommi_core::{Error, ModelDef, Result};
use rusqlite::ffi;

pub(crate) use self::constraint::{reference, reference_candidates};

/// The name of the driver, as errors show it.
pub(crate) const DRIVER: &str = "sqlite";

/// What went wrong, before it is put into words: these need the model and the file.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Ommi(Error),
}

/// The result of work with a connection.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

thread_local! {
    /// The error that one of Ommi's own SQL functions gave last on this thread: SQLite keeps only
    /// its text.
    static FUNCTION_ERROR: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// An error of one of Ommi's own SQL functions, on its way through SQLite.
#[cold]
pub(crate) fn from_function(error: Error) -> rusqlite::Error {
    let text = error.message().to_owned();
    FUNCTION_ERROR.set(Some(error));
    rusqlite::Error::UserFunctionError(text.into())
}

impl From<rusqlite::Error> for Failure {
    #[cold]
    fn from(error: rusqlite::Error) -> Self {
        let raised = FUNCTION_ERROR.take();
        match (&error, raised) {
            (rusqlite::Error::SqliteFailure(_, Some(text)), Some(raised)) if raised.message() == text => {
                Failure::Ommi(raised)
            }
            _ => Failure::Sqlite(error),
        }
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        Failure::Ommi(error)
    }
}

impl Failure {
    fn code(&self) -> Option<i32> {
        match self {
            Failure::Sqlite(error) => error.sqlite_extended_error_code(),
            Failure::Ommi(_) => None,
        }
    }

    fn primary_code(&self) -> Option<i32> {
        self.code().map(|code| code & 0xff)
    }

    /// Whether the statement was interrupted.
    pub(crate) fn is_interrupt(&self) -> bool {
        self.primary_code() == Some(ffi::SQLITE_INTERRUPT)
    }

    /// Whether somebody else has a lock, for which a worker may wait.
    pub(crate) fn is_busy(&self) -> bool {
        self.primary_code() == Some(ffi::SQLITE_BUSY) && self.code() != Some(ffi::SQLITE_BUSY_SNAPSHOT)
    }

    /// Whether the connection may only read, and was asked to write.
    pub(crate) fn is_refused_write(&self) -> bool {
        self.primary_code() == Some(ffi::SQLITE_READONLY)
    }

    /// Whether a reference rule was broken; SQLite does not say which.
    pub(crate) fn is_reference_violation(&self) -> bool {
        self.code() == Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
    }

    /// Whether rows agree in what is to be unique.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.code() == Some(ffi::SQLITE_CONSTRAINT_UNIQUE)
    }

    /// Whether a table is absent.
    pub(crate) fn is_missing(&self, table: &str) -> bool {
        matches!(self, Failure::Sqlite(error) if text_of(error) == format!("no such table: {table}"))
    }

    /// The error in words, for a database that messages call `shown`.
    #[cold]
    pub(crate) fn into_error(self, shown: &str, model: Option<&ModelDef>) -> Error {
        let error = match self {
            Failure::Ommi(error) => return error.with_driver(DRIVER),
            Failure::Sqlite(error) => error,
        };
        let text = text_of(&error);
        let described = match &error {
            rusqlite::Error::SqliteFailure(code, _) | rusqlite::Error::SqlInputError { error: code, .. } => {
                describe(code.extended_code, &text, shown, model).with_code(code::name(code.extended_code))
            }
            rusqlite::Error::MultipleStatement => Error::query("one statement at a time: the text has several"),
            rusqlite::Error::Empty => Error::query("the text has no statement"),
            rusqlite::Error::Utf8Error(..) => Error::decode(text),
            _ => Error::query(text),
        };
        described.with_driver(DRIVER).with_source(error)
    }
}

/// SQLite's own words, without the statement that `rusqlite` adds.
fn text_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// The same error, with the code and the cause that a failure has.
pub(crate) fn with_code(error: Error, failure: Failure) -> Error {
    let error = error.with_driver(DRIVER);
    match failure {
        Failure::Sqlite(cause) => match cause.sqlite_extended_error_code() {
            Some(code) => error.with_code(code::name(code)).with_source(cause),
            None => error.with_source(cause),
        },
        Failure::Ommi(cause) => error.with_source(cause),
    }
}

fn describe(code: i32, text: &str, shown: &str, model: Option<&ModelDef>) -> Error {
    match code & 0xff {
        ffi::SQLITE_CONSTRAINT => constraint::describe(code, text, model),
        ffi::SQLITE_BUSY if code == ffi::SQLITE_BUSY_SNAPSHOT => Error::conflict(
            "another connection wrote after this transaction had begun to read: run the transaction anew",
        ),
        ffi::SQLITE_BUSY => Error::timeout(format!(
            "another connection held a lock on {shown} for longer than `busy_timeout`: end its transaction sooner, or raise `busy_timeout` in the URL"
        )),
        ffi::SQLITE_PROTOCOL => Error::timeout(format!("other connections kept {shown} locked")),
        ffi::SQLITE_LOCKED | ffi::SQLITE_SCHEMA => Error::conflict(format!("{text}: run it anew")),
        ffi::SQLITE_ABORT => Error::transaction(format!("{text}: the transaction was rolled back meanwhile")),
        ffi::SQLITE_INTERRUPT => Error::timeout("the statement was interrupted"),
        ffi::SQLITE_READONLY => Error::connection(format!(
            "{shown} can only be read: open it without `mode=ro`, and see that the file and its directory are writable"
        )),
        ffi::SQLITE_NOTADB => {
            Error::connection(format!("{shown} is not an SQLite database, or it is encrypted: check the path"))
        }
        ffi::SQLITE_CORRUPT => Error::connection(format!(
            "{shown} is damaged ({text}): restore a backup, or recover what can be read with `sqlite3 FILE .recover`"
        )),
        ffi::SQLITE_CANTOPEN => Error::connection(format!(
            "{shown}, or a file beside it, cannot be opened: is the directory there and writable?"
        )),
        ffi::SQLITE_FULL => Error::connection(format!("{shown} cannot grow: the disk is full, or a limit is reached")),
        ffi::SQLITE_IOERR => Error::connection(format!("{shown} cannot be read or written: {text}")),
        ffi::SQLITE_NOMEM => Error::connection("SQLite ran out of memory"),
        ffi::SQLITE_TOOBIG => {
            Error::query("a text or bytes value is larger than SQLite's limit of 1,000,000,000 bytes")
        }
        ffi::SQLITE_MISMATCH => {
            Error::query(format!("{text}: the key's column takes only integers")).with_fields(fields_of_key(model))
        }
        ffi::SQLITE_AUTH => Error::unsupported(text),
        _ if text.starts_with("no such table: ") => Error::schema(format!(
            "{text}: create it with `db.create`, or check the name that the model is stored under"
        )),
        _ if text.starts_with("no such column: ") || text.contains(" has no column named ") => {
            Error::schema(format!("{text}: the table does not fit the model; `db.create` lists the differences"))
        }
        _ => Error::query(text),
    }
}

fn fields_of_key(model: Option<&ModelDef>) -> Vec<String> {
    model.map(|model| names(model, model.key())).unwrap_or_default()
}

/// The names of fields by their indexes.
fn names(model: &ModelDef, fields: &[u16]) -> Vec<String> {
    fields.iter().map(|field| model.field_name(*field).to_owned()).collect()
}

/// Puts failures into words.
pub(crate) trait InWords<T> {
    /// The result with its failure in words.
    fn in_words(self, shown: impl Fn() -> String, model: Option<&ModelDef>) -> Result<T>;
}

impl<T> InWords<T> for Outcome<T> {
    #[inline]
    fn in_words(self, shown: impl Fn() -> String, model: Option<&ModelDef>) -> Result<T> {
        self.map_err(|failure| failure.into_error(&shown(), model))
    }
}
