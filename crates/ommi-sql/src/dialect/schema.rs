//! What differs between SQL databases in their schemas.

use ommi_core::Result;
use ommi_core::model::{FieldDef, ModelDef, OnChange};
use ommi_core::query::Direction;

use super::Dialect;

/// How a database says tables, indexes and rules.
pub trait SchemaDialect: Dialect {
    /// The dialect as one of queries.
    fn queries(&self) -> &dyn Dialect;

    /// The dialect in which checks and the conditions of partial indexes are written. It refuses
    /// what another client of the database could not evaluate.
    fn rules(&self) -> &dyn Dialect;

    /// The longest identifier, in bytes.
    fn identifier_bytes(&self) -> usize {
        usize::MAX
    }

    /// The type of a field's column.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the database cannot keep the type's values.
    fn column_type(&self, model: &ModelDef, field: &FieldDef) -> Result<String>;

    /// What stands behind the type of the one column of a key (`PRIMARY KEY`, an identity); the
    /// default value and the null rule are written besides.
    fn key_clause(&self, field: &FieldDef) -> String {
        let _ = field;
        "PRIMARY KEY".into()
    }

    /// The condition that a quoted column's text has at most so many characters; `None` if the
    /// column's type says so already.
    fn max_length(&self, column: &str, characters: u32) -> Option<String>;

    /// What stands behind the closing parenthesis of a table, with a space before it.
    fn table_options(&self) -> &str {
        ""
    }

    /// What a reference does when the referenced row changes; `None` if nothing has to be said.
    fn on_change(&self, change: OnChange) -> Option<&'static str> {
        Some(change.sql())
    }

    /// Whether references are added when all tables are there. If not, a table may name another
    /// that does not exist yet.
    fn alter_adds_references(&self) -> bool {
        false
    }

    /// Whether columns of a declared type hold the values of a field and give them back.
    fn reads(&self, declared: &str, model: &ModelDef, field: &FieldDef) -> bool;

    /// A quoted column as an index has it, sorted as queries sort it.
    fn index_key(&self, column: &str, direction: Direction, nullable: bool) -> String {
        let _ = nullable;
        match direction {
            Direction::Ascending => column.to_owned(),
            Direction::Descending => format!("{column} DESC"),
        }
    }

    /// Whether two names are the same to the database.
    fn same_name(&self, left: &str, right: &str) -> bool {
        left == right
    }

    /// The statements that give a column, which exists, another definition and keep its values;
    /// table and column are quoted, and the definition begins with the column.
    fn redefine_column(&self, table: &str, column: &str, definition: &str) -> String;
}
