//! The schema of a database, as it is read back.

/// The tables of a database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemaInfo {
    /// The tables, sorted by name.
    pub tables: Vec<TableInfo>,
}

impl SchemaInfo {
    /// The table of a name.
    pub fn table(&self, name: &str) -> Option<&TableInfo> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// A table, a view or a collection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableInfo {
    /// The schema, where the database has them.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// The columns, in their order.
    pub columns: Vec<ColumnInfo>,
    /// The columns of the primary key.
    pub key: Vec<String>,
    /// Indexes, unique groups among them, the key excluded.
    pub indexes: Vec<IndexInfo>,
    /// Enforced references.
    pub references: Vec<ReferenceInfo>,
}

impl TableInfo {
    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&ColumnInfo> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnInfo {
    /// The name.
    pub name: String,
    /// The type, in the database's words.
    pub column_type: String,
    /// Whether null is allowed.
    pub nullable: bool,
    /// The default, in the database's words.
    pub default: Option<String>,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexInfo {
    /// The name.
    pub name: String,
    /// The columns; `None` for an expression.
    pub columns: Vec<Option<String>>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it holds only some of the rows.
    pub partial: bool,
}

/// An enforced reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceInfo {
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub table: String,
    /// The referenced columns.
    pub target_columns: Vec<String>,
    /// What a deletion does, in SQL's words.
    pub on_delete: String,
    /// What a change of the key does, in SQL's words.
    pub on_update: String,
}
