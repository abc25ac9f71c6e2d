//! Memory for SQLite's short-lived values.

use std::ffi::c_int;
use std::ptr;

use rusqlite::ffi;

/// The size of a piece in bytes: SQLite's own.
const SIZE: c_int = 1200;
/// How many bytes there are, in pieces: three times SQLite's own number of them.
const PIECES: c_int = 300;

/// Gives a new connection more of the small pieces of memory in which SQLite keeps values while a
/// statement runs. The functions that Ommi registers and the statements that it keeps prepared stay
/// in SQLite's own hundred, and then every text of every row is allocated, under a lock of the whole
/// process: an insert took 2,200 instructions more for it, of 16,000.
///
/// A connection that refuses keeps what it has.
#[allow(unsafe_code, reason = "rusqlite has no function for this setting")]
pub(super) fn widen(connection: &rusqlite::Connection) {
    // SAFETY: the handle is that of an open connection, which is borrowed until the call returns. For
    // this setting SQLite reads a pointer, which may be null for memory of its own, and two integers;
    // it refuses while any of the old memory is in use.
    unsafe {
        let memory = ptr::null_mut::<std::ffi::c_void>();
        ffi::sqlite3_db_config(connection.handle(), ffi::SQLITE_DBCONFIG_LOOKASIDE, memory, SIZE, PIECES);
    }
}
