//! The SQLite driver of Ommi.
