//! PostgreSQL's faults as errors of Ommi, by their SQLSTATE.

mod constraint;

use std::error::Error as StdError;

use ommi_core::{Error, ModelDef, Result};
use tokio_postgres::error::{DbError, SqlState};

use crate::options::Options;

/// The driver's name, as errors show it.
pub(crate) const DRIVER: &str = "postgres";

/// What went wrong, before it is put into words.
#[derive(Debug)]
pub(crate) enum Failure {
    Postgres(tokio_postgres::Error),
    Ommi(Error),
}

/// The outcome of work with a connection.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl From<tokio_postgres::Error> for Failure {
    #[cold]
    fn from(error: tokio_postgres::Error) -> Self {
        // what encoding refused comes back inside of the library's error
        match error.source().and_then(|source| source.downcast_ref::<Error>()) {
            Some(own) => Failure::Ommi(own.clone()),
            None => Failure::Postgres(error),
        }
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        Failure::Ommi(error)
    }
}

/// What a statement does, as far as a lost answer is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing is lost with the answer.
    None,
    /// It may have been written for good.
    Lasting,
}

/// What an error is about.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) options: &'a Options,
    pub(crate) model: Option<&'a ModelDef>,
    /// The fields that were written.
    pub(crate) written: &'a [u16],
    pub(crate) effect: Effect,
}

impl Failure {
    fn db(&self) -> Option<&DbError> {
        match self {
            Failure::Postgres(error) => error.as_db_error(),
            Failure::Ommi(_) => None,
        }
    }

    /// Whether the server refused to run a prepared statement because it has lost it, or because its
    /// table has changed since.
    pub(crate) fn is_stale_statement(&self) -> bool {
        self.db().is_some_and(|db| {
            *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME
                || *db.code() == SqlState::FEATURE_NOT_SUPPORTED && db.routine() == Some("RevalidateCachedQuery")
        })
    }

    /// Whether rows agree in what is to be unique.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.db().is_some_and(|db| *db.code() == SqlState::UNIQUE_VIOLATION)
    }

    /// Whether a column that must not be null is.
    pub(crate) fn is_null_in(&self, column: &str) -> bool {
        self.db().is_some_and(|db| *db.code() == SqlState::NOT_NULL_VIOLATION && db.column() == Some(column))
    }

    /// Whether the server reads the columns of a copy otherwise than they were written.
    pub(crate) fn is_binary_mismatch(&self) -> bool {
        self.db().is_some_and(|db| *db.code() == SqlState::INVALID_BINARY_REPRESENTATION)
    }

    /// The error in words.
    #[cold]
    pub(crate) fn into_error(self, context: Context<'_>) -> Error {
        let error = match self {
            Failure::Ommi(error) => return error.with_driver(DRIVER),
            Failure::Postgres(error) => error,
        };
        let described = match error.as_db_error() {
            Some(db) => describe(db, context).with_code(db.code().code()),
            None if is_of_the_wire(&error) => lost(context, &of_the_wire(&error)),
            None => Error::query(of_the_wire(&error)),
        };
        described.with_driver(DRIVER).with_source(error)
    }
}

/// Whether an error is one of the connection, and not of the values of a statement.
fn is_of_the_wire(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    error.is_closed()
        || !(text.starts_with("error serializing")
            || text.starts_with("expected ")
            || text.starts_with("error encoding"))
}

/// An error of the library with what caused it.
fn of_the_wire(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn lost(context: Context<'_>, why: &str) -> Error {
    let shown = &context.options.shown;
    match context.effect {
        Effect::None => Error::connection(format!("the connection to {shown} broke ({why}): run it anew")),
        Effect::Lasting => Error::unknown(format!(
            "the connection to {shown} broke after a write was sent ({why}): look whether it was applied before it is repeated"
        )),
    }
}

/// The error of a failed attempt to connect.
#[cold]
pub(crate) fn of_connecting(error: tokio_postgres::Error, options: &Options) -> Error {
    let shown = &options.shown;
    let user = options.config.get_user().unwrap_or_default();
    let described = match error.as_db_error() {
        Some(db) => {
            let message = db.message();
            let error = match db.code() {
                code if *code == SqlState::INVALID_PASSWORD
                    || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
                {
                    Error::connection(format!(
                        "{shown} refuses the user `{user}` ({message}): check user and password, and the server's pg_hba.conf"
                    ))
                }
                code if *code == SqlState::INVALID_CATALOG_NAME => {
                    Error::connection(format!("{message}: create it with `createdb`, or check the name in the URL"))
                }
                code if *code == SqlState::TOO_MANY_CONNECTIONS => Error::connection(format!(
                    "{shown} has no connection left ({message}): lower `pool`, or raise the server's max_connections"
                )),
                code if *code == SqlState::UNDEFINED_OBJECT || *code == SqlState::INVALID_PARAMETER_VALUE => {
                    Error::config(format!("{shown} refuses a setting of the URL: {message}"))
                }
                _ => Error::connection(format!("{shown} refuses the connection: {message}")),
            };
            error.with_code(db.code().code())
        }
        None => {
            let why = of_the_wire(&error);
            if why.contains("does not support TLS") {
                Error::connection(format!(
                    "{shown} has no TLS, which `sslmode` asks for: turn it on in the server, or connect with `sslmode=disable`"
                ))
            } else if why.starts_with("error performing TLS handshake") {
                Error::connection(format!("TLS with {shown} failed ({why}): check `sslmode` and `sslrootcert`"))
            } else if why.contains("password missing") {
                Error::connection(format!("{shown} asks the user `{user}` for a password, and the URL has none"))
            } else {
                Error::connection(format!(
                    "{shown} cannot be reached ({why}): is the server up, and are host and port right?"
                ))
            }
        }
    };
    described.with_driver(DRIVER).with_source(error)
}

fn describe(db: &DbError, context: Context<'_>) -> Error {
    let message = db.message();
    let code = db.code();
    let class = code.code().get(..2).unwrap_or_default();
    match class {
        "23" => return constraint::describe(db, context),
        "22" => {
            return constraint::too_large(db, context).unwrap_or_else(|| Error::query(message));
        }
        "08" => return lost(context, message),
        "28" | "53" => return Error::connection(message),
        "3F" => {
            return Error::schema(format!("{message}: create it, or check the name that the model is stored under"));
        }
        "40" => {
            return Error::conflict(format!("{message}: run the transaction anew"));
        }
        "54" => return Error::query(format!("{message}: the statement is beyond a limit of PostgreSQL")),
        _ => {}
    }
    match *code {
        SqlState::UNDEFINED_TABLE => Error::schema(format!(
            "{message}: create it with `db.create`, or check the name that the model is stored under"
        )),
        SqlState::UNDEFINED_COLUMN | SqlState::DATATYPE_MISMATCH => {
            Error::schema(format!("{message}: the table does not fit the model; `db.create` lists the differences"))
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            Error::schema(format!("{message}: grant it to the user of the URL, or connect as another"))
        }
        SqlState::QUERY_CANCELED => {
            Error::timeout(format!("{message}: make the statement quicker, or raise `statement_timeout`"))
        }
        SqlState::LOCK_NOT_AVAILABLE => Error::timeout(format!("{message}: another transaction holds a lock for long")),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => lost(context, message),
        SqlState::IN_FAILED_SQL_TRANSACTION => {
            Error::transaction("a statement in the transaction failed, which ends it")
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => Error::transaction(format!("{message}: it is read-only")),
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::transaction(message),
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST => Error::constraint(
            ommi_core::ConstraintKind::Reference,
            format!("{message} ({}): drop both", db.detail().unwrap_or_default()),
        ),
        SqlState::FEATURE_NOT_SUPPORTED => Error::unsupported(message),
        SqlState::OUT_OF_MEMORY => Error::connection(message),
        SqlState::RAISE_EXCEPTION => Error::constraint(ommi_core::ConstraintKind::Check, message),
        _ if class == "57" => lost(context, message),
        _ => Error::query(message),
    }
}

/// Puts failures into words.
pub(crate) trait InWords<T> {
    /// The result with its failure in words.
    fn in_words(self, context: Context<'_>) -> Result<T>;
}

impl<T> InWords<T> for Outcome<T> {
    #[inline]
    fn in_words(self, context: Context<'_>) -> Result<T> {
        self.map_err(|failure| failure.into_error(context))
    }
}
