//! A small library, on which the book shows queries.

