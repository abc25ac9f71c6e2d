//! What is measured.

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in a file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// Ommi's own database in memory, which has no raw lane.
    Memory,
}

impl Database {
    /// The name in figures and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
            Database::Memory => "memory",
        }
    }
}

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// One row by key.
    Get,
    /// So many rows.
    Rows(i64),
    /// A filter, an order and a limit of 50.
    Filter,
    /// An insert of one row.
    Insert,
    /// An insert of so many rows at once.
    InsertAll(usize),
    /// 100 users, each with ten posts, each with ten comments.
    Tree,
    /// An update of one row by key.
    Update,
    /// A transaction of ten inserts, one after the other.
    Transaction,
}

impl Work {
    /// All of them, in the order of the tables.
    pub const ALL: &[Work] = &[
        Work::Get,
        Work::Rows(10),
        Work::Rows(1_000),
        Work::Rows(10_000),
        Work::Filter,
        Work::Insert,
        Work::InsertAll(100),
        Work::InsertAll(1_000),
        Work::Tree,
        Work::Update,
        Work::Transaction,
    ];

    /// The name in figures and on the command line.
    pub fn name(self) -> String {
        match self {
            Work::Get => "W1 one row by key".into(),
            Work::Rows(10) => "W2 10 rows".into(),
            Work::Rows(1_000) => "W2 1,000 rows".into(),
            Work::Rows(10_000) => "W2 10,000 rows".into(),
            Work::Rows(rows) => format!("W2 {rows} rows"),
            Work::Filter => "W3 filter, order, limit 50".into(),
            Work::Insert => "W4 insert 1".into(),
            Work::InsertAll(1_000) => "W4 insert 1,000".into(),
            Work::InsertAll(rows) => format!("W4 insert {rows}"),
            Work::Tree => "W5 100 x 10 x 10 relations".into(),
            Work::Update => "W6 update by key".into(),
            Work::Transaction => "W7 transaction of 10 inserts".into(),
        }
    }

    /// The workload whose name begins so.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn named(start: &str) -> Self {
        match Work::ALL.iter().find(|work| work.name().starts_with(start)) {
            Some(&work) => work,
            None => {
                let names: Vec<_> = Work::ALL.iter().map(|work| work.name()).collect();
                panic!("no workload `{start}`: {}", names.join("; "));
            }
        }
    }

    /// How many operations a round has: enough to be timed, few enough for slow lanes.
    pub fn times(self, database: Database) -> u32 {
        match (self, database) {
            (Work::Get, Database::Postgres) => 300,
            (Work::Get, _) => 1_000,
            (Work::Rows(10), _) => 200,
            (Work::Rows(rows), _) => {
                if rows > 1_000 {
                    3
                } else {
                    15
                }
            }
            (Work::Filter, _) => 20,
            (Work::Insert, _) => 150,
            (Work::InsertAll(rows), _) => {
                if rows > 100 {
                    3
                } else {
                    15
                }
            }
            (Work::Tree, _) => 3,
            (Work::Update, _) => 150,
            (Work::Transaction, _) => 20,
        }
    }

    /// Whether it leaves rows behind, which are removed after the round.
    pub fn inserts(self) -> bool {
        matches!(self, Work::Insert | Work::InsertAll(_) | Work::Transaction)
    }
}
