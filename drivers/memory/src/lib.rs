//! The in-memory driver of Ommi.
