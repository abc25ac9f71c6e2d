//! The one error type, with its kind, its context and its source.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;

/// The result of an Ommi operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, coarse enough to decide what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No row where one was asked for.
    NotFound,
    /// More than one row where one was asked for.
    NotUnique,
    /// A unique, reference, not-null or check rule refused a write.
    Constraint,
    /// A serialization failure, a deadlock or a stale version.
    Conflict,
    /// The operation took longer than it was given.
    Timeout,
    /// The database can't be reached, or the connection broke.
    Connection,
    /// A write was sent and not answered: it may or may not have been applied.
    Unknown,
    /// The transaction is over, or was used in a way that it forbids.
    Transaction,
    /// A model, a table, or their fit is wrong.
    Schema,
    /// The query or one of its values is wrong.
    Query,
    /// A stored value does not fit the field that it is read into.
    Decode,
    /// The driver lacks a capability that is needed here.
    Unsupported,
    /// A URL, an option or a feature is wrong.
    Config,
    /// A value that was loaded with a database has none now.
    Detached,
}

impl ErrorKind {
    /// The kind's name, as it is shown.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not found",
            ErrorKind::NotUnique => "not unique",
            ErrorKind::Constraint => "constraint violated",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Connection => "connection failed",
            ErrorKind::Unknown => "outcome unknown",
            ErrorKind::Transaction => "transaction",
            ErrorKind::Schema => "schema",
            ErrorKind::Query => "query",
            ErrorKind::Decode => "decode",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Config => "configuration",
            ErrorKind::Detached => "detached",
        }
    }
}

/// Which rule a [`ErrorKind::Constraint`] error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// Two rows share a key or a unique group.
    Unique,
    /// A referenced row is absent, or a row is still referenced.
    Reference,
    /// A required field is null.
    NotNull,
    /// A check does not hold.
    Check,
}

impl ConstraintKind {
    /// The rule's name, as it is shown.
    pub fn name(self) -> &'static str {
        match self {
            ConstraintKind::Unique => "unique",
            ConstraintKind::Reference => "reference",
            ConstraintKind::NotNull => "not null",
            ConstraintKind::Check => "check",
        }
    }
}

/// An error of Ommi: small, cloneable, one line when displayed.
///
/// Ask the predicates (`is_not_found()`, `is_retryable()`) rather than the text.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    driver: Option<&'static str>,
    model: Option<Arc<str>>,
    operation: Option<&'static str>,
    constraint: Option<ConstraintKind>,
    fields: Vec<String>,
    code: Option<String>,
    stale: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => { $(
        $(#[$doc])*
        #[cold]
        pub fn $name(message: impl Into<String>) -> Self {
            Error::new(ErrorKind::$kind, message)
        }
    )* };
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(&self) -> bool {
            self.0.kind == ErrorKind::$kind
        }
    )* };
}

impl Error {
    /// An error of a kind, with a message that says what happened and what to do.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Arc::new(Details {
            kind,
            message: message.into(),
            driver: None,
            model: None,
            operation: None,
            constraint: None,
            fields: Vec::new(),
            code: None,
            stale: false,
            source: None,
        }))
    }

    constructors! {
        /// No row where one was asked for.
        not_found = NotFound;
        /// More than one row where one was asked for.
        not_unique = NotUnique;
        /// A conflict that may be retried.
        conflict = Conflict;
        /// The time was up.
        timeout = Timeout;
        /// The database can't be reached.
        connection = Connection;
        /// A write without an answer.
        unknown = Unknown;
        /// The transaction is over, or was misused.
        transaction = Transaction;
        /// A model or a table is wrong.
        schema = Schema;
        /// A query or one of its values is wrong.
        query = Query;
        /// A stored value does not fit its field.
        decode = Decode;
        /// A capability is absent.
        unsupported = Unsupported;
        /// A URL, an option or a feature is wrong.
        config = Config;
        /// No database belongs to the value.
        detached = Detached;
    }

    /// A constraint of a kind was violated.
    #[cold]
    pub fn constraint(kind: ConstraintKind, message: impl Into<String>) -> Self {
        let mut error = Error::new(ErrorKind::Constraint, message);
        error.details().constraint = Some(kind);
        error
    }

    /// A stale version: the row was changed or deleted since it was read.
    #[cold]
    pub fn stale(message: impl Into<String>) -> Self {
        let mut error = Error::new(ErrorKind::Conflict, message);
        error.details().stale = true;
        error
    }

    fn details(&mut self) -> &mut Details {
        Arc::make_mut(&mut self.0)
    }

    /// The same error, with the driver that it comes from.
    pub fn with_driver(mut self, driver: &'static str) -> Self {
        self.details().driver.get_or_insert(driver);
        self
    }

    /// The same error, with the model that it is about (the first one named stays).
    pub fn with_model(mut self, model: &Arc<str>) -> Self {
        self.details().model.get_or_insert_with(|| Arc::clone(model));
        self
    }

    /// The same error, with the operation that failed (the first one named stays).
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.details().operation.get_or_insert(operation);
        self
    }

    /// The same error, with more to its message.
    pub(crate) fn with_addition(mut self, addition: &str) -> Self {
        self.details().message = format!("{}; {addition}", self.0.message);
        self
    }

    /// The same error, with the fields that it is about.
    pub fn with_fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.details().fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// The same error, with the database's own code.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.details().code = Some(code.into());
        self
    }

    /// The same error, with the error that caused it.
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.details().source = Some(Arc::new(source));
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened and what to do, without the context that `Display` adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The driver that the error comes from.
    pub fn driver(&self) -> Option<&'static str> {
        self.0.driver
    }

    /// The model that the error is about.
    pub fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The operation that failed.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The rule that a write broke, for [`ErrorKind::Constraint`].
    pub fn constraint_kind(&self) -> Option<ConstraintKind> {
        self.0.constraint
    }

    /// The fields that the error is about, by the names that the model gives them.
    pub fn fields(&self) -> &[String] {
        &self.0.fields
    }

    /// The database's own code (an SQLSTATE, an SQLite extended code name).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    predicates! {
        /// No row where one was asked for.
        is_not_found = NotFound;
        /// More than one row where one was asked for.
        is_not_unique = NotUnique;
        /// A rule refused a write.
        is_constraint = Constraint;
        /// A serialization failure, a deadlock or a stale version.
        is_conflict = Conflict;
        /// The time was up.
        is_timeout = Timeout;
        /// The database can't be reached.
        is_connection = Connection;
        /// A write was sent and not answered.
        is_unknown = Unknown;
        /// The transaction is over, or was misused.
        is_transaction = Transaction;
        /// A model or a table is wrong.
        is_schema = Schema;
        /// A query or one of its values is wrong.
        is_query = Query;
        /// A stored value does not fit its field.
        is_decode = Decode;
        /// A capability is absent.
        is_unsupported = Unsupported;
        /// A URL, an option or a feature is wrong.
        is_config = Config;
        /// No database belongs to the value.
        is_detached = Detached;
    }

    /// A unique rule refused the write.
    pub fn is_unique_violation(&self) -> bool {
        self.0.constraint == Some(ConstraintKind::Unique)
    }

    /// A reference rule refused the write.
    pub fn is_reference_violation(&self) -> bool {
        self.0.constraint == Some(ConstraintKind::Reference)
    }

    /// The row was changed or deleted since it was read: reload it and decide anew.
    pub fn is_stale(&self) -> bool {
        self.0.stale
    }

    /// Whether the same work, done anew, may succeed without a change.
    pub fn is_retryable(&self) -> bool {
        self.0.kind == ErrorKind::Conflict && !self.0.stale
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        f.write_str(details.kind.name())?;
        match (details.operation, &details.model) {
            (Some(operation), Some(model)) => write!(f, " ({operation} {model})")?,
            (Some(operation), None) => write!(f, " ({operation})")?,
            (None, Some(model)) => write!(f, " ({model})")?,
            (None, None) => {}
        }
        f.write_str(": ")?;
        for character in details.message.chars() {
            // one line, whatever a value that is shown holds
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => f.write_char(character)?,
            }
        }
        match (details.driver, &details.code) {
            (Some(driver), Some(code)) => write!(f, " [{driver}: {code}]"),
            (Some(driver), None) => write!(f, " [{driver}]"),
            (None, Some(code)) => write!(f, " [{code}]"),
            (None, None) => Ok(()),
        }
    }
}

/// The one line of `Display`, as a `main` that returns the error shows it; all parts with `{:#?}`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let details = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &details.kind).field("message", &details.message);
        if let Some(driver) = details.driver {
            debug.field("driver", &driver);
        }
        if let Some(model) = &details.model {
            debug.field("model", model);
        }
        if let Some(operation) = details.operation {
            debug.field("operation", &operation);
        }
        if let Some(constraint) = details.constraint {
            debug.field("constraint", &constraint);
        }
        if !details.fields.is_empty() {
            debug.field("fields", &details.fields);
        }
        if let Some(code) = &details.code {
            debug.field("code", code);
        }
        if let Some(source) = &details.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());
