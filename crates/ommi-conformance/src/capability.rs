//! The capabilities that cases need.

use std::fmt;

use ommi::driver::Capabilities;

/// A capability that the engine cannot complete: a case that needs it is left out where it is
/// absent.
#[derive(Clone, Copy)]
pub struct Capability {
    name: &'static str,
    test: fn(&Capabilities) -> bool,
}

impl Capability {
    /// The capability's name, as reports show it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a driver has it.
    pub fn is_in(&self, capabilities: &Capabilities) -> bool {
        (self.test)(capabilities)
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Capability").field(&self.name).finish()
    }
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $constant:ident = $group:ident.$field:ident;)*) => { $(
        $(#[$doc])*
        pub const $constant: Capability = Capability {
            name: concat!(stringify!($group), ".", stringify!($field)),
            test: |capabilities| capabilities.$group.$field,
        };
    )* };
}

capabilities! {
    /// Unique groups.
    UNIQUE = constraint.unique;
    /// Unique groups over some of the rows.
    PARTIAL_UNIQUE = constraint.partial_unique;
    /// Enforced references.
    REFERENCES = constraint.references;
    /// Checks.
    CHECKS = constraint.checks;
    /// Automatic integer keys.
    AUTO_INTEGERS = constraint.auto_integers;
    /// Transactions.
    TRANSACTIONS = transaction.transactions;
    /// Nested transactions.
    SAVEPOINTS = transaction.savepoints;
    /// Transactions that only read.
    READ_ONLY = transaction.read_only;
    /// The isolation `RepeatableRead`.
    REPEATABLE_READ = transaction.repeatable_read;
    /// The isolation `Serializable`.
    SERIALIZABLE = transaction.serializable;
    /// Joins.
    JOINS = relation.joins;
    /// Statements in SQL.
    SQL = operation.sql;
}

/// Updates that no other write comes between: in one operation, or in a transaction.
pub const WHOLE_UPDATES: Capability = Capability {
    name: "transaction.transactions or write.update_expressions",
    test: |can| can.transaction.transactions || can.write.update_where && can.write.update_expressions,
};

/// Embedded structs flattened into columns, where documents are not native.
pub const COLUMNS: Capability =
    Capability { name: "columns in place of operation.documents", test: |can| !can.operation.documents };

/// A limit of the bytes of a value that a test can reach.
pub const VALUE_LIMIT: Capability =
    Capability { name: "limits.value_bytes of at most 64 MiB", test: |can| can.limits.value_bytes <= 64 << 20 };
