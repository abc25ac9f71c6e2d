//! What is measured.

/// A work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    InsertAll(i64),
    /// 100 users, each with ten posts, each with ten comments.
    Tree,
    /// An update of one row by key.
    Update,
    /// A transaction of ten inserts, one after the other.
    Transaction,
    /// The same, begun together.
    Together,
    /// Look-ups by key of 64 tasks, on eight connections and two threads.
    Tasks,
}

/// The works with their names and how many operations a round has of them: enough to be timed, few
/// enough for slow lanes.
const WORKS: &[(Work, &str, u32)] = &[
    (Work::Get, "W1 one row by key", 5_000),
    (Work::Rows(10), "W2 10 rows", 2_000),
    (Work::Rows(1_000), "W2 1,000 rows", 15),
    (Work::Rows(10_000), "W2 10,000 rows", 3),
    (Work::Filter, "W3 filter, order, limit 50", 20),
    (Work::Insert, "W4 insert 1", 200),
    (Work::InsertAll(100), "W4 insert 100", 15),
    (Work::InsertAll(1_000), "W4 insert 1,000", 3),
    (Work::Tree, "W5 100 x 10 x 10 relations", 3),
    (Work::Update, "W6 update by key", 200),
    (Work::Transaction, "W7 transaction of 10 inserts", 30),
    (Work::Together, "W7 the same, begun together", 30),
    (Work::Tasks, "W8 64 tasks, pool of 8, two threads", 6_400),
];

impl Work {
    /// All of them, in the order of the tables.
    pub fn all() -> impl Iterator<Item = Work> {
        WORKS.iter().map(|(work, ..)| *work)
    }

    /// The name in tables and on the command line.
    pub fn name(self) -> &'static str {
        WORKS.iter().find(|(work, ..)| *work == self).map_or("", |(_, name, _)| name)
    }

    /// The work of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|work| work.name() == name)
    }

    /// How many operations a round has.
    pub fn times(self) -> u32 {
        WORKS.iter().find(|(work, ..)| *work == self).map_or(1, |(.., times)| *times)
    }

    /// Whether it leaves rows behind, which are removed after the round.
    pub fn inserts(self) -> bool {
        matches!(self, Work::Insert | Work::InsertAll(_) | Work::Transaction | Work::Together)
    }
}
