//! Opening connections.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ommi_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, OpenFlags};

use super::{Connection, lookaside};
use crate::error::{self, Failure, Outcome};
use crate::function;
use crate::options::{Mode, Options, Place};
use crate::watch::Watch;

/// How many instructions of SQLite's machine pass between two looks at the watch.
const TICK: i32 = 2_000;

static NEXT_MEMORY: AtomicU64 = AtomicU64::new(1);

/// Opens the connections of a handle.
#[derive(Debug)]
pub(crate) struct Opener {
    options: Arc<Options>,
    /// The number of the database in memory, for a handle that has one.
    memory: u64,
}

impl Opener {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Opener { options, memory: NEXT_MEMORY.fetch_add(1, Ordering::Relaxed) }
    }

    /// Opens a connection, to read only or to write too. May block.
    ///
    /// # Errors
    ///
    /// `Connection` if the file is absent, can't be opened, or is no database.
    pub(crate) fn open(&self, writes: bool) -> Result<Connection> {
        self.connect().and_then(|connection| self.set_up(connection, writes)).map_err(|failure| self.explain(failure))
    }

    /// A connection that only reads, for a file in WAL mode; `None` for others. May block.
    pub(crate) fn open_beside(&self) -> Outcome<Option<Connection>> {
        let connection = self.set_up(self.connect()?, false)?;
        let journal: String = connection.sqlite().query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        Ok(journal.eq_ignore_ascii_case("wal").then_some(connection))
    }

    fn connect(&self) -> Outcome<rusqlite::Connection> {
        let access = match self.options.mode {
            Mode::Read if !self.options.is_memory() => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            _ => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(match &self.options.place {
            Place::Memory => rusqlite::Connection::open_with_flags(
                format!("file:/ommi-{}-{}?vfs=memdb", std::process::id(), self.memory),
                flags | OpenFlags::SQLITE_OPEN_URI,
            )?,
            // SQLite takes a name that begins with `file:` for a URL
            Place::File(path) if path.as_os_str().as_encoded_bytes().starts_with(b"file:") => {
                rusqlite::Connection::open_with_flags(Path::new(".").join(path), flags)?
            }
            Place::File(path) => rusqlite::Connection::open_with_flags(path, flags)?,
        })
    }

    fn set_up(&self, mut connection: rusqlite::Connection, writes: bool) -> Outcome<Connection> {
        lookaside::widen(&connection);
        let options = &self.options;
        let watch = Watch::new(options.busy_timeout);
        let busy = Arc::clone(&watch);
        connection.busy_handler(Some(move |times| busy.wait(times)))?;
        // a name in double quotes that is no column must not turn into a text
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        let pragma = |name: &str, value: &dyn rusqlite::ToSql| {
            connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                error => Err(error),
            })
        };
        if options.exclusive {
            pragma("locking_mode", &"EXCLUSIVE")?;
        }
        if options.is_memory() {
            // the writer may not write pages before its commit while others read
            pragma("cache_spill", &false)?;
        } else if !connection.is_readonly("main")? {
            pragma("journal_mode", &options.journal)?;
        }
        if writes {
            // what an insert of several rows would undo is else written to a file, page by page
            pragma("temp_store", &"MEMORY")?;
        }
        pragma("synchronous", &options.synchronous)?;
        pragma("foreign_keys", &options.foreign_keys)?;
        if let Some(size) = options.cache_size {
            pragma("cache_size", &size)?;
        }
        if let Some(size) = options.mmap_size {
            pragma("mmap_size", &size)?;
        }
        // the first read finds out whether the file is a database
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        function::register(&connection)?;
        let progress = Arc::clone(&watch);
        connection.progress_handler(TICK, Some(move || progress.tick()))?;
        Ok(Connection::new(connection, watch, options.statement_cache))
    }

    #[cold]
    fn explain(&self, failure: Failure) -> Error {
        let code = match &failure {
            Failure::Sqlite(error) => error.sqlite_error_code(),
            Failure::Ommi(_) => None,
        };
        match (&self.options.place, code) {
            (Place::File(path), Some(ErrorCode::CannotOpen)) => {
                error::with_code(Error::connection(self.why_not(path)), failure)
            }
            _ => failure.into_error(&self.options.shown(), None),
        }
    }

    /// Why a file can't be opened, and what to do.
    fn why_not(&self, path: &Path) -> String {
        let shown = path.display();
        let parent = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("/"),
        };
        if path.is_dir() {
            return format!("`{shown}` is a directory: name a file in it");
        }
        if !parent.exists() {
            return format!(
                "`{shown}` cannot be opened: the directory `{}` does not exist, create it",
                parent.display()
            );
        }
        if !parent.is_dir() {
            return format!("`{shown}` cannot be opened: `{}` is not a directory", parent.display());
        }
        match (path.exists(), self.options.mode) {
            (false, Mode::Write | Mode::Read) => format!(
                "`{shown}` does not exist, and the URL's `mode` creates no file: leave it out, or write `mode=rwc`"
            ),
            (false, Mode::Create) => {
                format!("`{shown}` cannot be created: is the directory `{}` writable?", parent.display())
            }
            (true, Mode::Read) => format!(
                "`{shown}` cannot be opened: is it readable, and its directory too? (a database in WAL mode has a `-shm` file beside it)"
            ),
            (true, _) => format!("`{shown}` cannot be opened: are the file and its directory readable and writable?"),
        }
    }
}
