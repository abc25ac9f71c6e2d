//! Related rows: the fields that lead to them, and how they are loaded.
//!
//! The rows of one result form a *group*: their relation fields point into it, and
//! the first that is asked for its related rows loads those of all rows of the group that still
//! live, in one query. A field holds nothing but its place in the group; the group holds the keys
//! that the rows had when they were read.

pub mod dynamic;
pub mod eager;
pub mod field;
pub mod get;
pub(crate) mod group;
pub(crate) mod keys;
pub(crate) mod load;
pub mod related;
mod repeated;
pub mod write;

pub use self::dynamic::{LoadedRows, RowKeys};
pub use self::field::{Many, One, RelationField, ToOne};
pub use self::get::Get;
pub use self::group::Handle;
pub use self::load::FoundRows;
pub use self::related::RelatedRows;
