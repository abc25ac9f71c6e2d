//! What a URL says.

use std::path::PathBuf;
use std::time::Duration;

use ommi_core::driver::ConnectOptions;
use ommi_core::{Error, Result};
use percent_encoding::percent_decode_str;

/// The options that URLs may have.
const KNOWN: &[&str] = &[
    "acquire_timeout",
    "begin",
    "busy_timeout",
    "cache_size",
    "foreign_keys",
    "journal",
    "locking",
    "mmap_size",
    "mode",
    "readers",
    "standing_read",
    "statement_cache",
    "synchronous",
];

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// In memory, for one handle.
    Memory,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    Create,
}

/// What a URL says.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) place: Place,
    pub(crate) mode: Mode,
    pub(crate) synchronous: &'static str,
    pub(crate) journal: &'static str,
    pub(crate) busy_timeout: Duration,
    pub(crate) acquire_timeout: Duration,
    pub(crate) readers: u32,
    pub(crate) cache_size: Option<i64>,
    pub(crate) mmap_size: Option<i64>,
    pub(crate) exclusive: bool,
    pub(crate) foreign_keys: bool,
    pub(crate) statement_cache: usize,
    pub(crate) begin: &'static str,
    pub(crate) standing_read: bool,
}

impl Options {
    pub(crate) fn parse(options: &ConnectOptions) -> Result<Self> {
        options.check_known(KNOWN)?;
        let number = |name, range| options.number(name, range);
        let size = |name| Ok::<_, Error>(number(name, 0..=1 << 42)?.and_then(|size| i64::try_from(size).ok()));
        let modes = [("rwc", Mode::Create), ("rw", Mode::Write), ("ro", Mode::Read)];
        let synchronous = [("full", "FULL"), ("normal", "NORMAL"), ("off", "OFF"), ("extra", "EXTRA")];
        let journals = [
            ("wal", "WAL"),
            ("delete", "DELETE"),
            ("truncate", "TRUNCATE"),
            ("persist", "PERSIST"),
            ("memory", "MEMORY"),
        ];
        let begins =
            [("immediate", "BEGIN IMMEDIATE"), ("deferred", "BEGIN DEFERRED"), ("exclusive", "BEGIN EXCLUSIVE")];
        let switch = [("on", true), ("off", false)];
        let place = place(options)?;
        let memory = place == Place::Memory;
        Ok(Options {
            mode: options.choice("mode", &modes)?.unwrap_or(Mode::Create),
            synchronous: options.choice("synchronous", &synchronous)?.unwrap_or("FULL"),
            journal: options.choice("journal", &journals)?.unwrap_or("WAL"),
            busy_timeout: options.duration("busy_timeout")?.unwrap_or(Duration::from_secs(5)),
            acquire_timeout: options.duration("acquire_timeout")?.unwrap_or(Duration::from_secs(30)),
            readers: number("readers", 1..=64)?.and_then(|count| u32::try_from(count).ok()).unwrap_or(4),
            cache_size: size("cache_size")?,
            mmap_size: size("mmap_size")?,
            // a lock on memory that nobody else can open would only take the readers away
            exclusive: options.choice("locking", &[("normal", false), ("exclusive", true)])?.unwrap_or(false)
                && !memory,
            foreign_keys: options.choice("foreign_keys", &switch)?.unwrap_or(true),
            standing_read: options.choice("standing_read", &switch)?.unwrap_or(true),
            statement_cache: number("statement_cache", 1..=100_000)?
                .and_then(|count| usize::try_from(count).ok())
                .unwrap_or(256),
            begin: options.choice("begin", &begins)?.unwrap_or("BEGIN IMMEDIATE"),
            place,
        })
    }

    pub(crate) fn is_memory(&self) -> bool {
        self.place == Place::Memory
    }

    /// Whether a commit waits until the disk has the data.
    pub(crate) fn is_durable(&self) -> bool {
        !self.is_memory()
            && (matches!(self.synchronous, "FULL" | "EXTRA") || self.journal != "WAL" && self.synchronous != "OFF")
    }

    /// Whether a commit waits neither for the disk nor for readers.
    pub(crate) fn commits_at_once(&self) -> bool {
        self.is_memory() || self.journal == "WAL" && !self.is_durable()
    }

    /// Whether readers may share a lock, which in WAL mode keeps no writer away.
    pub(crate) fn has_standing_read(&self) -> bool {
        self.standing_read && !self.is_memory() && !self.exclusive && self.journal == "WAL"
    }

    /// The database, as messages call it.
    pub(crate) fn shown(&self) -> String {
        match &self.place {
            Place::File(path) => format!("`{}`", path.display()),
            Place::Memory => "the database in memory".to_owned(),
        }
    }
}

fn place(options: &ConnectOptions) -> Result<Place> {
    let rest = options.rest();
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = percent_decode_str(path).decode_utf8().map_err(|error| {
        Error::config("the path of the URL is not UTF-8 after its percent signs are decoded").with_source(error)
    })?;
    match &*path {
        "" => Err(Error::config(
            "the URL names no file: write `sqlite://file.db`, `sqlite:///absolute/file.db` or `sqlite::memory:`",
        )),
        path if path.contains('\0') => Err(Error::config("the path of the URL has a NUL character")),
        ":memory:" => Ok(Place::Memory),
        path => Ok(Place::File(path.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Options> {
        Options::parse(&ConnectOptions::from_url(url)?)
    }

    #[test]
    fn urls_name_files_and_memory() {
        let place = |url| parse(url).unwrap().place;
        assert_eq!(place("sqlite://rel.db"), Place::File("rel.db".into()));
        assert_eq!(place("sqlite:rel.db"), Place::File("rel.db".into()));
        assert_eq!(place("sqlite:///tmp/abs.db"), Place::File("/tmp/abs.db".into()));
        assert_eq!(place("sqlite://with%20space%3F.db?mode=rw"), Place::File("with space?.db".into()));
        assert_eq!(place("sqlite::memory:"), Place::Memory);
        assert_eq!(place("sqlite://:memory:"), Place::Memory);
    }

    #[test]
    fn wrong_urls_say_what_is_possible() {
        let message = |url| {
            let error = parse(url).unwrap_err();
            assert!(error.is_config());
            error.message().to_owned()
        };
        assert!(message("sqlite://").contains("sqlite://file.db"));
        assert!(message("sqlite://a.db?sync=full").contains("`synchronous`"));
        assert!(message("sqlite://a.db?synchronous=fast").contains("`normal`"));
        assert!(message("sqlite://a.db?readers=0").contains("1 to 64"));
        assert!(message("sqlite://a.db?busy_timeout=soon").contains("`250ms`"));
        assert!(message("sqlite://%ff.db").contains("UTF-8"));
    }

    #[test]
    fn only_commits_that_wait_for_the_disk_are_durable() {
        assert!(parse("sqlite://a.db").unwrap().is_durable());
        assert!(!parse("sqlite://a.db?synchronous=normal").unwrap().is_durable());
        assert!(parse("sqlite://a.db?synchronous=normal&journal=delete").unwrap().is_durable());
        assert!(!parse("sqlite::memory:").unwrap().is_durable());
    }
}
