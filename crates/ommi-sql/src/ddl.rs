//! Tables, indexes and rules: making them, and comparing them with what is there.

mod difference;
mod index;
mod order;
mod table;

pub use self::difference::{differences, missing_indexes};
pub use self::index::{IndexSql, check_index_names, create_indexes};
pub use self::order::creation_order;
pub use self::table::{add_references, check_names, create_table, drop_table, max_length_check_name};
