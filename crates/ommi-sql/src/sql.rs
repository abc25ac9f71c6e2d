//! A piece of SQL that knows how tightly it binds.

/// How tightly a piece of SQL binds, from the loosest to the tightest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// `a OR b`.
    Or,
    /// `a AND b`.
    And,
    /// `NOT a`.
    Not,
    /// `a = b`, `a IN (..)`, `a IS NULL`.
    Comparison,
    /// `a + b`.
    Operator,
    /// A name, a literal, a call: what never needs parentheses.
    Primary,
}

/// How many pieces stand in a row before they are put into groups: databases limit how deep an
/// expression nests, and `a OR b OR c` nests with every piece.
const ROW: usize = 64;

/// A piece of SQL, to be put into a larger one with parentheses where they are needed.
///
/// Placeholders stand in it as marks (see [`crate::Slot::mark`]) and get their numbers when the
/// statement is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    text: String,
    precedence: Precedence,
}

impl Sql {
    /// A piece that binds as tightly as its outermost operator.
    pub fn new(text: impl Into<String>, precedence: Precedence) -> Self {
        Sql { text: text.into(), precedence }
    }

    /// A name, a literal or a call.
    pub fn primary(text: impl Into<String>) -> Self {
        Sql::new(text, Precedence::Primary)
    }

    /// A comparison.
    pub fn comparison(text: impl Into<String>) -> Self {
        Sql::new(text, Precedence::Comparison)
    }

    /// The text, as it stands between commas or brackets.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, in parentheses unless it binds at least so tightly.
    pub fn within(&self, precedence: Precedence) -> String {
        if self.precedence >= precedence { self.text.clone() } else { format!("({})", self.text) }
    }

    /// All of the pieces; `None` if there are none.
    pub fn all(parts: Vec<Sql>) -> Option<Sql> {
        Sql::join(parts, " AND ", Precedence::And)
    }

    /// Any of the pieces; `None` if there are none.
    pub fn any(parts: Vec<Sql>) -> Option<Sql> {
        Sql::join(parts, " OR ", Precedence::Or)
    }

    fn join(mut parts: Vec<Sql>, separator: &str, precedence: Precedence) -> Option<Sql> {
        if parts.len() < 2 {
            return parts.pop();
        }
        while parts.len() > ROW {
            parts = parts.chunks(ROW).map(|group| Sql::row(group, separator, precedence)).collect();
            parts.iter_mut().for_each(|group| *group = Sql::primary(group.within(Precedence::Primary)));
        }
        Some(Sql::row(&parts, separator, precedence))
    }

    fn row(parts: &[Sql], separator: &str, precedence: Precedence) -> Sql {
        let texts: Vec<String> = parts.iter().map(|part| part.within(precedence)).collect();
        Sql::new(texts.join(separator), precedence)
    }

    /// The opposite, unknown where the piece is unknown.
    pub fn negate(&self) -> Sql {
        Sql::new(format!("NOT {}", self.within(Precedence::Comparison)), Precedence::Not)
    }

    /// The piece, or its opposite.
    pub fn negated(self, negated: bool) -> Sql {
        if negated { self.negate() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parentheses_stand_only_where_they_are_needed() {
        let (a, b, c) = (Sql::comparison("a = 1"), Sql::comparison("b = 2"), Sql::comparison("c = 3"));
        let either = Sql::any(vec![a, b]).unwrap();
        assert_eq!(either.text(), "a = 1 OR b = 2");
        let both = Sql::all(vec![either.clone(), c.clone()]).unwrap();
        assert_eq!(both.text(), "(a = 1 OR b = 2) AND c = 3");
        assert_eq!(Sql::any(vec![both.clone(), c.clone()]).unwrap().text(), "(a = 1 OR b = 2) AND c = 3 OR c = 3");
        assert_eq!(c.negate().text(), "NOT c = 3");
        assert_eq!(either.negate().text(), "NOT (a = 1 OR b = 2)");
        assert_eq!(c.negate().negate().text(), "NOT (NOT c = 3)");
        assert_eq!(Sql::all(vec![]), None);
    }

    #[test]
    fn long_rows_of_conditions_stand_in_groups() {
        let parts = |count| (0..count).map(|n| Sql::comparison(format!("a = {n}"))).collect::<Vec<_>>();
        let joined = Sql::any(parts(70)).unwrap();
        assert!(joined.text().starts_with("(a = 0 OR a = 1"), "{}", joined.text());
        assert!(joined.text().ends_with("a = 63) OR (a = 64 OR a = 65 OR a = 66 OR a = 67 OR a = 68 OR a = 69)"));
        let deepest = Sql::any(parts(300_000)).unwrap().text().split(|c| c != '(').map(str::len).max();
        assert_eq!(deepest, Some(3));
    }
}
