//! The names of SQLite's result codes.

use rusqlite::ffi;

macro_rules! codes {
    ($($name:ident)*) => {
        /// The name of a result code, as SQLite's documentation has it.
        pub(super) fn name(code: i32) -> String {
            match code {
                $(ffi::$name => stringify!($name).to_owned(),)*
                // an extended code without a name of its own here: the primary one says the kind
                other if other > 0xff => format!("{}({other})", name(other & 0xff)),
                other => format!("SQLITE({other})"),
            }
        }
    };
}

codes! {
    SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY
    SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL
    SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS SQLITE_AUTH
    SQLITE_RANGE SQLITE_NOTADB
    SQLITE_ABORT_ROLLBACK SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT
    SQLITE_CANTOPEN_ISDIR SQLITE_CANTOPEN_FULLPATH
    SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_DATATYPE SQLITE_CONSTRAINT_FOREIGNKEY SQLITE_CONSTRAINT_NOTNULL
    SQLITE_CONSTRAINT_PRIMARYKEY SQLITE_CONSTRAINT_ROWID SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE
    SQLITE_CORRUPT_INDEX SQLITE_CORRUPT_SEQUENCE
    SQLITE_IOERR_READ SQLITE_IOERR_SHORT_READ SQLITE_IOERR_WRITE SQLITE_IOERR_FSYNC SQLITE_IOERR_NOMEM
    SQLITE_IOERR_CORRUPTFS
    SQLITE_READONLY_CANTLOCK SQLITE_READONLY_DBMOVED SQLITE_READONLY_DIRECTORY SQLITE_READONLY_RECOVERY
    SQLITE_READONLY_ROLLBACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_have_their_own_names_or_that_of_their_kind() {
        assert_eq!(name(ffi::SQLITE_CONSTRAINT_UNIQUE), "SQLITE_CONSTRAINT_UNIQUE");
        assert_eq!(name(ffi::SQLITE_IOERR_MMAP), format!("SQLITE_IOERR({})", ffi::SQLITE_IOERR_MMAP));
    }
}
