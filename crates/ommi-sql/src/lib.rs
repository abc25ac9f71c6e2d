//! SQL for Ommi's drivers: one renderer, a small [`Dialect`] per database.
//!
//! [`render`](render::render) turns a [`Statement`](ommi_core::query::statement::Statement) into
//! text and the [`Slot`]s that its placeholders are bound to; [`ddl`] writes the tables, indexes
//! and rules of models and compares them with what is there. Neither knows a vendor: what differs
//! between databases is said by the dialect, expression by expression.

pub mod ddl;
pub mod dialect;
mod fold;
pub mod identifier;
pub mod operand;
pub mod render;
pub mod slot;
pub mod sql;

pub use self::dialect::{Dialect, SchemaDialect};
pub use self::operand::{Operand, Source};
pub use self::render::{InsertRows, RenderedInsert, RenderedSql, render, render_insert, render_insert_of};
pub use self::slot::{Bound, Slot};
pub use self::sql::{Precedence, Sql};
