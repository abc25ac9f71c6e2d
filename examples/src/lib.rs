//! What the examples share: the tables of the flights data, and the samples of the book.

pub mod library;
pub mod shelf;
pub mod table;

#[cfg(doctest)]
mod book;
