//! MongoDB's errors as Ommi's.

use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error as MongoError, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use ommi_core::model::ModelDef;
use ommi_core::{ConstraintKind, Error};

use crate::arithmetic::RAISED;
use crate::element::{RawValue, find};
use crate::layout::Layout;
use crate::schema::index_name;
use crate::validator::{Broken, broken_rule};

/// The name of the driver, as errors show it.
pub(crate) const DRIVER: &str = "mongodb";

/// What was asked of the server: it decides what a broken connection means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing changes.
    Read,
    /// Something changes at once.
    Write,
    /// Something changes if the transaction is committed.
    InTransaction,
    /// The transaction is committed.
    Commit,
}

/// Codes of servers that are not, or no longer, those that write.
const NOT_PRIMARY: [i32; 3] = [10_107, 13_435, 10_058];
/// Codes of servers that stop, or whose state changes: work may have been done.
const STOPPING: [i32; 5] = [11_600, 11_602, 13_436, 189, 91];

/// The error in words.
#[cold]
pub(crate) fn from_mongo(error: MongoError, work: Work, model: Option<&ModelDef>) -> Error {
    let described = match &*error.kind {
        ErrorKind::Command(command) => {
            let details = error.server_response().map(|response| response.as_bytes().to_vec());
            let about = Fault {
                code: command.code,
                message: &command.message,
                details: details.as_deref(),
                model,
                work,
                is_transient: error.contains_label(TRANSIENT_TRANSACTION_ERROR),
                is_unknown: error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT),
            };
            about.into_error().with_code(command.code.to_string())
        }
        ErrorKind::Authentication { message, .. } => Error::config(format!(
            "the server refused the user or the password of the URL ({}): check both, and `authSource`",
            one_line(message)
        )),
        ErrorKind::ServerSelection { message, .. } => match auth_failure(message) {
            true => {
                Error::config("the server refused the user or the password of the URL: check both, and `authSource`")
            }
            false if message.contains("reports wire version") => too_old(&one_line(message)),
            false => Error::connection(format!(
                "no server can do the work: {}; check the hosts of the URL, that the servers run, and that the replica set has a primary",
                one_line(message)
            )),
        },
        ErrorKind::Io(cause) => broken_connection(&cause.to_string(), work, is_before_sending(&error)),
        ErrorKind::ConnectionPoolCleared { .. } => broken_connection("the server went away", work, true),
        ErrorKind::Shutdown => closed(),
        ErrorKind::DnsResolve { message, .. } => {
            Error::connection(format!("the hosts of the URL cannot be found: {}", one_line(message)))
        }
        ErrorKind::InvalidTlsConfig { message, .. } => Error::config(format!("TLS: {}", one_line(message))),
        ErrorKind::InvalidArgument { message, .. } => Error::config(one_line(message)),
        ErrorKind::IncompatibleServer { message, .. } => too_old(&one_line(message)),
        ErrorKind::SessionsNotSupported => Error::unsupported("the server has no sessions, and so no transactions"),
        ErrorKind::Transaction { message, .. } => Error::transaction(one_line(message)),
        ErrorKind::Bson(_) | ErrorKind::InvalidResponse { .. } => {
            Error::decode(one_line(&format!("the server's answer cannot be read: {}", error.kind)))
        }
        other => Error::query(one_line(&other.to_string())),
    };
    let described = described.with_driver(DRIVER).with_source(error);
    match model {
        Some(model) => described.with_model(model.name()),
        None => described,
    }
}

/// The error of a server that lacks what the driver needs.
#[cold]
pub(crate) fn too_old(cause: &str) -> Error {
    Error::unsupported(format!("{cause}: the driver works with MongoDB 5.0 and later")).with_driver(DRIVER)
}

/// What may mend that a server cannot be reached, by how it failed.
#[cold]
pub(crate) fn with_advice(error: Error, has_tls: bool) -> Error {
    if !error.is_connection() {
        return error;
    }
    let message = error.message().to_ascii_lowercase();
    let is_closed = ["end of file", "eof", "reset", "broken pipe"].iter().any(|cause| message.contains(cause));
    let advice = match has_tls {
        true if message.contains("certificate") => {
            "the server's certificate is not one to trust: `tlsCAFile` names the file of those who vouch for it"
        }
        true => "check that the server speaks TLS, or leave `tls` out of the URL",
        false if is_closed => "if the server speaks TLS alone, `tls=true` is needed in the URL",
        false => return error,
    };
    Error::connection(format!("{}; {advice}", error.message())).with_driver(DRIVER).with_source(error)
}

fn auth_failure(message: &str) -> bool {
    message.contains("Authentication failed") || message.contains("SCRAM failure")
}

/// Whether the connection could not be made at all.
fn is_before_sending(error: &MongoError) -> bool {
    error.contains_label(mongodb::error::SYSTEM_OVERLOADED_ERROR)
        || matches!(&*error.kind, ErrorKind::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[cold]
fn broken_connection(cause: &str, work: Work, before_sending: bool) -> Error {
    match work {
        Work::Write | Work::Commit if !before_sending => Error::unknown(format!(
            "the connection broke after the write was sent ({}): it may or may not have been done; look before you write again",
            one_line(cause)
        )),
        _ => Error::connection(format!("the connection to the server broke: {}", one_line(cause))),
    }
}

/// The error of a handle that was closed.
#[cold]
pub(crate) fn closed() -> Error {
    Error::connection("the database was closed").with_driver(DRIVER)
}

/// The error of a transaction that is over.
#[cold]
pub(crate) fn ended() -> Error {
    Error::transaction("the transaction is over").with_driver(DRIVER)
}

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the server says of a fault.
struct Fault<'a> {
    code: i32,
    message: &'a str,
    /// The document that has the fault's details: `keyPattern`, `errInfo`.
    details: Option<&'a [u8]>,
    model: Option<&'a ModelDef>,
    work: Work,
    is_transient: bool,
    is_unknown: bool,
}

impl Fault<'_> {
    #[cold]
    fn into_error(self) -> Error {
        let text = one_line(self.message);
        if self.is_unknown && self.work == Work::Commit {
            return Error::unknown(format!("the commit was not confirmed: {text}"));
        }
        match self.code {
            11_000 | 11_001 | 12_582 => self.duplicate(),
            121 => self.refused_document(),
            112 | 246 | 251 | 244 => Error::conflict(format!("another transaction was faster: {text}")),
            _ if self.is_transient => Error::conflict(format!("the transaction can be tried again: {text}")),
            50 | 262 | 24 | 46 => Error::timeout(text),
            13 => Error::config(format!("the user may not do this: {text}")),
            18 => Error::config(format!(
                "the server refused the user or the password of the URL: check both, and `authSource` ({text})"
            )),
            388 => Error::query(format!(
                "the transaction is too large for the server: write fewer rows at a time ({text})"
            )),
            26 | 73 => Error::schema(text),
            20 if self.message.contains("Transaction numbers") => {
                Error::unsupported("the server is no replica set, and so has no transactions")
            }
            64 | 100 => {
                Error::unknown(format!("the write was done and not confirmed as the write concern wants: {text}"))
            }
            code if NOT_PRIMARY.contains(&code) => Error::connection(format!("the server takes no writes: {text}")),
            code if STOPPING.contains(&code) => match self.work {
                Work::Write | Work::Commit => Error::unknown(format!("the server stopped while it wrote: {text}")),
                _ => Error::connection(format!("the server stops: {text}")),
            },
            _ => match raised(self.message) {
                Some(raised) => raised.into_error(self.model),
                None => Error::query(text),
            },
        }
    }

    /// The unique group that two rows share.
    fn duplicate(&self) -> Error {
        let error = |fields: Vec<String>| {
            let shown = match fields.is_empty() {
                true => "a unique group".to_owned(),
                false => format!("`{}`", fields.join("`, `")),
            };
            Error::constraint(ConstraintKind::Unique, format!("another row has the same {shown}")).with_fields(fields)
        };
        let Some(model) = self.model else { return error(Vec::new()) };
        let names =
            |fields: &mut dyn Iterator<Item = u16>| fields.map(|field| model.field_name(field).to_owned()).collect();
        let index = index_of_message(self.message);
        if index == Some("_id_") {
            return error(names(&mut model.key().iter().copied()));
        }
        let named = model.unique_groups().find(|group| Some(index_name(model, group).as_str()) == index);
        if let Some(group) = named {
            return error(names(&mut group.fields.iter().map(|(field, _)| *field)));
        }
        // an index of another name: its fields tell
        let layout = Layout::of(model);
        let pattern = self.details.and_then(|details| find(details, "keyPattern"));
        let paths: Vec<String> =
            pattern.map(|pattern| pattern.elements()).unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        let mut fields = (0..)
            .take(model.fields().len())
            .filter(|field| paths.iter().any(|path| **path == *layout.field(*field).dotted));
        error(names(&mut fields))
    }

    /// The rule of the collection that the document breaks.
    fn refused_document(&self) -> Error {
        let info = self.details.and_then(|details| find(details, "errInfo"));
        let broken = info.and_then(|info| info.get("details")).map(|details| broken_rule(&details));
        match (broken, self.model) {
            (Some(Broken::Check(at)), Some(model)) => match model.checks().get(at) {
                Some(check) => {
                    let mut fields = Vec::new();
                    check.condition.each_expr(&mut |expr| {
                        expr.each_field(&mut |field| {
                            let name = model.field_name(field).to_owned();
                            if !fields.contains(&name) {
                                fields.push(name);
                            }
                        });
                    });
                    Error::constraint(
                        ConstraintKind::Check,
                        format!("the check `{}` does not hold for the row", check.name),
                    )
                    .with_fields(fields)
                }
                None => Error::constraint(ConstraintKind::Check, "a check of the collection does not hold for the row"),
            },
            (Some(Broken::Field(path)), model) => {
                let field = model.and_then(|model| {
                    let layout = Layout::of(model);
                    (0..).take(model.fields().len()).find(|field| *layout.field(*field).dotted == *path)
                });
                let name = match (model, field) {
                    (Some(model), Some(field)) => model.field_name(field).to_owned(),
                    _ => path,
                };
                Error::constraint(ConstraintKind::NotNull, format!("`{name}` is required and cannot be null"))
                    .with_fields([name])
            }
            _ => Error::constraint(ConstraintKind::Check, "the validator of the collection refuses the row"),
        }
    }
}

/// The name of the index in the message of a duplicate key.
fn index_of_message(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(" index: ")?;
    rest.rsplit_once(" dup key: ").map(|(name, _)| name)
}

/// What an expression of ours raised.
enum Raised<'a> {
    Query(&'a str),
    NotNull(u16),
    Check(u16, &'a str),
}

fn raised(message: &str) -> Option<Raised<'_>> {
    let (_, rest) = message.split_once(RAISED)?;
    let rest = rest.rsplit_once("' in $convert").map_or(rest, |(raised, _)| raised);
    let field = |rest: &str| rest.split_once(' ').and_then(|(number, _)| number.parse().ok());
    let rule = |mark: &str| rest.strip_prefix(mark);
    if let Some(of) = rule("null ")
        && let Some(field) = field(of)
    {
        return Some(Raised::NotNull(field));
    }
    if let Some(of) = rule("check ")
        && let Some(field) = field(of)
    {
        return Some(Raised::Check(field, of.split_once(' ').map_or("", |(_, rest)| rest)));
    }
    Some(Raised::Query(rest))
}

impl Raised<'_> {
    fn into_error(self, model: Option<&ModelDef>) -> Error {
        let name = |field: u16| model.map(|model| model.field_name(field).to_owned()).unwrap_or_default();
        match self {
            Raised::Query(text) => Error::query(one_line(text)),
            Raised::NotNull(field) => {
                let name = name(field);
                Error::constraint(ConstraintKind::NotNull, format!("`{name}` is required and cannot be null"))
                    .with_fields([name])
            }
            Raised::Check(field, text) => {
                Error::constraint(ConstraintKind::Check, one_line(text)).with_fields([name(field)])
            }
        }
    }
}

/// The error that the answer to a write tells, if it tells one.
#[cold]
fn of_answer(answer: &[u8], model: Option<&ModelDef>, work: Work) -> Option<Error> {
    let number = |value: RawValue<'_>| value.whole().and_then(|code| i32::try_from(code).ok()).unwrap_or_default();
    let first = find(answer, "writeErrors").and_then(|errors| errors.elements().into_iter().next());
    let (details, work) = match first {
        Some((_, error)) => (error, work),
        None => (find(answer, "writeConcernError")?, Work::Write),
    };
    let code = details.get("code").map(number).unwrap_or_default();
    let message = details.get("errmsg").and_then(|message| message.as_text()).unwrap_or_default();
    let fault =
        Fault { code, message, details: Some(details.bytes), model, work, is_transient: false, is_unknown: false };
    let error = match find(answer, "writeErrors") {
        Some(_) => fault.into_error(),
        None => Error::unknown(format!(
            "the write was done and not confirmed as the write concern wants: {}",
            one_line(message)
        )),
    };
    let error = error.with_driver(DRIVER).with_code(code.to_string());
    Some(match model {
        Some(model) => error.with_model(model.name()),
        None => error,
    })
}

/// Refuses the answer to a write that tells an error.
///
/// # Errors
///
/// That.
pub(crate) fn check_answer(answer: &RawDocumentBuf, model: Option<&ModelDef>, work: Work) -> Result<(), Error> {
    let bytes = answer.as_bytes();
    if find(bytes, "writeErrors").is_none() && find(bytes, "writeConcernError").is_none() {
        return Ok(());
    }
    of_answer(bytes, model, work).map_or(Ok(()), Err)
}

/// Whether a read may be sent again to another server, or to the same after it came back.
pub(crate) fn is_read_again(error: &MongoError) -> bool {
    match &*error.kind {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(command) => {
            NOT_PRIMARY.contains(&command.code)
                || STOPPING.contains(&command.code)
                || [6, 7, 89, 134, 262, 9_001].contains(&command.code)
        }
        _ => false,
    }
}
